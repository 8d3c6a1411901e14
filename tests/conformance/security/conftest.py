"""A node's `_security` over REST, with its gate, and nothing else of a node."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from sealane.clock import RandomIds
from sealane.cluster.store import MemoryStateStore
from sealane.model.node import ROLES, Address, NodeInfo
from sealane.model.security import Secret
from sealane.model.task import TaskRegistry
from sealane.rest.app import Limits, RestApp
from sealane.rest.handlers import security as handlers
from sealane.security.stores.security import Security
from sealane.settings import Settings
from sealane.testing.one_node import cluster_of

NOON_MS = 1_795_348_800_000
PASSWORD = "changeme-1"
FAST = {"xpack.security.authc.password_hashing.algorithm": "pbkdf2_1000"}


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.ms = NOON_MS

    def now_ms(self) -> int:
        return self.ms


@dataclass
class Answer:
    status: int
    body: Any
    headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def reason(self) -> str:
        reason: str = self.body["error"]["reason"]
        return reason

    @property
    def type(self) -> str:
        type: str = self.body["error"]["type"]
        return type


def basic(user: str, password: str = "secret1") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


ELASTIC = basic("elastic", PASSWORD)


class World:
    """One node. Requests are those of `elastic` unless they say otherwise."""

    def __init__(
        self,
        config: Path,
        store: MemoryStateStore,
        settings: Mapping[str, str],
        password: str | None = PASSWORD,
    ) -> None:
        self.clock = Hands()
        self.config = config
        self.security = Security(
            Settings({**FAST, **settings}),
            store=store,
            config=config,
            clock=self.clock,
            ids=RandomIds(),
            bootstrap_password=None if password is None else Secret(password),
        )
        node = NodeInfo(
            id="node-0",
            ephemeral_id="node-0",
            name="node-0",
            address=Address("in-process", 9300),
            roles=tuple(ROLES),
            version="8.19.0",
        )
        self.app = RestApp(
            handlers.routes(self.security, cluster_of("local", node), self),
            tasks=TaskRegistry("node-0"),
            clock=self.clock,
            limits=Limits(),
            gate=self.security,
        )

    def describe(self, *, verbose: bool = False) -> dict[str, dict[str, Any]]:
        """Its remote clusters: `k` with a key, `c` with certificates."""
        return {"k": {"cluster_credentials": "::es_redacted::"}, "c": {}}

    async def ask(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        by: str | None = ELASTIC,
        headers: Mapping[str, str] | None = None,
        peer: str = "127.0.0.1",
    ) -> Answer:
        sent = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        given = {} if by is None else {"authorization": by}
        given |= {name.lower(): text for name, text in (headers or {}).items()}
        if sent:
            given |= {"content-type": "application/json", "content-length": str(len(sent))}
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "raw_path": path.encode(),
            "path": path,
            "query_string": query.encode(),
            "client": (peer, 50_000),
            "headers": [(name.encode(), text.encode("latin-1")) for name, text in given.items()],
        }
        unread = [{"type": "http.request", "body": sent, "more_body": False}]
        answered: list[Any] = []

        async def receive() -> Any:
            if not unread:
                await asyncio.Event().wait()
            return unread.pop()

        async def send(message: Any) -> None:
            answered.append(message)

        await self.app(scope, receive, send)
        start, *rest = answered
        shown = [(name.decode(), value.decode()) for name, value in start["headers"]]
        data = b"".join(each["body"] for each in rest)
        return Answer(start["status"], orjson.loads(data) if data else None, shown)

    async def make_role(self, name: str, **body: Any) -> None:
        assert (await self.ask("PUT", f"/_security/role/{name}", body)).status == 200

    async def make_user(self, name: str, *roles: str, password: str = "secret1") -> str:
        """Returns its credentials."""
        body = {"password": password, "roles": list(roles)}
        assert (await self.ask("PUT", f"/_security/user/{name}", body)).status == 200
        return basic(name, password)

    async def make_key(self, name: str, *, by: str = ELASTIC, **body: Any) -> Any:
        """Returns what the answer says, and `header` with the credentials."""
        answer = await self.ask("POST", "/_security/api_key", {"name": name, **body}, by=by)
        assert answer.status == 200, answer
        return answer.body | {"header": "ApiKey " + answer.body["encoded"]}

    async def make_cross_cluster_key(self, name: str, *, by: str = ELASTIC, **body: Any) -> Any:
        wanted = {"name": name, "access": {"search": [{"names": ["logs*"]}]}, **body}
        answer = await self.ask("POST", "/_security/cross_cluster/api_key", wanted, by=by)
        assert answer.status == 200, answer
        return answer.body | {"header": "ApiKey " + answer.body["encoded"]}


class Worlds:
    """Makes nodes on the same state, one after the other."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.folder = folder
        self.store = MemoryStateStore()
        self.stack = stack

    async def start(self, **settings: str) -> World:
        """`__` in a name stands for a dot."""
        given = {name.replace("__", "."): value for name, value in settings.items()}
        world = World(self.folder, self.store, given)
        await world.security.start()
        await self.stack.enter_async_context(world.app)
        self.stack.callback(world.security.close)
        return world


@pytest.fixture
async def worlds(tmp_path: Path) -> AsyncIterator[Worlds]:
    async with AsyncExitStack() as stack:
        yield Worlds(tmp_path, stack)


@pytest.fixture
async def world(worlds: Worlds) -> World:
    return await worlds.start()


@pytest.fixture
async def unstarted(tmp_path: Path) -> AsyncIterator[World]:
    """A node that has not started, and has been given no password."""
    world = World(tmp_path, MemoryStateStore(), {}, None)
    async with world.app:
        yield world
    world.security.close()
