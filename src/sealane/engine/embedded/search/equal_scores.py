"""Ranking by the score first, where all matches have the same one: it says nothing, and the other keys decide.

A walk through all documents, page after page, is such a ranking: by score, then in document order.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from sealane.engine.embedded.search.rank import Row
from sealane.engine.embedded.search.sort_numbers import single

if TYPE_CHECKING:
    from sealane.engine.embedded.search.collect import Plan


class Rank(Protocol):
    def __call__(self, plan: "Plan", limit: int, /) -> list[Row]: ...


def leads_with_equal_scores(plan: "Plan") -> bool:
    return plan.hits.constant is not None and bool(plan.keys) and plan.keys[0].is_score


def rank_beside_score(plan: "Plan", limit: int, rank: Rank) -> list[Row]:
    """The rows as `rank` gives them by the other keys, each with the score as its first value."""
    assert plan.hits.constant is not None
    score = single(plan.hits.constant)
    key, rest, after = plan.keys[0], plan.keys[1:], None
    if plan.after is not None:
        place = key.compare(score, plan.after[0])
        if place < 0 or (place == 0 and not rest):
            return []
        after = plan.after[1:] if place == 0 else None
    rows = rank(replace(plan, keys=rest, after=after), limit)
    for row in rows:
        row.values.insert(0, score)
    return rows
