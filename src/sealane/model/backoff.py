"""How long to wait before the next try of something that failed. Pure: chance is handed in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Pauses between rounds: doubling from `first_s` to `max_s`, the upper half of each left to
    chance.
    """

    first_s: float = 1.0
    max_s: float = 60.0

    def pause_s(self, misses: int, chance: float) -> float:
        """The pause after `misses` (>= 1) rounds in a row that left something missing; `chance` is
        in [0, 1).
        """
        whole = min(self.max_s, self.first_s * 2.0 ** min(misses - 1, 30))
        return whole * (0.5 + chance / 2)
