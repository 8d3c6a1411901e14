"""Terms over the two zeros of doubles, and aggregations over vectors: as a real server answered."""

from typing import Any

import pytest

from tests.conformance.conftest import Pair

Json = dict[str, Any]
MAPPING = {
    "d": {"type": "double"},
    "f": {"type": "float"},
    "g": {"type": "geo_point"},
    "v": {"type": "dense_vector", "dims": 2},
}


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    for cluster in (pair.local, pair.eu):
        body = {"settings": {"number_of_shards": 2}, "mappings": {"properties": MAPPING}}
        await cluster.call("PUT", "/i", body)
        await cluster.fill(
            "i",
            {
                str(at): {"d": value, "f": value, "g": [1, 2], "v": [1, 2]}
                for at, value in enumerate([0.0, -0.0, 1.0, -0.0])
            },
        )
    return pair


async def keys(pair: Pair, terms: Json, names: str = "i") -> list[tuple[str, int]]:
    body = {"size": 0, "aggs": {"a": {"terms": terms}}}
    answer = await pair.local.call("POST", f"/{names}/_search", body)
    return [
        (str(each["key"]), each["doc_count"]) for each in answer["aggregations"]["a"]["buckets"]
    ]


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({"field": "d"}, [("-0.0", 2), ("0.0", 1), ("1.0", 1)]),
        ({"field": "f"}, [("-0.0", 2), ("0.0", 1), ("1.0", 1)]),
        ({"field": "d", "include": [0.0]}, [("0.0", 1)]),
        ({"field": "d", "include": [-0.0]}, [("-0.0", 2)]),
        ({"field": "d", "exclude": [0]}, [("-0.0", 2), ("1.0", 1)]),
        ({"field": "d", "missing": 0}, [("-0.0", 2), ("0.0", 1), ("1.0", 1)]),
        (
            {"field": "d", "order": {"_key": "desc"}},
            [("1.0", 1), ("0.0", 1), ("-0.0", 2)],
        ),
    ],
)
async def test_the_two_zeros_are_two_terms(
    filled: Pair, terms: Json, expected: list[tuple[str, int]]
) -> None:
    assert await keys(filled, terms) == expected
    both = [(key, 2 * count) for key, count in expected]
    assert await keys(filled, terms, "i,eu:i") == both


async def test_what_is_below_a_zero_is_of_that_zero(filled: Pair) -> None:
    below = {"m": {"max": {"field": "d"}}, "t": {"terms": {"field": "f"}}}
    body = {"size": 0, "aggs": {"a": {"terms": {"field": "d"}, "aggs": below}}}
    answer = await filled.local.call("POST", "/i,eu:i/_search", body)
    shown = [
        (
            str(each["key"]),
            str(each["m"]["value"]),
            [str(one["key"]) for one in each["t"]["buckets"]],
        )
        for each in answer["aggregations"]["a"]["buckets"]
    ]
    assert shown == [("-0.0", "-0.0", ["-0.0"]), ("0.0", "0.0", ["0.0"]), ("1.0", "1.0", ["1.0"])]


async def refusal(pair: Pair, agg: Json) -> tuple[int, str]:
    answer = await pair.local.request("POST", "/i/_search", {"size": 0, "aggs": {"a": agg}})
    return answer.status, answer.body["error"]["root_cause"][0]["reason"]


@pytest.mark.parametrize(
    "kind", ["terms", "cardinality", "value_count", "missing", "significant_terms", "rare_terms"]
)
async def test_vectors_are_no_keys(filled: Pair, kind: str) -> None:
    text = "String representation of doc values for vector fields is not supported"
    assert await refusal(filled, {kind: {"field": "v"}}) == (500, text)


@pytest.mark.parametrize("field", ["v", "g"])
@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("stats", {}),
        ("max", {}),
        ("percentiles", {}),
        ("histogram", {"interval": 1}),
        ("range", {"ranges": [{"to": 1}]}),
        ("date_histogram", {"calendar_interval": "day"}),
    ],
)
async def test_vectors_and_places_are_no_numbers(
    filled: Pair, field: str, kind: str, members: Json
) -> None:
    type_ = MAPPING[field]["type"]
    text = f"Field [{field}] of type [{type_}] is not supported for aggregation [{kind}]"
    assert await refusal(filled, {kind: {"field": field, **members}}) == (400, text)


@pytest.mark.parametrize("kind", ["terms", "significant_terms", "rare_terms"])
async def test_places_are_no_keys(filled: Pair, kind: str) -> None:
    text = f"Field [g] of type [geo_point] is not supported for aggregation [{kind}]"
    assert await refusal(filled, {kind: {"field": "g"}}) == (400, text)
