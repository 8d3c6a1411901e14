"""The followers of this cluster, as their API offers them: made, paused, resumed, ended, and told of.

What is asked for is judged here and put into the metadata; what comes of that is `running`'s, and how an index stops
being a follower `promotion`'s. Names are judged by the rights that the guard gives, as everywhere.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol

import msgspec

from sealane.clock import Clock
from sealane.cluster.data_streams import stream_to_join
from sealane.cluster.found_indices import Guard
from sealane.cluster.metadata import IndexMetadata
from sealane.cluster.resolve import resolve
from sealane.errors import (
    IllegalArgument,
    IndexNotFound,
    ResourceNotFound,
    TaskAlreadyExists,
)
from sealane.model.followers import (
    FailbackAnswer,
    FailbackRequest,
    FollowAnswer,
    FollowerInfo,
    FollowerStatus,
    FollowRequest,
    IndexFollowStats,
    Promoted,
    UnfollowAnswer,
    Verified,
)
from sealane.model.replication import (
    Following,
    FollowParameters,
    FollowState,
    LeaderIndex,
)
from sealane.model.search import IndicesOptions
from sealane.model.task import Context
from sealane.replication.checks import (
    check_history,
    check_leader,
    check_no_loop,
    check_not_older,
    check_same_leader,
)
from sealane.replication.failback import Failback, UndoneEngine
from sealane.replication.feed import Feeds
from sealane.replication.follower.asking import leader_of
from sealane.replication.follower.histories import Settling, settling, written_history
from sealane.replication.follower.index import FollowerParts, IndexFollower
from sealane.replication.follower.kept import copy_to_of
from sealane.replication.follower.present import ReplicaEngine
from sealane.replication.indices import FollowerIndices
from sealane.replication.lines import Lines, carried_out
from sealane.replication.pending_leases import PendingLeases
from sealane.replication.promotion import ConvertedEngine, Promotion
from sealane.replication.running import RunningFollowers
from sealane.replication.verify import Verification, VerifiedEngine
from sealane.transport.tasks import TaskScope

log = logging.getLogger("sealane.replication")

FOLLOWERS: Final = IndicesOptions(expand_closed=True, expand_hidden=True)
_ALL: Final[tuple[list[str], ...]] = (["_all"], ["*"], [])
_UNFOLLOW_LEASES_S: Final = 5.0
"""How long an answer waits for leases to be removed."""


class ServiceEngine(ReplicaEngine, ConvertedEngine, VerifiedEngine, UndoneEngine, Protocol):
    """The engine, as far as the service and the followers use it."""


class Followers:
    """`start` once the indices are open, `close` before they are closed."""

    def __init__(
        self,
        *,
        parts: FollowerParts,
        engine: ServiceEngine,
        pending: PendingLeases,
        guard: Guard,
        encode_subject: Callable[[Context], str],
        cluster_uuid: Callable[[], str],
    ) -> None:
        """`encode_subject` gives what is stored of whoever asks."""
        self._parts = parts
        self._indices: FollowerIndices = parts.indices
        self._feeds: Feeds = parts.feeds
        self._clock: Clock = parts.clock
        self._engine = engine
        self._pending = pending
        self._guard = guard
        self._encode_subject = encode_subject
        self._cluster_uuid = cluster_uuid
        self._scope = TaskScope("replication")
        self._lines = Lines()
        self.running = RunningFollowers(parts, on_deleted=self._deleted)
        self._promotion = Promotion(
            indices=parts.indices,
            engine=engine,
            running=self.running,
            pending=pending,
            lines=self._lines,
            clock=parts.clock,
            cluster_name=parts.cluster_name,
        )
        self._failback = Failback(
            parts=parts,
            engine=engine,
            encode_subject=encode_subject,
            cluster_uuid=cluster_uuid,
            leave=self._leave,
            pending=pending,
        )
        self._verification = Verification(parts=parts, engine=engine)

    async def start(self) -> None:
        """Begins what the metadata says. Raises IOFailure."""
        await self._pending.load()
        self._scope.start(self._pending.run(), name="leases to remove")
        self.running.start()

    async def close(self) -> None:
        """Stops all; they go on at the next start."""
        await self.running.close()
        await self._scope.close()

    # -- following -------------------------------------------------------------------------------

    async def follow(self, request: FollowRequest, ctx: Context) -> FollowAnswer:
        """Makes an index that follows. Without anything to wait for, the copy goes on after the answer.

        Raises NoSuchRemoteCluster, IndexNotFound, IllegalArgument, IndexClosed, SnapshotRestore, TaskAlreadyExists,
        SecurityError, and what reaching the leader raises.
        """
        self._demand(request.index)
        feed = self._feeds.feed(request.remote_cluster)
        leader = await leader_of(feed, request.leader_index, ctx)
        check_leader(leader, request.leader_index)
        check_no_loop(leader, index=request.index, cluster_uuid=self._cluster_uuid())
        self._indices.check_follower(
            request.index, request.remote_cluster, leader, request.settings
        )
        if request.data_stream_name not in (None, leader.data_stream):
            # Whoever reads that stream would see what only the asker chose to put into it.
            self._demand(request.data_stream_name)
        stream = stream_to_join(
            self._indices.metadata,
            request.index,
            given=request.data_stream_name,
            leader_index=leader.name,
            leader_stream=leader.data_stream,
        )
        following = self._following(request, leader, ctx)
        index = await carried_out(
            self._scope, self._create(request, leader, following, stream=stream)
        )
        if request.wait_for_active_shards == 0:
            return FollowAnswer(index_created=True, shards_acked=False, following_started=False)
        follower = self.running.get(index.uuid)
        is_whole = follower is not None and await self._wait_whole(follower, request.timeout_s)
        return FollowAnswer(index_created=True, shards_acked=is_whole, following_started=is_whole)

    async def _create(
        self,
        request: FollowRequest,
        leader: LeaderIndex,
        following: Following,
        *,
        stream: str | None,
    ) -> IndexMetadata:
        index = await self._indices.create_follower(
            request.index, leader, request.settings, following, stream=stream
        )
        log.info(
            "an index follows [%s] -> [%s:%s]", index.name, request.remote_cluster, leader.name
        )
        return index

    def _following(self, request: FollowRequest, leader: LeaderIndex, ctx: Context) -> Following:
        return Following(
            remote_cluster=request.remote_cluster,
            leader_index=leader.name,
            leader_uuid=leader.uuid,
            history_uuids=tuple(each.history_uuid for each in leader.history),
            parameters=request.parameters,
            overrides=request.settings,
            subject=self._encode_subject(ctx),
            origins=leader.origins,
        )

    async def _wait_whole(self, follower: IndexFollower, patience_s: float) -> bool:
        """As long as it comes on: a large index takes long, one that stands still is not waited for."""
        reached = -1
        while True:
            try:
                async with asyncio.timeout(patience_s):
                    return await follower.wait_whole()
            except TimeoutError:
                shards = follower.stats().shards
                now = sum(each.follower_global_checkpoint for each in shards) + sum(
                    each.copy.seq_no for each in shards if each.copy is not None
                )
                if now <= reached:
                    return False
                reached = now

    # -- pausing and resuming --------------------------------------------------------------------

    async def pause(self, index: str) -> None:
        """When it returns nothing more is written by the follower. Raises IndexNotFound, IllegalArgument."""
        found, _ = self._follower(index)
        async with self._lines.one(found.uuid):
            found, following = self._follower(index)
            if following.state is FollowState.PAUSED:
                raise IllegalArgument(f"no shard follow tasks for [{index}]")
            await self._promotion.pause(found)

    async def resume(self, index: str, parameters: FollowParameters, ctx: Context) -> None:
        """Follows on, on behalf of whoever asks, with these parameters and no earlier ones.

        What the leader's metadata has become meanwhile is taken first. Raises IndexNotFound; IllegalArgument where the
        leader is not the index that was followed, or not of its history; TaskAlreadyExists.
        """
        found = self._index(index)
        following = found.following
        if following is None:
            raise IllegalArgument(f"follow index [{index}] does not have ccr metadata")
        running = self.running.get(found.uuid)
        if following.state is FollowState.ACTIVE and (running is None or not running.failure):
            raise TaskAlreadyExists(f"{found.uuid}-0")
        feed = self._feeds.feed(following.remote_cluster)
        leader = await leader_of(feed, following.leader_index, ctx)
        check_same_leader(index, following, leader)
        if any(each is not None for each in following.copy_to):
            check_not_older(index, following, leader)
        check_leader(leader, following.leader_index)
        if not found.open:
            raise IllegalArgument("leader and follow index must be open")
        if leader.shards != found.shards:
            raise IllegalArgument(
                f"leader index primary shards [{leader.shards}] does not match with the number of shards of the "
                f"follow index [{found.shards}]"
            )
        async with self._lines.one(found.uuid):
            # The leader was waited for: what is here may have been converted since.
            known = self._indices.metadata.by_uuid(found.uuid)
            if known is None or known.following is None or known.following.state != following.state:
                raise IllegalArgument(f"index [{index}] has been changed meanwhile")
            running = self.running.get(found.uuid)
            await self._check_histories(known, known.following, leader)
            await self._indices.take_leader(found.uuid, leader)
            subject = self._encode_subject(ctx)

            def begin(before: Following) -> Following:
                return msgspec.structs.replace(
                    before, state=FollowState.ACTIVE, parameters=parameters, subject=subject
                )

            await self._indices.change_following(found.uuid, begin)
            if running is not None:
                running.restart()
        log.info("an index follows on [%s]", index)

    async def _check_histories(
        self, index: IndexMetadata, following: Following, leader: LeaderIndex
    ) -> None:
        """Raises IllegalArgument, UnexpectedHistory."""
        for shard, recorded in enumerate(following.history_uuids):
            state = await self._engine.shard_state(index.uuid, shard)
            step = settling(recorded, state, copy_to_of(following, shard))
            if step is Settling.ADOPT:
                continue  # it has nothing yet
            name, ancestors = written_history(recorded, state)
            state = replace(state, history_uuid=name, ancestors=ancestors)
            check_history(index.name, leader, shard, state)

    # -- ending ----------------------------------------------------------------------------------

    async def unfollow(self, index: str, ctx: Context) -> UnfollowAnswer:
        """It is an ordinary index when this returns, whatever becomes of the leases at the leader.

        Raises IndexNotFound, IllegalArgument.
        """
        found, _ = self._follower(index)
        return await carried_out(self._scope, self._unfollow(index, found.uuid))

    async def _unfollow(self, index: str, uuid: str) -> UnfollowAnswer:
        refusal = f"cannot convert the follower index [{index}] to a non-follower, because it has not been"
        async with self._lines.one(uuid):
            found, following = self._follower(index)
            if following.state is not FollowState.PAUSED:
                raise IllegalArgument(f"{refusal} paused")
            if found.open:
                raise IllegalArgument(f"{refusal} closed")
            await self._promotion.convert(found, stays_open=False)
        pending = await self._pending.settle(uuid, within_s=_UNFOLLOW_LEASES_S)
        return UnfollowAnswer(leases_pending=tuple(pending))

    async def promote(self, expressions: Sequence[str], ctx: Context) -> Sequence[Promoted]:
        """Makes followers ordinary indices, open ones, without asking their leaders for anything; each is told of, also
        one that failed. Raises IndexNotFound, IllegalArgument for a name that is no follower.
        """
        named = {each for each in expressions if "*" not in each and each != "_all"}
        found = self._found(expressions)
        for each in found:
            if each.name in named and each.following is None:
                raise IllegalArgument(f"index [{each.name}] is not a follower index")
        followers = [each for each in found if each.following is not None]
        return await carried_out(self._scope, self._promote(followers))

    async def _promote(self, followers: Sequence[IndexMetadata]) -> Sequence[Promoted]:
        """A data stream whose last follower this was is rolled over here from then on."""
        outcomes = await self._promotion.promote(followers)
        await self._indices.promote_streams([each.uuid for each in followers])
        return outcomes

    async def failback(self, request: FailbackRequest, ctx: Context) -> FailbackAnswer:
        """See `failback.Failback`."""
        found = self._index(request.index)
        return await carried_out(self._scope, self._fail_back(found.uuid, request, ctx))

    async def _fail_back(self, uuid: str, request: FailbackRequest, ctx: Context) -> FailbackAnswer:
        async with self._lines.one(uuid):
            return await self._failback.begin(self._index(request.index), request, ctx)

    def _deleted(self, index: IndexMetadata) -> None:
        """The index is gone, and with it whoever needs the leases."""
        self._scope.start(self._leave(index), name=f"leases of {index.name}")

    async def _leave(self, index: IndexMetadata) -> None:
        await self._promotion.leave(index)
        await self._pending.settle(index.uuid, within_s=_UNFOLLOW_LEASES_S)

    # -- telling ---------------------------------------------------------------------------------

    def info(self, expressions: Sequence[str]) -> Sequence[FollowerInfo]:
        """Raises IndexNotFound for a name without a pattern that is no index."""
        return [
            self._info(index, index.following)
            for index in sorted(self._found(expressions), key=lambda each: each.name)
            if index.following is not None
        ]

    def _info(self, index: IndexMetadata, following: Following) -> FollowerInfo:
        running = self.running.get(index.uuid)
        is_active = following.state is FollowState.ACTIVE
        status = FollowerStatus.ACTIVE if is_active else FollowerStatus.PAUSED
        failure = running.failure if is_active and running is not None else None
        return FollowerInfo(
            index=index.name,
            remote_cluster=following.remote_cluster,
            leader_index=following.leader_index,
            status=status if failure is None else FollowerStatus.FAILED,
            parameters=following.parameters if is_active else None,
            failure=failure,
        )

    def stats(self, expressions: Sequence[str] | None) -> Sequence[IndexFollowStats]:
        """Of those that are not paused; None is all. Raises ResourceNotFound for the first name that leads to none."""
        wanted = [] if expressions is None or list(expressions) in _ALL else list(expressions)
        running: dict[str, IndexFollower] = {}
        for each in wanted or ["*"]:
            found = self._running_of(each)
            if wanted and not found:
                raise ResourceNotFound(f"No shard follow tasks for follower indices [{each}]")
            running.update((follower.uuid, follower) for follower in found)
        return sorted((each.stats() for each in running.values()), key=lambda each: each.index)

    def _running_of(self, expression: str) -> list[IndexFollower]:
        try:
            indices = self._found([expression])
        except IndexNotFound:
            return []
        followers = [self.running.get(each.uuid) for each in indices]
        return [each for each in followers if each is not None]

    async def verify(self, index: str, ctx: Context) -> Verified:
        """See `verify.Verification`."""
        found, following = self._follower(index)
        return await self._verification.compare(found, following, ctx)

    # -- names -----------------------------------------------------------------------------------

    def _demand(self, name: str) -> None:
        access = self._guard()
        if access is not None and not access.allows(name):
            raise access.denial((name,))

    def _index(self, name: str) -> IndexMetadata:
        self._demand(name)
        index = self._indices.metadata.index(name)
        if index is None:
            raise IndexNotFound(name)
        return index

    def _follower(self, name: str) -> tuple[IndexMetadata, Following]:
        index = self._index(name)
        if index.following is None:
            raise IllegalArgument(f"index [{name}] is not a follower index")
        return index, index.following

    def _found(self, expressions: Sequence[str]) -> list[IndexMetadata]:
        found = resolve(
            self._indices.metadata,
            expressions,
            FOLLOWERS,
            self._clock.now_ms(),
            forbid_closed=False,
            access=self._guard(),
        )
        return [each.metadata for each in found]
