"""The ends of what numbers can be: beyond 2^53, beyond 64 bits, and the zero below zero. 8.19's answers throughout."""

from typing import Any

import pytest

from sealane.engine.embedded.search import rank
from sealane.engine.embedded.view import ShardView
from sealane.errors import ApiError, NumberFormatError, ParseError
from sealane.reduce.partial import BucketsPartial
from tests.unit.engine.search.shards import found, ids, mapping_of, search, shard

LONG_MAX, LONG_MIN, EXACT = 2**63 - 1, -(2**63), 2**53
DOCS: list[dict[str, Any]] = [
    {"x": EXACT + 1, "i": 1, "t": True, "d": 1, "w": 1.5},
    {"x": -EXACT - 1, "i": 2**31 - 1, "t": False, "d": 100_000, "w": 1.7e308},
    {"x": LONG_MAX, "i": -(2**31), "t": False, "d": "2024-01-01", "w": -1.7e308},
    {"x": LONG_MIN},
]
TYPES = {"x": "long", "i": "integer", "t": "boolean", "d": "date", "w": "double"}
_ZEROS = mapping_of({"w": "double", "n": "long"})


@pytest.fixture(scope="module")
def extremes() -> ShardView:
    return shard(DOCS, mapping_of(TYPES))


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"gte": EXACT + 1}, ["1", "3"]),
        ({"gt": EXACT, "lt": LONG_MAX}, ["1"]),
        ({"lte": -EXACT - 1}, ["2", "4"]),
        ({"lt": -EXACT, "gt": LONG_MIN}, ["2"]),
        ({"gte": LONG_MAX}, ["3"]),
        ({"lte": LONG_MIN}, ["4"]),
    ],
)
def test_ranges_tell_all_whole_numbers_apart(
    extremes: ShardView, bounds: dict[str, Any], expected: list[str]
) -> None:
    assert found(extremes, {"range": {"x": bounds}}) == expected


@pytest.mark.parametrize(
    ("value", "bounds"),
    [
        (EXACT + 1, {"gte": EXACT + 1}),
        (EXACT + 1, {"gt": EXACT}),
        (-EXACT - 1, {"lte": -EXACT - 1}),
        (LONG_MAX, {"gte": 0}),
        (LONG_MAX, {"gte": LONG_MAX}),
        (LONG_MIN, {"lte": LONG_MIN}),
    ],
)
def test_a_range_finds_the_only_value_there_is(value: int, bounds: dict[str, Any]) -> None:
    view = shard([{"x": value}], mapping_of({"x": "long"}))
    assert found(view, {"range": {"x": bounds}}) == ["1"]


RANGES: list[tuple[dict[str, float], int]] = [
    ({"to": -1e300}, 0),
    ({"to": LONG_MIN}, 0),
    ({"to": 0}, 2),
    ({"to": 2}, 2),
    ({"to": LONG_MAX}, 3),
    ({"to": 1e300}, 4),
    ({"from": -1e300}, 4),
    ({"from": LONG_MIN}, 4),
    ({"from": 0}, 2),
    ({"from": 5, "to": 5}, 0),
    ({"from": LONG_MAX}, 1),
    ({"from": 1e300}, 0),
]


@pytest.mark.parametrize("aggs", [{}, {"n": {"value_count": {"field": "x"}}}], ids=["", "nested"])
def test_a_range_aggregation_takes_bounds_beyond_the_type(
    extremes: ShardView, aggs: dict[str, Any]
) -> None:
    def counts(ranges: list[dict[str, float]]) -> list[int]:
        agg = {"range": {"field": "x", "ranges": ranges}, "aggs": aggs}
        answer = search(extremes, {"size": 0, "aggs": {"a": agg}}).aggs
        assert answer is not None
        assert isinstance(answer["a"], BucketsPartial)
        return [bucket.count for bucket in answer["a"].buckets]

    assert counts([spec for spec, _ in RANGES]) == [count for _, count in RANGES]
    assert [counts([spec]) for spec, _ in RANGES] == [[count] for _, count in RANGES]


def test_a_range_aggregation_over_no_documents_has_empty_buckets() -> None:
    ranges = {"field": "x", "ranges": [{"to": 5}, {"from": 5}]}
    answer = search(
        shard([], mapping_of({"x": "long"})), {"size": 0, "aggs": {"a": {"range": ranges}}}
    )
    assert answer.aggs is not None
    partial = answer.aggs["a"]
    assert isinstance(partial, BucketsPartial)
    assert [bucket.count for bucket in partial.buckets] == [0, 0]


