"""Every way in says what it does and to which indices, so that none can go past a decision about who may."""

from pathlib import Path

from sealane.inbound import register_about_handlers, register_handlers
from sealane.remote.diagnosis import Report
from sealane.rest import msearch, search
from sealane.rest.handlers import remote_test, resolve_cluster
from sealane.rest.params import ALWAYS_KNOWN
from sealane.rest.router import Route, no_indices
from sealane.rest.routes import standard_routes
from sealane.search.resolve_cluster import ClusterResolver
from sealane.security.rules import allow_all
from sealane.testing.fixed_nodes import FixedNodes
from sealane.testing.in_process import clusters
from tests.unit.rest.fakes import World

ACTION_PREFIXES = ("cluster:", "indices:")


class NoConnectionTests:
    """Routes are made of it; it is never called."""

    async def of_alias(self, alias: str, timeout_s: float) -> Report:
        raise NotImplementedError

    async def of_settings(self, body: object, timeout_s: float) -> Report:
        raise NotImplementedError


async def every_route(folder: Path) -> list[Route]:
    async with clusters(folder, "c") as (cluster,):
        searches = cluster.searches
        return [
            *search.routes(searches),
            *msearch.routes(searches),
            *resolve_cluster.routes(ClusterResolver(local=cluster.about, remotes=cluster.links)),
            *remote_test.routes(NoConnectionTests()),
            *standard_routes(World().services()),
        ]


async def test_every_route_declares_its_action(tmp_path: Path) -> None:
    routes = await every_route(tmp_path)
    assert len(routes) > 30
    assert [each.paths for each in routes if not each.action.startswith(ACTION_PREFIXES)] == []


async def test_every_route_with_an_index_in_its_path_says_which(tmp_path: Path) -> None:
    routes = await every_route(tmp_path)
    silent = [
        each.paths
        for each in routes
        if any("{index}" in path for path in each.paths) and each.indices is no_indices
    ]
    assert silent == []


async def test_no_two_routes_answer_the_same_request(tmp_path: Path) -> None:
    seen: set[tuple[str, str]] = set()
    twice = []
    for route in await every_route(tmp_path):
        for key in ((method, path) for method in route.methods for path in route.paths):
            twice += [key] if key in seen else []
            seen.add(key)
    assert twice == []


async def test_no_route_redefines_a_parameter_of_all_routes(tmp_path: Path) -> None:
    routes = await every_route(tmp_path)
    shadowed = {
        (each.paths[0], name) for each in routes for name in each.params if name in ALWAYS_KNOWN
    }
    assert shadowed == set()


async def test_every_inbound_action_is_one_of_the_references_kind(tmp_path: Path) -> None:
    registered: list[str] = []

    class Registrar:
        def register(self, action: str, handler: object) -> None:
            registered.append(action)

    async with clusters(tmp_path, "c") as (cluster,):
        register_handlers(
            Registrar(), local=cluster.local, nodes=FixedNodes(lambda: []), authorize=allow_all
        )
        register_about_handlers(Registrar(), about=cluster.about, authorize=allow_all)
    assert registered
    assert all(action.startswith((*ACTION_PREFIXES, "internal:")) for action in registered)
    assert len(set(registered)) == len(registered)
