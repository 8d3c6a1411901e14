"""What one shard of a follower needs of what is around it."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from sealane.engine.base import ShardState
from sealane.model.document import Operation
from sealane.model.followers import CopyProgress
from sealane.model.replication import Ancestor, HistoryMark, ShardRef
from sealane.model.task import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardIdentity:
    """Who follows whom. `leader` is the shard there, `follower_uuid` and its `shard` the one here."""

    remote_cluster: str
    leader: ShardRef
    follower_index: str
    follower_uuid: str
    lease_id: str

    @property
    def shard(self) -> int:
        return self.leader.shard


@dataclass(frozen=True, slots=True, order=True)
class LeaderVersions:
    """Of the leader's mapping, settings and aliases."""

    mapping: int
    settings: int
    aliases: int


class LeaderSync(Protocol):
    """The follower index's metadata, which its shards share."""

    @property
    def versions(self) -> LeaderVersions:
        """What the follower has been brought to."""

    async def reach(self, wanted: LeaderVersions) -> None:
        """Returns once the follower has each of these versions or a newer one. Shards that ask at the same time are
        served by one request. Raises what asking the leader raises, IllegalArgument for a mapping that cannot be
        merged.
        """


class Asking(Protocol):
    """Contexts of requests to the leader, on behalf of who began to follow."""

    def asking(
        self, action: str, *, timeout_s: float | None = None
    ) -> AbstractContextManager[Context]:
        """A task that is there inside the block, and is cancelled with it."""


class Copier(Protocol):
    """The copy of one shard."""

    @property
    def progress(self) -> CopyProgress | None: ...

    @property
    def mark(self) -> HistoryMark | None:
        """The leader's operation of the number that the copy goes up to; None where it is not known. What follows the
        copy is proven to continue it by this one, for what is copied does not say when it was written.
        """

    async def run(self, history_uuid: str) -> int:
        """Copies what has not been copied yet, until the shard's checkpoint is where the operations go on; returns the
        leader's checkpoint as of the last page. Begins anew where it left off whenever it is called. Raises what
        the leader and the engine raise.
        """


class ReplicaShard(Protocol):
    """Of `Engine`, what the tail of one shard uses."""

    async def shard_state(self, index_uuid: str, shard: int) -> ShardState: ...

    async def mark(self, index_uuid: str, shard: int, seq_no: int) -> HistoryMark | None: ...

    async def apply_replica(
        self, index_uuid: str, shard: int, operations: Sequence[Operation]
    ) -> ShardState: ...

    async def adopt_history(
        self,
        index_uuid: str,
        shard: int,
        history_uuid: str,
        *,
        ancestors: Sequence[Ancestor] = (),
    ) -> None: ...
