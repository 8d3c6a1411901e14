"""Nested objects, places, computed scores and the rarer field types, over an index of their own on both clusters."""

from collections.abc import Iterator
from typing import Any, Literal

from scripts.pairs import bulk_lines
from scripts.peers.request import REMOTE, SCRATCH, Request, search

_INDEX = f"{SCRATCH}-scored"
_FAR = f"{SCRATCH}-scored-far"
_BOTH = f"{_INDEX},{REMOTE}:{_FAR}"
_SIDES: tuple[tuple[Literal["local", "remote"], str], ...] = (("local", _INDEX), ("remote", _FAR))
_CREATE = {
    "settings": {"number_of_shards": 1, "number_of_replicas": 0},
    "mappings": {
        "properties": {
            "t": {"type": "text"},
            "k": {"type": "keyword", "copy_to": "all"},
            "all": {"type": "text"},
            "also": {"type": "alias", "path": "k"},
            "n": {"type": "long"},
            "h": {"type": "half_float"},
            "d": {"type": "date"},
            "dn": {"type": "date_nanos"},
            "b": {"type": "binary"},
            "g": {"type": "geo_point"},
            "o": {
                "type": "nested",
                "properties": {
                    "x": {"type": "long"},
                    "k": {"type": "keyword"},
                    "g": {"type": "geo_point"},
                    "m": {"type": "nested", "properties": {"y": {"type": "long"}}},
                },
            },
        }
    },
}
_DOCUMENTS: list[dict[str, Any]] = [
    {
        "t": "red fox",
        "k": "a b",
        "n": 5,
        "h": 1.2,
        "d": "2024-01-01",
        "dn": "2024-01-01T00:00:00.123456789Z",
        "b": "U29tZQ==",
        "g": "52.1,4.2",
        "o": [{"x": 1, "k": "p", "m": [{"y": 1}, {"y": 2}]}, {"x": 2, "k": "q", "g": [4, 52]}],
    },
    {
        "t": "red dog",
        "k": ["b", "c"],
        "n": [10, 2],
        "h": [3.3, 70],
        "d": "2024-01-11",
        "g": [4.5, 52.5],
        "o": {"x": 1, "k": "q", "m": {"y": 3}},
    },
    {"t": "blue fox", "k": "d", "n": 3, "d": "2024-02-01", "o": []},
    {
        "t": "red red",
        "g": [{"lat": 1, "lon": 2}, {"lat": 53, "lon": 5}],
        "o": [{"x": [5, 7], "k": ["p", "q"]}, {"x": 6, "k": "r", "g": "u0"}, {"x": 3}],
    },
]


def _nested(query: dict[str, Any], path: str = "o", **more: Any) -> dict[str, Any]:
    return {"nested": {"path": path, "query": query, **more}}


