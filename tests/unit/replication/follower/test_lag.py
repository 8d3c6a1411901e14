"""For how long a follower may have been behind, by two clocks that are never compared."""

from sealane.model.document import Operation
from sealane.replication.follower.lag import Lag, Standing
from tests.unit.replication.follower.leaders import operation

HOURS_MS = 13 * 3600 * 1000


def standing(
    checkpoint: int = 5,
    leader_checkpoint: int = 5,
    *,
    oldest: Operation | None = None,
    poll_began_at: float | None = None,
    reads_fail: bool = False,
) -> Standing:
    return Standing(
        checkpoint=checkpoint,
        leader_checkpoint=leader_checkpoint,
        oldest=oldest,
        poll_began_at=poll_began_at,
        poll_timeout_s=60.0,
        reads_fail=reads_fail,
    )


def level(lag: Lag, now: float, leader_now_ms: int) -> None:
    lag.answered(began_at=now, now=now, leader_now_ms=leader_now_ms)
    lag.stands(5, 5, operation(5, wall_ms=leader_now_ms))


def test_unknown_before_the_leader_has_answered() -> None:
    assert Lag(0.0).lag_ms(standing(), 100.0) is None


def test_level_with_a_poll_under_way_is_no_lag() -> None:
    """R-88: for as long as the poll may take."""
    lag = Lag(0.0)
    level(lag, 10.0, HOURS_MS)
    assert lag.lag_ms(standing(poll_began_at=10.0), 65.0) == 0
    assert lag.lag_ms(standing(poll_began_at=10.0), 76.0) == 66_000
    assert lag.lag_ms(standing(), 12.0) == 2_000


def test_failing_reads_grow_from_when_it_was_level() -> None:
    """R-90: checkpoints that look equal prove nothing while nobody answers."""
    lag = Lag(0.0)
    level(lag, 10.0, HOURS_MS)
    assert lag.lag_ms(standing(poll_began_at=40.0, reads_fail=True), 50.0) == 40_000


def test_age_of_what_is_not_written_yet() -> None:
    """The leader's clock is hours ahead: only its own times are compared."""
    lag = Lag(0.0)
    level(lag, 10.0, HOURS_MS)
    lag.answered(began_at=19.0, now=20.0, leader_now_ms=HOURS_MS + 10_000)
    lag.stands(5, 9, None)
    oldest = operation(6, wall_ms=HOURS_MS + 7_000)
    assert lag.lag_ms(standing(5, 9, oldest=oldest), 20.0) == 3_000
    assert lag.lag_ms(standing(5, 9, oldest=oldest), 21.5) == 4_500


def test_never_longer_than_since_it_was_level() -> None:
    """An operation with the time of a clock that was wrong does not make it older."""
    lag = Lag(0.0)
    level(lag, 10.0, HOURS_MS)
    lag.answered(began_at=20.0, now=20.0, leader_now_ms=HOURS_MS + 10_000)
    assert lag.lag_ms(standing(5, 9, oldest=operation(6, wall_ms=0)), 20.0) == 10_000


def test_clock_of_the_leader_steps_back() -> None:
    """R-105: neither negative, nor hours."""
    lag = Lag(0.0)
    level(lag, 10.0, HOURS_MS)
    level(lag, 20.0, 10_000)
    assert lag.lag_ms(standing(poll_began_at=20.0), 21.0) == 0
    assert lag.lag_ms(standing(reads_fail=True), 21.0) == 1_000
    lag.answered(began_at=30.0, now=30.0, leader_now_ms=20_000)
    behind = standing(5, 9, oldest=operation(6, wall_ms=HOURS_MS))
    assert lag.lag_ms(behind, 31.0) == 0


def test_answer_that_was_long_on_its_way_is_old() -> None:
    """A slow link must not make the follower look level as of now."""
    lag = Lag(0.0)
    level(lag, 10.0, 0)
    lag.answered(began_at=10.0, now=40.0, leader_now_ms=5_000)
    lag.stands(5, 5, None)
    assert lag.lag_ms(standing(reads_fail=True), 40.0) == 25_000


def test_start_far_behind() -> None:
    """Before anything came, the last operation that is here says how old that is."""
    lag = Lag(0.0, written_wall_ms=1_000)
    lag.answered(began_at=5.0, now=5.0, leader_now_ms=601_000)
    assert lag.lag_ms(standing(5, 900), 6.0) == 601_000
    unknown = Lag(0.0)
    unknown.answered(began_at=5.0, now=5.0, leader_now_ms=601_000)
    assert unknown.lag_ms(standing(5, 900), 6.0) == 6_000
