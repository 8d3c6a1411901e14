"""How an index that led before follows the one that was promoted in its place, without being copied anew.

Both know up to where they have the same operations: the promoted one remembers the history it continues. What was
written here after that has never reached the other side and is undone: each document that it touched is put back as it
was then, taken from the new leader, or removed where the new leader has a newer one or none, which the operations
bring. All that can be refused is found out before anything is undone.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from sealane.cluster.metadata import IndexMetadata
from sealane.engine.base import RollBack, ShardState
from sealane.errors import ApiError, IllegalArgument, IllegalState, LeaseAlreadyExists
from sealane.model.document import Operation
from sealane.model.followers import FailbackAnswer, FailbackRequest
from sealane.model.replication import (
    NO_OPERATIONS,
    ChangesRequest,
    Following,
    FollowState,
    HistoryMark,
    LeaderIndex,
    ShardHistory,
)
from sealane.model.task import Context
from sealane.replication.checks import check_leader, check_no_loop, common_seq_no
from sealane.replication.feed import ChangeFeed
from sealane.replication.follower.asking import leader_of
from sealane.replication.follower.index import FollowerParts
from sealane.replication.follower.kept import identity_of
from sealane.replication.pending_leases import PendingLeases

log = logging.getLogger("sealane.replication")

_IDS_AT_ONCE: Final = 1_000
_TOUCHED_MAX: Final = 500_000
"""Documents of one shard that may have to be put back; with more, a new copy is the quicker way."""


class UndoneEngine(Protocol):
    """The engine, as far as it is used here."""

    async def shard_state(self, index_uuid: str, shard: int) -> ShardState: ...

    async def mark(self, index_uuid: str, shard: int, seq_no: int) -> HistoryMark | None: ...

    async def touched_since(self, index_uuid: str, shard: int, seq_no: int) -> list[str]: ...

    async def roll_back(self, index_uuid: str, shard: int, back: RollBack) -> ShardState: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parted:
    """One shard: up to which number it is the new leader's, and what was touched after that."""

    history: ShardHistory
    state: ShardState
    common: int
    touched: Sequence[str]

    @property
    def undone(self) -> int:
        return self.state.max_seq_no - self.common

    @property
    def is_undone(self) -> bool:
        """By an earlier attempt."""
        return self.state.history_uuid == self.history.history_uuid and not self.undone


