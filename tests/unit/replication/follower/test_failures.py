"""Which failures are tried again, for how long, and after which pause."""

import pytest

from sealane import errors
from sealane.errors import ApiError
from sealane.model.replication import FollowParameters
from sealane.replication.follower.failures import (
    Attempts,
    Endurance,
    Patience,
    Verdict,
    judge,
    retry_delay_s,
    unwrapped,
)
from sealane.settings.follow_parameters import limits_of

LIMITS = limits_of(FollowParameters())


@pytest.mark.parametrize(
    "error",
    [
        errors.ConnectTransport("[n][a:1] connect_exception"),
        errors.NodeDisconnected("disconnected"),
        errors.NodeNotConnected("not connected"),
        errors.NodeClosed("closed"),
        errors.NoSeedNodeLeft("none"),
        errors.NoSuchRemoteCluster("r"),
        errors.ReceiveTimeout("late"),
        errors.NoShardAvailable(errors.IllegalState("opening")),
        errors.UnavailableShards("i", None),
        errors.ClusterBlock("index [x] blocked by: [FORBIDDEN/4/index closed];"),
        errors.IndexClosed("i", "u"),
        errors.Rejected("full"),
        errors.CircuitBreaking("full"),
        errors.SecurityError("action [x] is unauthorized"),
        errors.TransportSerialization("checksum"),
        errors.IOFailure("No space left on device"),
        errors.Internal("the operation log failed: database or disk is full"),
        errors.IllegalState("unable to open any connections to remote cluster"),
        errors.RemoteTransport("[n][a:1]", caused_by=errors.Rejected("full")),
    ],
)
def test_what_is_tried_for_ever(error: ApiError) -> None:
    """R-37, R-60, R-61, R-104, R-106: what ends by itself, however it is wrapped."""
    assert judge(error) is Verdict.RETRY
    assert judge(ApiError.from_wire(error.to_wire())) is Verdict.RETRY


@pytest.mark.parametrize(
    "error",
    [
        errors.UnexpectedHistory("a", "b"),
        errors.HistoryDiverged(3, "a", "b"),
        errors.OperationsMissing(3, 7),
        errors.IllegalArgument("mapper [a] cannot be changed from type [long] to [text]"),
        errors.IllegalState("something else"),
        errors.ResourceNotFound("gone"),
        errors.RemoteTransport("[n][a:1]", caused_by=errors.IllegalArgument("no")),
    ],
)
def test_what_is_fatal(error: ApiError) -> None:
    """R-49, R-62, R-71: to go on would mix histories, or fail for ever."""
    assert judge(error) is Verdict.FATAL
    assert judge(ApiError.from_wire(error.to_wire())) is Verdict.FATAL


def test_missing_index_may_be_transient() -> None:
    assert judge(errors.IndexNotFound("i")) is Verdict.TRANSIENT
    assert judge(errors.ActionNotFound("a")) is Verdict.TRANSIENT


def test_unknown_error_is_borne_a_few_times_but_for_its_status() -> None:
    """What another version calls by a name of its own is judged by its status."""
    error = ApiError("?")
    error.es_type, error.status = "brand_new_exception", 500
    assert judge(error) is Verdict.TRANSIENT
    error.status = 429
    assert judge(error) is Verdict.RETRY


def test_unwrapped_stops_at_the_cause() -> None:
    cause = errors.IndexNotFound("i")
    wrapped = errors.ExecutionFailed("x", caused_by=errors.RemoteTransport("y", caused_by=cause))
    assert unwrapped(wrapped) is cause
    assert unwrapped(cause) is cause
    alone = errors.RemoteTransport("y")
    assert unwrapped(alone) is alone


def test_transient_is_borne_a_few_times_while_all_else_is_well() -> None:
    endurance = Endurance(Patience(attempts=3, seconds=60))
    endurance.succeeded()
    verdicts = [endurance.judge(errors.IndexNotFound("i"), float(at)) for at in range(3)]
    assert verdicts == [Verdict.RETRY, Verdict.RETRY, Verdict.FATAL]


def test_transient_is_borne_longer_after_an_outage() -> None:
    """The leader may have been restarted and not know its indices yet; so may the whole of both clusters."""
    endurance = Endurance(Patience(attempts=3, seconds=60))
    endurance.succeeded()
    endurance.judge(errors.NodeDisconnected("gone"), 0.0)
    verdicts = {
        at: endurance.judge(errors.IndexNotFound("i"), at) for at in (1.0, 20.0, 60.9, 61.0)
    }
    assert verdicts == {
        1.0: Verdict.RETRY,
        20.0: Verdict.RETRY,
        60.9: Verdict.RETRY,
        61.0: Verdict.FATAL,
    }
    at_start = Endurance(Patience(attempts=1, seconds=60))
    assert at_start.judge(errors.IndexNotFound("i"), 5.0) is Verdict.RETRY


def test_each_outage_begins_the_patience_anew() -> None:
    endurance = Endurance(Patience(attempts=1, seconds=60))
    endurance.judge(errors.IndexNotFound("i"), 0.0)
    endurance.judge(errors.NodeDisconnected("gone"), 50.0)
    assert endurance.judge(errors.IndexNotFound("i"), 100.0) is Verdict.RETRY
    assert endurance.judge(errors.IndexNotFound("i"), 159.0) is Verdict.RETRY
    assert endurance.judge(errors.IndexNotFound("i"), 160.0) is Verdict.FATAL


@pytest.mark.parametrize(
    ("failures", "chance", "delay_ms"),
    [(1, 0.0, 0), (1, 0.999, 50), (2, 0.999, 100), (3, 0.5, 100), (4, 0.999, 400), (5, 0.999, 500)],
)
def test_pause_is_drawn_from_a_range_that_doubles(
    failures: int, chance: float, delay_ms: int
) -> None:
    """R-63: a whole number from [0, 2^(k-1)] of 50 ms, capped by the largest delay."""
    assert round(retry_delay_s(failures, LIMITS, chance) * 1000) == delay_ms


def test_pause_is_capped_however_often_it_fails() -> None:
    """R-63: by the largest delay and by the poll's time, whichever is less."""
    assert retry_delay_s(10_000, LIMITS, 0.999) == 0.5
    short = limits_of(FollowParameters(max_retry_delay="5m", read_poll_timeout="2s"))
    assert retry_delay_s(10_000, short, 0.999) == 2.0


def test_attempts_forget_after_a_success() -> None:
    attempts = Attempts()
    attempts.failed(errors.Rejected("full"), 10.0, LIMITS, 0.999)
    assert (attempts.failures, attempts.is_due(10.0), attempts.is_due(10.06)) == (1, False, True)
    attempts.hurry()
    assert attempts.is_due(10.0)
    attempts.succeeded()
    assert (attempts.failures, attempts.error) == (0, None)


def test_an_error_of_an_unknown_type_is_tried_for_a_while() -> None:
    """R-106: a flipped bit in the name of an error does not stop a follower for good."""
    damaged = ApiError.from_wire(
        {
            **errors.LeaseAlreadyExists("lease").to_wire(),
            "type": "retention_lease_already_exists_exceptmon",
        }
    )
    assert judge(damaged) is Verdict.TRANSIENT
