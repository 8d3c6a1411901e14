"""The rarer field types: what is found, sorted, aggregated, shown and refused. Expected values are the reference's."""

from typing import Any

import pytest

from tests.conformance.conftest import Pair

Json = dict[str, Any]
PROPERTIES: Json = {
    "b": {"type": "binary"},
    "v": {"type": "dense_vector", "dims": 2},
    "h": {"type": "half_float"},
    "s": {"type": "scaled_float", "scaling_factor": 100},
    "dn": {"type": "date_nanos"},
    "al": {"type": "alias", "path": "k"},
    "k": {"type": "keyword", "copy_to": "all"},
    "all": {"type": "text"},
    "n": {"type": "long", "copy_to": ["m", "all"]},
    "m": {"type": "long"},
    "c": {"type": "constant_keyword"},
    "w": {"type": "wildcard"},
}
DOCUMENTS: dict[str, Json] = {
    "1": {
        "b": "U29tZQ==",
        "v": [1, 2],
        "h": 1.2,
        "s": 1.234,
        "dn": "2024-01-01T00:00:00.123456789Z",
        "k": "x y",
        "n": 3,
        "c": "always",
        "w": "/var/log/x",
    },
    "2": {
        "h": [3.3, 70],
        "dn": ["2024-01-01", "2023-01-01T00:00:00.000000001Z"],
        "k": ["a", "b"],
        "n": [7, 8],
    },
    "3": {"v": [0.5, 0.5]},
}


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    for cluster in (pair.local, pair.eu):
        await cluster.call("PUT", "/t", {"mappings": {"properties": PROPERTIES}})
        await cluster.fill("t", DOCUMENTS)
    return pair


async def hits(pair: Pair, body: Json, target: str = "/t/_search") -> list[Json]:
    answer = await pair.local.call("POST", target, body)
    found: list[Json] = answer["hits"]["hits"]
    return found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"term": {"h": 1.2}}, "1"),
        ({"range": {"h": {"gt": 1.2}}}, "12"),
        ({"range": {"h": {"gte": 1.2, "lte": 3.3}}}, "1"),
        ({"term": {"s": 1.23}}, "1"),
        ({"range": {"dn": {"gte": "2024-01-01", "lt": "2024-01-02"}}}, "12"),
        ({"term": {"dn": "2024-01-01"}}, "12"),
        ({"term": {"dn": "2023-01-01T00:00:00.000000001Z"}}, "2"),
        ({"terms": {"al": ["a", "x y"]}}, "12"),
        ({"exists": {"field": "al"}}, "12"),
        ({"match": {"all": "x"}}, "1"),
        ({"match": {"all": "7"}}, "2"),
        ({"term": {"m": 7}}, "2"),
        ({"exists": {"field": "v"}}, "13"),
        ({"exists": {"field": "b"}}, ""),
        ({"term": {"c": "always"}}, "123"),
        ({"term": {"c": "never"}}, ""),
        ({"wildcard": {"w": "*log*"}}, "1"),
    ],
)
async def test_values_are_found(filled: Pair, query: Json, expected: str) -> None:
    assert sorted(hit["_id"] for hit in await hits(filled, {"query": query})) == list(expected)


async def test_a_constant_comes_with_the_first_document_that_has_it(filled: Pair) -> None:
    mapping = await filled.local.call("GET", "/t/_mapping")
    assert mapping["t"]["mappings"]["properties"]["c"]["value"] == "always"
    answer = await filled.local.request("PUT", "/t/_doc/9", {"c": "never"})
    assert answer.status == 400
    assert "only accepts values that are equal" in str(answer.body)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ({"h": "asc"}, [1.2001953, 3.3007812, "Infinity"]),
        ({"dn": "asc"}, [1672531200000000001, 1704067200123456789, 2**63 - 1]),
        (
            {"dn": {"order": "desc", "format": "strict_date_optional_time_nanos"}},
            [
                "2024-01-01T00:00:00.123456789Z",
                "2024-01-01T00:00:00.000Z",
                "1970-01-01T00:00:00.000Z",
            ],
        ),
        ({"dn": {"numeric_type": "date"}}, [1672531200000, 1704067200123, 2**63 - 1]),
        ({"n": {"numeric_type": "double"}}, [3.0, 7.0, "Infinity"]),
        ({"al": "asc"}, ["a", "x y", None]),
    ],
)
async def test_values_are_sorted_by(filled: Pair, sort: Json, expected: list[Any]) -> None:
    assert [hit["sort"][0] for hit in await hits(filled, {"sort": [sort]})] == expected
    both = await hits(filled, {"sort": [sort]}, "/t,eu:t/_search")
    assert [hit["sort"][0] for hit in both] == [each for each in expected for _ in range(2)]


async def test_values_are_aggregated(filled: Pair) -> None:
    aggs = {
        "y": {"date_histogram": {"field": "dn", "calendar_interval": "year"}},
        "h": {"stats": {"field": "h"}},
        "k": {"terms": {"field": "al"}},
        "c": {"terms": {"field": "c"}},
    }
    answer = await filled.local.call("POST", "/t,eu:t/_search", {"size": 0, "aggs": aggs})
    found = answer["aggregations"]
    assert [(each["key_as_string"], each["doc_count"]) for each in found["y"]["buckets"]] == [
        ("2023-01-01T00:00:00.000Z", 2),
        ("2024-01-01T00:00:00.000Z", 4),
    ]
    assert (found["h"]["min"], found["h"]["max"], found["h"]["count"]) == (1.2001953125, 70.0, 6)
    assert [each["key"] for each in found["k"]["buckets"]] == ["a", "b", "x y"]
    assert [(each["key"], each["doc_count"]) for each in found["c"]["buckets"]] == [("always", 6)]


