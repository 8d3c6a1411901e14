"""For how long a follower may have been behind its leader. An answer that never says less than there is.

Two clocks are at hand: the seconds of this process, which only go forward, and the leader's wall time, which each
answer brings with it and each operation carries. The leader's times are compared with each other alone, so it does not
matter how far its clock is from ours.
"""

from dataclasses import dataclass
from typing import Final

from sealane.model.document import Operation

OVERRUN_S: Final = 5.0
"""How late the answer of a long poll may be before the poll no longer counts as proof that there is nothing new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the shard stands at this moment. `oldest` is the operation to be written next, where it has come.
    `poll_began_at` is when the long poll that is under way was sent, None where there is none.
    """

    checkpoint: int
    leader_checkpoint: int
    oldest: Operation | None
    poll_began_at: float | None
    poll_timeout_s: float
    reads_fail: bool


class Lag:
    """Fed with answers and writes in the order in which they come. `written_wall_ms` is the leader's time of the last
    operation that is here already, where it is known.
    """

    def __init__(self, began_at: float, written_wall_ms: int | None = None) -> None:
        self._began_at = began_at
        self._level_at: float | None = None
        """The latest moment at which all that the leader had is known to be here now."""
        self._answered_at: float | None = None
        self._seen_at = began_at
        """The moment that the last answer tells of."""
        self._leader_now_ms = 0
        self._offset_ms: float | None = None
        self._written_wall_ms = written_wall_ms

    @property
    def answered_at(self) -> float | None:
        """When the last answer came."""
        return self._answered_at

    def answered(self, *, began_at: float, now: float, leader_now_ms: int) -> None:
        """The leader's state of `leader_now_ms` has come, on a read sent at `began_at`.

        How long the answer was on its way is told by the quickest answer so far: what it took beyond that one is age.
        """
        offset_ms = now * 1000 - leader_now_ms
        if self._offset_ms is None or offset_ms < self._offset_ms:
            self._offset_ms = offset_ms
        late_ms = offset_ms - self._offset_ms
        if late_ms > (now - began_at) * 1000:
            # It was made after it was asked for: not the link was slow, the leader's clock was set back.
            self._offset_ms = offset_ms
            late_ms = 0.0
        self._answered_at = now
        self._seen_at = now - late_ms / 1000
        self._leader_now_ms = leader_now_ms

    def stands(self, checkpoint: int, leader_checkpoint: int, last: Operation | None) -> None:
        """The follower has all up to `checkpoint`, the last of which is `last` where it was just written."""
        if last is not None:
            self._written_wall_ms = last.wall_ms
        if self._answered_at is not None and checkpoint >= leader_checkpoint:
            self._level_at = self._seen_at

    def lag_ms(self, standing: Standing, now: float) -> int | None:
        if self._answered_at is None:
            return None
        level = standing.checkpoint >= standing.leader_checkpoint
        if level and not standing.reads_fail and _is_proof(standing, now):
            return 0
        since_s = now - (self._began_at if self._level_at is None else self._level_at)
        if level or standing.reads_fail:
            return max(0, round(since_s * 1000))
        return self._age_ms(standing, since_s, now)

    def _age_ms(self, standing: Standing, since_s: float, now: float) -> int:
        """The age of the oldest operation that is missing, or more where it has not come yet."""
        wall_ms = standing.oldest.wall_ms if standing.oldest is not None else self._written_wall_ms
        bound_ms = round(since_s * 1000) if self._level_at is not None else None
        if wall_ms is None:
            return max(0, bound_ms if bound_ms is not None else round(since_s * 1000))
        age_ms = max(0, self._leader_now_ms + round((now - self._seen_at) * 1000) - wall_ms)
        return age_ms if bound_ms is None else max(0, min(age_ms, bound_ms))


def _is_proof(standing: Standing, now: float) -> bool:
    """Whether a long poll, which would be answered at once if there were something new, is under way in good order."""
    began_at = standing.poll_began_at
    return began_at is not None and now - began_at <= standing.poll_timeout_s + OVERRUN_S
