"""How significant a term is that more of the found documents have than of all: the reference's five measures.

All work on four numbers: documents found with the term, documents found, documents with the term, documents.
"""

from math import exp, inf, log

from sealane.errors import IllegalArgument
from sealane.model.dsl import Heuristic


def score(heuristic: Heuristic, found: int, found_all: int, known: int, known_all: int) -> float:
    """Higher is more significant; 0 or less is not at all. Raises IllegalArgument for numbers that contradict."""
    match heuristic.kind:
        case "jlh":
            return _jlh(found, found_all, known, known_all)
        case "percentage":
            return found / known if known else 0.0
    table = _Table(heuristic, found, found_all, known, known_all)
    match heuristic.kind:
        case "chi_square":
            return table.chi_square()
        case "gnd":
            return table.gnd()
    return table.mutual_information()


def _jlh(found: int, found_all: int, known: int, known_all: int) -> float:
    if found_all == 0 or known_all == 0:
        return 0.0
    # A background filter may leave a term without documents; one stands for none.
    known = known or 1
    here, everywhere = found / found_all, known / known_all
    more = here - everywhere
    return more * (here / everywhere) if more > 0 else 0.0


class _Table:
    """Documents counted by two questions: with the term (first) or without, found (second) or not."""

    def __init__(
        self, heuristic: Heuristic, found: int, found_all: int, known: int, known_all: int
    ) -> None:
        if heuristic.background_is_superset:
            if found > known:
                raise IllegalArgument(f"subsetFreq > supersetFreq, in {_NAMES[heuristic.kind]}")
            if found_all > known_all:
                raise IllegalArgument(f"subsetSize > supersetSize, in {_NAMES[heuristic.kind]}")
        within = heuristic.background_is_superset
        self.include_negatives = heuristic.include_negatives
        self.n11, self.n01 = found, found_all - found
        self.n10 = known - found if within else known
        self.n00 = known_all - known - (found_all - found) if within else known_all - known
        self.term = known if within else known + found
        self.no_term = (known_all if within else known_all + found_all) - self.term
        self.here = found_all
        self.elsewhere = known_all - found_all if within else known_all
        self.all = known_all if within else known_all + found_all

    def _is_rarer_here(self) -> bool:
        here = self.n11 / self.here if self.here else inf
        return bool(self.elsewhere) and here < self.n10 / self.elsewhere

    def chi_square(self) -> float:
        if not self.include_negatives and self._is_rarer_here():
            return -inf
        product = self.here * self.term * self.no_term * self.elsewhere
        if not product:
            return -inf
        return float(self.all * (self.n11 * self.n00 - self.n01 * self.n10) ** 2.0 / product)

    def mutual_information(self) -> float:
        if not self.include_negatives and self._is_rarer_here():
            return -inf
        return (
            self._term(self.n00, self.no_term, self.elsewhere)
            + self._term(self.n01, self.no_term, self.here)
            + self._term(self.n10, self.term, self.elsewhere)
            + self._term(self.n11, self.term, self.here)
        )

    def _term(self, both: int, first: int, second: int) -> float:
        numerator = abs(self.all * both)
        factor = abs(both / self.all) if self.all else 0.0
        if numerator < 1e-7 and factor < 1e-7:
            return 0.0
        return factor * log(numerator / abs(first * second)) / log(2.0)

    def gnd(self) -> float:
        if self.n11 == 0:
            return 0.0
        if self.term == self.here == self.n11:
            return 1.0
        low, high = sorted((log(self.term), log(self.here)))
        width = log(self.all) - low
        return exp(-(high - log(self.n11)) / width) if width else 0.0


_NAMES = {
    "chi_square": "ChiSquare",
    "gnd": "GND",
    "mutual_information": "MutualInformation",
}
