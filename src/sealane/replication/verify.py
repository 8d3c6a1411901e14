"""Whether a follower holds what its leader does: document by document, without stopping either of them.

Both are read page by page in the order of numbers, up to the leader's checkpoint of the beginning, and compared as they
come. While that goes on documents change: one that was read on one side alone is looked at again, the side first that
is behind. For once a number is superseded it stays so, and the leader is never behind its follower.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from sealane.cluster.metadata import IndexMetadata
from sealane.engine.base import LiveDocuments, ShardState
from sealane.errors import ApiError, IllegalState, IndexClosed, NoShardAvailable, TimedOut
from sealane.model.document import Operation
from sealane.model.followers import Verified, VerifiedShard
from sealane.model.replication import CopyRequest, Following, ShardRef
from sealane.model.task import Context
from sealane.replication.checks import check_same_leader
from sealane.replication.feed import ChangeFeed
from sealane.replication.follower.index import FollowerParts

_PAGE_DOCS: Final = 2_000
_PAGE_BYTES: Final = 4 << 20
_CAUGHT_UP_S: Final = 30.0
_DOUBTS_MAX: Final = 100_000
"""More documents than that do not change while one page is read and the other."""

Entry = tuple[int, bytes]
"""A live document's number, and a digest of all that must be the same."""


class VerifiedEngine(Protocol):
    """The engine, as far as it is used here."""

    async def live_documents(
        self,
        index_uuid: str,
        shard: int,
        from_seq_no: int,
        to_seq_no: int,
        *,
        max_count: int,
        max_bytes: int,
    ) -> LiveDocuments: ...

    async def wait_for_checkpoint(
        self, index_uuid: str, shard: int, seq_no: int, *, timeout_s: float
    ) -> ShardState: ...


@dataclass(slots=True)
class _Tally:
    """Of one side: how many documents, and a sum of their digests that knows no order."""

    docs: int = 0
    total: int = 0

    def add(self, entry: Entry) -> None:
        self.docs += 1
        self.total = (self.total + int.from_bytes(entry[1], "big")) % (1 << 128)

    @property
    def digest(self) -> str:
        return f"{self.total:032x}"


@dataclass(slots=True)
class _Comparison:
    """`alone` are entries that one side had when it was read, and the other not: of the leader, of the follower."""

    leader: _Tally = field(default_factory=_Tally)
    follower: _Tally = field(default_factory=_Tally)
    leader_alone: list[Entry] = field(default_factory=list)
    follower_alone: list[Entry] = field(default_factory=list)

    def take(self, theirs: Entry | None, ours: Entry | None) -> None:
        """One number as both have it, or one of them."""
        if theirs is not None and ours is not None:
            self.leader.add(theirs)
            self.follower.add(ours)
        elif theirs is not None:
            self.leader_alone.append(theirs)
        elif ours is not None:
            self.follower_alone.append(ours)
        if len(self.leader_alone) + len(self.follower_alone) > _DOUBTS_MAX:
            raise IllegalState(
                f"more than [{_DOUBTS_MAX}] documents are on one side alone: the two do not hold the same"
            )


class Verification:
    def __init__(self, *, parts: FollowerParts, engine: VerifiedEngine) -> None:
        self._parts = parts
        self._engine = engine

    async def compare(self, index: IndexMetadata, following: Following, ctx: Context) -> Verified:
        """Raises what asking the leader raises, IndexClosed, NoShardAvailable; a shard that cannot be compared has its
        own error.
        """
        if not index.open:
            raise IndexClosed(index.name, index.uuid)
        feed = self._parts.feeds.feed(following.remote_cluster)
        leader = await feed.index(following.leader_index, ctx)
        check_same_leader(index.name, following, leader)
        if not leader.open:
            raise IndexClosed(leader.name, leader.uuid)
        if len(leader.history) != index.shards:
            raise NoShardAvailable(IllegalState("no index stats available for the leader index"))
        shards: list[VerifiedShard] = []
        for number, history in enumerate(leader.history):
            shard = VerifiedPair(
                index.uuid, number, following, history.history_uuid, self._engine, feed
            )
            shards.append(await shard.compare(history.checkpoint, ctx))
        return Verified(
            index=index.name,
            remote_cluster=following.remote_cluster,
            leader_index=following.leader_index,
            shards=tuple(shards),
        )


