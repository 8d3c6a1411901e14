"""What a failure means for a follower, and when to try again. Plain decisions: times and chance are handed in.

There are three answers. Most failures end by themselves: a link that is down, a node that is too busy, rights that
have been taken away, a disk that is full. They are tried again for ever, and shown. Some look the same at a leader that
has just come back as at one that will never have the answer: an index that it has not found yet. They are tried for a
while. All others are fatal: to go on would mix two histories, or fail in the same way for ever.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sealane.errors import ApiError
from sealane.settings.follow_parameters import FollowLimits


class Verdict(StrEnum):
    RETRY = "retry"
    TRANSIENT = "transient"
    """Tried again for as long as `Patience` says."""
    FATAL = "fatal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """With what may be transient: so many attempts in a row; and after an outage, during which the other side may have
    been restarted, so many seconds from then on at least.
    """

    attempts: int = 5
    seconds: float = 60.0


_UNREACHABLE: Final = frozenset(
    {
        "connect_transport_exception",
        "connect_exception",
        "node_disconnected_exception",
        "node_not_connected_exception",
        "node_closed_exception",
        "no_seed_node_left_exception",
        "no_such_remote_cluster_exception",
        "receive_timeout_transport_exception",
        "unknown_host_exception",
        "s_s_l_handshake_exception",
    }
)
"""Nobody answered, so whoever answers next may have begun anew."""
_RETRYABLE: Final = _UNREACHABLE | {
    "shard_not_found_exception",
    "illegal_index_shard_state_exception",
    "no_shard_available_action_exception",
    "unavailable_shards_exception",
    "already_closed_exception",
    "cluster_block_exception",
    "index_closed_exception",
    "es_rejected_execution_exception",
    "circuit_breaking_exception",
    "security_exception",
    "master_not_discovered_exception",
    "timeout_exception",
    "task_cancelled_exception",
    "transport_serialization_exception",
    "i_o_exception",
    "exception",
}
"""The last two are what a disk says that is full, or that could not be read."""
_TRANSIENT: Final = frozenset(
    {
        "index_not_found_exception",
        "no_such_node_exception",
        "action_not_found_transport_exception",
        "coordination_state_rejected_exception",
        "retention_lease_not_found_exception",
    }
)
_WRAPPERS: Final = frozenset(
    {
        "remote_transport_exception",
        "execution_exception",
        "uncategorized_execution_exception",
    }
)
_NO_CONNECTION: Final = "unable to open any connections"
"""The reference's words for an outage, under the type of an error that would be fatal."""
_BUSY: Final = frozenset({429, 502, 503})


def unwrapped(error: ApiError) -> ApiError:
    """What went wrong, without who passed it on."""
    while error.es_type in _WRAPPERS and error.caused_by is not None:
        error = error.caused_by
    return error


def judge(error: ApiError) -> Verdict:
    inner = unwrapped(error)
    if inner.es_type in _RETRYABLE or inner.status in _BUSY or is_outage(inner):
        return Verdict.RETRY
    # A type that nobody here knows may have been damaged on its way: answers have a checksum, errors have none.
    if inner.es_type in _TRANSIENT or type(inner) is ApiError:
        return Verdict.TRANSIENT
    return Verdict.FATAL


def is_outage(error: ApiError) -> bool:
    """Whether the other side was not reached at all."""
    inner = unwrapped(error)
    return inner.es_type in _UNREACHABLE or _NO_CONNECTION in inner.reason


_STEP_S: Final = 0.05
_EXPONENT_MAX: Final = 24


def retry_delay_s(failures: int, limits: FollowLimits, chance: float) -> float:
    """The pause after `failures` (>= 1) in a row: a whole number from [0, 2^(failures - 1)] of 50 ms each, at most what
    the parameters allow. `chance` is in [0, 1).
    """
    steps_max = 1 << min(failures - 1, _EXPONENT_MAX)
    ceiling_ms = min(limits.max_retry_delay_ms, limits.read_poll_timeout_ms)
    return min(int(chance * (steps_max + 1)) * _STEP_S, ceiling_ms / 1000)


class Attempts:
    """Failures in a row of one piece of work, and when it is due again. Times are seconds of any one clock."""

    __slots__ = ("due_at", "error", "failures")

    def __init__(self) -> None:
        self.failures = 0
        self.error: ApiError | None = None
        self.due_at = float("-inf")

    def failed(self, error: ApiError, now: float, limits: FollowLimits, chance: float) -> None:
        self.failures += 1
        self.error = error
        self.due_at = now + retry_delay_s(self.failures, limits, chance)

    def succeeded(self) -> None:
        self.failures, self.error, self.due_at = 0, None, float("-inf")

    def hurry(self) -> None:
        """Due now, though not forgotten."""
        self.due_at = float("-inf")

    def is_due(self, now: float) -> bool:
        return now >= self.due_at


class Endurance:
    """How long what may be transient is borne. It begins like after an outage: a node that starts may be early."""

    __slots__ = ("_after_outage", "_first_at", "_patience", "_transients")

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._after_outage = True
        self._transients = 0
        self._first_at = 0.0

    def succeeded(self) -> None:
        self._after_outage, self._transients = False, 0

    def judge(self, error: ApiError, now: float) -> Verdict:
        """RETRY or FATAL: what is transient has become one of them."""
        verdict = judge(error)
        if verdict is not Verdict.TRANSIENT:
            if is_outage(error):
                self._after_outage, self._transients = True, 0
            return verdict
        if self._transients == 0:
            self._first_at = now
        self._transients += 1
        if self._transients < self._patience.attempts:
            return Verdict.RETRY
        if self._after_outage and now - self._first_at < self._patience.seconds:
            return Verdict.RETRY
        return Verdict.FATAL


class Retrying:
    """Attempts of one piece of work with the endurance for it: the whole of a step that is simply tried again."""

    __slots__ = ("_chance", "_endurance", "_limits", "attempts")

    def __init__(
        self, limits: FollowLimits, patience: Patience, chance: Callable[[], float]
    ) -> None:
        self._limits = limits
        self._chance = chance
        self._endurance = Endurance(patience)
        self.attempts = Attempts()

    def failed(self, error: ApiError, now: float) -> bool:
        """Whether it is to be tried again; `attempts.due_at` is when."""
        if self._endurance.judge(error, now) is Verdict.FATAL:
            return False
        self.attempts.failed(error, now, self._limits, self._chance())
        return True

    def succeeded(self) -> None:
        self._endurance.succeeded()
        self.attempts.succeeded()
