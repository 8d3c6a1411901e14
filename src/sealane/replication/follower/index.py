"""One follower: its shards at work as long as it is open and nobody pauses it, and what they share.

While it is being copied it is kept out of search, for its shards are then of no one moment; from when on it may be
searched is kept with the index. What only one shard does is `shard`'s and `copy`'s; who is to follow whom, and since
when, is the service's.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from sealane.clock import Clock
from sealane.cluster.metadata import IndexMetadata
from sealane.errors import (
    ApiError,
    HistoryDiverged,
    IllegalState,
    IndexClosed,
    Internal,
    NoShardAvailable,
)
from sealane.model.followers import FollowerStatus, IndexFollowStats, Phase, ShardFollowStats
from sealane.model.replication import (
    NO_OPERATIONS,
    Following,
    LeaderIndex,
)
from sealane.remote.transport.messages_replication import STATE
from sealane.replication.checks import check_same_leader
from sealane.replication.feed import ChangeFeed, Feeds
from sealane.replication.follower.asking import Askings, OnBehalf, answered_within
from sealane.replication.follower.budget import ByteBudget
from sealane.replication.follower.copy import CopyLimits, CopyPlace, ShardCopy
from sealane.replication.follower.failures import Patience, Retrying
from sealane.replication.follower.histories import Histories
from sealane.replication.follower.kept import Kept, identity_of
from sealane.replication.follower.present import PresentEngine, ReplicaEngine
from sealane.replication.follower.sequencer import told
from sealane.replication.follower.shard import ShardFollower, Timing
from sealane.replication.follower.sync import IndexSync, LeaderWentBack
from sealane.replication.indices import FollowerIndices
from sealane.settings.follow_parameters import limits_of
from sealane.transport.tasks import TaskScope

log = logging.getLogger("sealane.replication")
_WAIT_S: Final = 60.0
"""How long one wait for a checkpoint lasts; there is always another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerParts:
    """What all followers of a node share. `cluster_name` is this cluster's; `chance` gives numbers from [0, 1)."""

    indices: FollowerIndices
    feeds: Feeds
    engine: ReplicaEngine
    askings: Askings
    budget: ByteBudget
    copy_limits: CopyLimits
    metadata_timeout_s: Callable[[], float]
    timing: Callable[[], Timing]
    patience: Patience
    cluster_name: Callable[[], str]
    chance: Callable[[], float]
    clock: Clock


