"""Requests that are wrong: in their JSON, their names, their types, their parameters, their
paths."""

from collections.abc import Iterator
from typing import Any

from scripts.peers.request import CITIES, REMOTE, TRICKY, Request, search, there

_BROKEN_JSON: list[tuple[str, str]] = [
    ("cut", '{"query": {"match_all": {}'),
    ("trailing-comma", '{"size": 1,}'),
    ("single-quotes", "{'size': 1}"),
    ("not-an-object", "[1, 2]"),
    ("a-string", '"size"'),
    ("bare-word", "{size: 1}"),
    ("text", "hello"),
    ("duplicate-key", '{"size": 1, "size": 2}'),
    ("after-the-end", '{"size": 1} x'),
    ("empty-object", "{}"),
    ("comment", '{"size": 0 /* none */ }'),
]

# Bodies that are JSON and still no search. The name tells what is wrong.
_BAD_BODIES: list[tuple[str, dict[str, Any]]] = [
    ("unknown-key", {"no_such_key": 1}),
    ("unknown-key-object", {"no_such_key": {"a": 1}}),
    ("unknown-query", {"query": {"no_such_query": {}}}),
    ("misspelt-query", {"query": {"mtach": {"name": "x"}}}),
    ("empty-query", {"query": {}}),
    ("two-queries", {"query": {"match_all": {}, "term": {"a": 1}}}),
    ("query-string", {"query": "x"}),
    ("query-array", {"query": [{"match_all": {}}]}),
    ("match-two-fields", {"query": {"match": {"name": "a", "country": "b"}}}),
    ("match-unknown-option", {"query": {"match": {"name": {"query": "x", "nope": 1}}}}),
    ("match-no-text", {"query": {"match": {"name": {"operator": "and"}}}}),
    ("match-bad-operator", {"query": {"match": {"name": {"query": "x", "operator": "xor"}}}}),
    ("match-array", {"query": {"match": {"name": ["a", "b"]}}}),
    ("term-array", {"query": {"term": {"countrycode": ["US"]}}}),
    ("term-null", {"query": {"term": {"countrycode": None}}}),
    ("term-two-fields", {"query": {"term": {"countrycode": "US", "country": "x"}}}),
    ("term-unknown-option", {"query": {"term": {"countrycode": {"value": "US", "x": 1}}}}),
    ("term-wrong-type", {"query": {"term": {"population": "many"}}}),
    ("terms-not-array", {"query": {"terms": {"countrycode": "US"}}}),
    ("terms-two-fields", {"query": {"terms": {"countrycode": ["US"], "country": ["x"]}}}),
    ("terms-null", {"query": {"terms": {"countrycode": [None]}}}),
    ("range-unknown-option", {"query": {"range": {"population": {"above": 1}}}}),
    ("range-bad-number", {"query": {"range": {"population": {"gte": "many"}}}}),
    ("range-bad-date", {"query": {"range": {"observed": {"gte": "yesterday"}}}}),
    ("range-bad-format", {"query": {"range": {"observed": {"gte": "1", "format": "bogus["}}}}),
    ("range-value", {"query": {"range": {"population": 5}}}),
    ("exists-no-field", {"query": {"exists": {}}}),
    ("exists-unknown", {"query": {"exists": {"field": "name", "x": 1}}}),
    ("ids-not-array", {"query": {"ids": {"values": {"a": 1}}}}),
    ("ids-unknown", {"query": {"ids": {"valeus": ["1"]}}}),
    ("prefix-null", {"query": {"prefix": {"name": None}}}),
    ("bool-unknown-clause", {"query": {"bool": {"maybe": []}}}),
    ("bool-clause-string", {"query": {"bool": {"must": "x"}}}),
    ("bool-inner-unknown", {"query": {"bool": {"filter": [{"nope": {}}]}}}),
    ("phrase-keyword", {"query": {"match_phrase": {"population": "x y"}}}),
    ("multi_match-no-query", {"query": {"multi_match": {"fields": ["name"]}}}),
    ("multi_match-bad-type", {"query": {"multi_match": {"query": "x", "type": "worst"}}}),
    ("size-text", {"size": "many"}),
    ("size-negative", {"size": -1}),
    ("size-object", {"size": {}}),
    ("size-too-large", {"size": 10001}),
    ("from-negative", {"from": -1}),
    ("window", {"from": 9999, "size": 2}),
    ("timeout-bad", {"timeout": "soon"}),
    ("track-bad", {"track_total_hits": "perhaps"}),
    ("track-negative", {"track_total_hits": -2}),
    ("sort-number", {"sort": 5}),
    ("sort-bad-order", {"sort": [{"population": "upwards"}]}),
    ("sort-unknown-option", {"sort": [{"population": {"ordr": "asc"}}]}),
    ("sort-text-field", {"sort": ["name"]}),
    ("sort-bad-mode", {"sort": [{"population": {"mode": "best"}}]}),
    ("search_after-no-sort", {"search_after": [1]}),
    ("search_after-count", {"sort": ["population"], "search_after": [1, 2]}),
    ("search_after-from", {"sort": ["population"], "search_after": [1], "from": 3}),
    ("search_after-type", {"sort": ["population"], "search_after": ["x"]}),
    ("search_after-object", {"sort": ["population"], "search_after": {"a": 1}}),
    ("source-number", {"_source": 5}),
    ("source-unknown", {"_source": {"include": ["a"], "nope": []}}),
    ("min_score-text", {"min_score": "high"}),
    ("agg-unknown", {"aggs": {"a": {"no_such_agg": {}}}}),
    ("agg-misspelt", {"aggs": {"a": {"trems": {"field": "x"}}}}),
    ("agg-no-type", {"aggs": {"a": {}}}),
    ("agg-two-types", {"aggs": {"a": {"avg": {"field": "lat"}, "sum": {"field": "lat"}}}}),
    ("agg-bad-name", {"aggs": {"a[b]": {"avg": {"field": "lat"}}}}),
    ("agg-array", {"aggs": [1]}),
    ("agg-string", {"aggs": {"a": "avg"}}),
    ("agg-no-field", {"aggs": {"a": {"avg": {}}}}),
    ("agg-unknown-option", {"aggs": {"a": {"avg": {"field": "lat", "colour": 1}}}}),
    ("agg-sum-keyword", {"aggs": {"a": {"sum": {"field": "countrycode"}}}}),
    ("agg-terms-text", {"aggs": {"a": {"terms": {"field": "name"}}}}),
    ("agg-terms-size", {"aggs": {"a": {"terms": {"field": "lat", "size": 0}}}}),
    (
        "agg-terms-order",
        {"aggs": {"a": {"terms": {"field": "countrycode", "order": {"no": "asc"}}}}},
    ),
    ("agg-terms-order-word", {"aggs": {"a": {"terms": {"field": "lat", "order": {"_key": "up"}}}}}),
    ("agg-interval-none", {"aggs": {"a": {"histogram": {"field": "lat"}}}}),
    ("agg-interval-zero", {"aggs": {"a": {"histogram": {"field": "lat", "interval": 0}}}}),
    (
        "agg-interval-keyword",
        {"aggs": {"a": {"histogram": {"field": "countrycode", "interval": 5}}}},
    ),
    ("agg-date-none", {"aggs": {"a": {"date_histogram": {"field": "observed"}}}}),
    (
        "agg-date-both",
        {
            "aggs": {
                "a": {
                    "date_histogram": {
                        "field": "observed",
                        "fixed_interval": "1d",
                        "calendar_interval": "day",
                    }
                }
            }
        },
    ),
    (
        "agg-date-calendar",
        {"aggs": {"a": {"date_histogram": {"field": "observed", "calendar_interval": "2M"}}}},
    ),
    (
        "agg-date-fixed",
        {"aggs": {"a": {"date_histogram": {"field": "observed", "fixed_interval": "1M"}}}},
    ),
    ("agg-range-none", {"aggs": {"a": {"range": {"field": "lat"}}}}),
    ("agg-range-bad", {"aggs": {"a": {"range": {"field": "lat", "ranges": [{"form": 1}]}}}}),
    ("agg-filters-none", {"aggs": {"a": {"filters": {}}}}),
    ("agg-filter-unknown", {"aggs": {"a": {"filter": {"nope": {}}}}}),
    (
        "agg-metric-with-sub",
        {"aggs": {"a": {"avg": {"field": "lat"}, "aggs": {"b": {"avg": {"field": "lat"}}}}}},
    ),
    (
        "agg-precision",
        {"aggs": {"a": {"cardinality": {"field": "lat", "precision_threshold": -1}}}},
    ),
    (
        "agg-many-buckets",
        {"aggs": {"a": {"histogram": {"field": "population", "interval": 1}}}, "size": 0},
    ),
]

