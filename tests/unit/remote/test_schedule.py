"""When the next connect round is due."""

import pytest

from sealane.model.backoff import Backoff
from sealane.remote.schedule import Schedule


def missed(schedule: Schedule, now: float, *, missing: int = 1) -> None:
    """A round at `now` that leaves something missing, with the longest pause."""
    schedule.round_began(now)
    schedule.round_ended(now, missing=missing, chance=1.0)


def due(schedule: Schedule, now: float, *, missing: int = 1, awaited: bool = False) -> float | None:
    return schedule.due_in_s(now, missing=missing, awaited=awaited)


@pytest.mark.parametrize(
    ("misses", "shortest", "longest"),
    [(1, 0.5, 1.0), (2, 1.0, 2.0), (7, 30.0, 60.0), (1000, 30.0, 60.0)],
)
def test_pauses_are_spread(misses: int, shortest: float, longest: float) -> None:
    """The lower half of a pause is certain, the upper half is chance."""
    assert Backoff().pause_s(misses, 0.0) == shortest
    assert Backoff().pause_s(misses, 1.0) == longest


def test_first_round_is_due_at_once() -> None:
    assert due(Schedule(Backoff()), 0.0) == 0.0


def test_pauses_double_while_something_is_missing() -> None:
    schedule = Schedule(Backoff())
    now, pauses = 0.0, []
    for _ in range(8):
        missed(schedule, now)
        pause_s = due(schedule, now)
        assert pause_s is not None
        pauses.append(pause_s)
        now += pause_s
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_nothing_is_due_when_full() -> None:
    schedule = Schedule(Backoff())
    missed(schedule, 0.0)
    missed(schedule, 1.0, missing=0)
    assert due(schedule, 1000.0, missing=0) is None
    assert schedule.misses == 0


def test_a_request_that_waits_needs_a_round_now() -> None:
    schedule = Schedule(Backoff())
    missed(schedule, 0.0)
    assert due(schedule, 0.0, awaited=True) == 0.0


def test_loss_is_refilled_at_once() -> None:
    schedule = Schedule(Backoff())
    missed(schedule, 0.0, missing=0)
    schedule.lost(100.0, chance=1.0)
    assert due(schedule, 100.0) == 0.0
    missed(schedule, 100.0)
    assert due(schedule, 100.0) == 1.0


def test_many_losses_at_once_are_one() -> None:
    """Eighteen sockets that die together do not look like one that keeps breaking."""
    schedule = Schedule(Backoff())
    for _ in range(18):
        schedule.lost(100.0, chance=1.0)
    missed(schedule, 100.0, missing=0)
    schedule.lost(100.5, chance=1.0)
    assert due(schedule, 100.5) == 0.0


def test_connection_that_keeps_breaking_is_paused() -> None:
    schedule = Schedule(Backoff())
    refills = []
    for n in range(5):
        now = 100.0 + n / 100
        schedule.lost(now, chance=1.0)
        refills.append(due(schedule, now))
        missed(schedule, now, missing=0)
    assert refills == [0.0, 0.0, 0.0, 1.0, 1.0]


def test_losses_far_apart_are_all_refilled_at_once() -> None:
    schedule = Schedule(Backoff())
    for n in range(20):
        now = 100.0 + n
        schedule.lost(now, chance=1.0)
        assert due(schedule, now) == 0.0
        missed(schedule, now, missing=0)


def test_kicks_neither_storm_nor_lengthen_the_pause() -> None:
    """Rounds called for by requests are a tenth of a second apart, and the planned one stays."""
    schedule = Schedule(Backoff())
    for now in (0.0, 1.0, 3.0):
        missed(schedule, now)
    assert due(schedule, 3.0) == 4.0
    for n in range(1, 20):
        now = 3.0 + n / 10
        schedule.kick(now)
        assert due(schedule, now) == pytest.approx(0.0)
        missed(schedule, now)
        schedule.kick(now)
        assert due(schedule, now) == pytest.approx(0.1)
    missed(schedule, 5.0)
    assert due(schedule, 5.0) == 2.0
    assert schedule.misses == 3
