"""The tail of one shard as a state machine: events go in, what is to be done comes out. No I/O, no clock, no tasks.

Whoever drives it
 1. calls `effects(now)` and begins everything that it returns;
 2. tells it how each of them ended: `read_answered` or `read_failed`, `written`, `reached`, `adopted` or `work_failed`;
 3. calls `effects` again after each of these, when the budget has room again, and at `wake_at` at the latest;
 4. ends when `failure` is set: nothing is to be done any more, and what runs can be cancelled.

Reading is decided in `progress`, order in `sequencer`, what a failure means in `failures`. What is decided here is how
they fit: one piece of work at the follower at a time, and nothing written before the follower's metadata has the
versions under which its operations were read. The checkpoint is what the engine says after a write, which is always of
the next operations: it never passes a hole, and never goes back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from sealane.engine.base import ShardState
from sealane.errors import (
    ApiError,
    HistoryDiverged,
    Internal,
    ReceiveTimeout,
    TransportSerialization,
    UnexpectedHistory,
)
from sealane.model.followers import Phase
from sealane.model.replication import ChangesAnswer, HistoryMark, mark_of
from sealane.replication.follower.budget import Share
from sealane.replication.follower.counters import Counters
from sealane.replication.follower.effects import (
    Abandon,
    Adopt,
    Effect,
    Reach,
    Work,
    Write,
    batch_of,
)
from sealane.replication.follower.failures import Endurance, Patience, Retrying, Verdict, unwrapped
from sealane.replication.follower.lag import Lag, Standing
from sealane.replication.follower.ports import LeaderVersions
from sealane.replication.follower.progress import Held, Progress, Read
from sealane.replication.follower.sequencer import Batch, Sequencer, size_of, told
from sealane.settings.follow_parameters import FollowLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The shard as it is when its tail begins. `mark` is its last operation, None where it is not known by itself."""

    checkpoint: int
    max_seq_no: int
    history_uuid: str
    versions: LeaderVersions
    mark: HistoryMark | None = None


