"""The audit log of a whole node: what each thing that is done over REST leaves in it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sealane.model.security import Secret
from sealane.node import Node, load_settings
from sealane.testing.process import basic
from tests.integration.cluster.nodes import Answer, RunningNode

PASSWORD = "elastic-password"
WITHOUT = ("type", "timestamp", "node.id", "event.type")


class Audited:
    def __init__(self, node: RunningNode, folder: Path) -> None:
        self.node = node
        self.folder = folder
        self._read = 0

    async def ask(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        user: str = "elastic",
        password: str = PASSWORD,
    ) -> Answer:
        return await self.node.request(
            method, target, body, {"Authorization": basic(user, password)}
        )

    def new(self) -> list[dict[str, Any]]:
        """The lines since the last call."""
        [file] = self.folder.iterdir()
        lines = file.read_text("ascii").splitlines()
        new, self._read = lines[self._read :], len(lines)
        return [json.loads(line) for line in new]

    def changes(self) -> list[dict[str, Any]]:
        """Of these the changes, without what every line has."""
        return [
            {key: value for key, value in line.items() if key not in WITHOUT and "." not in key}
            | {"action": line["event.action"]}
            for line in self.new()
            if line["event.type"] == "security_config_change"
        ]


@pytest.fixture
async def audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Audited]:
    monkeypatch.setenv("ELASTIC_PASSWORD", PASSWORD)
    settings = {
        "cluster.name": "one",
        "path.conf": str(tmp_path / "conf"),
        "path.data": str(tmp_path / "data"),
        "path.logs": str(tmp_path / "logs"),
        "http.port": "0",
        "transport.port": "0",
        "xpack.security.enabled": "true",
        "xpack.security.audit.enabled": "true",
    }
    overrides = [f"{key}={value}" for key, value in settings.items()]
    node = Node(load_settings(None, overrides, lambda: Secret("")))
    try:
        await node.start()
        yield Audited(RunningNode(node), tmp_path / "logs")
    finally:
        await node.close()


async def test_who_was_let_in_and_kept_out(audited: Audited) -> None:
    assert (await audited.ask("GET", "/_cluster/health")).status == 200
    [granted] = audited.new()
    assert granted["event.action"] == "access_granted"
    assert granted["action"] == "cluster:monitor/health"
    assert granted["user.name"] == "elastic"
    assert granted["origin.type"] == "rest"
    assert granted["origin.address"] in ("127.0.0.1", "::1")
    assert (await audited.ask("GET", "/", password="wrong")).status == 401
    assert (await audited.node.request("GET", "/_search")).status == 401
    failed, missing = audited.new()
    assert failed["event.action"] == "authentication_failed"
    assert failed["user.name"] == "elastic"
    assert failed["origin.address"] in ("127.0.0.1", "::1")
    assert failed["url.path"] == "/"
    assert missing["event.action"] == "anonymous_access_denied"


async def test_names_on_which_nothing_may_be_done(audited: Audited) -> None:
    """An action that is granted on other indices than those that were asked for."""
    for index in ("open", "closed"):
        await audited.ask("PUT", f"/{index}/_doc/1?refresh=true", {"a": 1})
    role = {"indices": [{"names": ["open"], "privileges": ["read"]}]}
    await audited.ask("PUT", "/_security/role/reader", role)
    await audited.ask("PUT", "/_security/user/ann", {"password": PASSWORD, "roles": ["reader"]})
    audited.new()
    ann = {"user": "ann", "password": PASSWORD}
    assert (await audited.ask("GET", "/open/_search", **ann)).status == 200
    assert {line["event.action"] for line in audited.new()} == {"access_granted"}
    assert (await audited.ask("GET", "/open,closed/_search", **ann)).status == 403
    denied = audited.new()[-1]
    assert denied["event.action"] == "access_denied"
    assert denied["indices"] == ["closed"]
    assert denied["action"] == "indices:data/read/search"
    assert (denied["user.name"], denied["origin.type"]) == ("ann", "rest")
    assert (await audited.ask("GET", "/*/_search", **ann)).status == 200
    assert {line["event.action"] for line in audited.new()} == {"access_granted"}


async def test_keys_and_users_that_are_claimed(audited: Audited) -> None:
    """The id of a key and the name of a user, as they were shown; never the secret behind them."""
    for header, name, claimed in (
        (basic("eve", "hush-hush"), "user.name", "eve"),
        ("ApiKey " + basic("key-id", "hush-hush").split()[1], "apikey.id", "key-id"),
    ):
        answer = await audited.node.request("GET", "/", None, {"Authorization": header})
        assert answer.status == 401
        [line] = audited.new()
        assert line["event.action"] == "authentication_failed"
        assert line[name] == claimed
        assert "hush" not in str(line)


async def test_who_acts_as_another(audited: Audited) -> None:
    """A user that may, and one that may not."""
    for name, role in (("ann", {"run_as": ["bob"]}), ("bob", {"cluster": ["monitor"]})):
        await audited.ask("PUT", f"/_security/role/{name}", role)
        body = {"password": PASSWORD, "roles": [name]}
        await audited.ask("PUT", f"/_security/user/{name}", body)
    audited.new()
    for user, other, status in (("ann", "bob", 200), ("bob", "ann", 403)):
        headers = {"Authorization": basic(user, PASSWORD), "es-security-runas-user": other}
        answer = await audited.node.request("GET", "/_cluster/health", None, headers)
        assert answer.status == status
    granted, access, denied = audited.new()
    assert granted["event.action"] == "run_as_granted"
    assert (granted["user.name"], granted["user.run_as.name"]) == ("ann", "bob")
    assert access["event.action"] == "access_granted"
    assert (access["user.name"], access["user.run_by.name"]) == ("bob", "ann")
    assert denied["event.action"] == "run_as_denied"
    assert (denied["user.name"], denied["user.run_as.name"]) == ("bob", "ann")


async def test_events_are_chosen_while_the_node_runs(audited: Audited) -> None:
    """Both lists are dynamic; an unknown name changes nothing."""
    key = "xpack.security.audit.logfile.events"
    answer = await audited.ask(
        "PUT", "/_cluster/settings", {"persistent": {f"{key}.include": ["x"]}}
    )
    assert answer.status == 400
    assert answer.body["error"]["reason"] == "invalid event name specified [x]"
    chosen = {f"{key}.include": ["_all"], f"{key}.exclude": ["access_granted"]}
    assert (await audited.ask("PUT", "/_cluster/settings", {"persistent": chosen})).status == 200
    audited.new()
    await audited.ask("GET", "/_cluster/health")
    assert [line["event.action"] for line in audited.new()] == ["authentication_success"]


async def test_changes_to_users_and_roles(audited: Audited) -> None:
    """What was put is told, but for its secrets."""
    role = {"cluster": ["monitor"], "metadata": {"a": 1}}
    await audited.ask("PUT", "/_security/role/reader", role)
    user = {"password": "hush-hush", "roles": ["reader"], "full_name": "Ann"}
    await audited.ask("PUT", "/_security/user/ann", user)
    await audited.ask("PUT", "/_security/user/ann/_password", {"password": "hush-hush"})
    await audited.ask(
        "PUT", "/_security/user/_password", {"password": "hush-x"}, user="ann", password="hush-hush"
    )
    await audited.ask("PUT", "/_security/user/ann/_disable")
    await audited.ask("PUT", "/_security/user/ann/_enable")
    await audited.ask("DELETE", "/_security/user/ann")
    await audited.ask("DELETE", "/_security/role/reader")
    ann = {"user": {"name": "ann"}}
    put = {
        "name": "ann",
        "enabled": True,
        "roles": ["reader"],
        "full_name": "Ann",
        "has_password": True,
    }
    assert audited.changes() == [
        {"action": "put_role", "put": {"role": {"name": "reader", "role_descriptor": role}}},
        {"action": "put_user", "put": {"user": put}},
        {"action": "change_password", "change": {"password": ann}},
        {"action": "change_password", "change": {"password": ann}},
        {"action": "change_disable_user", "change": {"disable": ann}},
        {"action": "change_enable_user", "change": {"enable": ann}},
        {"action": "delete_user", "delete": ann},
        {"action": "delete_role", "delete": {"role": {"name": "reader"}}},
    ]
    [file] = audited.folder.iterdir()
    assert b"hush" not in file.read_bytes()


async def test_changes_that_were_refused_are_none(audited: Audited) -> None:
    await audited.ask("PUT", "/_security/user/ann", {"password": "short"})
    await audited.ask("DELETE", "/_security/role/nobody")
    await audited.ask("PUT", "/_cluster/settings", {"persistent": {"cluster.remote.eu.seeds": "x"}})
    assert audited.changes() == []


async def test_changes_to_keys(audited: Audited) -> None:
    """X-21: their ids, and never what they are."""
    made = (await audited.ask("POST", "/_security/api_key", {"name": "a"})).body
    access = {"search": [{"names": ["logs*"]}]}
    cross = (
        await audited.ask(
            "POST", "/_security/cross_cluster/api_key", {"name": "b", "access": access}
        )
    ).body
    await audited.ask("PUT", f"/_security/api_key/{made['id']}", {"metadata": {"x": 1}})
    narrowed = {"search": [{"names": ["logs-1"]}]}
    await audited.ask(
        "PUT", f"/_security/cross_cluster/api_key/{cross['id']}", {"access": narrowed}
    )
    await audited.ask("DELETE", "/_security/api_key", {"ids": [made["id"]]})
    created, crossed, changed, cross_changed, gone = audited.changes()
    assert created["create"]["apikey"] == {"id": made["id"], "name": "a", "type": "rest"}
    assert crossed["action"] == "create_cross_cluster_apikey"
    assert crossed["create"]["apikey"] == {
        "id": cross["id"],
        "name": "b",
        "type": "cross_cluster",
        "access": access,
    }
    assert changed["change"]["apikey"]["metadata"] == {"x": 1}
    assert cross_changed["change"]["apikey"] == {
        "id": cross["id"],
        "type": "cross_cluster",
        "access": narrowed,
    }
    assert gone["invalidate"]["apikeys"]["invalidated"] == [made["id"]]
    [file] = audited.folder.iterdir()
    for secret in (made["api_key"], made["encoded"], cross["api_key"], cross["encoded"]):
        assert secret not in file.read_text()


async def test_an_alias_that_is_pointed_elsewhere(audited: Audited) -> None:
    """T-16: who may change the settings may send searches, and a key with them, to another server."""
    await audited.ask(
        "PUT", "/_cluster/settings", {"persistent": {"action.auto_create_index": "true"}}
    )
    eu = {"mode": "proxy", "proxy_address": "127.0.0.1:1"}
    await audited.ask(
        "PUT", "/_cluster/settings", {"persistent": {"cluster": {"remote": {"eu": eu}}}}
    )
    await audited.ask(
        "PUT",
        "/_cluster/settings",
        {"persistent": {"cluster.remote.eu.proxy_address": None, "cluster.remote.eu.mode": None}},
    )
    first, second = audited.changes()
    assert first["action"] == "remote_cluster_changed"
    assert first["change"]["remote_clusters"] == {
        "cluster.remote.eu.mode": "proxy",
        "cluster.remote.eu.proxy_address": "127.0.0.1:1",
    }
    assert second["change"]["remote_clusters"]["cluster.remote.eu.mode"] is None
