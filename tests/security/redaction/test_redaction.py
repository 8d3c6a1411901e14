"""T-33, X-21, X-111: secrets that a node was given are in nothing that it writes or answers.

One node with security, its logs at TRACE and the audit log with every event. It is given secrets in every way there is,
then asked everything that can be asked with GET, and its folders are read.
"""

import base64
import traceback
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import sealane.node.base
from sealane.errors import ApiError
from sealane.model.security import Secret
from sealane.node import Node, load_settings
from sealane.rest.app import RestApp
from sealane.rest.router import Route
from sealane.security.stores.keystore_file import KeystoreFile, new_keystore
from sealane.testing.process import basic
from tests.integration.cluster.nodes import Answer, RunningNode
from tests.integration.transport.certificates import Authority
from tests.security.redaction.planted import Planted

TRACE = 5
KEYSTORE_PASSWORD = "planted-keystore-password"
BOOTSTRAP = "planted-bootstrap-password"
USERS = "planted-password-of-ann"
USERS_NEXT = "planted-next-password-of-ann"
WRONG = "planted-wrong-password"
REMOTE_KEY = base64.b64encode(b"PlAnTeDiDoFaReMoTeKy:pLaNtEdSeCrEtOfAkEy0-_").decode()
REMOTE_NEXT = base64.b64encode(b"PlAnTeDiDoFaReMoTeKy:pLaNtEdNeXtOfThEkEy9-_").decode()
PASSPHRASE = "planted-passphrase-of-a-key"
TLS = "xpack.security.transport.ssl"
CREDENTIALS = "cluster.remote.eu.credentials"


@dataclass
class World:
    node: RunningNode
    folder: Path
    planted: Planted
    routes: list[Route]
    answers: list[tuple[str, bytes]] = field(default_factory=list)
    """Everything that was answered, but for the answers that hand out a key."""

    async def ask(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        user: str = "elastic",
        password: str = BOOTSTRAP,
        handed_out: bool = False,
    ) -> Answer:
        answer = await self.node.request(
            method, target, body, {"Authorization": basic(user, password)}
        )
        if not handed_out:
            headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
            self.answers.append((f"{method} {target}", headers.encode() + answer.raw))
        return answer

    def leaks(self) -> list[str]:
        """In what was answered."""
        named = ((target, self.planted.found_in(data)) for target, data in self.answers)
        return [f"{target}: {names}" for target, names in named if names]


@pytest.fixture
async def world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[World]:
    planted = Planted(
        keystore_password=KEYSTORE_PASSWORD,
        bootstrap=BOOTSTRAP,
        user=USERS,
        next_of_user=USERS_NEXT,
        wrong=WRONG,
        passphrase=PASSPHRASE,
        remote_key=REMOTE_KEY,
        next_remote_key=REMOTE_NEXT,
        remote_secret="pLaNtEdSeCrEtOfAkEy0-_",
        next_remote_secret="pLaNtEdNeXtOfThEkEy9-_",
    )
    with caplog.at_level(TRACE):
        async with _started(tmp_path, monkeypatch) as (node, routes):
            yield World(node, tmp_path, planted, routes)


@asynccontextmanager
async def _started(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[RunningNode, list[Route]]]:
    keystore = new_keystore().with_text("bootstrap.password", BOOTSTRAP)
    keystore = keystore.with_text(CREDENTIALS, REMOTE_KEY)
    keystore = keystore.with_text(f"{TLS}.secure_key_passphrase", PASSPHRASE)
    authority = Authority(folder)
    issued = authority.issue("127.0.0.1", "::1", passphrase=PASSPHRASE)
    KeystoreFile(folder / "conf").save(keystore, Secret(KEYSTORE_PASSWORD))
    routes: list[Route] = []

    class KeepsRoutes(RestApp):
        def __init__(self, given: Iterable[Route], **rest: Any) -> None:
            routes.extend(given)
            super().__init__(routes, **rest)

    monkeypatch.setattr(sealane.node.base, "RestApp", KeepsRoutes)
    monkeypatch.setenv("ELASTIC_PASSWORD", "")
    settings = {
        "path.conf": str(folder / "conf"),
        "path.data": str(folder / "data"),
        "path.logs": str(folder / "logs"),
        "http.port": "0",
        "transport.port": "0",
        "xpack.security.enabled": "true",
        "xpack.security.audit.enabled": "true",
        "xpack.security.audit.logfile.events.include": "_all",
        f"{TLS}.enabled": "true",
        f"{TLS}.key": str(issued.key),
        f"{TLS}.certificate": str(issued.certificate),
        f"{TLS}.certificate_authorities": str(authority.path),
    }
    overrides = [f"{key}={value}" for key, value in settings.items()]
    node = Node(load_settings(None, overrides, lambda: Secret(KEYSTORE_PASSWORD)))
    try:
        await node.start()
        yield RunningNode(node), routes
    finally:
        await node.close()


