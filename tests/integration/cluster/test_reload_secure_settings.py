"""Reloading the keystores of a cluster of several nodes, each of which has one of its own."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from sealane.model.security import Secret
from sealane.security.stores.keystore_file import NO_PASSWORD, KeystoreFile, new_keystore
from sealane.settings.text import Value
from tests.integration.cluster.nodes import RunningNode, joining, started
from tests.integration.transport.certificates import Authority

RELOAD = "/_nodes/reload_secure_settings"
KEY = "cluster.remote.eu.credentials"
TLS = "xpack.security.transport.ssl"


def conf_of(tmp_path: Path, name: str, password: str = "") -> Path:
    """A configuration folder whose keystore has that password."""
    folder = tmp_path / f"conf-{name}"
    KeystoreFile(folder).save(new_keystore().with_text(KEY, name), Secret(password))
    return folder


async def reload(node: RunningNode, body: Any = None, target: str = RELOAD) -> Any:
    answer = await node.request("POST", target, body)
    return answer.status, answer.body


def exceptions(body: Any) -> dict[str, str | None]:
    """Of the nodes by their names; None for one without."""
    return {
        node["name"]: node.get("reload_exception", {}).get("reason")
        for node in body["nodes"].values()
    }


@pytest.fixture
async def stack() -> Any:
    async with AsyncExitStack() as stack:
        yield stack


async def test_every_node_reads_its_own(tmp_path: Path, stack: AsyncExitStack) -> None:
    """X-101: whichever node is asked; one that was forgotten shows by its names and its digest."""
    d = await stack.enter_async_context(
        started(tmp_path / "d", path__conf=str(conf_of(tmp_path, "d")))
    )
    conf = conf_of(tmp_path, "g")
    g = await stack.enter_async_context(started(tmp_path / "g", **joining(d, path__conf=str(conf))))
    await d.wait_names("d", "g")
    KeystoreFile(conf).save(new_keystore(), NO_PASSWORD)
    for asked in (d, g):
        status, body = await reload(asked)
        assert status == 200
        assert body["_nodes"] == {"total": 2, "successful": 2, "failed": 0}
        assert exceptions(body) == {"d": None, "g": None}
        nodes = body["nodes"]
        assert nodes[d.id]["secure_setting_names"] == [KEY, "keystore.seed"]
        assert nodes[g.id]["secure_setting_names"] == ["keystore.seed"]
        assert nodes[d.id]["keystore_digest"] != nodes[g.id]["keystore_digest"]


async def test_a_password_for_many_nodes_without_tls(tmp_path: Path, stack: AsyncExitStack) -> None:
    """X-102: 400, and no node has been asked; each node may be asked for itself."""
    d = await stack.enter_async_context(
        started(tmp_path / "d", path__conf=str(conf_of(tmp_path, "d", "open")))
    )
    g = await stack.enter_async_context(
        started(tmp_path / "g", **joining(d, path__conf=str(conf_of(tmp_path, "g", "open"))))
    )
    await d.wait_names("d", "g")
    password = {"secure_settings_password": "open"}
    for target in (RELOAD, "/_nodes/g/reload_secure_settings", "/_nodes/x/reload_secure_settings"):
        status, body = await reload(d, password, target)
        assert status == 400, target
        assert body["error"]["reason"] == (
            "Secure settings cannot be updated cluster wide when TLS for the transport layer is not enabled. "
            "Enable TLS or use the API with a `_local` filter on each node."
        )
    assert d.node.secure.names() == g.node.secure.names() == frozenset()
    for node, name in ((d, "d"), (g, "g")):
        status, body = await reload(node, password, "/_nodes/_local/reload_secure_settings")
        assert (status, exceptions(body)) == (200, {name: None})
        assert node.node.secure.get(KEY) == Secret(name)


async def test_a_wrong_password_on_one_node(tmp_path: Path, stack: AsyncExitStack) -> None:
    """X-101, C-88: HTTP 200, and the exception is of that node alone. With TLS the password may cross."""
    authority = Authority(tmp_path)
    issued = authority.issue("127.0.0.1")
    tls: dict[str, Value] = {
        f"{TLS}.enabled": "true",
        f"{TLS}.key": str(issued.key),
        f"{TLS}.certificate": str(issued.certificate),
        f"{TLS}.certificate_authorities": (str(authority.path),),
    }
    conf = conf_of(tmp_path, "d", "open")
    d = await stack.enter_async_context(started(tmp_path / "d", path__conf=str(conf), **tls))
    conf = conf_of(tmp_path, "g", "another")
    g = await stack.enter_async_context(
        started(tmp_path / "g", **joining(d, path__conf=str(conf), **tls))
    )
    await d.wait_names("d", "g")
    for asked in (d, g):
        status, body = await reload(asked, {"secure_settings_password": "open"})
        assert status == 200
        assert body["_nodes"] == {"total": 2, "successful": 2, "failed": 0}
        assert exceptions(body) == {"d": None, "g": "Provided keystore password was incorrect"}
    assert d.node.secure.get(KEY) == Secret("d")
    assert g.node.secure.get(KEY) is None