_BAD_TRICKY: list[tuple[str, dict[str, Any]]] = [
    ("boolean", {"query": {"term": {"flag": "maybe"}}}),
    ("ip", {"query": {"term": {"address": "10.0.0.999"}}}),
    ("ip-block", {"query": {"term": {"address": "10.0.0.0/99"}}}),
    ("date", {"query": {"term": {"when": "2020-13-01"}}}),
    ("byte", {"query": {"term": {"tiny": 300}}}),
    ("integer-large", {"query": {"term": {"count": 99999999999}}}),
    ("not-indexed", {"query": {"term": {"hidden": "unsearchable"}}}),
    ("range-boolean", {"query": {"range": {"flag": {"gt": "nope"}}}}),
    ("sort-object", {"sort": ["place"]}),
]

_BAD_PARAMETERS: list[tuple[str, str]] = [
    ("unknown", "colour=red"),
    ("unknown-near", "sizes=1"),
    ("two-unknown", "colour=red&shape=round"),
    ("size", "size=many"),
    ("size-negative", "size=-1"),
    ("from", "from=x"),
    ("boolean", "allow_partial_search_results=perhaps"),
    ("ignore_unavailable", "ignore_unavailable=maybe"),
    ("expand_wildcards", "expand_wildcards=everything"),
    ("search_type", "search_type=fast"),
    ("batched", "batched_reduce_size=1"),
    ("pre-filter", "pre_filter_shard_size=0"),
    ("timeout", "timeout=5"),
    ("sort", "sort=population:upwards,name.keyword"),
    ("scroll-size", "scroll=1m&size=0"),
    ("total-as-int", "rest_total_hits_as_int=true&track_total_hits=5"),
    ("track", "track_total_hits=maybe"),
]

