"""Who is in the way, who guesses, and who writes into the logs of others."""

import asyncio
import json
import ssl
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from sealane.cluster.store import MemoryStateStore
from sealane.model.node import Address
from sealane.model.task import Context
from sealane.remote.address import parse_address
from sealane.remote.credentials import CREDENTIALS_HEADER, SUBJECT_INFO_HEADER
from sealane.security.stores import authentication
from sealane.wire.families.sealane import NODES, encode_nodes
from tests.conformance.security.conftest import World
from tests.conformance.security.conftest import basic as guessed
from tests.integration.cluster.nodes import until
from tests.integration.security.callers import calling
from tests.integration.security.pair import Pair, basic, remote_indices, secured_pair
from tests.integration.transport.certificates import Authority

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALL: dict[str, Any] = {"search": [{"names": ["*"]}]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("servers")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(folder: Path) -> AsyncIterator[Pair]:
    """`west` keeps an audit log."""
    own = {
        "xpack.security.audit.enabled": "true",
        "path.logs": str(folder / "logs"),
        "xpack.security.authc.password_hashing.algorithm": "pbkdf2_1000",
    }
    async with secured_pair(folder, west=own) as found:
        found.west.keep(east=(await found.key(ALL))["encoded"])
        await found.register("east", "sniff", found.east.remote_cluster, skip_unavailable=False)
        yield found


class Trap:
    """A server of somebody else's, with a certificate of an authority that nobody trusts."""

    def __init__(self) -> None:
        self.callers = 0
        self.heard = b""

    async def called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.callers += 1
        self.heard += await reader.read(65536)
        writer.close()


@asynccontextmanager
async def trap(folder: Path, *, tls: bool) -> AsyncIterator[tuple[Trap, Address]]:
    made = Trap()
    context = None
    if tls:
        issued = Authority(folder, f"stranger {time.monotonic_ns()}").issue(
            "localhost", "127.0.0.1"
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(issued.certificate, issued.key)
    server = await asyncio.start_server(made.called, "127.0.0.1", 0, ssl=context)
    try:
        yield made, Address("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()


# -- T-5, T-14, T-16, T-27: servers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [True, False])
async def test_a_list_of_nodes_that_leads_elsewhere(pair: Pair, folder: Path, tls: bool) -> None:
    """T-5, X-114: the remote names a node that is not one of its own; it is not shown the key."""
    base = pair.east.node._base
    assert base is not None
    handlers = base.transport._dispatcher.handlers
    honest = handlers[NODES]
    async with trap(folder, tls=tls) as (made, address):
        lie = msgspec.structs.replace(base.info, id="x", ephemeral_id="x", address=address)

        async def lying(payload: bytes, ctx: Context) -> bytes:
            return encode_nodes([lie])

        handlers[NODES] = lying
        try:
            await pair.register("lured", "sniff", pair.east.remote_cluster, skip_unavailable=False)
            pair.west.keep(
                east=(await pair.key(ALL))["encoded"], lured=(await pair.key(ALL))["encoded"]
            )
            assert (await pair.search("lured:logs-1")).status >= 500
            await until(lambda: tls or made.callers)
        finally:
            handlers[NODES] = honest
        for secret in (b"ApiKey", b"_cross_cluster_access", b"subject"):
            assert secret not in made.heard


@pytest.mark.parametrize("mode", ["sniff", "proxy"])
@pytest.mark.parametrize("tls", [True, False])
async def test_an_alias_that_is_pointed_elsewhere(
    pair: Pair, folder: Path, tls: bool, mode: str
) -> None:
    """T-16: by somebody who may change settings, and not see keys: the key stays here, and the change is told."""
    await pair.user("operator", cluster=["manage"])
    pair.west.keep(east=(await pair.key(ALL))["encoded"], moved=(await pair.key(ALL))["encoded"])
    async with trap(folder, tls=tls) as (made, address):
        reach = {"mode": mode, "skip_unavailable": False, "seeds": None, "proxy_address": None}
        reach["seeds" if mode == "sniff" else "proxy_address"] = (
            [str(address)] if mode == "sniff" else str(address)
        )
        settings = {"persistent": {"cluster": {"remote": {"moved": reach}}}}
        done = await pair.west.ask("PUT", "/_cluster/settings", settings, user="operator")
        assert done.status == 200, done.text
        assert (await pair.search("moved:logs-1")).status >= 500
        await until(lambda: tls or made.callers)
        for secret in (b"ApiKey", b"_cross_cluster_access"):
            assert secret not in made.heard
    shown = await pair.west.ask("GET", "/_cluster/settings?include_defaults=true", user="operator")
    assert "credentials" not in shown.text
    changes = [each for each in _audited(folder) if "moved" in json.dumps(each)]
    assert "remote_cluster_changed" in {each["event.action"] for each in changes}


async def test_old_protocols(pair: Pair) -> None:
    """T-14: TLS 1.1 on the port for keys and on the transport's."""
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    for text in (pair.east.remote_cluster, pair.east.transport):
        address = parse_address(text)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection(address.host, address.port, ssl=old)


async def test_headers_without_end(pair: Pair) -> None:
    """T-27: cut off on the port for keys, with a good key as without."""
    made = await pair.key(ALL)
    tls = pair.keys_authority.client_context()
    for credentials in (f"ApiKey {made['encoded']}", "ApiKey x", "ApiKey " + "A" * 100_000):
        async with calling(parse_address(pair.east.remote_cluster), tls=tls) as caller:
            headers = {CREDENTIALS_HEADER: credentials, SUBJECT_INFO_HEADER: "x"}
            headers["X-Opaque-Id"] = "a" * 70_000
            caller.send("indices:data/read/search", headers)
            assert await caller.answer() is None


# -- T-6, T-9: HTTP --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "_xpack_security_authentication",
        "_cross_cluster_access_credentials",
        "_cross_cluster_access_subject_info",
        "_cross_cluster_access_signature",
        "_sealane_cluster",
        "_system",
        "X-Forwarded-User",
        "es-security-runas-user",
    ],
)
async def test_headers_of_nodes_make_nobody_somebody(pair: Pair, name: str) -> None:
    """T-6: alone they are nobody, beside a password they change nothing; here, and on the remote."""
    await pair.user("plain", cluster=["monitor"])
    key = (await pair.key(ALL))["encoded"]
    for value in ("elastic", "_system", f"ApiKey {key}", "e30="):
        alone = await pair.west.request("GET", "/_security/_authenticate", None, {name: value})
        assert alone.status == 401
        beside = basic("plain") | {name: value}
        known = await pair.west.request("GET", "/_security/_authenticate", None, beside)
        if name == "es-security-runas-user":
            assert known.status == 403
        else:
            assert known.body["username"] == "plain"
        for target in ("/east:logs-1/_search", "/_security/user"):
            assert (await pair.west.request("GET", target, None, beside)).status == 403


async def test_a_key_for_clusters_is_no_user(pair: Pair) -> None:
    """T-9: on the REST port of the cluster that made it, by either header."""
    key = (await pair.key(ALL))["encoded"]
    for headers in (
        {"Authorization": f"ApiKey {key}"},
        basic("elastic") | {"es-secondary-authorization": f"ApiKey {key}"},
    ):
        answer = await pair.east.request("GET", "/logs-1/_search", None, headers)
        assert answer.status == 401
        assert "has type [cross_cluster]" in answer.text


# -- T-34: logs ------------------------------------------------------------------------------------------------------


def _audited(folder: Path) -> list[dict[str, Any]]:
    """The audit log, each line of which must be an object."""
    [file] = (folder / "logs").iterdir()
    lines = [json.loads(line) for line in file.read_text("ascii").split("\n") if line]
    assert all(isinstance(line, dict) for line in lines)
    return lines


async def test_nobody_writes_lines_of_the_logs(
    pair: Pair, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """T-34: line ends, terminal escapes and endless texts in names, ids and paths stay within one line."""
    evil = 'x\n{"event.action":"FORGED"}\r\nFORGED \x1b[2J\x00\u2028FORGED'
    before = len(_audited(folder))
    caplog.set_level("DEBUG")
    user = b64encode(f"{evil}:p".encode()).decode()
    tries = (
        ("/_security/_authenticate", {"Authorization": f"Basic {user}"}),
        ("/%0aFORGED%1b[2J/_search", basic("elastic")),
        ("/_security/_authenticate", basic("elastic") | {"X-Opaque-Id": "a\x1b[2JFORGED" * 500}),
        ("/_security/_authenticate", {"Authorization": "ApiKey " + user}),
        ("/_security/_authenticate", basic("elastic") | {"es-security-runas-user": "a\x0bFORGED"}),
    )
    for target, headers in tries:
        answer = await pair.west.request("GET", target, None, headers)
        assert answer.status in (200, 400, 401, 403, 404)
    lines = _audited(folder)
    assert len(lines) > before
    assert not [each for each in lines if each.get("event.action") == "FORGED"]
    assert max(map(len, map(json.dumps, lines))) < 20_000
    [file] = (folder / "logs").iterdir()
    assert not any(control in file.read_bytes() for control in (b"\x1b", b"\0", b"\r"))


# -- T-24, T-25, T-36: many callers ------------------------------------------------------------------------------------


async def test_unknown_users_and_keys_are_told_as_wrong_secrets(pair: Pair) -> None:
    """T-24: the same text and the same header; that the same work is done X-110 tells."""
    await pair.user("known")
    told = set()
    for name in ("known", "unknown"):
        answer = await pair.west.request("GET", "/", None, basic(name, "wrong-password"))
        told.add(
            (answer.status, answer.text.replace(name, "NAME"), answer.headers["www-authenticate"])
        )
    assert len(told) == 1
    made = await pair.key(ALL)
    tls, told = pair.keys_authority.client_context(), set()
    for key_id in (made["id"], "A" * len(made["id"])):
        shown = b64encode(f"{key_id}:{'B' * 22}".encode()).decode()
        async with calling(parse_address(pair.east.remote_cluster), tls=tls) as caller:
            headers = {CREDENTIALS_HEADER: f"ApiKey {shown}", SUBJECT_INFO_HEADER: "x"}
            caller.send("indices:data/read/search", headers)
            error = await caller.error()
            told.add((error.status, error.reason.replace(key_id, "ID"), ""))
    assert len(told) == 1


async def test_searches_of_many_users_at_once(pair: Pair) -> None:
    """T-36, X-112: each sees the documents and the headers that are its own, on the remote too."""
    users = 20
    for number in range(users):
        body = {"owner": f"u{number}"}
        await pair.east.make("PUT", f"/shared/_doc/{number}", body)
        await pair.user(
            f"u{number}", **remote_indices("shared", query={"match": {"owner": f"u{number}"}})
        )
    await pair.east.make("POST", "/shared/_refresh")
    room = asyncio.Semaphore(100)
    wrong: list[Any] = []

    async def ask(number: int) -> None:
        user = f"u{number % users}"
        shown = f"{user}-{number}"
        headers = basic(user) | {"X-Opaque-Id": shown}
        more = "" if number % 3 else "?ccs_minimize_roundtrips=false"
        async with room:
            answer = await pair.west.request("GET", f"/east:shared/_search{more}", None, headers)
        owners = {hit["_source"]["owner"] for hit in answer.body["hits"]["hits"]}
        if owners != {user} or answer.headers["x-opaque-id"] != shown:
            wrong.append((user, answer.text, answer.headers))

    async with asyncio.TaskGroup() as group:
        for number in range(300):
            group.create_task(ask(number))
    assert wrong == []


async def test_who_guesses_has_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """T-25: at one name soon, at many names later, from one address; and keeps nobody else out."""
    waits: list[float] = []

    async def pause(wait_s: float) -> None:
        waits.append(wait_s)

    monkeypatch.setattr(authentication, "pause", pause)
    world = World(tmp_path, MemoryStateStore(), {})
    await world.security.start()
    async with world.app:
        ann, bob = await world.make_user("ann"), await world.make_user("bob")

        async def login(by: str, peer: str) -> tuple[int, list[float]]:
            """Its status, and how long it had to wait."""
            waits.clear()
            answer = await world.ask("GET", "/_security/_authenticate", by=by, peer=peer)
            return answer.status, list(waits)

        for number in range(20):
            held = await login(guessed("ann", f"wrong-{number}"), "10.0.0.1")
        assert held == (401, [5.0])
        assert await login(bob, "10.0.0.1") == (200, [])
        assert await login(ann, "10.0.0.2") == (200, [])
        for number in range(100):
            held = await login(guessed(f"name{number}", "wrong"), "10.0.0.1")
        assert held == (401, [5.0])
        assert await login(ann, "10.0.0.2") == (200, [])
    world.security.close()
