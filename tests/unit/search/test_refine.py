"""The second round for terms: what it is asked, and what of its end ends the search."""

import pytest

from sealane.errors import ApiError, NodeDisconnected, TaskCancelled
from sealane.query import parse_search_body
from sealane.reduce.partial import Partial, ShardCounts, TermBucket, TermsPartial
from sealane.search.client_search import ClientSearch
from sealane.search.outcome import SearchOutcome
from sealane.search.refine import search_refined

REQUEST = ClientSearch(
    expressions=("i",),
    body=parse_search_body(b'{"size":1,"aggs":{"k":{"terms":{"field":"k","size":1}}}}'),
    refine_terms=True,
    scroll_ms=1_000,
)
FIRST = SearchOutcome(
    answer=Partial(
        hits=[],
        total=None,
        max_score=None,
        shards=ShardCounts(1, 1),
        aggs={"k": TermsPartial([TermBucket("a", 2)], 3, 1, "string")},
    ),
    took_ms=1,
)


async def refined(error: ApiError) -> tuple[SearchOutcome, ClientSearch]:
    asked: list[ClientSearch] = []

    async def first(request: ClientSearch) -> SearchOutcome:
        return FIRST

    async def second(request: ClientSearch) -> SearchOutcome:
        asked.append(request)
        raise error

    return await search_refined(REQUEST, first, second), asked[0]


async def test_a_second_round_that_fails_leaves_the_first_as_it_is() -> None:
    """It opens no scroll besides the first one's, which nobody would close."""
    outcome, asked = await refined(NodeDisconnected("gone"))
    assert outcome is FIRST
    assert (asked.scroll_ms, asked.refine_terms) == (None, False)


async def test_a_second_round_that_is_cancelled_cancels_the_search() -> None:
    with pytest.raises(TaskCancelled):
        await refined(TaskCancelled("by user request"))
