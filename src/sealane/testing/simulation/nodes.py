"""Clusters of a simulated world: their nodes run the production transport and inbound handlers on a
host each, and answer a search with an echo of what was asked.
"""

import asyncio
import json
import random
from dataclasses import dataclass, field
from typing import Protocol

from sealane.clock import Clock
from sealane.errors import IndexNotFound
from sealane.inbound import register_handlers
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.model.search import SearchRequest
from sealane.model.task import Context, TaskRegistry
from sealane.reduce import ClusterAnswer
from sealane.reduce.partial import Hit, Partial, ShardCounts
from sealane.security.rules import allow_all
from sealane.testing.fixed_nodes import FixedNodes
from sealane.testing.simulation.network import Host
from sealane.transport import TransportLimits, TransportService

PORT = 9300


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a request wants: sent as JSON in its `preference`, answered by an echo."""

    number: int
    asker: str
    cluster: str
    """The uuid that the asker's alias is pinned to; empty where that is not known yet."""
    takes_s: float
    fails: bool
    answer_bytes: int

    def text(self) -> str:
        return json.dumps(
            [
                self.number,
                self.asker,
                self.cluster,
                self.takes_s,
                self.fails,
                self.answer_bytes,
            ]
        )

    @classmethod
    def parse(cls, text: str) -> "Question":
        number, asker, cluster, takes_s, fails, answer_bytes = json.loads(text)
        return cls(
            number=number,
            asker=asker,
            cluster=cluster,
            takes_s=takes_s,
            fails=fails,
            answer_bytes=answer_bytes,
        )


def filling(number: int, size: int) -> bytes:
    """Bytes that tell to which request they belong, wherever one looks."""
    unit = b"%08d" % number
    return (unit * (size // len(unit) + 1))[:size]


def source_of(number: int, size: int) -> bytes:
    """A document of about that size."""
    return b'"' + filling(number, size) + b'"'


def index_of(number: int, alias: str) -> str:
    """The index of that document, as the asking cluster knows it."""
    return f"{alias}:{number}" if alias else str(number)


@dataclass
class Log:
    """What all nodes have been asked. `received` counts by request, `running` names the node that
    works on it."""

    received: dict[int, int] = field(default_factory=dict)
    running: dict[int, str] = field(default_factory=dict)
    direct: dict[int, str] = field(default_factory=dict)
    """The asking host, for requests that reach their node without a proxy."""
    cancelled: int = 0
    wrong: list[str] = field(default_factory=list)


class SimulatedCluster:
    """`published` is what the master last told: a node that has gone stays in it for a while."""

    def __init__(self, identity: ClusterIdentity) -> None:
        self.identity = identity
        self.nodes: list[SimulatedNode] = []
        self.published: dict[str, NodeInfo] = {}

    def listed(self) -> list[NodeInfo]:
        return list(self.published.values())


class SimulatedNode:
    """One node on its host. Started anew it is another node with the same id."""

    def __init__(
        self,
        cluster: SimulatedCluster,
        name: str,
        host: Host,
        *,
        clock: Clock,
        log: Log,
        chance: random.Random,
        roles: tuple[str, ...],
        attributes: dict[str, str],
        limits: TransportLimits,
    ) -> None:
        self.cluster = cluster
        self.name = name
        self.host = host
        self.roles = roles
        self.attributes = attributes
        self.is_running = False
        self.starts = 0
        self.tasks = TaskRegistry(f"id-{name}")
        self.transport: TransportService
        self._limits = limits
        self._clock = clock
        self._log = log
        self._chance = chance
        cluster.nodes.append(self)

    @property
    def info(self) -> NodeInfo:
        return NodeInfo(
            id=f"id-{self.name}",
            ephemeral_id=f"eph-{self.name}-{self.starts}",
            name=self.name,
            address=Address(self.host.ip, PORT),
            roles=self.roles,
            attributes=self.attributes,
            version="8.19.0",
        )

    async def start(self) -> None:
        self.starts += 1
        self.tasks = TaskRegistry(f"id-{self.name}")
        info, identity = self.info, self.cluster.identity
        self.transport = TransportService(
            local=lambda: (info, identity),
            network=self.host,
            tasks=self.tasks,
            clock=self._clock,
            limits=self._limits,
        )
        register_handlers(
            self.transport,
            local=Echo(self, self._log),
            nodes=FixedNodes(self.cluster.listed),
            authorize=allow_all,
        )
        await self.transport.listen(self.host.ip, PORT)
        self.is_running = True
        self.cluster.published[self.name] = info
        self.host.network.trace.note("start", self.name, self.starts)

    async def stop(self) -> None:
        """In order; after `Host.kill` or a power loss it only tidies up."""
        self.host.network.trace.note("stop", self.name)
        self.is_running = False
        published = self.cluster.published.get(self.name)
        self.host.loop.call_later(self._chance.uniform(0, 30), self._leave, published)
        await self.transport.close()

    def _leave(self, info: NodeInfo | None) -> None:
        if self.cluster.published.get(self.name) == info and not self.is_running:
            self.cluster.published.pop(self.name, None)


class Answering(Protocol):
    """A node that answers searches."""

    name: str
    host: Host
    cluster: SimulatedCluster


class Echo:
    """Implements the inbound side's LocalCluster."""

    def __init__(self, node: Answering, log: Log) -> None:
        self._node = node
        self._log = log

    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        log, node = self._log, self._node
        assert request.preference is not None
        question = Question.parse(request.preference)
        number = question.number
        log.received[number] = log.received.get(number, 0) + 1
        if request.body.raw != body_of(number, len(request.body.raw)):
            log.wrong.append(f"request {number} arrived with the body of another")
        if ctx.local_alias != question.asker:
            log.wrong.append(f"request {number} of [{question.asker}] came as [{ctx.local_alias}]")
        if question.cluster not in ("", node.cluster.identity.uuid):
            log.wrong.append(f"request {number} for [{question.cluster}] came to [{node.name}]")
        log.running[number] = node.name
        node.host.network.trace.note("asked", node.name, number)
        try:
            if question.takes_s:
                await asyncio.sleep(question.takes_s)
        except asyncio.CancelledError:
            log.cancelled += 1
            node.host.network.trace.note("stopped", node.name, number)
            raise
        finally:
            del log.running[number]
        if question.fails:
            raise IndexNotFound(str(number))
        hit = Hit(
            index=index_of(number, ctx.local_alias),
            id=node.name,
            score=None,
            source=source_of(number, question.answer_bytes),
            index_uuid=node.cluster.identity.uuid,
        )
        return ClusterAnswer(Partial([hit], None, None, ShardCounts(1, 1)), 1)


def body_of(number: int, size: int) -> bytes:
    """A search body of about `size` bytes, valid and told apart from that of any other request."""
    frame = b'{"query":{"match":{"f":""}}}'
    return frame[:-4] + filling(number, max(0, size - len(frame))) + frame[-4:]
