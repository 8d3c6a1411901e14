"""The tail of a shard under disorder: seeds of answers, failures, repeated and late events."""

import random
from dataclasses import replace

import pytest

from sealane.engine.base import ShardState
from sealane.errors import ApiError, CircuitBreaking, HistoryDiverged, NodeDisconnected
from sealane.model.replication import ChangesRequest, FollowParameters, ShardRef
from sealane.replication.follower.budget import ByteBudget
from sealane.replication.follower.counters import Counters
from sealane.replication.follower.effects import Abandon, Adopt, Reach, Write
from sealane.replication.follower.failures import Patience
from sealane.replication.follower.machine import Machine, Start
from sealane.replication.follower.ports import LeaderVersions
from sealane.replication.follower.progress import Read
from sealane.settings.follow_parameters import limits_of
from tests.unit.replication.follower.leaders import MemoryLeader

SHARD = ShardRef(index="leader", index_uuid="u", shard=0)


class Drive:
    """Begins what a machine wants, and ends it in an order and a way that a seed draws."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.leader = MemoryLeader()
        self.parameters = FollowParameters(
            max_outstanding_read_requests=self.random.randint(1, 5),
            max_read_request_operation_count=self.random.randint(1, 20),
            max_read_request_size=f"{self.random.choice([1, 500, 100_000])}b",
            max_write_request_operation_count=self.random.randint(1, 30),
            max_write_request_size=f"{self.random.choice([1, 700, 100_000])}b",
            max_write_buffer_count=self.random.choice([1, 10, 1000]),
            max_write_buffer_size=f"{self.random.choice([1, 2000, 1_000_000])}b",
        )
        self.limits = limits_of(self.parameters)
        self.budget = ByteBudget(self.random.choice([1, 3000, 1 << 20]))
        self.share = self.budget.join(lambda: None)
        self.follower: list[object] = []
        self.reads: dict[int, tuple[Read, str]] = {}
        self.work: Write | Reach | Adopt | None = None
        self.reads_most = 0
        self.machine = Machine(
            Start(
                checkpoint=-1,
                max_seq_no=-1,
                history_uuid="H1",
                versions=LeaderVersions(1, 1, 1),
            ),
            limits=self.limits,
            share=self.share,
            patience=Patience(),
            chance=self.random.random,
            counters=Counters(),
            now=0.0,
        )

    def step(self, failing: float) -> None:
        self._begin()
        choices = list(self.reads) + (["work"] if self.work else [])
        if not choices:
            wake_at = self.machine.wake_at(self.now)
            assert wake_at is not None, "nothing is under way and nothing will ever be"
            self._go_on(wake_at - self.now)
            return
        if self.random.random() < 0.1:
            self._go_on(self.random.random())
        chosen = self.random.choice(choices)
        if chosen == "work":
            self._end_work(failing)
        else:
            self._end_read(*self.reads.pop(chosen), failing)

    def _go_on(self, seconds: float) -> None:
        self.now += seconds
        self.leader.clock_ms += round(seconds * 1000)

    def _begin(self) -> None:
        for effect in self.machine.effects(self.now):
            match effect:
                case Read():
                    self.reads[effect.id] = (effect, self.machine.history_uuid)
                case Abandon():
                    # Some come none the less: a cancel may be too late.
                    for read in effect.reads:
                        if read in self.reads and self.random.random() < 0.7:
                            del self.reads[read]
                case _:
                    assert self.work is None, "one piece of work at a time"
                    self.work = effect
        self.reads_most = max(self.reads_most, len(self.machine.progress.outstanding))
        assert self.machine.checkpoint == len(self.follower) - 1

    def _end_read(self, read: Read, history_uuid: str, failing: float) -> None:
        if self.random.random() < failing:
            error = self.random.choice([NodeDisconnected("gone"), CircuitBreaking("full")])
            self.machine.read_failed(read, error, self.now)
            return
        request = _request(read, history_uuid)
        at_most = self.random.choice([None, 1, 3])
        try:
            answer = self.leader.changes(request, at_most)
        except ApiError as error:
            self.machine.read_failed(read, error, self.now)
            return
        self.machine.read_answered(read, answer, self.now)
        if self.random.random() < 0.2:
            self.machine.read_answered(read, answer, self.now)

    def _end_work(self, failing: float) -> None:
        work, self.work = self.work, None
        if self.random.random() < failing:
            if isinstance(work, Write) and self.random.random() < 0.5:
                self._apply(work)
                self.follower = self.follower[: self.machine.checkpoint + 1]
            self.machine.work_failed(CircuitBreaking("full"), self.now)
            return
        match work:
            case Write():
                self._apply(work)
                checkpoint = len(self.follower) - 1
                state = ShardState(
                    history_uuid=self.machine.history_uuid,
                    primary_term=1,
                    max_seq_no=checkpoint,
                    checkpoint=checkpoint,
                )
                self.machine.written(state, self.now)
            case Reach():
                self.machine.reached(work.versions, self.now)
            case Adopt():
                self.machine.adopted(work.history_uuid)

    def _apply(self, work: Write) -> None:
        """R-59: what is written is what comes next, and nothing else."""
        assert work.operations[0].seq_no == len(self.follower)
        wanted = LeaderVersions(*self.leader.versions)
        assert self.machine.versions <= wanted
        self.follower += work.operations


@pytest.mark.parametrize("seed", range(150))
def test_follower_is_always_a_prefix_and_catches_up(seed: int) -> None:
    """R-43, R-50, R-53, R-58, R-59, R-97: in any order, with losses, repeated and late answers, a promotion."""
    drive = Drive(seed)
    for at in range(300):
        if drive.random.random() < 0.3:
            drive.leader.append(drive.random.randint(1, 30), drive.random.choice([0, 10, 900]))
        if drive.random.random() < 0.02:
            mapping, settings, aliases = drive.leader.versions
            drive.leader.versions = (mapping + 1, settings, aliases + 1)
        if at == 150 and seed % 3 == 0:
            drive.leader.promote("H2")
        drive.step(failing=0.2)
        assert drive.follower == drive.leader.log[: len(drive.follower)]
        assert drive.machine.failure is None
    for _ in range(40_000):
        if len(drive.follower) == len(drive.leader.log) and drive.work is None:
            break
        drive.step(failing=0.0)
    assert drive.follower == drive.leader.log
    assert drive.reads_most <= drive.limits.max_outstanding_read_requests
    assert drive.machine.history_uuid == drive.leader.history_uuid


@pytest.mark.parametrize("seed", range(100))
def test_older_copy_is_found_out_or_harmless(seed: int) -> None:
    """R-100: the leader's data is replaced by an older copy at any moment, and numbers are given anew. The follower
    stops, or has been before the fork; it never holds operations of both.
    """
    drive = Drive(seed)
    drive.leader.append(60)
    for _ in range(drive.random.randint(0, 120)):
        drive.step(failing=0.1)
    old = list(drive.leader.log)
    drive.leader.restore(drive.random.randint(0, 58))
    drive.leader.clock_ms += 1000
    drive.leader.append(80)
    for _ in range(20_000):
        if drive.machine.failure is not None or len(drive.follower) == len(drive.leader.log):
            break
        drive.step(failing=0.0)
    written = drive.follower
    is_old = written == old[: len(written)]
    is_new = written == drive.leader.log[: len(written)]
    assert is_old or is_new
    assert is_new or drive.machine.failure is not None


def begun() -> tuple[Drive, Read]:
    """A drive with its first read under way."""
    drive = Drive(1)
    (read,) = drive.machine.effects(0.0)
    assert isinstance(read, Read)
    return drive, read


def test_leader_that_says_it_has_less_is_an_older_copy() -> None:
    """R-59, R-100: whether or not it checks what it was sent as proof."""
    drive, read = begun()
    drive.leader.append(10)
    drive.machine.read_answered(read, drive.leader.changes(_request(read), 1), 0.0)
    effects = drive.machine.effects(0.0)
    write = next(each for each in effects if isinstance(each, Write))
    drive.machine.written(_state("H1", write.operations[-1].seq_no), 0.0)
    drive.leader.restore(-1)
    later = [each for each in [*effects, *drive.machine.effects(0.0)] if isinstance(each, Read)]
    drive.machine.read_answered(later[0], drive.leader.answer([]), 0.0)
    assert drive.machine.failure is None
    probe = next(each for each in drive.machine.effects(0.0) if isinstance(each, Read))
    assert probe.is_probe
    drive.machine.read_answered(probe, drive.leader.answer([]), 0.0)
    assert isinstance(drive.machine.failure, HistoryDiverged)


@pytest.mark.parametrize(
    ("history", "past", "es_type"),
    [("H1", -1, "exception"), ("H1", 1, "exception"), ("H2", 0, "illegal_state_exception")],
)
def test_engine_that_is_elsewhere_after_a_write_stops_the_shard(
    history: str, past: int, es_type: str
) -> None:
    """R-59: a checkpoint that is not that of the write, or another history, is never built upon."""
    drive, read = begun()
    drive.leader.append(1)
    drive.machine.read_answered(read, drive.leader.changes(_request(read)), 0.0)
    (write,) = drive.machine.effects(0.0)
    assert isinstance(write, Write)
    drive.machine.written(_state(history, write.operations[-1].seq_no + past), 0.0)
    assert drive.machine.failure is not None
    assert drive.machine.failure.es_type == es_type
    assert drive.machine.effects(0.0) == []


@pytest.mark.parametrize("numbers", [[1], [0, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8]])
def test_answer_that_is_not_what_was_asked_for_is_a_failed_read(numbers: list[int]) -> None:
    """R-106: it is shown, and asked again; nothing of it is written."""
    drive, read = begun()
    drive.machine.progress.outstanding[read.id] = read = replace(read, max_count=8)
    drive.leader.append(10)
    answer = drive.leader.answer([drive.leader.log[number] for number in numbers])
    drive.machine.read_answered(read, answer, 0.0)
    (attempts,) = drive.machine.progress.failing.values()
    assert attempts.error is not None
    assert attempts.error.es_type == "transport_serialization_exception"
    assert drive.machine.sequencer.count == 0
    assert drive.machine.failure is None


def _request(read: Read, history_uuid: str = "H1") -> ChangesRequest:
    return ChangesRequest(
        shard=SHARD,
        from_seq_no=read.from_seq_no,
        max_count=read.max_count,
        max_bytes=read.max_bytes,
        poll_timeout_ms=1,
        history_uuid=history_uuid,
        previous=read.previous,
    )


def _state(history_uuid: str, checkpoint: int) -> ShardState:
    return ShardState(
        history_uuid=history_uuid, primary_term=1, max_seq_no=checkpoint, checkpoint=checkpoint
    )


@pytest.mark.parametrize("seed", range(50))
def test_buffer_is_bounded(seed: int) -> None:
    """R-51: what is held is within the limits, but for what is already on its way when they are reached."""
    drive = Drive(seed)
    drive.leader.append(2000, 100)
    one_read = drive.limits.max_read_request_operation_count + 1
    slack = drive.limits.max_outstanding_read_requests * one_read
    for _ in range(400):
        drive.step(failing=0.1)
        assert drive.machine.sequencer.count <= drive.limits.max_write_buffer_count + slack
        assert drive.share.held_bytes == drive.budget.used_bytes


def test_budget_is_given_back_when_all_is_written() -> None:
    drive = Drive(7)
    drive.leader.append(200, 100)
    for _ in range(10_000):
        drive.step(failing=0.1)
        if len(drive.follower) == 200 and drive.work is None:
            break
    assert drive.budget.used_bytes == 0


def test_counters_only_rise() -> None:
    """R-87: whatever happens, no sum becomes less."""
    drive = Drive(11)
    drive.leader.append(300)
    names = [name for name in Counters.__slots__ if not name.startswith("_")]
    before = [getattr(drive.machine.counters, name) for name in names]
    for _ in range(500):
        drive.step(failing=0.3)
        after = [getattr(drive.machine.counters, name) for name in names]
        assert all(new >= old for new, old in zip(after, before, strict=True))
        before = after
    assert drive.machine.counters.operations_read >= drive.machine.counters.operations_written