class VerifiedPair:
    """One shard on both sides."""

    def __init__(
        self,
        index_uuid: str,
        number: int,
        following: Following,
        history_uuid: str,
        engine: VerifiedEngine,
        feed: ChangeFeed,
    ) -> None:
        self._uuid = index_uuid
        self._number = number
        self._history_uuid = history_uuid
        self._engine = engine
        self._feed = feed
        self._leader = ShardRef(
            index=following.leader_index, index_uuid=following.leader_uuid, shard=number
        )
        self._leader_checkpoint = -1

    async def compare(self, checkpoint: int, ctx: Context) -> VerifiedShard:
        self._leader_checkpoint = checkpoint
        try:
            await self._catch_up()
            found = await self._merge(checkpoint, ctx)
            await self._look_again(found, ctx)
        except ApiError as error:
            return VerifiedShard(shard=self._number, checkpoint=checkpoint, error=error)
        return VerifiedShard(
            shard=self._number,
            checkpoint=checkpoint,
            leader_docs=found.leader.docs,
            follower_docs=found.follower.docs,
            leader_hash=found.leader.digest,
            follower_hash=found.follower.digest,
        )

    async def _merge(self, to_seq_no: int, ctx: Context) -> _Comparison:
        found = _Comparison()
        theirs = _entries(lambda start: self._theirs(start, to_seq_no, ctx), to_seq_no)
        ours = _entries(lambda start: self._ours(start, to_seq_no), to_seq_no)
        left, right = await anext(theirs, None), await anext(ours, None)
        while left is not None or right is not None:
            if right is None or (left is not None and left[0] < right[0]):
                found.take(left, None)
                left = await anext(theirs, None)
            elif left is None or right[0] < left[0]:
                found.take(None, right)
                right = await anext(ours, None)
            else:
                found.take(left, right)
                left, right = await anext(theirs, None), await anext(ours, None)
        return found

    async def _look_again(self, found: _Comparison, ctx: Context) -> None:
        """What is still on one side alone counts there: it is a difference."""
        for entry in found.leader_alone:
            ours = await self._entry(entry[0], None)
            theirs = await self._entry(entry[0], ctx)
            if theirs is not None:
                found.leader.add(theirs)
                if ours is not None:
                    found.follower.add(ours)
        for entry in found.follower_alone:
            theirs = await self._entry(entry[0], ctx)
            await self._catch_up()
            ours = await self._entry(entry[0], None)
            if ours is not None:
                found.follower.add(ours)
                if theirs is not None:
                    found.leader.add(theirs)

    async def _entry(self, seq_no: int, ctx: Context | None) -> Entry | None:
        """One number, of the leader with a context and of the follower without."""
        if ctx is None:
            entries, _ = await self._ours(seq_no, seq_no)
        else:
            entries, _ = await self._theirs(seq_no, seq_no, ctx)
        return entries[0] if entries else None

    async def _catch_up(self) -> None:
        """The follower has all that the leader had when it was last asked. Raises TimedOut."""
        wanted = self._leader_checkpoint
        state = await self._engine.wait_for_checkpoint(
            self._uuid, self._number, wanted, timeout_s=_CAUGHT_UP_S
        )
        if state.checkpoint < wanted:
            raise TimedOut(
                f"the follower is at [{state.checkpoint}] of the leader's [{wanted}] and has not caught up in time"
            )

    async def _theirs(
        self, from_seq_no: int, to_seq_no: int, ctx: Context
    ) -> tuple[list[Entry], int]:
        answer = await self._feed.copy(
            CopyRequest(
                shard=self._leader,
                from_seq_no=from_seq_no,
                to_seq_no=to_seq_no,
                max_count=_PAGE_DOCS,
                max_bytes=_PAGE_BYTES,
                history_uuid=self._history_uuid,
            ),
            ctx,
        )
        self._leader_checkpoint = max(self._leader_checkpoint, answer.checkpoint)
        return _digests(answer.operations), answer.up_to

    async def _ours(self, from_seq_no: int, to_seq_no: int) -> tuple[list[Entry], int]:
        found = await self._engine.live_documents(
            self._uuid,
            self._number,
            from_seq_no,
            to_seq_no,
            max_count=_PAGE_DOCS,
            max_bytes=_PAGE_BYTES,
        )
        return _digests(found.operations), found.up_to


async def _entries(
    page: Callable[[int], Awaitable[tuple[list[Entry], int]]], to_seq_no: int
) -> AsyncIterator[Entry]:
    """All of one side, in order. Raises IllegalState for pages that lead nowhere."""
    start = 0
    while start <= to_seq_no:
        entries, up_to = await page(start)
        if up_to < start:
            raise IllegalState(f"a page that begins with [{start}] cannot end with [{up_to}]")
        for entry in entries:
            yield entry
        start = up_to + 1


def _digests(operations: Sequence[Operation]) -> list[Entry]:
    return [(each.seq_no, _digest(each)) for each in operations]


def _digest(operation: Operation) -> bytes:
    """Two documents are the same that have this in common. Lengths are in it, so that no two parts can be shifted."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (
        operation.id.encode(),
        str(operation.seq_no).encode(),
        str(operation.version).encode(),
        (operation.routing or "").encode(),
        operation.source or b"",
    ):
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.digest()
