"""Whole nodes inside the test's own loop, with real sockets: quick to start, and closed as a node closes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sealane.node import Node, registry
from sealane.settings import Settings
from sealane.settings.text import Value

FAST: Mapping[str, Value] = {
    "discovery.initial_state_timeout": "10s",
    "cluster.fault_detection.leader_check.interval": "500ms",
}


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def text(self) -> str:
        return self.raw.decode()


class RunningNode:
    """A started node and a plain way to talk to its REST port."""

    def __init__(self, node: Node) -> None:
        self.node = node
        ready = node.ready_line()
        self.http: str = ready["http"]
        self.transport: str = ready["transport"]
        self.id: str = ready["node_id"]
        self.cluster_uuid: str = ready["cluster_uuid"]

    async def request(
        self, method: str, target: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own. `body` is sent as JSON, bytes as NDJSON."""
        sent = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        kind = "application/x-ndjson" if isinstance(body, bytes) else "application/json"
        given = {"Host": self.http, "Connection": "close", "Content-Length": str(len(sent))}
        if sent:
            given["Content-Type"] = kind
        reader, writer = await self.open()
        try:
            lines = [f"{method} {target} HTTP/1.1"]
            lines += [f"{name}: {value}" for name, value in {**given, **(headers or {})}.items()]
            writer.write("\r\n".join([*lines, "", ""]).encode() + sent)
            return _parsed(await reader.read())
        finally:
            writer.close()

    async def call(self, method: str, target: str, body: Any = None) -> Any:
        """The body of an answer that must be a success."""
        answer = await self.request(method, target, body)
        assert answer.status < 400, answer
        return answer.body

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, _, port = self.http.rpartition(":")
        return await asyncio.open_connection(host, int(port))

    async def names(self) -> set[str]:
        """Of the nodes that it shows in its cluster."""
        rows = await self.call("GET", "/_cat/nodes?format=json&h=name")
        return {row["name"] for row in rows}

    async def wait_names(self, *names: str) -> None:
        await until(lambda: self._has(set(names)))

    async def _has(self, names: set[str]) -> bool:
        return await self.names() == names


def _parsed(data: bytes) -> Answer:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return Answer(int(first.split()[1]), {name.lower(): value for name, value in pairs}, body)


async def until(holds: Callable[[], Any], within_s: float = 15.0) -> None:
    """Until `holds()`, which may be awaited, is true. Fails where it is not in time."""
    async with asyncio.timeout(within_s):
        while True:
            found = holds()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def started(folder: Path, **settings: Value) -> AsyncIterator[RunningNode]:
    """A node with a data folder of that name; `__` in a name stands for a dot."""
    given: dict[str, Value] = {
        "cluster.name": "one",
        "node.name": folder.name,
        "http.port": "0",
        "transport.port": "0",
        "path.data": str(folder),
        **FAST,
        **{key.replace("__", "."): value for key, value in settings.items()},
    }
    checked = Settings(given)
    registry().validate(checked)
    node = Node(checked)
    try:
        await node.start()
        yield RunningNode(node)
    finally:
        await node.close()


def joining(data_node: RunningNode, **settings: Value) -> dict[str, Value]:
    """The settings of a node that joins `data_node`."""
    return {
        "node.roles": ("remote_cluster_client",),
        "discovery.seed_hosts": (data_node.transport,),
        **{key.replace("__", "."): value for key, value in settings.items()},
    }