async def _give_every_secret(world: World) -> None:
    """What is answered is judged by others: here each is only said where a node could remember it."""
    ask = world.ask
    await ask("PUT", "/cities/_doc/1?refresh=true", {"name": "Quito"})
    await ask(
        "PUT", "/_security/role/reader", {"indices": [{"names": ["*"], "privileges": ["read"]}]}
    )
    await ask("PUT", "/_security/user/ann", {"password": USERS, "roles": ["reader", "superuser"]})
    await ask("GET", "/_security/_authenticate", user="ann", password=USERS)
    await ask("GET", "/cities/_search", user="ann", password=WRONG)
    await ask("GET", "/cities/_search", user=WRONG[::-1], password=WRONG)
    await ask("PUT", "/_security/user/ann/_password", {"password": USERS_NEXT})
    await ask("GET", "/cities/_search", user="ann", password=USERS)
    await ask("GET", "/cities/_search", user="ann", password=USERS_NEXT)
    await ask("PUT", "/_security/user/bob", {"password": USERS, "roles": 1})
    await ask("PUT", "/_security/user/bob", {"password": USERS, "nonsense": 1})
    await ask("PUT", "/_security/user/bob", {"password": USERS, "password_hash": USERS})
    await ask("PUT", "/_security/user/_bad/_password", {"password": USERS})
    for path, body in (
        ("/_security/api_key", {"name": "one"}),
        (
            "/_security/cross_cluster/api_key",
            {"name": "two", "access": {"search": [{"names": ["*"]}]}},
        ),
    ):
        made = await ask("POST", path, body, handed_out=True)
        assert made.status == 200, made
        world.planted.plant(f"secret of {path}", made.body["api_key"])
        world.planted.plant(f"encoded of {path}", made.body["encoded"])
        await _use_key(world, made.body["encoded"])
    eu = {"mode": "proxy", "proxy_address": "127.0.0.1:1"}
    await ask("PUT", "/_cluster/settings", {"persistent": {"cluster.remote.eu": eu}})
    await ask("PUT", "/_cluster/settings", {"persistent": {"cluster.remote.eu.nonsense": "1"}})
    await _reload(world)
    await ask("GET", "/eu:*/_search")


async def _use_key(world: World, encoded: str) -> None:
    for target in ("/cities/_search", "/_security/_authenticate", "/_nodes"):
        for header in ("Authorization", "es-secondary-authorization"):
            answer = await world.node.request("GET", target, None, {header: f"ApiKey {encoded}"})
            world.answers.append((target, answer.raw))


async def _reload(world: World) -> None:
    """With the right password, a wrong one, and a keystore whose key has changed."""
    target = "/_nodes/_local/reload_secure_settings"
    for password in (KEYSTORE_PASSWORD, WRONG):
        answer = await world.ask("POST", target, {"secure_settings_password": password})
        assert answer.status == 200, answer
    file = KeystoreFile(world.folder / "conf")
    kept = file.open(Secret(KEYSTORE_PASSWORD)).keystore
    file.save(kept.with_text(CREDENTIALS, REMOTE_NEXT), Secret(KEYSTORE_PASSWORD))
    answer = await world.ask("POST", target, {"secure_settings_password": KEYSTORE_PASSWORD})
    [node] = answer.body["nodes"].values()
    assert "reload_exception" not in node
    await world.ask("POST", target, {"secure_settings_password": [KEYSTORE_PASSWORD]})
    await world.ask("POST", target, {"secure_settings_passwort": KEYSTORE_PASSWORD})


