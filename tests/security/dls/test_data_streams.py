"""Data streams for somebody who may do some things on some of them, by roles as they are given."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sealane.model.access import bound, current_access
from sealane.model.security import IndexPrivileges, Realm, RoleDescriptor, Subject
from sealane.security.rules.access import SubjectAccess
from sealane.security.rules.permission import Permission
from sealane.testing.in_process import Answer, InProcessCluster, clusters
from tests.conformance.conftest import Noon

OPEN = '{"term":{"kind":"open"}}'
FIRST = ".ds-logs-a-2026.11.22-000001"
ANN = Subject(name="ann", realm=Realm(name="native1", type="native"), roles=("r",))
TEMPLATE = {
    "index_patterns": ["logs-*", "own-*"],
    "data_stream": {},
    "template": {"mappings": {"properties": {"kind": {"type": "keyword"}}}},
}


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[InProcessCluster]:
    async with clusters(tmp_path, "local", clock=Noon(), guard=current_access) as (made,):
        await made.call("PUT", "/_index_template/logs", TEMPLATE)
        for kind in ("open", "canary"):
            body = {"@timestamp": 1, "kind": kind}
            await made.call("PUT", f"/logs-a/_create/{kind}?refresh=true", body)
        yield made


async def asked(
    cluster: InProcessCluster, entry: IndexPrivileges, method: str, path: str, body: Any = None
) -> Answer:
    """As Ann, whose only role has this entry, by the action of the route."""
    route = next(
        each
        for each in cluster.routes
        if method in each.methods and any(_fits(known, path) for known in each.paths)
    )
    role = RoleDescriptor(name="r", indices=(entry,))
    with bound(SubjectAccess(ANN, Permission(((role,),), role_names=("r",)), route.action)):
        return await cluster.request(method, path, body)


def _fits(known: str, path: str) -> bool:
    parts, given = known.split("/"), path.partition("?")[0].split("/")
    return len(parts) == len(given) and all(
        part == name or (part.startswith("{") and (name == "_all" or not name.startswith("_")))
        for part, name in zip(parts, given, strict=True)
    )


@pytest.mark.parametrize(
    "expression", ["logs-a", "logs-*", "*", FIRST, ".ds-logs-*", "logs-a,logs-*", "_all"]
)
@pytest.mark.parametrize("names", [("logs-*",), (".ds-logs-a-*", "logs-a"), ("/logs-.*/",)])
async def test_what_is_hidden_is_hidden_by_every_way_in(
    cluster: InProcessCluster, expression: str, names: tuple[str, ...]
) -> None:
    """T-18: one query of one role, the same documents by stream, backing index and wildcard."""
    entry = IndexPrivileges(names=names, privileges=("read",), query=OPEN)
    found = await asked(cluster, entry, "GET", f"/{expression}/_search")
    assert [hit["_id"] for hit in found.body["hits"]["hits"]] == ["open"]
    for doc_id, status in (("open", 200), ("canary", 404)):
        got = await asked(cluster, entry, "GET", f"/{FIRST}/_doc/{doc_id}")
        assert got.status == status


async def test_who_may_not_read_a_stream_reads_none_of_its_indices(
    cluster: InProcessCluster,
) -> None:
    entry = IndexPrivileges(names=("own-*",), privileges=("all",))
    for name in ("logs-a", FIRST):
        answer = await asked(cluster, entry, "GET", f"/{name}/_search")
        assert (answer.status, "unauthorized" in answer.body["error"]["reason"]) == (403, True)
    assert (await asked(cluster, entry, "GET", "/*/_search")).body["hits"]["hits"] == []
    assert (await asked(cluster, entry, "GET", "/_data_stream")).body["data_streams"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "privileges"),
    [
        ("PUT", "/_data_stream/own-x", None, "create_index"),
        ("POST", "/own-y/_doc", {"@timestamp": 1}, "create_doc,auto_configure"),
        ("POST", "/own-a/_rollover", None, "manage"),
        ("POST", "/own-a/_rollover", None, "manage_follow_index"),
        ("POST", "/_data_stream/_promote/own-a", None, "manage_follow_index"),
        ("GET", "/_data_stream/own-a", None, "view_index_metadata"),
        ("GET", "/_data_stream/own-a/_stats", None, "monitor"),
        ("DELETE", "/_data_stream/own-a", None, "delete_index"),
    ],
)
async def test_which_privilege_lets_one_do_what(
    cluster: InProcessCluster, method: str, path: str, body: Any, privileges: str
) -> None:
    """On the streams it is for, and on no other."""
    await cluster.call("PUT", "/_data_stream/own-a")
    given = tuple(privileges.split(","))
    entry = IndexPrivileges(names=("own-*",), privileges=given)
    other = IndexPrivileges(names=("own-*",), privileges=("read_cross_cluster",))
    assert (await asked(cluster, other, method, path, body)).status == 403
    foreign = path.replace("own-x", "logs-x").replace("own-y", "logs-y").replace("own-a", "logs-a")
    assert (await asked(cluster, entry, method, foreign, body)).status == 403
    answer = await asked(cluster, entry, method, path, body)
    assert answer.status in (200, 201), answer.body