async def test_values_are_shown(filled: Pair) -> None:
    body = {"query": {"ids": {"values": ["1"]}}, "_source": False}
    (hit,) = await hits(filled, {**body, "fields": ["h", "dn", "v", "b", "al", "all", "s"]})
    assert hit["fields"] == {
        "h": [1.2001953],
        "dn": ["2024-01-01T00:00:00.123456789Z"],
        "v": [1, 2],
        "b": ["U29tZQ=="],
        "al": ["x y"],
        "all": ["x y", "3"],
        "s": [1.23],
    }
    columns = ["h", {"field": "dn", "format": "epoch_millis"}, "al"]
    (hit,) = await hits(filled, {**body, "docvalue_fields": columns})
    assert hit["fields"] == {
        "h": [1.2001953125],
        "dn": ["1704067200123.456789"],
        "al": ["x y"],
    }


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"al": "x"}, "[1:7] Cannot write to a field alias [al]."),
        (
            {"v": [1]},
            "[1:8] failed to parse: The [dense_vector] field [v] in doc [document with id '9'] has a "
            "different number of dimensions [1] than defined in the mapping [2]",
        ),
        (
            {"v": [1, 2, 3]},
            "[1:11] failed to parse: The [dense_vector] field [v] in doc [document with id '9'] has "
            "more dimensions than defined in the mapping [2]",
        ),
        (
            {"v": [0, 0]},
            "[1:10] failed to parse: The [cosine] similarity does not support vectors with zero "
            "magnitude. Preview of invalid vector: [0.0, 0.0]",
        ),
        (
            {"h": 70000},
            "[1:6] failed to parse field [h] of type [half_float] in document with id '9'. Preview of "
            "field's value: '70000'",
        ),
        (
            {"dn": "1960-01-01"},
            "[1:7] failed to parse field [dn] of type [date_nanos] in document with id '9'. Preview of "
            "field's value: '1960-01-01'",
        ),
    ],
)
async def test_values_that_do_not_fit_are_refused(
    filled: Pair, document: Json, reason: str
) -> None:
    answer = await filled.local.request("PUT", "/t/_doc/9", document)
    assert answer.status == 400
    assert answer.body["error"]["reason"] == reason


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        (
            {"a": {"type": "alias", "path": "b"}},
            "Invalid [path] value [b] for field alias [a]: an alias must refer to an existing field in "
            "the mappings.",
        ),
        (
            {"a": {"type": "alias"}},
            "Failed to parse mapping: The [path] property must be specified for field [a].",
        ),
        (
            {"a": {"type": "text", "fields": {"k": {"type": "keyword", "copy_to": "b"}}}},
            "[copy_to] may not be used to copy from a multi-field: [a.k]",
        ),
        (
            {
                "a": {"type": "keyword", "copy_to": "o"},
                "o": {"properties": {"x": {"type": "long"}}},
            },
            "Cannot copy to field [o] since it is mapped as an object",
        ),
        (
            {"a": {"type": "dense_vector", "dims": 5000}},
            "Failed to parse mapping: The number of dimensions should be in the range [1, 4096] but was "
            "[5000]",
        ),
        (
            {"a": {"type": "scaled_float"}},
            "Failed to parse mapping: Field [scaling_factor] is required",
        ),
        (
            {"a": {"type": "geo_point", "null_value": "91,2"}},
            "Failed to parse mapping: illegal latitude value [91.0]",
        ),
    ],
)
async def test_mappings_that_make_no_sense_are_refused(
    pair: Pair, properties: Json, reason: str
) -> None:
    answer = await pair.local.request("PUT", "/bad", {"mappings": {"properties": properties}})
    assert answer.status == 400
    assert answer.body["error"]["reason"] == reason


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (
            {"n": {"type": "nested"}},
            {"n": {"properties": {"y": {"type": "long"}}}},
            "can't merge a non-nested mapping [n] with a nested mapping",
        ),
        (
            {"n": {"type": "long"}},
            {"n": {"type": "nested"}},
            "can't merge a non-nested mapping [n] with a nested mapping",
        ),
        (
            {"n": {"type": "nested"}},
            {"n": {"type": "nested", "include_in_root": True}},
            "the [include_in_root] parameter can't be updated on a nested object mapping",
        ),
        (
            {"g": {"type": "keyword"}, "h": {"type": "alias", "path": "g"}},
            {"h": {"type": "keyword"}},
            "Cannot merge a field alias mapping [h] with a mapping that is not for a field alias.",
        ),
    ],
)
async def test_what_may_not_change_does_not(
    pair: Pair, before: Json, after: Json, reason: str
) -> None:
    await pair.local.call("PUT", "/m", {"mappings": {"properties": before}})
    answer = await pair.local.request("PUT", "/m/_mapping", {"properties": after})
    assert answer.body["error"]["reason"] == reason
    shown = await pair.local.call("GET", "/m/_mapping")
    assert shown["m"]["mappings"]["properties"] == before


async def test_a_copy_makes_the_field_it_goes_to(pair: Pair) -> None:
    properties = {"a": {"type": "keyword", "copy_to": ["b", "o.c"]}}
    await pair.local.call("PUT", "/y", {"mappings": {"properties": properties}})
    await pair.local.fill("y", {"1": {"a": ["x y", "z"]}})
    mapping = await pair.local.call("GET", "/y/_mapping")
    shown = mapping["y"]["mappings"]["properties"]
    assert (shown["b"]["type"], shown["o"]["properties"]["c"]["type"]) == ("text", "text")
    body = {"query": {"match": {"o.c": "z"}}}
    assert [hit["_id"] for hit in await hits(pair, body, "/y/_search")] == ["1"]
