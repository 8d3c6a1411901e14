"""What is kept of one follower in its index's metadata: read as it is now, and changed piece by piece."""

import msgspec

from sealane.cluster.metadata import IndexMetadata
from sealane.errors import IndexNotFound
from sealane.model.replication import (
    NO_OPERATIONS,
    Following,
    FollowState,
    HistoryMark,
    LeaderIndex,
    ShardRef,
    lease_id,
)
from sealane.replication.follower.ports import ShardIdentity
from sealane.replication.indices import FollowerIndices


class Kept:
    """Each change is durable when it returns. Raises IndexNotFound once the index is gone, or follows no more."""

    def __init__(self, index_uuid: str, indices: FollowerIndices) -> None:
        self._uuid = index_uuid
        self._indices = indices

    @property
    def index(self) -> IndexMetadata | None:
        """None once it is no follower any more, or paused."""
        index = self._indices.metadata.by_uuid(self._uuid)
        if index is None or index.following is None:
            return None
        return index if index.following.state is FollowState.ACTIVE else None

    @property
    def following(self) -> Following:
        index = self.index
        if index is None or index.following is None:
            raise IndexNotFound(self._uuid)
        return index.following

    @property
    def name(self) -> str:
        """For the log: its uuid once it is gone."""
        index = self._indices.metadata.by_uuid(self._uuid)
        return self._uuid if index is None else index.name

    def copy_to(self, shard: int) -> int | None:
        return copy_to_of(self.following, shard)

    def copy_mark(self, shard: int) -> HistoryMark | None:
        marks = self.following.copy_marks
        return marks[shard] if marks else None

    def copy_witness(self, shard: int) -> HistoryMark | None:
        witnesses = self.following.copy_witnesses
        return witnesses[shard] if witnesses else None

    async def put_witness(self, shard: int, witness: HistoryMark) -> None:
        await self._indices.change_following(
            self._uuid, lambda following: _witnessed(following, shard, witness)
        )

    def is_last_copy(self, shard: int) -> bool:
        """Whether all other shards are complete."""
        others = enumerate(self.following.copy_to)
        return all(to == NO_OPERATIONS for other, to in others if other != shard)

    async def begin_copy(self, shard: int, to_seq_no: int, mark: HistoryMark | None) -> None:
        def change(following: Following) -> Following:
            marks = list(following.copy_marks) or [None] * len(following.history_uuids)
            marks[shard] = mark
            begun = _witnessed(_copied_to(following, shard, to_seq_no), shard, None)
            return msgspec.structs.replace(begun, copy_marks=tuple(marks))

        await self._indices.change_following(self._uuid, change)

    async def end_copy(self, shard: int) -> None:
        await self._indices.change_following(
            self._uuid, lambda following: _copied_to(following, shard, NO_OPERATIONS)
        )

    async def take_anew(self, leader: LeaderIndex) -> None:
        """Takes the leader's metadata whatever versions it had before: one restored from an older copy of itself gives
        the same numbers again.
        """

        def change(following: Following) -> Following:
            return msgspec.structs.replace(
                following, mapping_version=0, settings_version=0, aliases_version=0
            )

        await self._indices.change_following(self._uuid, change)
        await self._indices.take_leader(self._uuid, leader)

    async def record_history(self, shard: int, history_uuid: str) -> None:
        def change(following: Following) -> Following:
            uuids = list(following.history_uuids)
            uuids[shard] = history_uuid
            return msgspec.structs.replace(following, history_uuids=tuple(uuids))

        await self._indices.change_following(self._uuid, change)


def copy_to_of(following: Following, shard: int) -> int | None:
    return following.copy_to[shard] if following.copy_to else None


def _copied_to(following: Following, shard: int, to_seq_no: int) -> Following:
    known = list(following.copy_to) or [None] * len(following.history_uuids)
    known[shard] = to_seq_no
    return msgspec.structs.replace(following, copy_to=tuple(known))


def _witnessed(following: Following, shard: int, witness: HistoryMark | None) -> Following:
    known = list(following.copy_witnesses) or [None] * len(following.history_uuids)
    known[shard] = witness
    return msgspec.structs.replace(following, copy_witnesses=tuple(known))


def identity_of(
    index: IndexMetadata, following: Following, shard: int, cluster_name: str
) -> ShardIdentity:
    """Who follows whom, and the lease by which the leader keeps what that needs."""
    return ShardIdentity(
        remote_cluster=following.remote_cluster,
        leader=ShardRef(
            index=following.leader_index, index_uuid=following.leader_uuid, shard=shard
        ),
        follower_index=index.name,
        follower_uuid=index.uuid,
        lease_id=lease_id(
            follower_cluster=cluster_name,
            follower_index=index.name,
            follower_uuid=index.uuid,
            alias=following.remote_cluster,
            leader_index=following.leader_index,
            leader_uuid=following.leader_uuid,
        ),
    )