async def _ask_everything(world: World) -> None:
    """Each path that answers GET, with names that fit something."""
    names = {
        "index": "*",
        "node_id": "_all",
        "alias": "eu",
        "id": "1",
        "metric": "_all",
        "name": "*",
    }
    for route in world.routes:
        if "GET" not in route.methods:
            continue
        for path in route.paths:
            parts = [
                quote(names.get(part[1:-1], "_all"), safe="") if part.startswith("{") else part
                for part in path.split("/")
            ]
            await world.ask("GET", "/".join(parts))
    for target in (
        "/_cluster/settings?include_defaults=true&flat_settings=true",
        "/_nodes/_all/settings,stats?flat_settings=true",
        "/_tasks?detailed=true",
        "/_cluster/state",
        "/_remote/info?verbose=true",
        "/_cat/nodes?h=*",
    ):
        await world.ask("GET", target)


async def test_no_answer_holds_a_secret(world: World) -> None:
    """X-21, X-111: of all that can be asked with GET, and of what answered the secrets themselves."""
    await _give_every_secret(world)
    await _ask_everything(world)
    asked = {target.partition("?")[0] for target, _ in world.answers}
    assert len(asked) > 60, "the routes were not found"
    assert world.leaks() == []


async def test_no_log_and_no_file_holds_a_secret(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """X-21, X-111, T-33: logs at TRACE with their tracebacks, the audit log, the data and the configuration folder."""
    await _give_every_secret(world)
    await _ask_everything(world)
    assert world.planted.found_in_logs(caplog.records) == []
    assert world.planted.found_in_files(world.folder) == {}
    [audit] = (world.folder / "logs").iterdir()
    assert audit.stat().st_size > 1_000, "nothing was audited"
    assert audit.stat().st_mode & 0o777 == 0o600
    await world.node.node.close()
    assert world.planted.found_in_files(world.folder) == {}, "after the last commit"
    assert world.planted.found_in_logs(caplog.records) == []


async def test_the_node_does_not_show_its_secrets(world: World) -> None:
    """T-33: the objects that hold them can be printed."""
    node = world.node.node
    shown = [repr(node), repr(vars(node)), repr(node.secure), str(node.ready_line())]
    assert world.planted.found_in("\n".join(shown)) == []


@pytest.mark.parametrize("passphrase", ["planted-wrong-passphrase", ""])
async def test_a_start_that_fails_does_not_tell_why_by_a_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, passphrase: str
) -> None:
    """T-33: a passphrase that does not open the key, in the error, its causes and the log."""
    keystore = new_keystore().with_text(f"{TLS}.secure_key_passphrase", passphrase)
    KeystoreFile(tmp_path / "conf").save(keystore, Secret(""))
    authority = Authority(tmp_path)
    issued = authority.issue("127.0.0.1", passphrase=PASSPHRASE)
    settings = {
        "path.conf": str(tmp_path / "conf"),
        "path.data": str(tmp_path / "data"),
        "http.port": "0",
        "transport.port": "0",
        f"{TLS}.enabled": "true",
        f"{TLS}.key": str(issued.key),
        f"{TLS}.certificate": str(issued.certificate),
    }
    planted = Planted(right=PASSPHRASE)
    if passphrase:
        planted.plant("wrong", passphrase)
    with caplog.at_level(TRACE), pytest.raises(ApiError) as failed:
        await _start_and_close(settings)
    told = "".join(traceback.format_exception(failed.value)) + str(failed.value.to_wire())
    assert planted.found_in(told) == []
    assert planted.found_in_logs(caplog.records) == []


async def _start_and_close(settings: dict[str, str]) -> None:
    node = Node(load_settings(None, [f"{key}={value}" for key, value in settings.items()]))
    try:
        await node.start()
    finally:
        await node.close()
