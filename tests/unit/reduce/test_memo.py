"""Memories of merged answers: what they take for the same, and how much they keep."""

from typing import Any

import orjson

from sealane.model.dsl import SearchBody
from sealane.query import parse_search_body
from sealane.reduce import IdentityMemo, MergeMemo
from sealane.reduce.partial import (
    MetricPartial,
    Partial,
    ShardCounts,
    TermBucket,
    TermsPartial,
    TotalHits,
)


class Thing:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1


# -- IdentityMemo ------------------------------------------------------------------------------------------------


def test_things_that_are_equal_are_not_the_same() -> None:
    memo: IdentityMemo[str] = IdentityMemo(10)
    one, other = Thing(), Thing()
    memo.put((one,), "one")
    assert memo.get((one,)) == "one"
    assert memo.get((other,)) is None
    assert memo.get((one, one)) is None


def test_what_is_remembered_is_kept_alive_so_that_no_other_takes_its_identity() -> None:
    memo: IdentityMemo[int] = IdentityMemo(100)
    for number in range(100):
        memo.put(([number],), number)
    fresh = [[number] for number in range(1000)]
    assert all(memo.get((each,)) is None for each in fresh)


def test_the_least_recently_used_is_forgotten_first() -> None:
    memo: IdentityMemo[str] = IdentityMemo(2)
    a, b, c = Thing(), Thing(), Thing()
    memo.put((a,), "a")
    memo.put((b,), "b")
    assert memo.get((a,)) == "a"
    memo.put((c,), "c")
    assert len(memo) == 2
    assert memo.get((b,)) is None
    assert (memo.get((a,)), memo.get((c,))) == ("a", "c")


# -- MergeMemo ---------------------------------------------------------------------------------------------------


def body_of(**aggs: Any) -> SearchBody:
    return parse_search_body(orjson.dumps({"size": 0, "aggs": aggs}))


def metric(value: float) -> Partial:
    return part({"m": MetricPartial(1, value, value, value)})


def part(aggs: dict[str, Any]) -> Partial:
    return Partial(
        hits=[], total=TotalHits(1), max_score=None, shards=ShardCounts(1, 1, 0, 0), aggs=aggs
    )


SUM = body_of(m={"sum": {"field": "n"}})


def merged(memo: MergeMemo, body: SearchBody, parts: list[Partial], **members: Any) -> Partial:
    given = {"from_": 0, "size": 0, "final": True, "max_buckets": 100, "now_ms": 0}
    return memo.merge(body, parts, **{**given, **members})


def total_of(answer: Partial) -> float:
    assert answer.aggs is not None
    found = answer.aggs["m"]
    assert isinstance(found, MetricPartial)
    return found.sum


def test_the_same_parts_give_the_same_answer_without_a_merge() -> None:
    memo, parts = MergeMemo(), [metric(1.0), metric(2.0)]
    first = merged(memo, SUM, parts)
    assert total_of(first) == 3.0
    assert merged(memo, SUM, list(parts)) is first


def test_other_parts_bodies_and_reductions_are_merged_anew() -> None:
    memo, one, two = MergeMemo(), metric(1.0), metric(2.0)
    first = merged(memo, SUM, [one, two])
    assert total_of(merged(memo, SUM, [one, metric(2.5)])) == 3.5
    assert total_of(merged(memo, SUM, [one])) == 1.0
    assert merged(memo, body_of(m={"avg": {"field": "n"}}), [one, two]) is not first
    assert merged(memo, SUM, [one, two], final=False) is not first
    assert merged(memo, SUM, [one, two], max_buckets=5) is not first


def test_answers_that_depend_on_the_page_or_the_time_are_not_remembered() -> None:
    memo, parts = MergeMemo(), [metric(1.0), metric(2.0)]
    assert merged(memo, SUM, parts, size=1) is not merged(memo, SUM, parts, size=1)
    timed = body_of(m={"sum": {"field": "n"}}, f={"filter": {"range": {"at": {"gte": "now-1d"}}}})
    assert merged(memo, timed, parts) is not merged(memo, timed, parts)


def test_an_answer_of_many_buckets_is_not_remembered() -> None:
    memo, body = MergeMemo(), body_of(t={"terms": {"field": "k", "size": 10_000}})
    few, many = (
        [part({"t": TermsPartial([TermBucket(n, 1) for n in range(count)], key_type="long")})]
        for count in (10, 5_000)
    )
    for parts, same in ((few, True), (many, False)):
        parts = [*parts, part({"t": TermsPartial([], key_type="long")})]
        first = merged(memo, body, parts, max_buckets=65_536)
        assert (merged(memo, body, parts, max_buckets=65_536) is first) is same
