"""Merging hits, totals, counts and failures of shards and clusters."""

import pytest

from sealane.errors import IllegalArgument
from sealane.query import parse_search_body
from sealane.reduce import cluster_reduce_phases, merge
from sealane.reduce.partial import Hit, Partial, ShardCounts, ShardFailure, TotalHits


def part(*hits: Hit, total: int = 0, exact: bool = True, types: list[str] | None = None) -> Partial:
    best = max((hit.score for hit in hits if hit.score is not None), default=None)
    return Partial(
        list(hits), TotalHits(total, exact), best, ShardCounts(1, 1, 0, 0), sort_types=types
    )


def ids(merged: Partial) -> list[str]:
    return [hit.id for hit in merged.hits]


BY_SCORE = parse_search_body(b"{}")


def test_scores_descend_and_from_is_dropped() -> None:
    parts = [
        part(Hit("i", "a", 3.0), Hit("i", "b", 1.0), total=2),
        part(Hit("j", "c", 2.0), total=1),
    ]
    merged = merge(BY_SCORE, parts, from_=1, size=2, final=True)
    assert ids(merged) == ["c", "b"]
    assert merged.total == TotalHits(3, True)
    assert merged.max_score == 3.0
    assert merged.shards == ShardCounts(2, 2, 0, 0)


def test_ties_are_in_order_of_shard_index_uuid_alias_and_position() -> None:
    remote = part(
        Hit("r:i", "r0", 1.0, shard=0, index_uuid="u"),
        Hit("r:i", "r1", 1.0, shard=1, index_uuid="u"),
    )
    local = part(
        Hit("i", "l0", 1.0, shard=0, index_uuid="u"),
        Hit("i", "l0b", 1.0, shard=0, index_uuid="u"),
        Hit("i", "l1", 1.0, shard=1, index_uuid="u"),
        Hit("j", "m0", 1.0, shard=0, index_uuid="u"),
    )
    merged = merge(BY_SCORE, [remote, local], from_=0, size=10, final=True)
    assert ids(merged) == ["l0", "l0b", "r0", "m0", "l1", "r1"]


@pytest.mark.parametrize(
    ("order", "missing", "expected"),
    [
        ("asc", "_last", ["a", "b", "none"]),
        ("asc", "_first", ["none", "a", "b"]),
        ("desc", "_last", ["b", "a", "none"]),
        ("desc", "_first", ["none", "b", "a"]),
    ],
)
def test_missing_text_is_last_or_first_in_both_directions(
    order: str, missing: str, expected: list[str]
) -> None:
    body = parse_search_body(
        f'{{"sort":[{{"k":{{"order":"{order}","missing":"{missing}"}}}}]}}'.encode()
    )
    parts = [
        part(Hit("i", name, None, sort=[value]), types=["keyword"])
        for name, value in (("none", None), ("b", "b"), ("a", "a"))
    ]
    assert ids(merge(body, parts, from_=0, size=10, final=True)) == expected


def test_addresses_sort_by_their_bytes() -> None:
    body = parse_search_body(b'{"sort":["ip"]}')
    parts = [
        part(Hit("i", name, None, sort=[name]), types=["ip"])
        for name in ("10.0.0.2", "9.0.0.1", "::1")
    ]
    assert ids(merge(body, parts, from_=0, size=3, final=True)) == ["::1", "9.0.0.1", "10.0.0.2"]


def test_sort_values_that_do_not_compare_are_refused() -> None:
    body = parse_search_body(b'{"sort":["f"]}')
    parts = [
        part(Hit("i", "a", None, sort=[1]), types=["long"]),
        part(Hit("j", "b", None, sort=["x"]), types=["keyword"]),
    ]
    with pytest.raises(IllegalArgument) as raised:
        merge(body, parts, from_=0, size=10, final=True)
    assert raised.value.reason == (
        "Can't sort on field [f]; the field has incompatible sort types: [LONG] and [STRING] across shards!"
    )


def test_totals_stop_at_the_limit() -> None:
    parts = [part(total=6), part(total=6)]
    limited = parse_search_body(b'{"track_total_hits":10}')
    assert merge(limited, parts, from_=0, size=0, final=True).total == TotalHits(10, False)
    all_of_them = parse_search_body(b'{"track_total_hits":true}')
    assert merge(all_of_them, parts, from_=0, size=0, final=True).total == TotalHits(12, True)
    untracked = parse_search_body(b'{"track_total_hits":false}')
    assert merge(untracked, parts, from_=0, size=0, final=True).total is None
    parts[0].total = TotalHits(6, False)
    assert merge(BY_SCORE, parts, from_=0, size=0, final=True).total == TotalHits(12, False)


def test_no_parts_are_an_empty_answer() -> None:
    merged = merge(BY_SCORE, [], from_=0, size=10, final=True)
    assert (merged.hits, merged.total, merged.max_score) == ([], TotalHits(0, True), None)
    assert merged.shards == ShardCounts()
    assert merged.reduce_phases == 0


def test_flags_and_failures_are_joined() -> None:
    one, other = part(), part()
    one.failures = [ShardFailure(1, "b", {}), ShardFailure(0, "r:a", {})]
    other.failures = [ShardFailure(-1, None, {}), ShardFailure(0, "a", {})]
    other.timed_out, other.terminated_early = True, False
    merged = merge(BY_SCORE, [one, other], from_=0, size=10, final=True)
    assert [failure.index for failure in merged.failures] == [None, "a", "r:a", "b"]
    assert merged.timed_out is True
    assert merged.terminated_early is False
    assert cluster_reduce_phases([one, other]) == 3


@pytest.mark.parametrize(
    ("order", "missing", "expected"),
    [
        ("asc", "_last", ["n1", "n2", "p1", "p2", "none"]),
        ("desc", "_last", ["p1", "p2", "n1", "n2", "none"]),
        ("asc", "_first", ["none", "n1", "n2", "p1", "p2"]),
    ],
)
def test_the_negative_zero_is_below_the_other(
    order: str, missing: str, expected: list[str]
) -> None:
    """As the reference compares doubles: else a page would follow one order, and the shards the other."""
    text = f'{{"sort":[{{"w":{{"order":"{order}","missing":"{missing}"}}}},"n"]}}'
    body = parse_search_body(text.encode())
    rows = {"p1": (0.0, 1), "n1": (-0.0, 2), "none": (None, 9), "n2": (-0.0, 4), "p2": (0.0, 3)}
    parts = [
        part(
            *(Hit("i", name, None, sort=list(rows[name])) for name in names),
            types=["double", "long"],
        )
        for names in (("n1", "p1"), ("n2", "p2"), ("none",))
    ]
    assert ids(merge(body, parts, from_=0, size=10, final=True)) == expected
    assert ids(merge(body, parts, from_=1, size=2, final=True)) == expected[1:3]
