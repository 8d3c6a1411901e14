"""What coordinators of requests about indices need of clusters, and what they share: an outcome for each cluster."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from sealane.errors import ApiError, ReceiveTimeout, TaskCancelled
from sealane.model.about_indices import (
    FieldCapsPart,
    FieldCapsRequest,
    ResolvedNames,
    ResolveIndexRequest,
    TermsEnumPart,
    TermsEnumRequest,
)
from sealane.model.task import Context
from sealane.search.expression import LOCAL, ClusterTarget
from sealane.search.fan_out import ask_all


class AboutIndices(Protocol):
    """One cluster, local or remote, as it is asked about its indices. Names in its answers carry no alias.

    Each call raises what the cluster raises, and as a search does when it cannot be reached. Cancelling a call cancels
    the work there.
    """

    async def field_caps(self, request: FieldCapsRequest, ctx: Context) -> FieldCapsPart: ...

    async def resolve_index(self, request: ResolveIndexRequest, ctx: Context) -> ResolvedNames: ...

    async def terms_enum(self, request: TermsEnumRequest, ctx: Context) -> TermsEnumPart: ...


class IndicesOfRemotes(Protocol):
    """The registered remote clusters."""

    def aliases(self) -> Sequence[str]:
        """All that are enabled. Raises IllegalArgument on a node without the role `remote_cluster_client`."""

    def client(self, alias: str) -> AboutIndices:
        """Raises NoSuchRemoteCluster."""


A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Asked(Generic[A]):
    """What one cluster answered, or why it did not."""

    target: ClusterTarget
    answer: A | None
    error: ApiError | None = None

    def named(self, index: str) -> str:
        """An index of that cluster as it is named here."""
        return index if self.target.alias == LOCAL else f"{self.target.alias}:{index}"


async def ask_clusters(
    local: AboutIndices,
    remotes: IndicesOfRemotes,
    targets: Sequence[ClusterTarget],
    ask: Callable[[AboutIndices, ClusterTarget], Awaitable[A]],
    *,
    timeout_s: float | None = None,
) -> list[Asked[A]]:
    """Every cluster at once, in the order of `targets`. A remote may take `timeout_s`; None lets it take its time.

    A remote's failure is its outcome; the local cluster's is raised, as the reference does. So is TaskCancelled.
    """

    async def one(target: ClusterTarget) -> Asked[A]:
        if target.alias == LOCAL:
            return Asked(target, await ask(local, target))
        try:
            async with asyncio.timeout(timeout_s):
                return Asked(target, await ask(remotes.client(target.alias), target))
        except TimeoutError:
            return Asked(
                target,
                None,
                ReceiveTimeout(
                    "Request timed out before receiving a response from the remote cluster"
                ),
            )
        except TaskCancelled:
            raise
        except ApiError as error:
            return Asked(target, None, error)

    return await ask_all(one, targets)
