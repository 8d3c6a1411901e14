"""Changes of follower indices, for replication alone: what a user is refused is done here.

It shares the store, the line of changes and the engine with `indices`; what comes of a change is decided in
`following_metadata`. Nobody's rights are judged: whoever calls has done so. Implements
`replication.indices.FollowerIndices`.
"""

import contextlib
from collections.abc import Callable, Sequence

from sealane.clock import Clock, Ids
from sealane.cluster.aliases import FilterCheck
from sealane.cluster.data_streams import promoted_with, replicated_with, with_new_backing
from sealane.cluster.following_metadata import (
    begun,
    brought_to,
    new_follower,
    replaced_by,
    unfollowed,
    with_following,
)
from sealane.cluster.following_settings import Changes
from sealane.cluster.index_store import IndexStore
from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.cluster.opened import OpenedIndices
from sealane.cluster.serial import Serial
from sealane.errors import ApiError, IndexNotFound, NoShardAvailable
from sealane.model.replication import Following, LeaderIndex


class FollowedIndices:
    """Each change is durable, published and carried out by the engine when its method returns; a caller that is
    cancelled stops waiting, the change goes on.
    """

    def __init__(
        self,
        *,
        indices: IndexStore,
        opened: OpenedIndices,
        serial: Serial,
        clock: Clock,
        ids: Ids,
        check_filter: FilterCheck,
    ) -> None:
        self._indices = indices
        self._opened = opened
        self._serial = serial
        self._clock = clock
        self._ids = ids
        self._check_filter = check_filter

    @property
    def metadata(self) -> ClusterMetadata:
        """As last published."""
        return self._indices.metadata

    def on_change(
        self, callback: Callable[[ClusterMetadata, ClusterMetadata], None]
    ) -> Callable[[], None]:
        """Calls `callback(old, new)` after each published change. It must return at once. Returns how to stop it."""
        return self._indices.changes.add(callback)

    async def hold_reads(self, uuid: str, reason: ApiError | None) -> None:
        """Keeps the index out of searches and gets from now on; None lifts it. One that the engine has not open, or not
        yet, is left alone: it is held when it is opened, as long as its copy is not complete (see `OpenedIndices`).
        """
        with contextlib.suppress(IndexNotFound, NoShardAvailable):
            await self._opened.engine.hold_reads(uuid, reason)

    # -- followers come and go -------------------------------------------------------------------

    def check_follower(
        self, name: str, remote_cluster: str, leader: LeaderIndex, overrides: Changes
    ) -> None:
        """Raises what `create_follower` would, without doing anything."""
        nobody = Following(
            remote_cluster=remote_cluster,
            leader_index=leader.name,
            leader_uuid=leader.uuid,
            history_uuids=(),
        )
        self._decide_new(name, leader, overrides, nobody, uuid="_na_")

    async def create_follower(
        self,
        name: str,
        leader: LeaderIndex,
        overrides: Changes,
        following: Following,
        *,
        stream: str | None = None,
    ) -> IndexMetadata:
        """Makes an empty follower with the leader's settings, mapping and aliases, which is a backing index of the
        replicated data stream `stream` from the same change on.

        A closed index of that name gives way where it is no follower, or one that is paused. Raises SnapshotRestore
        where an open one has the name, TaskAlreadyExists for a follower that is not paused, IllegalArgument for
        overrides of replicated settings and for a data stream that is not replicated, IllegalState where the stream's
        name is taken, InvalidIndexName, IOFailure.
        """

        async def make() -> tuple[IndexMetadata, IndexMetadata | None]:
            index, replaced = self._decide_new(
                name, leader, overrides, following, uuid=self._ids.new()
            )
            entries = with_new_backing(self.metadata, index, replaced, stream)
            await self._opened.make(index, replaced, entries=entries)
            return index, replaced

        async def change() -> IndexMetadata:
            index, replaced = await self._serial.run(make)
            if replaced is not None:
                await self._opened.delete(replaced)
            return index

        return await self._serial.run(change, alone=False)

    async def begin_following(
        self, uuid: str, leader: LeaderIndex, overrides: Changes, following: Following
    ) -> IndexMetadata:
        """An ordinary open index becomes a follower, with its documents as they are: no user writes to it any more when
        this returns. Raises IndexNotFound; IllegalArgument where its shards or its static settings are not the
        leader's.
        """
        return await self._change(uuid, lambda index: begun(index, leader, overrides, following))

    async def stop_following(self, uuid: str) -> IndexMetadata:
        """Drops the marker setting and what was kept of the leader in one change: an ordinary index from then on.

        Raises IndexNotFound; IllegalArgument where it is no follower.
        """
        return await self._change(uuid, unfollowed)

    async def promote_streams(self, uuids: Sequence[str]) -> None:
        """The data streams of indices that follow nobody any more become ordinary ones, where none of theirs does."""

        async def store() -> None:
            await self._indices.commit((), (), promoted_with(self.metadata, uuids))

        await self._serial.run(store)

    # -- followers change ------------------------------------------------------------------------

    async def change_following(
        self, uuid: str, change: Callable[[Following], Following]
    ) -> IndexMetadata:
        """`change` sees what is stored, and may be called only once. Raises IndexNotFound; IllegalArgument where it is
        no follower.
        """

        async def store() -> IndexMetadata:
            # The engine does not know of it, so there is nothing to carry out.
            before = self._present(uuid)
            after = with_following(before, change)
            if after is not before:
                await self._indices.commit([after])
            return after

        return await self._serial.run(store)

    async def take_leader(self, uuid: str, leader: LeaderIndex) -> IndexMetadata:
        """Brings mapping, replicated settings and aliases to the leader's in one change, and notes its versions. For
        static settings the engine closes and opens the index, which is open to everybody else all the time.

        Raises IndexNotFound; IllegalArgument for a mapping that cannot be merged, and for another leader.
        """

        async def store() -> tuple[IndexMetadata, bool]:
            before = self._present(uuid)
            taken = brought_to(self.metadata, before, leader, self._check_filter)
            if taken.index is not before:
                await self._indices.commit([taken.index])
            return taken.index, taken.reopen

        async def change() -> IndexMetadata:
            index, reopen = await self._serial.run(store)
            await self._opened.follow(uuid, anew=reopen)
            return index

        return await self._serial.run(change, alone=False)

    async def set_open(self, uuid: str, open: bool) -> None:
        """Raises IndexNotFound."""
        await self._change(
            uuid, lambda index: index if index.open == open else index.changed(open=open)
        )

    def _decide_new(
        self, name: str, leader: LeaderIndex, overrides: Changes, following: Following, *, uuid: str
    ) -> tuple[IndexMetadata, IndexMetadata | None]:
        """The new follower, and what gives way to it."""
        index = new_follower(
            self.metadata,
            name,
            leader,
            overrides,
            following,
            uuid=uuid,
            now_ms=self._clock.now_ms(),
            check_filter=self._check_filter,
        )
        return index, replaced_by(self.metadata, name, following.remote_cluster, leader)

    async def _change(
        self, uuid: str, decide: Callable[[IndexMetadata], IndexMetadata]
    ) -> IndexMetadata:
        async def store() -> IndexMetadata:
            before = self._present(uuid)
            after = decide(before)
            if after is not before:
                entries = replicated_with(self.metadata, before, after)
                await self._indices.commit([after], (), entries)
            return after

        async def change() -> IndexMetadata:
            index = await self._serial.run(store)
            await self._opened.follow(uuid)
            return index

        return await self._serial.run(change, alone=False)

    def _present(self, uuid: str) -> IndexMetadata:
        index = self.metadata.by_uuid(uuid)
        if index is None:
            raise IndexNotFound(uuid)
        return index
