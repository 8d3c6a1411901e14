"""Large answers are merged beside the loop, small ones where they are."""

import threading

from sealane.reduce import is_large
from sealane.reduce.partial import Partial, ShardCounts, TermBucket, TermsPartial
from sealane.search.aside import aside


def answer(buckets: int) -> Partial:
    terms = TermsPartial([TermBucket(f"k{n}", 1) for n in range(buckets)], key_type="keyword")
    return Partial(hits=[], total=None, max_score=None, shards=ShardCounts(1, 1), aggs={"t": terms})


async def test_a_small_answer_is_worked_on_at_once() -> None:
    assert await aside(threading.get_ident, [answer(10)]) == threading.get_ident()


async def test_a_large_answer_is_worked_on_in_a_thread() -> None:
    assert await aside(threading.get_ident, [answer(10), answer(5_000)]) != threading.get_ident()


def test_buckets_of_all_levels_count() -> None:
    inner = answer(100).aggs
    outer = TermsPartial([TermBucket(f"k{n}", 1, inner) for n in range(50)], key_type="keyword")
    assert is_large({"t": outer})
    assert not is_large({"t": TermsPartial([TermBucket("k", 1, inner)], key_type="keyword")})
