"""The clusters of a run, and the documents that are known to be in each."""

import asyncio
import json
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.chaos.http import Answer, ask
from scripts.chaos.proxy import Proxy
from sealane.testing.process import NodeProcess

LOCAL = "(local)"
INDEX = "d"
DOCUMENTS = 200
KINDS = "abcd"
SEARCH_TIMEOUT = "3s"


@dataclass(slots=True)
class Remote:
    """A cluster behind a proxy."""

    alias: str
    node: NodeProcess
    proxy: Proxy
    skip_unavailable: bool
    trouble: str = ""
    """What is done to it now."""


@dataclass(slots=True)
class World:
    local: NodeProcess
    remotes: list[Remote] = field(default_factory=list)

    @property
    def names(self) -> Sequence[str]:
        return (LOCAL, *(remote.alias for remote in self.remotes))

    @property
    def expression(self) -> str:
        return ",".join([INDEX, *(f"{remote.alias}:{INDEX}" for remote in self.remotes)])

    def may_fail(self, alias: str) -> bool:
        """Whether a search fails with this remote."""
        return any(each.alias == alias and not each.skip_unavailable for each in self.remotes)

    def nodes(self) -> Mapping[str, NodeProcess]:
        return {LOCAL: self.local, **{each.alias: each.node for each in self.remotes}}

    async def ask(self, method: str, target: str, body: Any = None) -> Answer:
        return await ask(self.local.http, method, target, body)


def documents_of(number: int) -> list[dict[str, Any]]:
    """Of the cluster with this place among `names`."""
    return [{"n": number + 10 * n, "kind": KINDS[n % len(KINDS)]} for n in range(DOCUMENTS)]


async def build(folder: Path, remotes: int) -> World:
    """Starts all clusters, fills them and connects them. The last remote may not be skipped."""
    assert 0 < remotes < 10, "numbers of documents have one digit for their cluster"
    world = World(NodeProcess("local", folder / "local"))
    for number in range(1, remotes + 1):
        alias = f"r{number}"
        node = NodeProcess(alias, folder / alias)
        world.remotes.append(Remote(alias, node, Proxy(), skip_unavailable=number < remotes))
    for node in world.nodes().values():
        node.launch()
    for number, node in enumerate(world.nodes().values()):
        await asyncio.to_thread(node.wait_ready)
        _fill(node, number)
    for remote in world.remotes:
        await remote.proxy.start()
        _aim(remote)
        _register(world.local, remote)
    return world


async def close(world: World) -> None:
    for remote in world.remotes:
        await remote.proxy.close()
    for node in world.nodes().values():
        await asyncio.to_thread(node.stop)


async def restart(remote: Remote) -> None:
    """A node that was killed, on the same folder."""
    await asyncio.to_thread(remote.node.start)
    _aim(remote)


def signal_node(remote: Remote, number: signal.Signals) -> None:
    remote.node.send_signal(number)


def _aim(remote: Remote) -> None:
    host, _, port = remote.node.transport.rpartition(":")
    remote.proxy.target = (host, int(port))


def _fill(node: NodeProcess, number: int) -> None:
    mapping = {"properties": {"n": {"type": "integer"}, "kind": {"type": "keyword"}}}
    settings = {"number_of_shards": 2, "number_of_replicas": 0}
    node.call("PUT", f"/{INDEX}", {"settings": settings, "mappings": mapping})
    lines = []
    for document in documents_of(number):
        lines += [json.dumps({"index": {"_id": str(document["n"])}}), json.dumps(document)]
    node.call("POST", f"/{INDEX}/_bulk?refresh=true", ("\n".join(lines) + "\n").encode())


def _register(local: NodeProcess, remote: Remote) -> None:
    keys = {
        "mode": "proxy",
        "proxy_address": remote.proxy.address,
        "proxy_socket_connections": 3,
        "skip_unavailable": remote.skip_unavailable,
        "search_timeout": SEARCH_TIMEOUT,
        "breaker.pause": "1s",
    }
    flat = {f"cluster.remote.{remote.alias}.{key}": value for key, value in keys.items()}
    local.call("PUT", "/_cluster/settings", {"persistent": flat})
