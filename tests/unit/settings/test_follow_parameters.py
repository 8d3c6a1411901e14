"""The parameters of following: defaults, what they amount to, and what is refused."""

import pytest

from sealane.model.replication import FollowParameters
from sealane.settings.follow_parameters import NAMES, given, limits_of, problems, with_defaults


def test_the_defaults() -> None:
    """R-12: as the reference documents them, all of them, as numbers and as texts."""
    limits = limits_of(FollowParameters())
    assert limits.max_read_request_operation_count == 5120
    assert limits.max_outstanding_read_requests == 12
    assert limits.max_read_request_size == 32 << 20
    assert limits.max_write_request_operation_count == 5120
    assert limits.max_write_request_size == 2**63 - 1
    assert limits.max_outstanding_write_requests == 9
    assert limits.max_write_buffer_count == 2**31 - 1
    assert limits.max_write_buffer_size == 512 << 20
    assert limits.max_retry_delay_ms == 500
    assert limits.read_poll_timeout_ms == 60_000
    assert set(NAMES) == set(FollowParameters.__struct_fields__)
    assert tuple(with_defaults(FollowParameters())) == NAMES
    assert list(problems(FollowParameters())) == []


def test_what_is_given_goes_over_the_defaults() -> None:
    parameters = FollowParameters(max_retry_delay="2s", max_write_buffer_count=7)
    assert given(parameters) == {"max_write_buffer_count": 7, "max_retry_delay": "2s"}
    assert with_defaults(parameters) == {**with_defaults(FollowParameters()), **given(parameters)}
    assert limits_of(parameters).max_retry_delay_ms == 2000


@pytest.mark.parametrize(("text", "ms"), [("-1", 60_000), ("0", 1), ("1micros", 1), ("5ms", 5)])
def test_a_poll_always_waits_and_always_ends(text: str, ms: int) -> None:
    """One that returns at once would ask without a pause, one without an end would hold its place for ever."""
    assert limits_of(FollowParameters(read_poll_timeout=text)).read_poll_timeout_ms == ms


def test_every_problem_is_told() -> None:
    """R-12: in the order of the parameters."""
    wrong = FollowParameters(
        max_outstanding_read_requests=0, max_read_request_size="-1", max_retry_delay="1h"
    )
    assert list(problems(wrong)) == [
        "max_read_request_size must be larger than 0",
        "max_outstanding_read_requests must be larger than 0",
        "[max_retry_delay] must be less than [5m] but was [1h]",
    ]
