"""Bucket aggregations beyond the common ones, on one cluster and on both; and how they are refused."""

from collections.abc import Iterator
from typing import Any

from scripts.peers.request import CITIES, EMPTY, REMOTE, TRICKY, Request, search, there

Json = dict[str, Any]
_SUBS: Json = {"mean": {"avg": {"field": "population"}}, "top": {"max": {"field": "lat"}}}


def _source(kind: str, field: str, **more: Any) -> Json:
    return {field: {kind: {"field": field, **more}}}


def _composite(*sources: Json, **more: Any) -> Json:
    return {"composite": {"sources": list(sources), **more}}


_ON_CITIES: list[tuple[str, Json]] = [
    ("composite", _composite(_source("terms", "countrycode"), size=7)),
    (
        "composite-two",
        _composite(
            _source("terms", "continent", order="desc"),
            _source("histogram", "lat", interval=20),
            size=20,
        )
        | {"aggs": _SUBS},
    ),
    (
        "composite-dates",
        _composite(
            _source("date_histogram", "observed", calendar_interval="year", format="yyyy"),
            size=50,
        ),
    ),
    (
        "composite-zone",
        _composite(
            _source(
                "date_histogram",
                "observed",
                calendar_interval="month",
                time_zone="America/Sao_Paulo",
                missing_bucket=True,
            ),
            size=5,
        ),
    ),
    (
        "composite-after",
        _composite(_source("terms", "countrycode"), after={"countrycode": "DE"}, size=3),
    ),
    ("composite-unmapped", _composite(_source("terms", "nowhere", missing_bucket=True))),
    ("composite-none", _composite(_source("terms", "nowhere"))),
    (
        "partition",
        {
            "terms": {
                "field": "timezone",
                "size": 500,
                "include": {"partition": 1, "num_partitions": 5},
            }
        },
    ),
    (
        "partition-numbers",
        {
            "terms": {
                "field": "population",
                "size": 50,
                "include": {"partition": 3, "num_partitions": 400},
            }
        },
    ),
    ("rare", {"rare_terms": {"field": "countrycode", "max_doc_count": 3}}),
    ("rare-subs", {"rare_terms": {"field": "continent", "max_doc_count": 100}, "aggs": _SUBS}),
    ("significant", {"significant_terms": {"field": "countrycode", "size": 3}}),
    (
        "significant-gnd",
        {"significant_terms": {"field": "continent", "gnd": {"background_is_superset": False}}},
    ),
    ("significant-chi", {"significant_terms": {"field": "continent", "chi_square": {}}}),
    ("widths", {"variable_width_histogram": {"field": "population", "buckets": 1}}),
    ("sampler", {"sampler": {"shard_size": 5000}, "aggs": _SUBS}),
    ("random-whole", {"random_sampler": {"probability": 1, "seed": 3}, "aggs": _SUBS}),
    ("terms-missing", {"terms": {"field": "nowhere", "missing": 7}}),
    ("terms-index", {"terms": {"field": "_index"}}),
    (
        "range-of-dates",
        {"range": {"field": "observed", "ranges": [{"to": "2018-01-01"}, {"from": "2018-01-01"}]}},
    ),
    ("histogram-of-dates", {"histogram": {"field": "observed", "interval": 31536000000}}),
]

_ON_TRICKY: list[tuple[str, Json]] = [
    (
        "composite-tags",
        _composite(
            _source("terms", "tag", missing_bucket=True),
            _source("terms", "flag", missing_bucket=True),
            size=50,
        ),
    ),
    ("composite-addresses", _composite(_source("terms", "address", order="desc"), size=50)),
    (
        "composite-numbers",
        _composite(
            _source("terms", "price"),
            _source("terms", "count", missing_bucket=True, missing_order="last"),
            size=50,
        ),
    ),
    ("prefixes", {"ip_prefix": {"field": "address", "prefix_length": 16}}),
    (
        "prefixes-v6",
        {"ip_prefix": {"field": "address", "prefix_length": 64, "is_ipv6": True, "keyed": True}},
    ),
    (
        "addresses",
        {
            "ip_range": {
                "field": "address",
                "ranges": [{"mask": "10.0.0.0/8"}, {"to": "192.168.0.0"}, {"from": "::"}],
            }
        },
    ),
    ("rare-numbers", {"rare_terms": {"field": "count", "max_doc_count": 2}}),
    ("rare-flags", {"rare_terms": {"field": "flag", "max_doc_count": 10}}),
    ("missing-filled", {"missing": {"field": "tag", "missing": "x"}}),
    ("terms-missing-fraction", {"terms": {"field": "count", "missing": 1.5, "size": 50}}),
    ("terms-typed", {"terms": {"field": "tag", "value_type": "string"}}),
]