@pytest.mark.parametrize(
    ("field", "after", "expected"),
    [
        ("x", 1e300, []),
        ("x", -1e300, ["2", "1", "3"]),
        ("x", LONG_MAX + 1, []),
        ("x", LONG_MIN - 1, ["2", "1", "3"]),
        ("x", 10**22, []),
        ("x", "1e300", []),
        ("x", "1.9", ["1", "3"]),
        ("x", " 1", ["1", "3"]),
        ("x", "NaN", ["1", "3"]),
        ("i", 1e300, []),
        ("i", -1e300, ["1", "2", "4"]),
        ("i", 2**32 + 1, []),
        ("i", -1.9, ["1", "2", "4"]),
        ("i", "300", ["2", "4"]),
        ("t", 1e300, []),
        ("t", -1e300, ["2", "3", "1", "4"]),
        ("t", 1.9, ["4"]),
        ("t", "true", ["4"]),
        ("d", 1e300, []),
        ("d", "300", ["2", "3", "4"]),
        ("d", "1.9", ["2", "3", "4"]),
        ("w", 10**400, []),
        ("w", -(10**400), ["3", "1", "2", "4"]),
        ("w", "NaN", []),
        ("w", "1d", ["1", "2", "4"]),
    ],
)
def test_search_after_stops_at_the_ends_of_the_type(
    extremes: ShardView, field: str, after: object, expected: list[str]
) -> None:
    assert ids(search(extremes, {"sort": [field], "search_after": [after]})) == expected


@pytest.mark.parametrize(
    ("field", "after", "reason", "cause"),
    [
        ("x", "abc", "Failed to parse search_after value for field [x].", "abc"),
        ("x", "1_0", "Failed to parse search_after value for field [x].", "1_0"),
        ("x", True, "Failed to parse search_after value for field [x].", "true"),
        ("i", LONG_MAX + 1, "Failed to parse search_after value for field [i].", str(LONG_MAX + 1)),
        ("i", "4294967297", "Failed to parse search_after value for field [i].", "4294967297"),
        ("i", "1.9", "Failed to parse search_after value for field [i].", "1.9"),
        ("w", "inf", "Failed to parse search_after value for field [w].", "inf"),
        ("w", "0x10", "Failed to parse search_after value for field [w].", "0x10"),
        ("_score", "abc", "Failed to parse search_after value for field [null].", "abc"),
        ("t", "300", "Cannot parse boolean [300], expected either [true] or [false]", None),
        (
            "t",
            LONG_MAX + 1,
            f"Cannot parse boolean [{LONG_MAX + 1}], expected either [true] or [false]",
            None,
        ),
    ],
)
def test_search_after_refuses_what_is_no_value(
    extremes: ShardView, field: str, after: object, reason: str, cause: str | None
) -> None:
    with pytest.raises(ApiError) as caught:
        search(extremes, {"sort": [{field: "asc"}], "search_after": [after]})
    assert caught.value.reason == reason
    assert caught.value.status == 400
    if cause is not None:
        assert isinstance(caught.value.caused_by, NumberFormatError)
        assert caught.value.caused_by.reason == f'For input string: "{cause}"'


@pytest.mark.parametrize("after", ["9223372036854775808", LONG_MAX + 1, True, "abc"])
def test_a_bad_date_in_search_after_is_told_as_in_a_query(
    extremes: ShardView, after: object
) -> None:
    with pytest.raises(ApiError, match=r"^failed to parse date field \[") as caught:
        search(extremes, {"sort": ["d"], "search_after": [after]})
    assert isinstance(caught.value, ParseError)


@pytest.mark.parametrize(
    ("field", "missing", "shown"),
    [
        ("i", 1e300, 2**31 - 1),
        ("i", LONG_MAX + 1, 0),
        ("i", 2**32 + 1, 1),
        ("i", -1.9, -1),
        ("t", LONG_MAX + 1, LONG_MIN),
        ("t", "4294967297", 2**32 + 1),
        ("d", -1e300, LONG_MIN),
        ("w", LONG_MAX + 1, 2.0**63),
        ("w", "1.9", 1.9),
    ],
)
def test_a_missing_value_is_held_within_the_type(
    extremes: ShardView, field: str, missing: object, shown: float
) -> None:
    hits = search(extremes, {"sort": [{field: {"missing": missing}}]}).hits
    assert [hit.sort for hit in hits if hit.id == "4"] == [[shown]]


@pytest.mark.parametrize(("field", "missing"), [("i", "4294967297"), ("d", "1.9"), ("x", True)])
def test_a_missing_text_must_fit(extremes: ShardView, field: str, missing: object) -> None:
    with pytest.raises(NumberFormatError):
        search(extremes, {"sort": [{field: {"missing": missing}}]})


# -- -0.0 and 0.0 ------------------------------------------------------------------------------------------------


_ENDS = (float("inf"), float("-inf"))