class Machine:
    def __init__(
        self,
        start: Start,
        *,
        limits: FollowLimits,
        share: Share,
        patience: Patience,
        chance: Callable[[], float],
        counters: Counters,
        now: float,
    ) -> None:
        self._limits = limits
        self._share = share
        self._chance = chance
        self.counters = counters
        self.progress = Progress(limits, share, start.checkpoint)
        self.sequencer = Sequencer(start.checkpoint + 1, start.mark)
        self.lag = Lag(now, start.mark.wall_ms if start.mark else None)
        self.checkpoint = start.checkpoint
        self.max_seq_no = start.max_seq_no
        self.leader_max_seq_no = -1
        self.leader_checkpoint = start.checkpoint
        self.history_uuid = start.history_uuid
        self.versions = start.versions
        self.is_proven = False
        """Whether the leader has said since the start that what is here is the beginning of what it has."""
        self.failure: ApiError | None = None
        self._mark = start.mark
        """The operation at the checkpoint."""
        self._wanted_versions = start.versions
        self._new_name: str | None = None
        self._read_endurance = Endurance(patience)
        self._writes = Retrying(limits, patience, chance)
        self._others = Retrying(limits, patience, chance)
        """Of what is done beside writing: metadata, and the history's name."""
        self._write: Write | None = None
        """Taken from the sequencer, and not yet durable."""
        self._work: Work | None = None
        """Under way; began at `_work_began_at`."""
        self._work_began_at = now
        self._abandoned: tuple[int, ...] = ()
        self._doubt: ApiError | None = None

    # -- what to do --------------------------------------------------------------------------------

    def effects(self, now: float) -> list[Effect]:
        """All that is to be begun now. Each counts as begun."""
        effects: list[Effect] = []
        if self._abandoned:
            effects.append(Abandon(self._abandoned))
            self._abandoned = ()
        if self.failure is not None:
            return effects
        work = self._next_work(now)
        if work is not None:
            self._work, self._work_began_at = work, now
            effects.append(work)
        while (read := self.progress.next_read(self._held(), now)) is not None:
            effects.append(read)
        return effects

    def _next_work(self, now: float) -> Work | None:
        if self._work is not None:
            return None
        if self._new_name is not None:
            return Adopt(self._new_name) if self._others.attempts.is_due(now) else None
        if not _covers(self.versions, self._wanted_versions):
            due = self._others.attempts.is_due(now)
            return Reach(self._wanted_versions) if due else None
        if self._write is None and self.sequencer.ready:
            taken = self.sequencer.take(
                self._limits.max_write_request_operation_count, self._limits.max_write_request_size
            )
            self._write = Write(taken, sum(map(size_of, taken)))
        return self._write if self._writes.attempts.is_due(now) else None

    def _held(self) -> Held:
        sequencer, write = self.sequencer, self._write
        return Held(
            expected=sequencer.expected,
            mark=sequencer.mark,
            count=sequencer.count + (len(write.operations) if write else 0),
            size_bytes=sequencer.size_bytes + (write.size_bytes if write else 0),
            draining=bool(write or sequencer.ready or self._work or self._new_name),
        )

    def wake_at(self, now: float) -> float | None:
        """When something is due again that has failed, None where nothing is."""
        if self.failure is not None:
            return None
        due = [at for at in self.progress.due_times() if at > now]
        due += [each.attempts.due_at for each in (self._writes, self._others)]
        return min((at for at in due if at > now), default=None)

    # -- reads -------------------------------------------------------------------------------------

    def read_answered(self, read: Read, answer: ChangesAnswer, now: float) -> None:
        if not self.progress.ended(read) or self.failure is not None:
            return
        if (contradiction := self._contradiction(read, answer)) is not None:
            self._doubted(read, contradiction)
        elif answer.history_uuid != self.history_uuid:
            self.progress.came_to_nothing(now)
            self._renamed(read, answer.history_uuid)
        else:
            self._take(read, answer, now)
        self._settle()

    def _take(self, read: Read, answer: ChangesAnswer, now: float) -> None:
        try:
            batch = batch_of(read, answer.operations)
            if batch is not None:
                self.sequencer.offer(batch)
        except HistoryDiverged as error:
            self._doubted(read, error)
        except ValueError as error:
            self.counters.read_failed()
            self._read_failed(read, TransportSerialization(f"malformed answer: {error}"), now)
        else:
            self._count(read, answer, batch, now)
            before = self._wanted_versions
            self._accept(read, answer, batch.size_bytes if batch is not None else 0)
            is_early = (now - read.began_at) * 2000 < read.poll_timeout_ms
            if answer.operations or not is_early or self._wanted_versions != before:
                self.progress.came_to_something()
            elif read.is_poll and not read.is_probe:
                self.progress.came_to_nothing(now)
            self.lag.answered(began_at=read.began_at, now=now, leader_now_ms=answer.now_ms)
            self.lag.stands(self.checkpoint, self.leader_checkpoint, None)

    def _count(self, read: Read, answer: ChangesAnswer, batch: Batch | None, now: float) -> None:
        if read.is_poll and not answer.operations:
            return
        took_s = now - read.began_at
        self.counters.read(
            took_s=took_s,
            remote_ms=answer.took_ms,
            operations=len(batch.operations) if batch is not None else 0,
            size_bytes=batch.size_bytes if batch is not None else 0,
        )
        if not read.is_poll:
            parallel = len(self.progress.outstanding) + 1
            self.counters.waited_for(
                took_s=took_s, remote_ms=answer.took_ms, parallel=parallel, now=now
            )

    def _contradiction(self, read: Read, answer: ChangesAnswer) -> ApiError | None:
        """A leader that has less than it had is an older copy."""
        least = self.checkpoint if read.is_probe else read.known_checkpoint
        if answer.checkpoint >= least:
            return None
        ours = told(self._mark) if read.is_probe and self._mark is not None else "present"
        return HistoryDiverged(least, ours, f"absent: its last one is {answer.checkpoint}")

    def _accept(self, read: Read, answer: ChangesAnswer, size_bytes: int) -> None:
        self._read_endurance.succeeded()
        self._doubt = None
        self.is_proven = True
        self.progress.succeeded(read)
        self.progress.leader_has(answer.checkpoint)
        self.leader_checkpoint = self.progress.leader_checkpoint
        self.leader_max_seq_no = max(self.leader_max_seq_no, answer.max_seq_no)
        if answer.operations:
            last = answer.operations[-1]
            self.progress.came(read, last.seq_no, mark_of(last), size_bytes)
        if read.is_probe:
            self.progress.is_answered(self.checkpoint)
        self._wanted_versions = _highest(
            self._wanted_versions,
            LeaderVersions(answer.mapping_version, answer.settings_version, answer.aliases_version),
        )

    def read_failed(self, read: Read, error: ApiError, now: float) -> None:
        if not self.progress.ended(read) or self.failure is not None:
            return
        self.counters.read_failed()
        self._read_failed(read, error, now)
        self._settle()

    def _read_failed(self, read: Read, error: ApiError, now: float) -> None:
        if self._read_endurance.judge(error, now) is Verdict.FATAL:
            self._doubted(read, error)
            return
        if unwrapped(error).es_type == ReceiveTimeout.es_type:
            self.progress.came_too_late(read)
        attempts = self.progress.attempts(read)
        attempts.failed(error, now, self._limits, self._chance())
        self.progress.failed(read, attempts)

    def _renamed(self, read: Read, history_uuid: str) -> None:
        """Only a probe says for sure that all that is here belongs to the history of the new name."""
        if read.is_probe:
            self._new_name = history_uuid
        else:
            self._doubted(read, UnexpectedHistory(self.history_uuid, history_uuid))

    def _doubted(self, read: Read, error: ApiError) -> None:
        """What a probe finds is final. Whatever else finds it may have asked for what the leader has become too new, or
        too old, to know: all that is not written is thrown away, and a probe asks again.
        """
        if read.is_probe:
            self._fail(error)
            return
        self._doubt = error
        self._start_over(until=read.wanted_from - 1)

    def _start_over(self, until: int = -1) -> None:
        write = self._write
        last = write.operations[-1] if write is not None else None
        base = self.checkpoint if last is None else last.seq_no
        mark = self._mark if last is None else mark_of(last)
        self.sequencer = Sequencer(base + 1, mark)
        self._abandoned += self.progress.doubt(base, until)

    # -- work --------------------------------------------------------------------------------------

    def written(self, state: ShardState, now: float) -> None:
        """The write under way is durable."""
        write = self._write
        assert write is not None, "nothing was being written"
        assert self._work is write, "something else was under way"
        self._work = None
        last = write.operations[-1]
        if state.history_uuid != self.history_uuid:
            self._fail(UnexpectedHistory(self.history_uuid, state.history_uuid))
        elif state.checkpoint != last.seq_no:
            self._fail(
                Internal(
                    f"the checkpoint is [{state.checkpoint}] after writing up to [{last.seq_no}]"
                )
            )
        else:
            self._writes.succeeded()
            self.counters.written(
                took_s=now - self._work_began_at, operations=len(write.operations), now=now
            )
            self.checkpoint, self.max_seq_no = state.checkpoint, state.max_seq_no
            self._mark, self._write = mark_of(last), None
            self.lag.stands(self.checkpoint, self.leader_checkpoint, last)
        self._settle()

    def reached(self, versions: LeaderVersions, now: float) -> None:
        """The follower's metadata has `versions` now."""
        if not _covers(versions, self._wanted_versions) and versions == self.versions:
            self.work_failed(Internal("the follower's metadata has not come any further"), now)
            return
        self._work = None
        self._others.succeeded()
        self.versions = versions
        self._settle()

    def adopted(self, history_uuid: str) -> None:
        self._work, self._new_name = None, None
        self._others.succeeded()
        self.history_uuid = history_uuid
        self._start_over()
        self._settle()

    def work_failed(self, error: ApiError, now: float) -> None:
        """The work under way has failed. A write that may have happened none the less is repeated as it was."""
        work, self._work = self._work, None
        match work:
            case Write():
                self.counters.write_failed(took_s=now - self._work_began_at)
                again = self._writes.failed(error, now)
            case Reach():
                again = self._others.failed(error, now)
            case Adopt():
                # By then the leader may have another name yet: a probe asks for it.
                self._new_name = None
                again = self._others.failed(error, now)
            case None:
                raise AssertionError("no work is under way")
            case _:
                assert_never(work)
        if not again:
            self._fail(error)
        self._settle()

    # -- the rest ----------------------------------------------------------------------------------

    def retry_now(self) -> None:
        """Whatever waits to be tried again is due."""
        self.progress.hurry()
        self._writes.attempts.hurry()
        self._others.attempts.hurry()

    def _fail(self, error: ApiError) -> None:
        self.failure = error
        self._start_over()

    def _settle(self) -> None:
        """Tells the node's budget what the shard holds now."""
        self._share.settle(self._held().size_bytes + self.progress.reserved_bytes)

    @property
    def is_writing(self) -> bool:
        return isinstance(self._work, Write)

    @property
    def last_error(self) -> ApiError | None:
        """What keeps the shard from going on, or makes it slower; None where all is well."""
        return (
            self.failure
            or self._writes.attempts.error
            or self._others.attempts.error
            or self.progress.last_error
            or self._doubt
        )

    @property
    def phase(self) -> Phase:
        if self.failure is not None:
            return Phase.FAILED
        return Phase.FOLLOWING if self.last_error is None else Phase.WAITING

    def lag_ms(self, now: float) -> int | None:
        polls = [read for read in self.progress.outstanding.values() if read.is_poll]
        write = self._write
        return self.lag.lag_ms(
            Standing(
                checkpoint=self.checkpoint,
                leader_checkpoint=self.leader_checkpoint,
                oldest=write.operations[0] if write else self.sequencer.first_ready,
                poll_began_at=polls[0].began_at if polls else None,
                poll_timeout_s=self._limits.read_poll_timeout_ms / 1000,
                reads_fail=bool(self.progress.failing) or self.failure is not None,
            ),
            now,
        )


def _covers(have: LeaderVersions, wanted: LeaderVersions) -> bool:
    return (
        have.mapping >= wanted.mapping
        and have.settings >= wanted.settings
        and have.aliases >= wanted.aliases
    )


def _highest(one: LeaderVersions, other: LeaderVersions) -> LeaderVersions:
    return LeaderVersions(
        max(one.mapping, other.mapping),
        max(one.settings, other.settings),
        max(one.aliases, other.aliases),
    )
