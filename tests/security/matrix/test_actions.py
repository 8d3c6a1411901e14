"""No action can be asked for that is not in the table of actions, over every route and all that nodes register."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from sealane.model.security import AuthenticationType, Realm, Secret, Subject
from sealane.node import Node, load_settings
from sealane.rest.app import RestApp
from sealane.rest.router import Route
from sealane.security.rules.actions import ACTIONS, BY_NODES, Asked
from sealane.security.rules.authority import may
from sealane.security.rules.cross_cluster import is_allowed
from sealane.security.rules.permission import Permission, permission_of
from sealane.security.rules.privileges import (
    cluster_privileges_granting,
    index_privileges_granting,
    is_cluster_action,
    is_index_action,
)
from sealane.security.rules.reserved import RESERVED_ROLES
from sealane.transport.service import TransportService

USER = Subject(name="u", realm=Realm(name="native", type="native"))
FOREIGN = Subject(
    name="u", realm=Realm(name="n", type="native"), type=AuthenticationType.CROSS_CLUSTER_ACCESS
)


class Seen:
    """What a node offers, as it offers it."""

    def __init__(self) -> None:
        self.routes: list[Route] = []
        self.registered: set[str] = set()

    @property
    def actions(self) -> set[str]:
        asked = {action for route in self.routes for action in (route.action, *route.also)}
        return asked | self.registered


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    found = Seen()
    make, register = RestApp.__init__, TransportService.register
    register_foreign = TransportService.register_foreign

    def made(
        app: RestApp, routes: Iterable[Route], *, elsewhere: Route | None = None, **more: Any
    ) -> None:
        found.routes += routes
        if elsewhere is not None:
            found.routes.append(elsewhere)
        make(
            app,
            found.routes if elsewhere is None else found.routes[:-1],
            elsewhere=elsewhere,
            **more,
        )

    def registered(service: TransportService, action: str, handler: Any) -> None:
        found.registered.add(action)
        register(service, action, handler)

    def foreign(service: TransportService, action: str, handler: Any) -> None:
        found.registered.add(action)
        register_foreign(service, action, handler)

    monkeypatch.setattr(RestApp, "__init__", made)
    monkeypatch.setattr(TransportService, "register", registered)
    monkeypatch.setattr(TransportService, "register_foreign", foreign)
    return found


def node(folder: Path, **settings: str) -> Node:
    own = {
        "path.conf": str(folder / "conf"),
        "path.data": str(folder / "data"),
        "http.port": "0",
        "transport.port": "0",
        **{name.replace("__", "."): value for name, value in settings.items()},
    }
    overrides = [f"{key}={value}" for key, value in own.items()]
    return Node(load_settings(None, overrides, lambda: Secret("")))


async def test_everything_that_a_node_with_security_offers_is_in_the_table(
    tmp_path: Path, seen: Seen
) -> None:
    started = node(tmp_path, xpack__security__enabled="true")
    try:
        await started.start()
    finally:
        await started.close()
    assert len(seen.routes) > 100
    assert len(seen.registered) > 20
    assert sorted(seen.actions - set(ACTIONS)) == []


async def test_everything_that_a_node_without_data_offers_is_in_the_table(
    tmp_path: Path, seen: Seen
) -> None:
    data = node(tmp_path / "d")
    try:
        await data.start()
        seen.routes.clear()
        seen.registered.clear()
        at = data.ready_line()["transport"]
        gateway = node(
            tmp_path / "g", discovery__seed_hosts=at, node__roles="remote_cluster_client"
        )
        try:
            await gateway.start()
        finally:
            await gateway.close()
    finally:
        await data.close()
    assert len(seen.routes) > 20
    assert "internal:rest/forward" in seen.actions
    assert sorted(seen.actions - set(ACTIONS)) == []


BY_PRIVILEGE = [action for action, how in ACTIONS.items() if how is Asked.BY_PRIVILEGE]


@pytest.mark.parametrize("action", BY_PRIVILEGE)
def test_each_action_is_granted_by_some_named_privilege(action: str) -> None:
    assert is_cluster_action(action) != is_index_action(action)
    listed = (
        cluster_privileges_granting(action)
        if is_cluster_action(action)
        else index_privileges_granting(action)
    )
    assert "all" in listed


@pytest.mark.parametrize("action", [*BY_PRIVILEGE, *BY_NODES, "", "made:up", "cluster", "indices"])
def test_nobody_may_without_a_role(action: str) -> None:
    """X-60, X-61: denied by default, also what is in no table."""
    assert not may(USER, Permission(()), action)
    assert not may(USER, Permission(((),)), action)


@pytest.mark.parametrize("action", BY_NODES)
def test_what_nodes_ask_among_themselves_is_granted_to_no_user(action: str) -> None:
    """T-11, T-22: not to a superuser, and not to another cluster with any key."""
    assert not may(USER, permission_of(RESERVED_ROLES, ["superuser"]), action)
    assert not is_allowed(action)
    assert not is_allowed(f"internal:transport/proxy/{action}")


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_another_cluster_may_without_a_grant_do_nothing(action: str) -> None:
    assert not may(FOREIGN, Permission(((),)), action)


def test_a_superuser_may_do_all_that_privileges_grant() -> None:
    root = permission_of(RESERVED_ROLES, ["superuser"])
    assert [action for action in BY_PRIVILEGE if not may(USER, root, action)] == []
