"""Search bodies: accepted forms and what they mean, caching, limits."""

import pytest

from sealane.errors import ApiError, ParsingError, TooManyBooleanClauses
from sealane.model import dsl
from sealane.query import decode, parse_aggs, parse_query, parse_search_body, strip_comments


def test_equal_bytes_give_the_same_object() -> None:
    raw = b'{"query":{"match":{"t":"x"}}}'
    assert parse_search_body(raw) is parse_search_body(bytes(bytearray(raw)))


def test_an_empty_body_asks_for_everything() -> None:
    assert parse_search_body(b"") == dsl.SearchBody(raw=b"{}")


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ({"match": {"f": "x"}}, {"match": {"f": {"query": "x"}}}),
        ({"term": {"f": 1}}, {"term": {"f": {"value": 1}}}),
        ({"prefix": {"f": "a"}}, {"prefix": {"f": {"value": "a"}}}),
        ({"match_phrase": {"f": "a"}}, {"match_phrase": {"f": {"query": "a", "slop": 0}}}),
        ({"bool": {"must": {"match_all": {}}}}, {"bool": {"must": [{"match_all": {}}]}}),
        (
            {"range": {"f": {"from": 1, "to": 2, "include_upper": False}}},
            {"range": {"f": {"gte": 1, "lt": 2}}},
        ),
    ],
)
def test_short_and_long_forms_mean_the_same(short: object, long: object) -> None:
    assert parse_query(short) == parse_query(long)


def test_sort_in_all_forms() -> None:
    body = parse_search_body(
        b'{"sort":["f",{"g":"desc"},{"h":{"order":"asc","missing":"_first","mode":"max"}},"_score"]}'
    )
    assert body.sort == (
        dsl.SortField(field="f"),
        dsl.SortField(field="g", descending=True),
        dsl.SortField(field="h", missing="_first", mode="max"),
        dsl.SortField(field="_score", descending=True),
    )


def test_sorting_by_score_alone_is_not_sorting() -> None:
    assert parse_search_body(b'{"sort":["_score"]}').sort == ()


def test_comments_are_stripped_from_what_travels() -> None:
    body = parse_search_body(b'{"size":1 /* one */, // more\n "query":{"match":{"t":"// no"}}}')
    assert body.size == 1
    assert body.query == dsl.Match(field="t", query="// no")
    assert b"one" not in body.raw
    assert parse_search_body(body.raw) == body


def test_strip_comments_keeps_places_and_strings() -> None:
    assert strip_comments(b'{"a":"/*x*/"/*y*/}//z') == b'{"a":"/*x*/"     }   '


def test_decode_accepts_comments_and_refuses_duplicates() -> None:
    assert decode(b'{"a":1}//') == {"a": 1}
    with pytest.raises(ApiError, match="Duplicate field 'a'"):
        decode(b'{"a":1,"a":2}')


@pytest.mark.parametrize("depth", [31, 10_000])
def test_deep_queries_are_refused(depth: int) -> None:
    raw = b'{"query":' + b'{"bool":{"must":[' * depth + b'{"match_all":{}}' + b"]}}" * depth + b"}"
    with pytest.raises(ApiError) as raised:
        parse_search_body(raw)
    innermost: ApiError = raised.value
    while innermost.caused_by is not None:
        innermost = innermost.caused_by
    assert innermost.reason == (
        "The nested depth of the query exceeds the maximum nested depth for queries set in "
        "[indices.query.bool.max_nested_depth]"
    )


def test_deep_aggregations_and_deep_json_are_refused() -> None:
    deep = b'{"a":{"filter":{"match_all":{}},"aggs":' * 5000 + b"{}" + b"}}" * 5000
    with pytest.raises(ApiError):
        parse_search_body(b'{"aggs":' + deep + b"}")
    with pytest.raises(ApiError, match="nesting depth"):
        decode(b"[" * 100_000 + b"]" * 100_000)


def test_too_many_clauses() -> None:
    clauses = ",".join(['{"term":{"f":1}}'] * 8193)
    with pytest.raises(TooManyBooleanClauses):
        parse_search_body(f'{{"query":{{"bool":{{"should":[{clauses}]}}}}}}'.encode())


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (b'{"query":{"intervals":{"k":{}}}}', "intervals"),
        (b'{"aggs":{"a":{"inference":{"field":"n"}}}}', "inference"),
    ],
)
def test_what_is_not_here_yet_is_named(raw: bytes, named: str) -> None:
    with pytest.raises(ParsingError, match="not supported by this version") as raised:
        parse_search_body(raw)
    assert f"[{named}]" in raised.value.reason
    assert raised.value.metadata["col"] > 1


def test_constant_score_scores_its_boost() -> None:
    query = parse_query({"constant_score": {"filter": {"term": {"f": 1}}, "boost": 3}})
    assert query == dsl.Bool(
        must=(dsl.MatchAll(),), filter=(dsl.Term(field="f", value=1),), boost=3.0
    )


def test_aggregations_with_their_defaults() -> None:
    (terms,) = parse_aggs(
        {"a": {"terms": {"field": "k", "order": {"m": "desc"}}, "meta": {"x": 1}}}
    )
    assert isinstance(terms, dsl.TermsAgg)
    assert terms.order == (dsl.BucketOrder("m", False), dsl.BucketOrder("_key", True))
    assert terms.meta == {"x": 1}
    assert terms.effective_shard_size() == 25


def test_source_filters() -> None:
    body = parse_search_body(b'{"_source":{"includes":["a.*"],"exclude":"a.b"}}')
    assert body.source == dsl.SourceFilter(includes=("a.*",), excludes=("a.b",))
    assert parse_search_body(b'{"_source":false}').source.enabled is False
