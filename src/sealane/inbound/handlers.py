"""What this node answers other clusters: a search, and the list of its cluster's nodes."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from sealane.inbound.actions import Action, Registrar, register_actions
from sealane.model.node import NodeInfo
from sealane.model.search import SearchRequest
from sealane.model.security import AuthenticationType
from sealane.model.task import Context
from sealane.reduce import ClusterAnswer
from sealane.remote.transport.messages import SEARCH, decode_search, encode_answer
from sealane.remote.transport.messages_phases import PHASES, Phase
from sealane.security.rules import Authorize
from sealane.wire.families.sealane import NODES, SEALANE, encode_nodes

Q = TypeVar("Q")
A = TypeVar("A")


class Nodes(Protocol):
    """The nodes of this cluster, as they are when it is asked."""

    def nodes(self) -> Sequence[NodeInfo]: ...

    def remote_servers(self) -> Sequence[NodeInfo]:
        """Those that answer callers with a key, at the addresses where they do."""


class LocalCluster(Protocol):
    """This cluster as a search of another one needs it."""

    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        """Hits carry `ctx.local_alias`, the name under which the caller knows this cluster."""


class SearchesInPhases(Protocol):
    """This cluster's shards, as a search of another one asks them step by step."""

    async def run(self, phase: Phase[Q, A], request: Q, ctx: Context) -> A:
        """The answer to one step; what goes wrong with a shard is in it."""


def register_handlers(
    registrar: Registrar,
    *,
    local: LocalCluster,
    nodes: Nodes,
    authorize: Authorize,
) -> None:
    """Registers every inbound action but those of searches in phases."""
    register_actions(registrar, [_search(local)], authorize)
    register_nodes_handler(registrar, nodes=nodes, authorize=authorize)


def register_phase_handlers(
    registrar: Registrar, *, local: SearchesInPhases, authorize: Authorize
) -> None:
    """Registers the steps of searches in phases."""
    register_actions(registrar, [_step(local, phase) for phase in PHASES], authorize)


def register_nodes_handler(registrar: Registrar, *, nodes: Nodes, authorize: Authorize) -> None:
    """Registers the list of nodes alone, which every node answers."""
    register_actions(registrar, [_nodes(nodes)], authorize)


def _search(local: LocalCluster) -> Action[Any]:
    async def answer(request: SearchRequest, ctx: Context) -> bytes:
        return encode_answer(await local.search(request, ctx))

    return Action(
        name=SEARCH, read=decode_search, indices=lambda request: request.indices, answer=answer
    )


def _step(local: SearchesInPhases, phase: Phase[Any, Any]) -> Action[Any]:
    async def answer(request: Any, ctx: Context) -> bytes:
        return phase.encode(await local.run(phase, request, ctx))

    return Action(name=phase.action, read=phase.read_request, indices=phase.indices, answer=answer)


def _nodes(nodes: Nodes) -> Action[Any]:
    async def answer(request: bool, ctx: Context) -> bytes:
        by_key = ctx.subject.type is AuthenticationType.CROSS_CLUSTER_ACCESS
        # Who comes with a key is let in at those ports only that are for keys.
        return encode_nodes(nodes.remote_servers() if by_key else nodes.nodes())

    read = SEALANE.nodes[NODES].read_request
    return Action(name=NODES, read=read, indices=lambda request: (), answer=answer)
