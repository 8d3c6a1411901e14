"""The ten parameters of following: their defaults, what is wrong with a value, and what the texts amount to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sealane.model.replication import FollowParameters
from sealane.settings.units import parse_bytes, parse_time

COUNTS: Final[dict[str, int]] = {
    "max_read_request_operation_count": 5120,
    "max_outstanding_read_requests": 12,
    "max_write_request_operation_count": 5120,
    "max_outstanding_write_requests": 9,
    "max_write_buffer_count": 2**31 - 1,
}
SIZES: Final[dict[str, str]] = {
    "max_read_request_size": "32mb",
    "max_write_request_size": "9223372036854775807b",
    "max_write_buffer_size": "512mb",
}
TIMES: Final[dict[str, str]] = {"max_retry_delay": "500ms", "read_poll_timeout": "1m"}
"""By name the defaults."""
NAMES: Final = (
    "max_read_request_operation_count",
    "max_read_request_size",
    "max_outstanding_read_requests",
    "max_write_request_operation_count",
    "max_write_request_size",
    "max_outstanding_write_requests",
    "max_write_buffer_count",
    "max_write_buffer_size",
    "max_retry_delay",
    "read_poll_timeout",
)
"""In the reference's order."""
RETRY_DELAY_MAX: Final = "5m"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowLimits:
    """Parameters as numbers: bytes and milliseconds."""

    max_read_request_operation_count: int
    max_outstanding_read_requests: int
    max_read_request_size: int
    max_write_request_operation_count: int
    max_write_request_size: int
    max_outstanding_write_requests: int
    max_write_buffer_count: int
    max_write_buffer_size: int
    max_retry_delay_ms: int
    read_poll_timeout_ms: int


def given(parameters: FollowParameters) -> dict[str, int | str]:
    """Those that were given, by name and in order."""
    return {name: value for name in NAMES if (value := getattr(parameters, name)) is not None}


def with_defaults(parameters: FollowParameters) -> dict[str, int | str]:
    """All ten as they are in force, by name and in order."""
    return {**_DEFAULTS, **given(parameters)}


def limits_of(parameters: FollowParameters) -> FollowLimits:
    """What works by them. The texts have been judged before. A poll that never ends, or ends at once, is none: it takes
    the default, or a millisecond.
    """
    values = with_defaults(parameters)
    counts = {name: int(values[name]) for name in COUNTS}
    sizes = {name: parse_bytes(str(values[name]), name) for name in SIZES}
    times = {f"{name}_ms": parse_time(str(values[name]), name).ms for name in TIMES}
    if times["read_poll_timeout_ms"] < 0:
        times["read_poll_timeout_ms"] = parse_time(TIMES["read_poll_timeout"], "").ms
    times["read_poll_timeout_ms"] = max(1, times["read_poll_timeout_ms"])
    return FollowLimits(**counts, **sizes, **times)


def problems(parameters: FollowParameters) -> Iterator[str]:
    """What is wrong with them, in the reference's words and order."""
    for name, value in given(parameters).items():
        if name in COUNTS or name in SIZES:
            amount = int(value) if name in COUNTS else parse_bytes(str(value), name)
            if amount <= 0:
                yield f"{name} must be larger than 0"
        elif name == "max_retry_delay":
            delay = parse_time(str(value), name)
            if delay.ms <= 0:
                yield f"[{name}] must be positive but was [{value}]"
            elif delay > parse_time(RETRY_DELAY_MAX, name):
                yield f"[{name}] must be less than [{RETRY_DELAY_MAX}] but was [{value}]"


_DEFAULTS: Final[dict[str, int | str]] = {name: (COUNTS | SIZES | TIMES)[name] for name in NAMES}
