"""API keys for a remote cluster that are added, changed and removed while both nodes run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sealane.model.security import Secret
from sealane.node import Node, load_settings
from sealane.security.stores.keystore_file import NO_PASSWORD, KeystoreFile, new_keystore
from sealane.testing.process import basic
from tests.integration.cluster.nodes import Answer, RunningNode, until
from tests.integration.transport.certificates import Authority

PASSWORD = "elastic-password"
KEY = "cluster.remote.far.credentials"
ANYBODY = {"access": {"search": [{"names": ["*"]}]}}


class Secured(RunningNode):
    """Asks as the superuser."""

    async def ask(self, method: str, target: str, body: Any = None) -> Answer:
        return await self.request(
            method, target, body, {"Authorization": basic("elastic", PASSWORD)}
        )

    async def remote(self) -> dict[str, Any]:
        """How it shows its remote cluster."""
        shown: dict[str, Any] = (await self.ask("GET", "/_remote/info")).body["far"]
        return shown


@asynccontextmanager
async def secured(folder: Path, name: str, **settings: str) -> AsyncIterator[Secured]:
    given = {
        "cluster.name": name,
        "path.conf": str(folder / name),
        "path.data": str(folder / f"{name}-data"),
        "http.port": "0",
        "transport.port": "0",
        "xpack.security.enabled": "true",
        **{key.replace("__", "."): value for key, value in settings.items()},
    }
    node = Node(load_settings(None, [f"{key}={value}" for key, value in given.items()]))
    try:
        await node.start()
        yield Secured(node)
    finally:
        await node.close()


@pytest.fixture
async def pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Secured, Secured]]:
    """`near`, which trusts the authority of `far`'s port for keys, and has no key yet."""
    monkeypatch.setenv("ELASTIC_PASSWORD", PASSWORD)
    authority = Authority(tmp_path)
    issued = authority.issue("127.0.0.1", "localhost")
    server = "xpack.security.remote_cluster_server.ssl"
    far_settings = {
        "remote_cluster_server.enabled": "true",
        "remote_cluster.port": "0",
        f"{server}.key": str(issued.key),
        f"{server}.certificate": str(issued.certificate),
    }
    client = "xpack.security.remote_cluster_client.ssl.certificate_authorities"
    async with (
        secured(tmp_path, "far-away", **far_settings) as far,
        secured(tmp_path, "near", **{client: str(authority.path)}) as near,
    ):
        yield near, far


def keep(tmp_path: Path, key: str | None) -> None:
    """The keystore of `near` with that key, or without."""
    keystore = new_keystore()
    kept = keystore if key is None else keystore.with_text(KEY, key)
    KeystoreFile(tmp_path / "near").save(kept, NO_PASSWORD)


async def reload(near: Secured) -> None:
    answer = await near.ask("POST", "/_nodes/reload_secure_settings")
    [node] = answer.body["nodes"].values()
    assert "reload_exception" not in node


async def made_key(far: Secured, access: Any) -> tuple[str, str]:
    """Its id, and what goes into a keystore."""
    made = await far.ask("POST", "/_security/cross_cluster/api_key", {"name": "near", **access})
    assert made.status == 200, made
    return made.body["id"], made.body["encoded"]


async def test_keys_come_change_and_go(pair: tuple[Secured, Secured], tmp_path: Path) -> None:
    """X-103, C-89: each by a reload, without a restart; the alias connects in the right model."""
    near, far = pair
    await far.ask("PUT", "/cities/_doc/1?refresh=true", {"name": "Quito"})
    port = far.node.ready_line()["remote_cluster"]
    remote = {"mode": "proxy", "proxy_address": port, "skip_unavailable": "false"}
    await near.ask("PUT", "/_cluster/settings", {"persistent": {"cluster.remote.far": remote}})
    assert "cluster_credentials" not in await near.remote()

    async def finds() -> bool:
        return (await near.ask("GET", "/far:cities/_count")).status == 200

    first, encoded = await made_key(far, ANYBODY)
    keep(tmp_path, encoded)
    await reload(near)
    assert (await near.remote())["cluster_credentials"] == "::es_redacted::"
    await until(finds)

    await far.ask("DELETE", "/_security/api_key", {"ids": [first]})
    assert not await finds()
    _, encoded = await made_key(far, ANYBODY)
    keep(tmp_path, encoded)
    await reload(near)
    await until(finds)

    keep(tmp_path, None)
    await reload(near)
    assert "cluster_credentials" not in await near.remote()
    assert near.node.secure.get(KEY) is None
    await until(lambda: _lost(near))


async def _lost(near: Secured) -> bool:
    return not (await near.remote())["connected"]


async def test_a_key_may_come_before_its_alias(
    pair: tuple[Secured, Secured], tmp_path: Path
) -> None:
    """X-103: the order of key and alias is free."""
    near, far = pair
    _, encoded = await made_key(far, ANYBODY)
    keep(tmp_path, encoded)
    await reload(near)
    assert near.node.secure.get(KEY) == Secret(encoded)
    port = far.node.ready_line()["remote_cluster"]
    remote = {"mode": "proxy", "proxy_address": port}
    await near.ask("PUT", "/_cluster/settings", {"persistent": {"cluster.remote.far": remote}})

    async def connected() -> bool:
        return bool((await near.remote())["connected"])

    await until(connected)
    assert (await near.remote())["cluster_credentials"] == "::es_redacted::"