_REFUSED: list[tuple[str, Json]] = [
    ("composite-empty", _composite()),
    ("composite-twice", _composite(_source("terms", "tag"), _source("terms", "tag"))),
    ("composite-kind", _composite({"a": {"foo": {"field": "tag"}}})),
    ("composite-order", _composite(_source("terms", "tag", order="up"))),
    (
        "composite-after-short",
        _composite(_source("terms", "tag"), _source("terms", "flag"), after={"tag": "a"}),
    ),
    ("composite-after-type", _composite(_source("terms", "tag"), after={"tag": 5})),
    ("composite-after-number", _composite(_source("terms", "count"), after={"count": "x"})),
    ("composite-text", _composite(_source("terms", "title"))),
    (
        "composite-inside",
        {"terms": {"field": "tag"}, "aggs": {"c": _composite(_source("terms", "flag"))}},
    ),
    (
        "partition-beyond",
        {"terms": {"field": "tag", "include": {"partition": 3, "num_partitions": 3}}},
    ),
    ("rare-fractions", {"rare_terms": {"field": "price"}}),
    ("rare-many", {"rare_terms": {"field": "tag", "max_doc_count": 101}}),
    ("prefix-long", {"ip_prefix": {"field": "address", "prefix_length": 33}}),
    ("prefix-of-tags", {"ip_prefix": {"field": "tag", "prefix_length": 8}}),
    ("addresses-none", {"ip_range": {"field": "address", "ranges": []}}),
    ("addresses-bad", {"ip_range": {"field": "address", "ranges": [{"from": "x"}]}}),
    ("sampler-alone", {"sampler": {}}),
    ("random-share", {"random_sampler": {"probability": 0.7}, "aggs": _SUBS}),
    (
        "random-inside",
        {
            "terms": {"field": "tag"},
            "aggs": {"r": {"random_sampler": {"probability": 1}, "aggs": _SUBS}},
        },
    ),
    ("widths-of-dates", {"variable_width_histogram": {"field": "when"}}),
    (
        "widths-inside",
        {
            "terms": {"field": "tag"},
            "aggs": {"v": {"variable_width_histogram": {"field": "count"}}},
        },
    ),
    ("hint", {"terms": {"field": "tag", "execution_hint": "foo"}}),
    ("value-type", {"terms": {"field": "tag", "value_type": "foo"}}),
    ("format", {"terms": {"field": "tag", "format": "yyyy"}}),
]


def requests() -> Iterator[Request]:
    """Every one over one cluster and over both; those of cities under a query as well."""
    cities = {"one": CITIES, "both": f"{CITIES},{REMOTE}:{CITIES}"}
    tricky = {"one": TRICKY, "both": f"{TRICKY},{there(TRICKY)}"}
    empty = f"{EMPTY},{REMOTE}:{EMPTY}"
    query = {"range": {"population": {"gte": 200_000}}}
    for name, agg in _ON_CITIES:
        for where, expression in cities.items():
            body: Json = {"size": 0, "aggs": {"x": agg}}
            yield search(f"buckets/{name}/{where}", expression, body)
            yield search(f"buckets/{name}/{where}/some", expression, {**body, "query": query})
        yield search(f"buckets/{name}/empty", empty, {"size": 0, "aggs": {"x": agg}})
    for name, agg in [*_ON_TRICKY, *_REFUSED]:
        for where, expression in tricky.items():
            yield search(f"buckets/{name}/{where}", expression, {"size": 0, "aggs": {"x": agg}})