def _zeros(*more: Any) -> ShardView:
    """0.0, -0.0, 0.0, -0.0 as documents 1 to 4, numbered by `n`, and more values of `w`."""
    values = [0.0, -0.0, 0.0, -0.0, *more]
    docs = [{"n": at + 1} | ({} if w is None else {"w": w}) for at, w in enumerate(values)]
    return shard(docs, _ZEROS, commits=2)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_the_negative_zero_is_below_the_other(size: int) -> None:
    view = _zeros()
    up, down = {"sort": ["w", "n"]}, {"sort": [{"w": "desc"}, "n"]}
    assert ids(search(view, {**up, "size": size})) == ["2", "4", "1", "3"][:size]
    assert ids(search(view, {**down, "size": size})) == ["1", "3", "2", "4"][:size]


@pytest.mark.parametrize(
    ("after", "expected"),
    [([0, 1], ["3"]), (["-0", 2], ["4", "1", "3"]), ([-0.0, 2], ["4", "1", "3"])],
)
def test_search_after_tells_the_zeros_apart(after: list[object], expected: list[str]) -> None:
    assert ids(search(_zeros(), {"sort": ["w", "n"], "search_after": after})) == expected


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("missing", ["_last", "_first", -0.0, 0])
@pytest.mark.parametrize("more", [[None, -1.0, None, 1.0], [[0.0, -0.0], [-0.0, 0.0], None]])
def test_pages_over_zeros_lose_nothing(order: str, missing: object, more: list[Any]) -> None:
    view = _zeros(*more)
    body: dict[str, Any] = {"sort": [{"w": {"order": order, "missing": missing}}, "n"]}
    whole = search(view, {**body, "size": 20}).hits
    assert len(whole) == 4 + len(more)
    seen: list[str] = []
    page = search(view, {**body, "size": 1}).hits
    while page:
        seen += [hit.id for hit in page]
        # Infinities are shown as text.
        edge = [str(v).replace("inf", "Infinity") if v in _ENDS else v for v in page[-1].sort or ()]
        page = search(view, {**body, "size": 1, "search_after": edge}).hits
    assert seen == [hit.id for hit in whole]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("min", ["2", "4", "5", "6", "7", "1", "3"]),
        ("max", ["2", "4", "7", "1", "3", "5", "6"]),
        ("sum", ["2", "4", "7", "1", "3", "5", "6"]),
    ],
)
def test_one_of_several_zeros_is_chosen_by_sign(mode: str, expected: list[str]) -> None:
    view = _zeros([0.0, -0.0], [-0.0, 0.0], None)
    key = {"w": {"order": "asc", "missing": -0.0, "mode": mode}}
    assert ids(search(view, {"sort": [key, "n"]})) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"range": {"w": {"gte": 0}}}, ["1", "3"]),
        ({"range": {"w": {"gt": -0.0}}}, ["1", "3"]),
        ({"range": {"w": {"gte": -0.0}}}, ["1", "2", "3", "4"]),
        ({"range": {"w": {"lt": 0.0}}}, ["2", "4"]),
        ({"range": {"w": {"lte": -0.0}}}, ["2", "4"]),
        ({"range": {"w": {"lt": -0.0}}}, []),
        ({"term": {"w": -0.0}}, ["2", "4"]),
        ({"term": {"w": "-0"}}, ["2", "4"]),
        ({"term": {"w": 0}}, ["1", "3"]),
        ({"terms": {"w": [0, 5]}}, ["1", "3"]),
    ],
)
def test_queries_tell_the_zeros_apart(query: dict[str, Any], expected: list[str]) -> None:
    assert found(_zeros(), query) == expected


@pytest.mark.parametrize(
    ("bounds", "asc", "desc"),
    [
        ({"gte": 0}, ["1", "3"], ["1", "3"]),
        ({"gte": -0.0}, ["2", "4"], ["1", "3"]),
        ({"lte": -0.0}, ["2", "4"], ["2", "4"]),
    ],
)
def test_a_large_shards_best_tell_the_zeros_apart(
    monkeypatch: pytest.MonkeyPatch, bounds: dict[str, float], asc: list[str], desc: list[str]
) -> None:
    """Also where the best documents of the column are known from before."""
    monkeypatch.setattr(rank, "THRESHOLD_MIN_DOCS", 1)
    view, query = _zeros(), {"range": {"w": bounds}}
    for order, expected in (("asc", asc), ("desc", desc)):
        for _ in range(2):
            body = {"query": query, "sort": [{"w": order}], "size": 2}
            assert ids(search(view, body)) == expected


def test_the_zeros_are_the_same_to_a_range_aggregation() -> None:
    ranges = [{"to": 0}, {"from": -0.0, "to": 0.0}, {"from": 0}]
    answer = search(
        _zeros(), {"size": 0, "aggs": {"a": {"range": {"field": "w", "ranges": ranges}}}}
    )
    assert answer.aggs is not None
    partial = answer.aggs["a"]
    assert isinstance(partial, BucketsPartial)
    assert [bucket.count for bucket in partial.buckets] == [0, 0, 4]
