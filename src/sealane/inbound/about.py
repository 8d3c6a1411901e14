"""What this node answers other clusters about its own cluster, beside searches: whether names lead to an index,
and how large it is.
"""

from typing import Any, Protocol

from sealane.inbound.actions import Action, Registrar, register_actions
from sealane.model.clusters import ClusterMatch, ClusterStats, ResolveClusterRequest
from sealane.model.task import Context
from sealane.remote.transport.messages_clusters import (
    CLUSTER_STATS,
    RESOLVE_CLUSTER,
    decode_cluster_stats_request,
    decode_resolve_cluster,
    encode_cluster_match,
    encode_cluster_stats,
)
from sealane.security.rules import Authorize


class AboutLocal(Protocol):
    """This cluster as it tells others of itself."""

    async def resolve_cluster(self, request: ResolveClusterRequest, ctx: Context) -> ClusterMatch:
        """Whether names lead to an index of this cluster."""

    async def cluster_stats(self, ctx: Context) -> ClusterStats:
        """How large this cluster is and how it fares."""


def register_about_handlers(
    registrar: Registrar, *, about: AboutLocal, authorize: Authorize
) -> None:
    """Registers the actions by which clusters learn of each other."""
    register_actions(registrar, [_resolve_cluster(about), _cluster_stats(about)], authorize)


def _resolve_cluster(about: AboutLocal) -> Action[Any]:
    async def answer(request: ResolveClusterRequest, ctx: Context) -> bytes:
        return encode_cluster_match(await about.resolve_cluster(request, ctx))

    return Action(
        name=RESOLVE_CLUSTER,
        read=decode_resolve_cluster,
        indices=lambda request: request.expressions or (),
        answer=answer,
    )


def _cluster_stats(about: AboutLocal) -> Action[Any]:
    async def answer(request: None, ctx: Context) -> bytes:
        return encode_cluster_stats(await about.cluster_stats(ctx))

    return Action(
        name=CLUSTER_STATS,
        read=decode_cluster_stats_request,
        indices=lambda request: (),
        answer=answer,
    )
