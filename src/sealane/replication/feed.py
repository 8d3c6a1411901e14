"""Where a follower gets its leader's operations from.

A feed tells of one remote cluster. A Sealane leader is exact: every operation, in order. A feed of a cluster that has
no operation log may be weaker, and says so.
"""

from collections.abc import Sequence
from typing import Protocol

from sealane.model.document import Operation
from sealane.model.replication import (
    ChangesAnswer,
    ChangesRequest,
    CopyAnswer,
    CopyRequest,
    CopyStart,
    Exactness,
    LeaderCluster,
    LeaderIndex,
    ShardRef,
)
from sealane.model.task import Context


class ChangeFeed(Protocol):
    """One remote cluster as a leader, whatever connection is open. Every method raises what the leader raised, and what
    reaching it does (ConnectTransport, NodeDisconnected, NoSeedNodeLeft, Rejected, ...).

    A context's subject is on whose behalf the leader is asked.
    """

    exactness: Exactness

    async def index(self, name: str, ctx: Context) -> LeaderIndex:
        """Raises IndexNotFound. Aliases, data streams and closed indices are described, not refused."""

    async def cluster(
        self, ctx: Context, *, newer_than: int | None = None, timeout_s: float = 60.0
    ) -> LeaderCluster | None:
        """All indices that may be followed; with `newer_than` once the metadata has a higher version, None where it has
        not within `timeout_s`.
        """

    async def changes(self, request: ChangesRequest, ctx: Context) -> ChangesAnswer:
        """Raises UnexpectedHistory, HistoryDiverged, OperationsMissing, IndexNotFound, IndexClosed, ClusterBlock."""

    async def open_copy(self, shard: ShardRef, lease_id: str, ctx: Context) -> CopyStart:
        """The lease, which exists, retains from the start's checkpoint on when this returns."""

    async def copy(self, request: CopyRequest, ctx: Context) -> CopyAnswer:
        """Raises UnexpectedHistory, IndexNotFound."""

    async def documents(
        self, shard: ShardRef, ids: Sequence[str], history_uuid: str, ctx: Context
    ) -> Sequence[Operation]:
        """The live documents of these ids, as the operations that made them; for a failback."""

    async def add_lease(
        self, shard: ShardRef, lease_id: str, retaining_seq_no: int, ctx: Context
    ) -> None:
        """Raises LeaseAlreadyExists."""

    async def renew_lease(
        self, shard: ShardRef, lease_id: str, retaining_seq_no: int, ctx: Context
    ) -> None:
        """Raises LeaseNotFound, LeaseInvalid."""

    async def remove_lease(self, shard: ShardRef, lease_id: str, ctx: Context) -> None:
        """Raises LeaseNotFound."""


class Feeds(Protocol):
    """The remotes that can be followed."""

    def feed(self, alias: str) -> ChangeFeed:
        """Raises NoSuchRemoteCluster; IllegalArgument on a node without the role `remote_cluster_client`."""