class IndexFollower:
    """Made by the service for a follower that is active; `run` until it is cancelled."""

    def __init__(self, index_uuid: str, parts: FollowerParts) -> None:
        self.uuid = index_uuid
        self._parts = parts
        self._kept = Kept(index_uuid, parts.indices)
        self._engine = PresentEngine(parts.engine, parts.indices)
        self._shards: list[ShardFollower] = []
        self._stood: dict[int, int] = {}
        """The checkpoints of its shards when they last ended: where they are while the index is closed."""
        self._sync: IndexSync | None = None
        self._changed = asyncio.Event()
        self._again = False
        self._ended = asyncio.Event()
        self._settled = asyncio.Event()
        """Set while nothing is to be expected any more: it is whole, or has stopped."""
        self.is_whole = False
        """Whether it has been the state of one moment, and may be searched."""
        self.failure: ApiError | None = None
        """Why it, or the first of its shards that did, has stopped for good."""
        self._has_gone_back = False
        self.last_error: ApiError | None = None
        """What keeps it from beginning; None once it has begun."""

    # -- for the service -------------------------------------------------------------------------

    @property
    def status(self) -> FollowerStatus:
        return FollowerStatus.ACTIVE if self.failure is None else FollowerStatus.FAILED

    def metadata_changed(self) -> None:
        """The index was opened, closed or changed otherwise."""
        self._changed.set()

    def restart(self) -> None:
        """Begins anew, also what has stopped for good."""
        self._again = True
        self._changed.set()

    def ended(self) -> None:
        """`run` has ended, or will never begin."""
        self._ended.set()
        self._settled.set()

    async def wait_ended(self) -> None:
        """Until `run` has ended: nothing is written after it."""
        await self._ended.wait()

    async def wait_whole(self) -> bool:
        """Until it may be searched; False where it has stopped before that."""
        await self._settled.wait()
        return self.is_whole

    def stats(self) -> IndexFollowStats:
        index = self._parts.indices.metadata.by_uuid(self.uuid)
        if index is None or index.following is None:
            return IndexFollowStats(index=self.uuid, shards=())
        if self._shards:
            return IndexFollowStats(
                index=index.name, shards=tuple(each.stats() for each in self._shards)
            )
        phase = Phase.FAILED if self.failure else Phase.STARTING if index.open else Phase.WAITING
        following = index.following
        error = self.last_error if index.open else IndexClosed(index.name, index.uuid)
        return IndexFollowStats(
            index=index.name,
            shards=tuple(
                ShardFollowStats(
                    remote_cluster=following.remote_cluster,
                    leader_index=following.leader_index,
                    follower_index=index.name,
                    shard_id=shard,
                    follower_global_checkpoint=self._stood.get(shard, NO_OPERATIONS),
                    follower_max_seq_no=self._stood.get(shard, NO_OPERATIONS),
                    phase=phase,
                    fatal_exception=self.failure,
                    last_error=error,
                )
                for shard in range(index.shards)
            ),
        )

    # -- work ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Follows until it is cancelled. Nothing that it began outlives it."""
        try:
            while (index := self._kept.index) is not None:
                self._changed.clear()
                self._again = False
                if index.open:
                    self.failure = self.last_error = None
                    if not self.is_whole:
                        self._settled.clear()
                    async with TaskScope(f"follower {index.name}") as scope:
                        await self._work(index.name, scope)
                    ended = [each.stats() for each in self._shards]
                    self._stood = {each.shard_id: each.follower_global_checkpoint for each in ended}
                    self._shards = []
                else:
                    log.info("the follower waits until it is open [%s]", index.name)
                    await self._changed.wait()
        finally:
            self._shards = []
            self.ended()

    async def _work(self, name: str, scope: TaskScope) -> None:
        """Returns when the index has been closed, is to begin anew, or is no follower any more."""
        scope.start(self._begin(scope), name=f"begin {name}")
        while True:
            await self._changed.wait()
            self._changed.clear()
            index = self._kept.index
            is_closed = index is not None and not index.open
            if index is None or self._again or is_closed:
                return

    async def _begin(self, scope: TaskScope) -> None:
        """Prepares until that succeeds, and starts the shards."""
        if await self._try(partial(self._prepare, scope)):
            for shard in self._shards:
                scope.start(shard.run(), name=f"shard {shard.identity.shard}")

    async def _prepare(self, scope: TaskScope) -> None:
        index, following = self._kept.index, self._kept.following
        assert index is not None, "a follower without metadata is refused before"
        if not following.is_copying:
            await self._engine.release_reads(self.uuid)
            self._whole()
        asking = self._parts.askings.on_behalf(
            following.subject, f"{index.name} follows {following.leader_index}"
        )
        feed = self._parts.feeds.feed(following.remote_cluster)
        histories = Histories(
            self.uuid,
            kept=self._kept,
            engine=self._engine,
            leader=partial(self._leader, feed, asking),
        )
        await histories.settle()
        self._sync = IndexSync(
            index_uuid=self.uuid,
            indices=self._parts.indices,
            feed=feed,
            asking=asking,
            timeout_s=self._parts.metadata_timeout_s,
            scope=scope,
        )
        self._shards = [
            self._shard(shard, index, following, feed, asking, histories, scope)
            for shard in range(index.shards)
        ]

    def _shard(
        self,
        shard: int,
        index: IndexMetadata,
        following: Following,
        feed: ChangeFeed,
        asking: OnBehalf,
        histories: Histories,
        scope: TaskScope,
    ) -> ShardFollower:
        assert self._sync is not None, "shards are made after what they share"
        identity = identity_of(index, following, shard, self._parts.cluster_name())
        copier = ShardCopy(
            identity=identity,
            feed=feed,
            asking=asking,
            engine=self._engine,
            sync=self._sync,
            place=CopyPlace(
                to_seq_no=partial(self._kept.copy_to, shard),
                mark=partial(self._kept.copy_mark, shard),
                put=partial(self._kept.begin_copy, shard),
                witness=partial(self._kept.copy_witness, shard),
                put_witness=partial(self._kept.put_witness, shard),
                adopt=partial(histories.adopt, shard),
            ),
            limits=self._parts.copy_limits,
            on_copied=partial(self._copied, shard, scope),
            clock=self._parts.clock,
        )
        return ShardFollower(
            identity,
            feed=feed,
            engine=self._engine,
            sync=self._sync,
            copier=copier,
            asking=asking,
            limits=limits_of(following.parameters),
            budget=self._parts.budget,
            timing=self._parts.timing(),
            patience=self._parts.patience,
            chance=self._parts.chance,
            clock=self._parts.clock,
            on_fatal=partial(self._stopped, shard),
            on_history=partial(self._renamed, shard, scope),
        )

    def _stopped(self, shard: int | None, error: ApiError) -> None:
        """What has failed for good stays so until `restart`."""
        if isinstance(error, LeaderWentBack) and not self._has_gone_back:
            # Nothing of what was read with it has been written: it is dropped, and the histories are compared anew.
            self._has_gone_back = True
            log.warning("the follower begins anew [%s]: %s", self._kept.name, error.reason)
            self.restart()
            return
        self.failure = self.failure or error
        self._settled.set()
        log.error(
            "the follower has stopped [%s][%s]: [%s] %s",
            self._kept.name,
            "all" if shard is None else shard,
            error.es_type,
            error.reason,
        )

    async def _leader(self, feed: ChangeFeed, asking: OnBehalf) -> LeaderIndex:
        """What is followed, as it is now. Raises IllegalArgument where the name leads to another index."""
        following = self._kept.following
        timeout_s = self._parts.metadata_timeout_s()
        with asking.asking(STATE, timeout_s=timeout_s) as ctx:
            asked = feed.index(following.leader_index, ctx)
            leader = await answered_within(asked, timeout_s, STATE)
        check_same_leader(self._kept.name, following, leader)
        if len(leader.history) != len(following.history_uuids):
            raise NoShardAvailable(IllegalState("no index stats available for the leader index"))
        return leader

    def _renamed(self, shard: int, scope: TaskScope, history_uuid: str) -> None:
        log.info("the leader goes on under another history [%s][%d]", self._kept.name, shard)
        work = partial(self._kept.record_history, shard, history_uuid)
        scope.start(self._try(work), name="record history")

    # -- from when on it may be searched ---------------------------------------------------------

    def _whole(self) -> None:
        self.is_whole = True
        self._settled.set()

    def _copied(self, shard: int, scope: TaskScope, target: int) -> None:
        if not self.is_whole:
            work = partial(self._wait_whole_shard, shard, target)
            scope.start(self._try(work), name=f"whole {shard}")

    async def _wait_whole_shard(self, shard: int, target: int) -> None:
        checkpoint = NO_OPERATIONS - 1
        while checkpoint < target:
            state = await self._engine.wait_for_checkpoint(
                self.uuid, shard, target, timeout_s=_WAIT_S
            )
            checkpoint = state.checkpoint
        await self._check_witness(shard)
        # Searches come first: what is kept must not say that it is complete while it is still held.
        if self._kept.is_last_copy(shard):
            await self._engine.refresh(self.uuid)
            await self._engine.release_reads(self.uuid)
        await self._kept.end_copy(shard)
        if not self._kept.following.is_copying and not self.is_whole:
            await self._engine.refresh(self.uuid)
            await self._engine.release_reads(self.uuid)
            self._whole()
            log.info("the follower is copied and may be searched [%s]", self._kept.name)

    async def _check_witness(self, shard: int) -> None:
        """Raises HistoryDiverged where the shard has not the operation that the newest page of its copy was made with:
        what that page left out for later will then never come.
        """
        witness = self._kept.copy_witness(shard)
        if witness is None:
            return
        found = await self._engine.mark(self.uuid, shard, witness.seq_no)
        if found is not None and found != witness:
            raise HistoryDiverged(witness.seq_no, told(witness), told(found))

    async def _try(self, work: Callable[[], Awaitable[None]]) -> bool:
        """A step that must not be lost: it is tried until it succeeds, or the follower ends. False where it has stopped
        for good.
        """
        index = self._kept.index
        if index is None or index.following is None:
            # Paused or deleted before it began: whoever did that ends this follower.
            return False
        limits = limits_of(index.following.parameters)
        retrying = Retrying(limits, self._parts.patience, self._parts.chance)
        loop = asyncio.get_running_loop()
        while True:
            try:
                await work()
            except ApiError as error:
                failure = error
            except Exception as fault:
                log.exception("a step of a follower broke [%s]", self._kept.name)
                failure = Internal(f"a step of following broke: {fault!r}")
            else:
                self.last_error = None
                return True
            if not retrying.failed(failure, loop.time()):
                self._stopped(None, failure)
                return False
            self.last_error = failure
            await asyncio.sleep(max(0.0, retrying.attempts.due_at - loop.time()))
