"""How near spellings are looked for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuzziness:
    """How many edits a term may be away: `edits`, or by the length of the term when that is None (`AUTO`)."""

    edits: int | None = None
    low: int = 3
    high: int = 6

    def distance(self, text: str) -> int:
        """The edits allowed for `text`: at most 2."""
        if self.edits is not None:
            return min(2, self.edits)
        if len(text) < self.low:
            return 0
        return 1 if len(text) < self.high else 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuzzing:
    """All that tells how near spellings are looked for."""

    fuzziness: Fuzziness = Fuzziness()
    prefix_length: int = 0
    max_expansions: int = 50
    transpositions: bool = True
    rewrite: str | None = None


DEFAULT_FUZZING = Fuzzing()
"""What the reference does unless it is told otherwise."""