_RED = {"match": {"t": "red"}}
_P = {"term": {"o.k": "p"}}
_QUERIES: dict[str, dict[str, Any]] = {
    "nested": _nested({"bool": {"must": [{"term": {"o.x": 1}}, _P]}}),
    "nested-not": _nested({"bool": {"must_not": [_P]}}),
    "nested-deep": _nested(_nested({"term": {"o.m.y": 3}}, "o.m")),
    "nested-far": _nested({"range": {"o.m.y": {"gte": 2}}}, "o.m", score_mode="sum"),
    "nested-none": _nested({"match_all": {}}, score_mode="none"),
    "nested-hits": _nested({"match_all": {}}, inner_hits={"size": 2, "sort": [{"o.x": "desc"}]}),
    "nested-hits-deep": _nested({"match_all": {}}, "o.m", inner_hits={"name": "deep"}),
    "nested-hits-fields": _nested(_P, inner_hits={"_source": ["o.x"], "fields": ["o.*"]}),
    "nested-unknown": _nested({"match_all": {}}, "zz"),
    "nested-ignored": _nested({"match_all": {}}, "zz", ignore_unmapped=True),
    "nested-mode": _nested({"match_all": {}}, score_mode="most"),
    "nested-outside": {"term": {"o.x": 1}},
    "box": {"geo_bounding_box": {"g": {"top_left": "53,4", "bottom_right": "52,5"}}},
    "box-around": {"geo_bounding_box": {"g": {"top": 60, "left": 3, "bottom": 0, "right": 2.5}}},
    "box-hash": {"geo_bounding_box": {"g": {"top_left": "u1", "bottom_right": "u0"}}},
    "box-wrong": {"geo_bounding_box": {"g": {"top": 1, "left": 4, "bottom": 52, "right": 5}}},
    "distance": {"geo_distance": {"distance": "100km", "g": "52,4"}},
    "distance-unit": {"geo_distance": {"distance": 40, "unit": "mi", "g": [4, 52]}},
    "distance-wrong": {"geo_distance": {"distance": "100km", "g": "92,4"}},
    "distance-nested": _nested({"geo_distance": {"distance": "1000km", "o.g": "52,4"}}),
    "place-term": {"term": {"g": "52,4"}},
    "place-range": {"range": {"g": {"gte": 1}}},
    "weights": {
        "function_score": {
            "query": _RED,
            "boost_mode": "replace",
            "score_mode": "sum",
            "functions": [
                {"filter": {"term": {"k": "c"}}, "weight": 4},
                {"weight": 0.5, "exp": {"n": {"origin": 1, "scale": 4}}},
            ],
        }
    },
    "value": {
        "function_score": {
            "boost_mode": "replace",
            "field_value_factor": {"field": "n", "missing": 2, "modifier": "log2p"},
        }
    },
    "random": {"function_score": {"random_score": {"seed": 7, "field": "n"}}},
    "decay-date": {"function_score": {"gauss": {"d": {"origin": "2024-01-05", "scale": "10d"}}}},
    "decay-place": {"function_score": {"linear": {"g": {"origin": "52,4", "scale": "90km"}}}},
    "decay-wrong": {"function_score": {"gauss": {"n": {"scale": 1}}}},
    "near-date": {"distance_feature": {"field": "d", "origin": "2024-01-05", "pivot": "10d"}},
    "near-place": {"distance_feature": {"field": "g", "origin": "52,4", "pivot": "10km"}},
    "alias": {"term": {"also": "b"}},
    "copied": {"match": {"all": "b"}},
    "half": {"range": {"h": {"gt": 1.2}}},
    "nanos": {"term": {"dn": "2024-01-01T00:00:00.123456789Z"}},
    "binary": {"term": {"b": "x"}},
}
_SORTS: dict[str, Any] = {
    "by-distance": {"_geo_distance": {"g": "52,4", "unit": "km"}},
    "by-distance-desc": {"_geo_distance": {"g": ["52,4", "1,2"], "order": "desc", "mode": "avg"}},
    "by-nested": {"o.x": {"nested": {"path": "o", "filter": _P}, "mode": "sum", "order": "desc"}},
    "by-nested-deep": {"o.m.y": {"nested": {"path": "o", "nested": {"path": "o.m"}}}},
    "by-nested-unsaid": {"o.x": "asc"},
    "by-half": {"h": "desc"},
    "by-alias": {"also": "asc"},
    "by-nanos": {"dn": {"order": "desc", "format": "strict_date_optional_time_nanos"}},
    "by-type": {"n": {"numeric_type": "double"}},
}
_AGGS: dict[str, Any] = {
    "in-nested": {
        "nested": {"path": "o"},
        "aggs": {
            "x": {
                "terms": {"field": "o.x"},
                "aggs": {"back": {"reverse_nested": {}, "aggs": {"n": {"sum": {"field": "n"}}}}},
            },
            "deep": {"nested": {"path": "o.m"}, "aggs": {"y": {"stats": {"field": "o.m.y"}}}},
        },
    },
    "in-bucket": {
        "terms": {"field": "k"},
        "aggs": {"o": {"nested": {"path": "o"}, "aggs": {"x": {"max": {"field": "o.x"}}}}},
    },
    "nested-unknown": {"nested": {"path": "zz"}},
    "reverse-alone": {"reverse_nested": {}},
    "nanos-year": {"date_histogram": {"field": "dn", "calendar_interval": "year"}},
}


def requests() -> list[Request]:
    return [*_setup(), *_searches(), *_teardown()]


def _setup() -> Iterator[Request]:
    for cluster, index in _SIDES:
        yield Request(
            f"scored/create/{cluster}", "PUT", f"/{index}", _CREATE, cluster=cluster, setup=True
        )
        documents = [(f"{cluster}-{at}", each) for at, each in enumerate(_DOCUMENTS)]
        lines = bulk_lines(documents).decode()
        path = f"/{index}/_bulk?refresh=true&filter_path=errors"
        yield Request(
            f"scored/fill/{cluster}", "POST", path, lines, ndjson=True, cluster=cluster, setup=True
        )


def _searches() -> Iterator[Request]:
    for name, query in _QUERIES.items():
        yield search(f"scored/{name}/local", _INDEX, {"query": query})
        yield search(f"scored/{name}/both", _BOTH, {"query": query, "size": 20})
    for name, sort in _SORTS.items():
        yield search(f"scored/{name}/local", _INDEX, {"sort": [sort]})
        yield search(f"scored/{name}/both", _BOTH, {"sort": [sort], "size": 20})
    for name, agg in _AGGS.items():
        for side, target in (("local", _INDEX), ("both", _BOTH)):
            yield search(f"scored/agg-{name}/{side}", target, {"size": 0, "aggs": {"a": agg}})
    for name in ("fields", "docvalue_fields"):
        body = {name: ["g", "dn", "h", "also"], "_source": False}
        yield search(f"scored/{name}", _INDEX, body)
    yield search("scored/fields-nested", _BOTH, {"fields": ["o.*"], "_source": False})
    yield Request("scored/count", "GET", f"/{_INDEX}/_count")
    yield Request("scored/mapping", "GET", f"/{_INDEX}/_mapping")


def _teardown() -> Iterator[Request]:
    for cluster, index in _SIDES:
        yield Request(
            f"scored/delete/{cluster}", "DELETE", f"/{index}", cluster=cluster, setup=True
        )
