"""What searching several clusters needs from the rest, as it sees it."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from sealane.cluster.resolve import ResolvedIndex
from sealane.model.clusters import ClusterMatch, ClusterStats, RemoteTraits, ResolveClusterRequest
from sealane.model.search import IndicesOptions, SearchRequest
from sealane.model.security import IndexLimits
from sealane.model.task import Context
from sealane.reduce import ClusterAnswer
from sealane.remote.transport.messages_phases import Phase

Q = TypeVar("Q")
A = TypeVar("A")


class ClusterClient(Protocol):
    """One cluster, however it is reached: the local one, or a remote by whatever wire.

    Cancelling a call (or its context's task) cancels the work on that cluster.
    """

    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        """The cluster's answer, final or as partials as `request.final_reduce` says.

        Raises the ApiError that the cluster raised, ConnectTransport / NodeDisconnected / IllegalState when it cannot
        be reached.
        """

    async def run(self, phase: Phase[Q, A], request: Q, ctx: Context) -> A:
        """One step of a search in phases. Raises as `search` does; what goes wrong with a shard is in the answer."""


class LocalClient(ClusterClient, Protocol):
    """The cluster that the search was sent to. A mistake in its names fails a search whatever remotes say."""

    async def judge_names(self, request: SearchRequest, ctx: Context, *, may_ask: bool) -> None:
        """Raises what `search` would raise for the names alone. Nothing where another node has to be asked and
        `may_ask` is not set.
        """


class Remotes(Protocol):
    """The registered remote clusters."""

    def aliases(self) -> Sequence[str]:
        """All that are enabled. Raises IllegalArgument on a node without the role `remote_cluster_client`."""

    def client(self, alias: str) -> ClusterClient:
        """Raises NoSuchRemoteCluster."""

    def skip_unavailable(self, alias: str) -> bool:
        """The setting in force now."""


class ResolvesNames(Protocol):
    """A cluster, local or remote, that says whether names mean anything to it. Cancelling a call cancels the work."""

    async def resolve_cluster(self, request: ResolveClusterRequest, ctx: Context) -> ClusterMatch:
        """Whether names lead to an index there. A cluster that is not connected fails at once.

        Raises as a search does.
        """


class AboutCluster(ResolvesNames, Protocol):
    """What one cluster, local or remote, tells of itself."""

    async def cluster_stats(self, ctx: Context) -> ClusterStats:
        """How large it is and how it fares. Fails as `resolve_cluster` does."""


class AboutRemotes(Protocol):
    """The registered remote clusters, for what is no search."""

    def aliases(self) -> Sequence[str]:
        """All that are enabled. Raises IllegalArgument on a node without the role `remote_cluster_client`."""

    def client(self, alias: str) -> AboutCluster:
        """Raises NoSuchRemoteCluster."""

    def traits(self, alias: str) -> RemoteTraits:
        """The settings in force now. Raises NoSuchRemoteCluster."""


class SearchDefaults(Protocol):
    """What this cluster's settings say where a search does not."""

    def max_buckets(self) -> int: ...

    def timeout_ms(self) -> int | None:
        """How long a shard may collect; None without limit."""

    def allow_partial_results(self) -> bool: ...

    def max_keep_alive_ms(self) -> int:
        """The longest that a scroll or a point in time may be kept at a time."""

    def max_open_scrolls(self) -> int:
        """Shards of scrolls that may be open on a node."""


class IndexSource(Protocol):
    """Names to indices of the local cluster."""

    def resolve(
        self, expressions: Sequence[str], options: IndicesOptions, now_ms: int
    ) -> Sequence[ResolvedIndex]:
        """The concrete indices, each once. Raises IndexNotFound, IndexClosed, InvalidIndexName, SecurityError."""

    def limits_of(self, index: str, uuid: str, reached: Sequence[str]) -> IndexLimits | None:
        """What may be seen of an index that an earlier step resolved. Raises SecurityError."""
