"""`rescore` on one shard: its best rows are scored again and put into a new order.

As the reference computes it: in 32 bits; rows outside the window, and those that the second query does not match, keep
the first score by its weight alone.
"""

import math
from dataclasses import dataclass

from sealane.engine.embedded.search.compile import compile_query
from sealane.engine.embedded.search.distances import single
from sealane.engine.embedded.search.rank import Row
from sealane.engine.embedded.search.scope import Compiled, Scope
from sealane.engine.embedded.view import SEQ_NO
from sealane.errors import IllegalArgument
from sealane.model import dsl


@dataclass(frozen=True, slots=True)
class Rescorer:
    """One rescorer, compiled."""

    spec: dsl.Rescore
    query: Compiled


def rescorers(body: dsl.SearchBody, scope: Scope, max_window: int) -> tuple[Rescorer, ...]:
    """Raises IllegalArgument where the search is not by score, or a window too large; and what queries raise."""
    if not body.rescore:
        return ()
    for each in body.rescore:
        if each.window_size > max_window:
            raise IllegalArgument(
                f"Rescore window [{each.window_size}] is too large. It must be less than "
                f"[{max_window}]. This prevents allocating massive heaps for storing the results "
                "to be rescored. This limit can be set by changing the [index.max_rescore_window] "
                "index level setting."
            )
    if body.sort:
        raise IllegalArgument("Cannot use [sort] option in conjunction with [rescore].")
    return tuple(Rescorer(each, compile_query(each.query, scope)) for each in body.rescore)


def window_of(found: tuple[Rescorer, ...]) -> int:
    """How many rows the rescorers want to see."""
    return max((each.spec.window_size for each in found), default=0)


def rescored(rows: list[Row], found: tuple[Rescorer, ...], scope: Scope) -> list[Row]:
    """The rows in their new order, with their new scores."""
    if not rows:
        return rows
    if any(row.seq_no < 0 for row in rows):
        searcher = scope.state.view.searcher
        numbers = searcher.fast_field_values(SEQ_NO, [row.address for row in rows])
        for row, number in zip(rows, numbers, strict=True):
            row.seq_no = int(number or 0)
    for row in rows:
        row.rescored = 0
    for number, each in enumerate(found):
        for row in rows[: each.spec.window_size]:
            row.rescored = (row.rescored or 0) | 1 << number
        rows = _rescore(rows, each, scope)
    return rows


def _rescore(rows: list[Row], rescorer: Rescorer, scope: Scope) -> list[Row]:
    # It needs numpy, which is imported when the first of its kind comes.
    from sealane.engine.embedded.search.scored import row_scores

    spec = rescorer.spec
    found = row_scores(rescorer.query, rows[: spec.window_size], scope)
    for at, row in enumerate(rows):
        score = single((row.score or 0.0) * single(spec.query_weight))
        if at < len(found) and not math.isnan(found[at]):
            second = single(found[at] * single(spec.rescore_query_weight))
            score = _combined(score, second, spec.score_mode)
        row.score = score
    return sorted(rows, key=_place)


def _place(row: Row) -> tuple[float, int]:
    return (-(row.score or 0.0), row.seq_no)


def _combined(first: float, second: float, mode: dsl.RescoreMode) -> float:
    match mode:
        case dsl.RescoreMode.MULTIPLY:
            return single(first * second)
        case dsl.RescoreMode.AVG:
            return single(single(first + second) / 2)
        case dsl.RescoreMode.MAX:
            return max(first, second)
        case dsl.RescoreMode.MIN:
            return min(first, second)
        case _:
            return single(first + second)