class Failback:
    """`encode_subject` gives what is stored of whoever asks; `leave` removes the leases of an index that follows no
    more.
    """

    def __init__(
        self,
        *,
        parts: FollowerParts,
        engine: UndoneEngine,
        encode_subject: Callable[[Context], str],
        cluster_uuid: Callable[[], str],
        leave: Callable[[IndexMetadata], Awaitable[None]],
        pending: PendingLeases,
    ) -> None:
        self._pending = pending
        self._leave = leave
        self._parts = parts
        self._indices = parts.indices
        self._engine = engine
        self._encode_subject = encode_subject
        self._cluster_uuid = cluster_uuid

    async def begin(
        self, index: IndexMetadata, request: FailbackRequest, ctx: Context
    ) -> FailbackAnswer:
        """The index follows when this returns; it may be searched again once it has caught up.

        One that has failed half-way is a paused follower: calling it again goes on. Raises IllegalArgument where the
        two have no history in common, or the log does not reach back as far as they have parted.
        """
        _check_index(index, request)
        feed = self._parts.feeds.feed(request.remote_cluster)
        leader = await leader_of(feed, request.leader_index, ctx)
        check_leader(leader, request.leader_index)
        check_no_loop(leader, index=index.name, cluster_uuid=self._cluster_uuid())
        await self._parted(index, leader)
        following = self._following(index, leader, request, ctx)
        try:
            await self._retain(index, following, leader, feed, ctx)
            if index.following is None:
                index = await self._indices.begin_following(
                    index.uuid, leader, request.settings, following
                )
                log.info("an index fails back [%s] -> [%s]", index.name, leader.name)
        except ApiError:
            known = self._indices.metadata.by_uuid(index.uuid)
            if known is None or known.following is None:
                await self._leave(index.changed(following=following))
            raise
        await self._indices.hold_reads(
            index.uuid, IllegalState(f"[{index.name}] is brought back to its leader's state")
        )
        parted, documents = await self._prepared(index, leader, feed, ctx)
        await self._indices.take_leader(index.uuid, leader)
        for shard, each in enumerate(parted):
            await self._undo(index, shard, each, documents[shard])
        # Nothing is copied below there, but from when on it may be searched is found out as after a copy. What has
        # nothing in common is copied.
        copy_to = tuple(None if each.common == NO_OPERATIONS else each.common for each in parted)

        def follow(known: Following) -> Following:
            return msgspec.structs.replace(known, state=FollowState.ACTIVE, copy_to=copy_to)

        await self._indices.change_following(index.uuid, follow)
        return FailbackAnswer(
            common_seq_nos=tuple(each.common for each in parted),
            undone=tuple(each.undone for each in parted),
            touched_ids=tuple(len(each.touched) for each in parted),
        )

    def _following(
        self, index: IndexMetadata, leader: LeaderIndex, request: FailbackRequest, ctx: Context
    ) -> Following:
        """Paused until all is undone, and not to be searched until it has caught up."""
        return Following(
            remote_cluster=request.remote_cluster,
            leader_index=leader.name,
            leader_uuid=leader.uuid,
            history_uuids=tuple(each.history_uuid for each in leader.history),
            state=FollowState.PAUSED,
            parameters=request.parameters,
            overrides=request.settings,
            subject=self._encode_subject(ctx),
            copy_to=tuple(0 for _ in range(index.shards)),
            origins=leader.origins,
        )

    async def _parted(self, index: IndexMetadata, leader: LeaderIndex) -> list[_Parted]:
        """Raises IllegalArgument where there is no way back."""
        if leader.shards != index.shards:
            raise IllegalArgument(
                f"leader index primary shards [{leader.shards}] does not match with the number of shards of the "
                f"follow index [{index.shards}]"
            )
        return [
            await self._parted_shard(index, shard, history)
            for shard, history in enumerate(leader.history)
        ]

    async def _parted_shard(
        self, index: IndexMetadata, shard: int, history: ShardHistory
    ) -> _Parted:
        state = await self._engine.shard_state(index.uuid, shard)
        common = common_seq_no(history, state)
        if common is None:
            raise IllegalArgument(
                f"shard [{shard}] of [{index.name}] has no history in common with its leader's: close the index and "
                "follow to copy the leader anew"
            )
        try:
            touched = await self._engine.touched_since(index.uuid, shard, common)
        except ApiError as error:
            raise IllegalArgument(
                f"shard [{shard}] of [{index.name}] has discarded operations after [{common}], where the two have "
                "parted: close the index and follow to copy the leader anew",
                caused_by=error,
            ) from error
        if len(touched) > _TOUCHED_MAX:
            raise IllegalArgument(
                f"[{len(touched)}] documents of shard [{shard}] of [{index.name}] were changed after [{common}], more "
                f"than [{_TOUCHED_MAX}]: close the index and follow to copy the leader anew"
            )
        return _Parted(history=history, state=state, common=common, touched=touched)

    async def _retain(
        self,
        index: IndexMetadata,
        following: Following,
        leader: LeaderIndex,
        feed: ChangeFeed,
        ctx: Context,
    ) -> None:
        """The leader keeps what comes after the common operations. Raises OperationsMissing where it no longer does."""
        identity = identity_of(index, following, 0, self._parts.cluster_name())
        await self._pending.forget(index.uuid, identity.lease_id)
        parted = await self._parted(index, leader)
        for shard, each in enumerate(parted):
            identity = identity_of(index, following, shard, self._parts.cluster_name())
            try:
                await feed.add_lease(identity.leader, identity.lease_id, each.common + 1, ctx)
            except LeaseAlreadyExists:
                if index.following is not None:
                    continue  # of an earlier attempt, which had no more in common
                # It is left from when this index followed before, and may retain less.
                await feed.remove_lease(identity.leader, identity.lease_id, ctx)
                await feed.add_lease(identity.leader, identity.lease_id, each.common + 1, ctx)
        for shard, each in enumerate(parted):
            await self._prove(index, following, shard, each, feed, ctx)

    async def _prove(
        self,
        index: IndexMetadata,
        following: Following,
        shard: int,
        parted: _Parted,
        feed: ChangeFeed,
        ctx: Context,
    ) -> None:
        """The names of histories do not tell that this one came from an older copy of itself: the last common operation
        does. Raises HistoryDiverged where the leader has another, OperationsMissing, IllegalArgument.
        """
        mark = await self._engine.mark(index.uuid, shard, parted.common)
        if mark is None and parted.common != NO_OPERATIONS and not parted.is_undone:
            raise IllegalArgument(
                f"shard [{shard}] of [{index.name}] no longer knows its operation [{parted.common}], up to which it "
                "would have the same as its leader: close the index and follow to copy the leader anew"
            )
        request = ChangesRequest(
            shard=identity_of(index, following, shard, self._parts.cluster_name()).leader,
            from_seq_no=parted.common + 1,
            max_count=1,
            max_bytes=1,
            poll_timeout_ms=1,
            history_uuid=parted.history.history_uuid,
            previous=mark,
        )
        await feed.changes(request, ctx)

    async def _prepared(
        self, index: IndexMetadata, leader: LeaderIndex, feed: ChangeFeed, ctx: Context
    ) -> tuple[list[_Parted], list[list[Operation]]]:
        """All that is needed to undo, while nobody writes any more. An index that has not been touched is an ordinary
        one again where that fails.
        """
        try:
            parted = await self._parted(index, leader)
            documents = [
                await self._documents(index, shard, each, feed, ctx)
                for shard, each in enumerate(parted)
            ]
        except ApiError:
            if not await self._is_begun(index, leader):
                await self._indices.stop_following(index.uuid)
                await self._indices.hold_reads(index.uuid, None)
                await self._leave(index)
            raise
        return parted, documents

    async def _is_begun(self, index: IndexMetadata, leader: LeaderIndex) -> bool:
        """Whether a shard has its new leader's history already."""
        states = [
            await self._engine.shard_state(index.uuid, shard) for shard in range(index.shards)
        ]
        return any(
            state.history_uuid == history.history_uuid
            for state, history in zip(states, leader.history, strict=True)
        )

    async def _documents(
        self, index: IndexMetadata, shard: int, parted: _Parted, feed: ChangeFeed, ctx: Context
    ) -> list[Operation]:
        """Those of the touched ones that the new leader still has as they were."""
        following = index.following
        assert following is not None, "it has begun to follow"
        leader = identity_of(index, following, shard, self._parts.cluster_name()).leader
        found: list[Operation] = []
        for start in range(0, len(parted.touched), _IDS_AT_ONCE):
            ids = parted.touched[start : start + _IDS_AT_ONCE]
            documents = await feed.documents(leader, ids, parted.history.history_uuid, ctx)
            found.extend(each for each in documents if each.seq_no <= parted.common)
        return found

    async def _undo(
        self, index: IndexMetadata, shard: int, parted: _Parted, documents: Sequence[Operation]
    ) -> None:
        if parted.is_undone:
            return
        back = RollBack(
            to_seq_no=parted.common,
            history_uuid=parted.history.history_uuid,
            ancestors=parted.history.ancestors,
            touched=parted.touched,
            documents=documents,
        )
        await self._engine.roll_back(index.uuid, shard, back)
        log.info("[%d] operations are undone [%s][%d]", parted.undone, index.name, shard)


def _check_index(index: IndexMetadata, request: FailbackRequest) -> None:
    """Raises IllegalArgument for a follower, but for one that an earlier attempt has left."""
    if not index.open:
        raise IllegalArgument(f"index [{index.name}] must be open to fail back")
    following = index.following
    if following is None:
        return
    is_left = (
        following.state is FollowState.PAUSED
        and following.remote_cluster == request.remote_cluster
        and following.leader_index == request.leader_index
    )
    if not is_left:
        raise IllegalArgument(f"index [{index.name}] is a follower index already")
