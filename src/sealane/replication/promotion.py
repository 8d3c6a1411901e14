"""How a follower becomes an ordinary index: it goes on under a history of its own, and its leader may discard what was
kept for it.

The new history begins before the index lets go of its leader, while no user can write to it yet. So nothing is ever
written under the leader's history by anybody but the leader, whatever the moment of a crash; a history that was begun
and not written in is given up when the follower is resumed.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol

import msgspec

from sealane.clock import Clock
from sealane.cluster.metadata import IndexMetadata
from sealane.engine.base import ShardState
from sealane.errors import ApiError, IllegalArgument, IndexNotFound
from sealane.model.followers import Promoted
from sealane.model.replication import Following, FollowState
from sealane.replication.follower.kept import copy_to_of, identity_of
from sealane.replication.indices import FollowerIndices
from sealane.replication.lines import Lines
from sealane.replication.pending_leases import LeftLease, PendingLeases
from sealane.replication.running import RunningFollowers
from sealane.transport.tasks import run_together

log = logging.getLogger("sealane.replication")

_LEASES_S: Final = 1.0
"""A promotion is for when the leader is lost: it does not wait for it."""


class ConvertedEngine(Protocol):
    """The engine, as far as it is used here."""

    async def shard_state(self, index_uuid: str, shard: int) -> ShardState: ...

    async def begin_history(self, index_uuid: str) -> tuple[ShardState, ...]: ...


class Promotion:
    """Steps that `followers` offers one by one, and all in one call."""

    def __init__(
        self,
        *,
        indices: FollowerIndices,
        engine: ConvertedEngine,
        running: RunningFollowers,
        pending: PendingLeases,
        lines: Lines,
        clock: Clock,
        cluster_name: Callable[[], str],
    ) -> None:
        self._lines = lines
        self._indices = indices
        self._engine = engine
        self._running = running
        self._pending = pending
        self._clock = clock
        self._cluster_name = cluster_name

    async def promote(self, indices: Sequence[IndexMetadata]) -> Sequence[Promoted]:
        """Each follower becomes an ordinary open index, or has the error why not."""
        outcomes = [await self._outcome(index) for index in indices]
        changed = [
            at for at, outcome in zip(indices, outcomes, strict=True) if outcome.error is None
        ]
        pending: dict[str, Sequence[str]] = {}

        async def settle(index: IndexMetadata) -> None:
            pending[index.name] = await self._pending.settle(index.uuid, within_s=_LEASES_S)

        if changed:
            await run_together([settle(index) for index in changed])
        return [
            replace(outcome, leases_pending=tuple(pending.get(outcome.index, ())))
            for outcome in outcomes
        ]

    async def _outcome(self, index: IndexMetadata) -> Promoted:
        try:
            async with self._lines.one(index.uuid):
                paused = await self._paused(index)
                states = await self.convert(paused, stays_open=True)
        except ApiError as error:
            return Promoted(index=index.name, error=error)
        return Promoted(index=index.name, checkpoints=tuple(each.checkpoint for each in states))

    async def _paused(self, index: IndexMetadata) -> IndexMetadata:
        """As it is by now: it may have been converted, or begun to follow another leader, while it was waited for."""
        known = self._indices.metadata.by_uuid(index.uuid)
        if known is None:
            raise IndexNotFound(index.name)
        if known.following is None:
            raise IllegalArgument(f"index [{index.name}] is not a follower index")
        await self._check_whole(known)
        if known.following.state is FollowState.ACTIVE:
            await self.pause(known)
        return known

    async def pause(self, index: IndexMetadata) -> None:
        """When it returns nothing more is written by the follower."""

        def pause(known: Following) -> Following:
            return msgspec.structs.replace(known, state=FollowState.PAUSED)

        await self._indices.change_following(index.uuid, pause)
        await self._running.wait_stopped(index.uuid)
        log.info("a follower is paused [%s]", index.name)

    async def convert(self, index: IndexMetadata, *, stays_open: bool) -> Sequence[ShardState]:
        """It is an ordinary index when this returns, and `pending` is to settle its leases. It must be paused.

        Raises IllegalArgument where it has not been copied completely: it would be taken for the whole of its leader's
        documents.
        """
        await self._check_whole(index)
        if not index.open:
            await self._indices.set_open(index.uuid, True)
        states = await self._engine.begin_history(index.uuid)
        await self._indices.stop_following(index.uuid)
        # Before anybody may let it follow again, which forgets these leases.
        await self.leave(index)
        await self._indices.hold_reads(index.uuid, None)
        if not stays_open:
            await self._indices.set_open(index.uuid, False)
        log.info("a follower is an ordinary index now [%s]", index.name)
        return states

    async def leave(self, index: IndexMetadata) -> None:
        """The leases of an index that follows no more, as `index` was before, are to be removed from now on."""
        following = index.following
        assert following is not None, "an index that never followed has no leases"
        identity = identity_of(index, following, 0, self._cluster_name())
        await self._pending.add(
            index.uuid,
            LeftLease(
                lease_id=identity.lease_id,
                remote_cluster=following.remote_cluster,
                leader_index=following.leader_index,
                leader_uuid=following.leader_uuid,
                shards=index.shards,
                subject=following.subject,
                since_ms=self._clock.now_ms(),
            ),
        )

    async def _check_whole(self, index: IndexMetadata) -> None:
        """Raises IllegalArgument."""
        following = index.following
        if following is None or not following.is_copying:
            return
        if index.open and await self._is_as_before(index, following):
            return
        raise IllegalArgument(
            f"cannot convert the follower index [{index.name}] to a non-follower, because it has not been copied "
            "completely"
        )

    async def _is_as_before(self, index: IndexMetadata, following: Following) -> bool:
        """Whether it was to fail back and nothing has been undone yet: if its new leader is lost, too, all that it had
        before is still there.
        """
        for shard, recorded in enumerate(following.history_uuids):
            state = await self._engine.shard_state(index.uuid, shard)
            names = {state.history_uuid, *(each.history_uuid for each in state.ancestors)}
            if copy_to_of(following, shard) is None or recorded in names:
                return False
        return True