_BAD_ROUTES: list[tuple[str, str, str]] = [
    ("unknown-endpoint", "GET", "/_no_such_endpoint"),
    ("unknown-index-endpoint", "GET", f"/{CITIES}/_no_such"),
    ("method", "DELETE", f"/{CITIES}/_search"),
    ("method-put", "PUT", f"/{CITIES}/_search"),
    ("method-doc", "PATCH", f"/{CITIES}/_doc/1"),
    ("deep-path", "GET", "/a/b/c/d/e"),
    ("health-index", "GET", "/_cluster/health/duel-unknown?timeout=1ms"),
    ("health-unknown-parameter", "GET", "/_cluster/health?colour=red"),
]


def requests() -> Iterator[Request]:
    both = f"{CITIES},{REMOTE}:{CITIES}"
    for name, text in _BROKEN_JSON:
        for where, target in (("local", CITIES), ("both", both)):
            yield Request(
                f"json/{name}/{where}", "POST", f"/{target}/_search?filter_path=-hits.hits", text
            )
    for name, body in _BAD_BODIES:
        yield search(f"bad/{name}/local", CITIES, body)
        yield search(f"bad/{name}/both", both, body)
    for name, body in _BAD_TRICKY:
        yield search(f"bad/type-{name}/local", TRICKY, body)
        yield search(f"bad/type-{name}/remote", there(TRICKY), body)
    for name, parameters in _BAD_PARAMETERS:
        yield Request(f"parameter/{name}", "GET", f"/{CITIES}/_search?{parameters}")
        yield Request(f"parameter/{name}/both", "GET", f"/{both}/_search?{parameters}")
    for name, method, path in _BAD_ROUTES:
        yield Request(f"route/{name}", method, path)
    yield Request("route/no-content-type", "POST", f"/{CITIES}/_search", '{"size":0}', ndjson=True)
    yield Request("count/bad-key", "POST", f"/{CITIES}/_count", {"size": 1})
    yield Request("count/bad-query", "POST", f"/{both}/_count", {"query": {"nope": {}}})
