"""`python -m scripts.bench.played`: clusters that consist of nothing but their transport.

Every node is a `TransportService` of the program on a port of its own; a search is answered with
nothing found, one of the index `page` with a page of ten hits. One process can so play a hundred
clusters for a node that is measured. Prints one JSON line, the transport addresses by cluster, and runs until SIGTERM.
"""

import argparse
import asyncio
import contextlib
import gc
import json
import resource
import signal
import ssl
import sys
from collections.abc import Callable
from pathlib import Path

import uvloop

from scripts.bench import certificates
from sealane.clock import SystemClock
from sealane.inbound import register_handlers
from sealane.model.node import ROLES, Address, ClusterIdentity, NodeInfo
from sealane.model.search import SearchRequest
from sealane.model.task import Context, TaskRegistry
from sealane.reduce import ClusterAnswer
from sealane.reduce.partial import Hit, Partial, ShardCounts, TotalHits
from sealane.security.rules import allow_all
from sealane.testing.fixed_nodes import FixedNodes
from sealane.transport import AsyncioNetwork, TransportService

ECHO = "bench:echo"
"""Answers what it was sent."""
LARGE = "bench:large"
"""Answers as many bytes as the request says in decimal."""
HOST = "127.0.0.1"


PAGE = "page"
"""The index of which a page of hits is found."""
_HITS = 10
_SOURCE = (
    b'{"name":"Ulm","countrycode":"DE","population":126790,"location":{"lat":48.4,"lon":9.99}}'
)


class _NothingFound:
    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        if request.indices == (PAGE,):
            return ClusterAnswer(_page(ctx.local_alias), took_ms=0)
        found = Partial(
            hits=[], total=TotalHits(0), max_score=None, shards=ShardCounts(), final=True
        )
        return ClusterAnswer(partial=found, took_ms=0)


def _page(alias: str) -> Partial:
    """No two hits of a page have the same score; every cluster has the same scores."""
    hits = [
        Hit(f"{alias}:{PAGE}", str(number), 10 - number / 8, _SOURCE, index_uuid=f"{alias:_<22.22}")
        for number in range(_HITS)
    ]
    return Partial(
        hits=hits, total=TotalHits(1_000), max_score=hits[0].score, shards=ShardCounts(1, 1)
    )


class PlayedNode:
    """One node. `listen` first; `fellows` are the nodes of its cluster, itself included."""

    def __init__(self, cluster: str, number: int, fellows: Callable[[], list[NodeInfo]]) -> None:
        self.info = NodeInfo(id="", ephemeral_id="", name="", address=Address("", 0))
        self._cluster = ClusterIdentity(name=cluster, uuid=f"{cluster:_<22.22}")
        self._name = f"{cluster}-{number}"
        tasks = TaskRegistry(f"{self._name:_<22.22}")
        self.service = TransportService(
            local=lambda: (self.info, self._cluster),
            network=AsyncioNetwork(),
            tasks=tasks,
            clock=SystemClock(),
        )
        register_handlers(
            self.service, local=_NothingFound(), nodes=FixedNodes(fellows), authorize=allow_all
        )
        self.service.register(ECHO, _echo)
        self.service.register(LARGE, _large)

    async def listen(self, tls: ssl.SSLContext | None) -> None:
        address = await self.service.listen(HOST, 0, tls=tls)
        identity = f"{self._name:_<22.22}"
        self.info = NodeInfo(
            id=identity,
            ephemeral_id=identity,
            name=self._name,
            address=address,
            roles=ROLES,
            version="8.19.0",
        )


async def _echo(payload: bytes, ctx: Context) -> bytes:
    return payload


_answers: dict[int, bytes] = {}


async def _large(payload: bytes, ctx: Context) -> bytes:
    size = int(payload)
    if size not in _answers:
        _answers[size] = bytes(size)
    return _answers[size]


class PlayedCluster:
    def __init__(self, name: str, nodes: int) -> None:
        self.name = name
        self.nodes = [PlayedNode(name, number, self._listed) for number in range(nodes)]

    def _listed(self) -> list[NodeInfo]:
        return [node.info for node in self.nodes]

    @property
    def addresses(self) -> list[str]:
        return [str(node.info.address) for node in self.nodes]


async def play(clusters: int, nodes: int, tls: ssl.SSLContext | None) -> list[PlayedCluster]:
    """Clusters named `played0`, `played1` and so on, listening."""
    played = [PlayedCluster(f"played{number}", nodes) for number in range(clusters)]
    for cluster in played:
        for node in cluster.nodes:
            await node.listen(tls)
    return played


async def _run(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    tls = None if options.tls is None else certificates.server_context(options.tls)
    played = await play(options.clusters, options.nodes, tls)
    gc.collect()
    gc.freeze()
    addresses = {cluster.name: cluster.addresses for cluster in played}
    print(json.dumps({"event": "ready", "clusters": addresses}), flush=True)
    await stop.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.bench.played", description=__doc__)
    parser.add_argument("--clusters", type=int, default=1)
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--tls", metavar="FOLDER", type=Path, help="with the certificates in it")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with (
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        contextlib.suppress(KeyboardInterrupt),
    ):
        runner.run(_run(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
