"""One shard of a follower at work: lease, copy, tail. The shell around `machine`, which decides everything.

It asks the leader, writes to the engine, and tells the machine what came of it. All that it begins lives in a scope of
its own and is gone when `run` has been cancelled: a write that was under way has then happened as a whole or not, and
the next `run` finds out which.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar, assert_never

from sealane.clock import Clock
from sealane.engine.base import ShardState
from sealane.errors import (
    ApiError,
    IndexClosed,
    IndexNotFound,
    Internal,
    LeaseNotFound,
    ReceiveTimeout,
    UnexpectedHistory,
)
from sealane.model.followers import Phase, ShardFollowStats
from sealane.model.replication import (
    NO_OPERATIONS,
    Ancestor,
    ChangesAnswer,
    ChangesRequest,
    HistoryMark,
)
from sealane.remote.transport.messages_replication import CHANGES, STATE
from sealane.replication.feed import ChangeFeed
from sealane.replication.follower.budget import ByteBudget, Share
from sealane.replication.follower.counters import Counters
from sealane.replication.follower.effects import Abandon, Adopt, Effect, Reach, Work, Write
from sealane.replication.follower.failures import Patience, Retrying, unwrapped
from sealane.replication.follower.lease_keeper import LeaseKeeper
from sealane.replication.follower.machine import Machine, Start
from sealane.replication.follower.ports import (
    Asking,
    Copier,
    LeaderSync,
    ReplicaShard,
    ShardIdentity,
)
from sealane.replication.follower.progress import Read
from sealane.replication.follower.report import Report, report
from sealane.settings.follow_parameters import FollowLimits
from sealane.transport.tasks import TaskScope

T = TypeVar("T")
_log = logging.getLogger("sealane.replication")
_ANSWER_GRACE_S: Final = 60.0
"""What an answer may take beyond the waiting that was asked for: as long as the reference gives one request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Of a lease: how often it is renewed, and how long the leader keeps one that is not."""

    renew_interval_s: float = 30.0
    lease_period_s: float = 12 * 3600.0


class ShardFollower:
    """Made once for each run of its index's task: its counters begin with it.

    `on_fatal` is told an error that will not end by itself; the shard then stays as it is until `retry_now`, or until
    it is cancelled. `on_history` is told a name under which the leader's history goes on, once the shard has taken it.
    """

    def __init__(
        self,
        identity: ShardIdentity,
        *,
        feed: ChangeFeed,
        engine: ReplicaShard,
        sync: LeaderSync,
        copier: Copier,
        asking: Asking,
        limits: FollowLimits,
        budget: ByteBudget,
        timing: Timing,
        patience: Patience,
        chance: Callable[[], float],
        clock: Clock,
        on_fatal: Callable[[ApiError], None],
        on_history: Callable[[str], None],
    ) -> None:
        self.identity = identity
        self._feed = feed
        self._engine = engine
        self._sync = sync
        self._copier = copier
        self._asking = asking
        self._limits = limits
        self._budget = budget
        self._patience = patience
        self._chance = chance
        self._on_fatal = on_fatal
        self._on_history = on_history
        self._lease = LeaseKeeper(
            identity,
            feed=feed,
            asking=asking,
            retain_from=self._retain_from,
            interval_s=timing.renew_interval_s,
            period_s=timing.lease_period_s,
            clock=clock,
        )
        self._counters = Counters()
        self._machine: Machine | None = None
        self._began_at = NO_OPERATIONS
        self._phase = Phase.STARTING
        self._retrying: Retrying | None = None
        """Of the step before the tail that has failed and is tried again."""
        self._fatal: ApiError | None = None
        self._wake = asyncio.Event()
        self._reads: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Follows until it is cancelled; whatever it began has ended then."""
        while True:
            try:
                await self._follow()
            except ApiError as error:
                self._fatal = error
                self._on_fatal(error)
            while self._fatal is not None:
                await self._wake.wait()
                self._wake.clear()

    def retry_now(self) -> None:
        """Whatever waits to be tried again is tried at once, also after a fatal error."""
        self._fatal = None
        if self._machine is not None:
            self._machine.retry_now()
        if self._retrying is not None:
            self._retrying.attempts.hurry()
        self._wake.set()

    def stats(self) -> ShardFollowStats:
        return report(
            Report(
                identity=self.identity,
                counters=self._counters,
                machine=self._machine,
                began_at=self._began_at,
                lease=self._lease,
                copy=self._copier.progress,
                versions=self._sync.versions,
                phase=self._phase,
                waits_for=self._retrying.attempts if self._retrying is not None else None,
                fatal=self._fatal,
            ),
            _now(),
        )

    # -- its steps -----------------------------------------------------------------------------------

    async def _follow(self) -> None:
        """Raises what is fatal, and nothing else ends it."""
        self._machine, self._phase = None, Phase.STARTING
        name = f"{self.identity.follower_index}[{self.identity.shard}]"
        self._began_at = (await self._persist(self._state)).checkpoint
        async with TaskScope(f"follow {name}") as scope:
            await self._persist(self._lease.ensure)
            scope.start(self._lease.run(), name="lease")
            self._phase = Phase.COPYING
            await self._persist(self._copy)
            start = await self._persist(self._start)
            share = self._budget.join(self._wake.set)
            try:
                await self._tail(start, share, scope)
            finally:
                share.leave()

    async def _persist(self, step: Callable[[], Awaitable[T]]) -> T:
        """The step, again and again until it succeeds. Raises what is fatal."""
        self._retrying = retrying = Retrying(self._limits, self._patience, self._chance)
        try:
            while True:
                self._wake.clear()
                try:
                    return await step()
                except ApiError as error:
                    if not retrying.failed(error, _now()):
                        raise
                except Exception as fault:
                    _log.exception("a step broke [%s]", self.identity.follower_index)
                    retrying.failed(Internal(f"a step of following broke: {fault!r}"), _now())
                await self._wait_until(retrying.attempts.due_at)
        finally:
            self._retrying = None

    async def _wait_until(self, at: float | None) -> None:
        """Until then, or until something has happened. None is for as long as nothing does."""
        try:
            async with asyncio.timeout_at(at):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _state(self) -> ShardState:
        return await self._engine.shard_state(self.identity.follower_uuid, self.identity.shard)

    async def _copy(self) -> None:
        state = await self._state()
        try:
            await self._copier.run(state.history_uuid)
        except ApiError as error:
            if unwrapped(error).es_type == LeaseNotFound.es_type:
                # It expired, or the leader's data is an older copy: whether all is still there is found out under
                # another one.
                await self._lease.ensure()
            raise

    async def _start(self) -> Start:
        """The shard as its engine has it: what was under way when it last stopped has happened or not."""
        state = await self._state()
        return Start(
            checkpoint=state.checkpoint,
            max_seq_no=state.max_seq_no,
            history_uuid=state.history_uuid,
            versions=self._sync.versions,
            mark=await self._last_operation(state.checkpoint),
        )

    async def _last_operation(self, checkpoint: int) -> HistoryMark | None:
        """None where nobody knows it by itself: it came as part of a copy whose end was not told, or is gone."""
        if checkpoint == NO_OPERATIONS:
            return None
        copied_to = self._copier.mark
        if copied_to is not None and copied_to.seq_no == checkpoint:
            return copied_to
        identity = self.identity
        return await self._engine.mark(identity.follower_uuid, identity.shard, checkpoint)

    def _retain_from(self) -> int:
        """The operation before the next one is kept until the leader has been asked for proof by it."""
        if self._machine is not None:
            return self._machine.checkpoint + int(self._machine.is_proven)
        copy = self._copier.progress
        return NO_OPERATIONS if copy is None else copy.to_seq_no

    # -- the tail ------------------------------------------------------------------------------------

    async def _tail(self, start: Start, share: Share, scope: TaskScope) -> None:
        machine = self._machine = Machine(
            start,
            limits=self._limits,
            share=share,
            patience=self._patience,
            chance=self._chance,
            counters=self._counters,
            now=_now(),
        )
        self._phase = Phase.FOLLOWING
        while True:
            self._wake.clear()
            now = _now()  # of both: what becomes due between two looks would not be waited for
            for effect in machine.effects(now):
                self._begin(machine, effect, scope)
            if machine.failure is not None:
                raise machine.failure
            await self._wait_until(machine.wake_at(now))

    def _begin(self, machine: Machine, effect: Effect, scope: TaskScope) -> None:
        match effect:
            case Read():
                task = scope.start(self._read(machine, effect), name=f"read {effect.from_seq_no}")
                self._reads[effect.id] = task
            case Abandon():
                for read in effect.reads:
                    if (task_of := self._reads.get(read)) is not None:
                        task_of.cancel()
            case Write() | Reach() | Adopt():
                scope.start(self._work(machine, effect), name="work")
            case _:
                assert_never(effect)

    async def _read(self, machine: Machine, read: Read) -> None:
        try:
            answer = await self._ask(machine, read)
        except ApiError as error:
            machine.read_failed(read, error, _now())
        except Exception as fault:
            _log.exception("a read broke [%s]", self.identity.follower_index)
            machine.read_failed(read, Internal(f"a read broke: {fault!r}"), _now())
        else:
            machine.read_answered(read, answer, _now())
        finally:
            self._reads.pop(read.id, None)
            self._wake.set()

    async def _ask(self, machine: Machine, read: Read) -> ChangesAnswer:
        patience_s = read.poll_timeout_ms / 1000 + _ANSWER_GRACE_S
        request = ChangesRequest(
            shard=self.identity.leader,
            from_seq_no=read.from_seq_no,
            max_count=read.max_count,
            max_bytes=read.max_bytes,
            poll_timeout_ms=read.poll_timeout_ms,
            history_uuid=machine.history_uuid,
            previous=read.previous,
        )
        try:
            async with asyncio.timeout(patience_s):
                with self._asking.asking(CHANGES, timeout_s=patience_s) as ctx:
                    return await self._feed.changes(request, ctx)
        except TimeoutError as late:
            text = f"[{CHANGES}] has not been answered in [{patience_s:g}s]"
            raise ReceiveTimeout(text) from late

    async def _work(self, machine: Machine, work: Work) -> None:
        try:
            match work:
                case Write():
                    state = await self._engine.apply_replica(
                        self.identity.follower_uuid, self.identity.shard, work.operations
                    )
                    machine.written(state, _now())
                case Reach():
                    await self._sync.reach(work.versions)
                    machine.reached(self._sync.versions, _now())
                case Adopt():
                    await self._adopt(machine.history_uuid, work.history_uuid)
                    machine.adopted(work.history_uuid)
                    self._on_history(work.history_uuid)
                case _:
                    assert_never(work)
        except ApiError as error:
            machine.work_failed(error, _now())
        except Exception as fault:
            _log.exception("work of a follower broke [%s]", self.identity.follower_index)
            machine.work_failed(Internal(f"work of a follower broke: {fault!r}"), _now())
        finally:
            self._wake.set()

    async def _adopt(self, ours: str, history_uuid: str) -> None:
        """The shard takes the new name, with the former ones that the leader remembers."""
        identity = self.identity
        with self._asking.asking(STATE, timeout_s=_ANSWER_GRACE_S) as ctx:
            try:
                async with asyncio.timeout(_ANSWER_GRACE_S):
                    leader = await self._feed.index(identity.leader.index, ctx)
            except TimeoutError as late:
                text = f"[{STATE}] has not been answered in [{_ANSWER_GRACE_S:g}s]"
                raise ReceiveTimeout(text) from late
        if leader.uuid != identity.leader.index_uuid:
            raise IndexNotFound(identity.leader.index)
        if not leader.open or len(leader.history) <= identity.shard:
            raise IndexClosed(leader.name, leader.uuid)
        history = leader.history[identity.shard]
        if history.history_uuid != history_uuid:
            raise Internal(f"the leader's history [{history_uuid}] has another name again")
        ancestors: tuple[Ancestor, ...] = history.ancestors
        if not any(each.history_uuid == ours for each in ancestors):
            raise UnexpectedHistory(ours, history_uuid)
        await self._engine.adopt_history(
            identity.follower_uuid, identity.shard, history_uuid, ancestors=ancestors
        )


def _now() -> float:
    return asyncio.get_running_loop().time()
