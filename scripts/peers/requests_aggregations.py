"""Aggregations, each alone, under a query, inside each other, on one cluster and on both."""

from collections.abc import Iterator
from typing import Any

from scripts.peers.request import CITIES, EMPTY, REMOTE, TRICKY, Request, everywhere, search, there

_BOTH = f"{CITIES},{REMOTE}:{CITIES}"
_TRICKY_BOTH = f"{TRICKY},{there(TRICKY)}"

_METRICS = ("avg", "sum", "min", "max", "stats", "extended_stats", "value_count", "cardinality")

_BUCKETS: list[tuple[str, dict[str, Any]]] = [
    ("terms", {"terms": {"field": "countrycode"}}),
    ("terms-size", {"terms": {"field": "countrycode", "size": 3}}),
    ("terms-all", {"terms": {"field": "countrycode", "size": 300}}),
    ("terms-key-order", {"terms": {"field": "timezone", "order": {"_key": "asc"}, "size": 5}}),
    ("terms-count-asc", {"terms": {"field": "continent", "order": {"_count": "asc"}}}),
    ("terms-min-doc-count", {"terms": {"field": "countrycode", "min_doc_count": 100, "size": 50}}),
    ("terms-missing", {"terms": {"field": "no_such", "missing": "none"}}),
    ("terms-include", {"terms": {"field": "countrycode", "include": "A.*"}}),
    ("terms-exclude", {"terms": {"field": "countrycode", "exclude": ["US", "RU"], "size": 4}}),
    ("terms-number", {"terms": {"field": "population", "size": 4, "order": {"_key": "desc"}}}),
    ("terms-error", {"terms": {"field": "timezone", "size": 2, "show_term_doc_count_error": True}}),
    ("histogram", {"histogram": {"field": "lat", "interval": 10}}),
    ("histogram-offset", {"histogram": {"field": "lat", "interval": 15, "offset": 5}}),
    ("histogram-min", {"histogram": {"field": "population", "interval": 1e6, "min_doc_count": 1}}),
    (
        "histogram-bounds",
        {
            "histogram": {
                "field": "lat",
                "interval": 30,
                "extended_bounds": {"min": -90, "max": 120},
            }
        },
    ),
    ("histogram-keyed", {"histogram": {"field": "lon", "interval": 60, "keyed": True}}),
    ("date-fixed", {"date_histogram": {"field": "observed", "fixed_interval": "180d"}}),
    ("date-fixed-hours", {"date_histogram": {"field": "observed", "fixed_interval": "8760h"}}),
    ("date-year", {"date_histogram": {"field": "observed", "calendar_interval": "year"}}),
    ("date-quarter", {"date_histogram": {"field": "observed", "calendar_interval": "1q"}}),
    ("date-month", {"date_histogram": {"field": "observed", "calendar_interval": "month"}}),
    (
        "date-zone",
        {
            "date_histogram": {
                "field": "observed",
                "calendar_interval": "year",
                "time_zone": "America/Sao_Paulo",
            }
        },
    ),
    (
        "date-format",
        {
            "date_histogram": {
                "field": "observed",
                "calendar_interval": "year",
                "format": "yyyy",
                "keyed": True,
            }
        },
    ),
    (
        "date-offset",
        {"date_histogram": {"field": "observed", "fixed_interval": "365d", "offset": "+6h"}},
    ),
    (
        "range",
        {
            "range": {
                "field": "population",
                "ranges": [{"to": 50000}, {"from": 50000, "to": 1e6}, {"from": 1e6, "key": "big"}],
            }
        },
    ),
    ("range-keyed", {"range": {"field": "lat", "keyed": True, "ranges": [{"to": 0}, {"from": 0}]}}),
    (
        "range-overlap",
        {"range": {"field": "lat", "ranges": [{"from": 0, "to": 50}, {"from": 40, "to": 60}]}},
    ),
    (
        "date_range",
        {
            "date_range": {
                "field": "observed",
                "ranges": [{"to": "2018-01-01"}, {"from": "2018-01-01", "to": "2020-01-01||+1y"}],
            }
        },
    ),
    (
        "date_range-format",
        {
            "date_range": {
                "field": "observed",
                "format": "MM-yyyy",
                "ranges": [{"from": "01-2020", "key": "recent"}],
            }
        },
    ),
    ("filter", {"filter": {"term": {"countrycode": "US"}}}),
    (
        "filters",
        {
            "filters": {
                "filters": {
                    "large": {"range": {"population": {"gte": 500000}}},
                    "north": {"range": {"lat": {"gte": 45}}},
                }
            }
        },
    ),
    (
        "filters-other",
        {
            "filters": {
                "other_bucket_key": "rest",
                "filters": {"us": {"term": {"countrycode": "US"}}},
            }
        },
    ),
    (
        "filters-anonymous",
        {"filters": {"filters": [{"match": {"name": "san"}}, {"match": {"name": "new"}}]}},
    ),
    ("missing", {"missing": {"field": "population"}}),
    ("global", {"global": {}}),
    ("missing-unmapped", {"missing": {"field": "no_such"}}),
]

_NESTED: list[tuple[str, dict[str, Any]]] = [
    (
        "order-by-metric",
        {
            "terms": {"field": "countrycode", "size": 5, "order": {"people": "desc"}},
            "aggs": {"people": {"sum": {"field": "population"}}},
        },
    ),
    (
        "order-by-stats",
        {
            "terms": {"field": "countrycode", "size": 5, "order": {"s.max": "asc"}},
            "aggs": {"s": {"stats": {"field": "population"}}},
        },
    ),
    (
        "order-by-two",
        {
            "terms": {"field": "continent", "order": [{"_count": "desc"}, {"_key": "asc"}]},
            "aggs": {"top": {"max": {"field": "population"}}},
        },
    ),
    (
        "terms-in-terms",
        {
            "terms": {"field": "continent"},
            "aggs": {
                "countries": {
                    "terms": {"field": "countrycode", "size": 2},
                    "aggs": {"mean": {"avg": {"field": "lat"}}},
                }
            },
        },
    ),
    (
        "date-then-metrics",
        {
            "date_histogram": {"field": "observed", "calendar_interval": "year"},
            "aggs": {
                "spread": {"extended_stats": {"field": "population"}},
                "zones": {"cardinality": {"field": "timezone"}},
            },
        },
    ),
    (
        "filters-then-range",
        {
            "filters": {"filters": {"south": {"range": {"lat": {"lt": 0}}}}},
            "aggs": {"sizes": {"range": {"field": "population", "ranges": [{"from": 1e6}]}}},
        },
    ),
    (
        "histogram-in-filter",
        {
            "filter": {"range": {"population": {"gte": 1000000}}},
            "aggs": {
                "lat": {
                    "histogram": {"field": "lat", "interval": 20},
                    "aggs": {"none": {"missing": {"field": "no_such"}}},
                }
            },
        },
    ),
    (
        "three-deep",
        {
            "terms": {"field": "continent"},
            "aggs": {
                "years": {
                    "date_histogram": {"field": "observed", "fixed_interval": "1000d"},
                    "aggs": {
                        "big": {
                            "filter": {"range": {"population": {"gte": 200000}}},
                            "aggs": {"n": {"value_count": {"field": "population"}}},
                        }
                    },
                }
            },
        },
    ),
]


def requests() -> Iterator[Request]:
    for metric in _METRICS:
        fields = ("population", "countrycode") if metric == "cardinality" else ("population", "lat")
        aggregations = {field: {metric: {"field": field}} for field in fields}
        yield from everywhere(f"metric/{metric}", CITIES, {"size": 0, "aggs": aggregations})
        yield from _tricky_metric(metric)
    for name, aggregation in _BUCKETS:
        body = {"size": 0, "aggs": {"a": aggregation}}
        yield search(f"bucket/{name}/local", CITIES, body)
        yield search(f"bucket/{name}/both", _BOTH, body)
    for name, aggregation in _NESTED:
        body = {"size": 0, "query": {"match": {"name": "san new la"}}, "aggs": {"a": aggregation}}
        yield from everywhere(f"nested/{name}", CITIES, body)
    yield from _tricky_buckets()
    with_everything = {
        "size": 2,
        "query": {"term": {"countrycode": "BR"}},
        "sort": [{"population": "desc"}],
        "aggregations": {"zones": {"terms": {"field": "timezone"}, "meta": {"colour": "blue"}}},
        "post_filter": {"range": {"population": {"lt": 2000000}}},
    }
    yield from everywhere("nested/with-hits-and-meta", CITIES, with_everything)
    typed = {
        "size": 0,
        "aggs": {"a": {"terms": {"field": "continent"}}, "b": {"avg": {"field": "lat"}}},
    }
    yield search("bucket/typed-keys/both", _BOTH, typed, "?typed_keys=true")


def _tricky_metric(metric: str) -> Iterator[Request]:
    over = {"array": "count", "double": "price", "date": "when", "boolean": "flag"}
    for name, field in over.items():
        body = {"size": 0, "aggs": {"m": {metric: {"field": field}}}}
        yield search(f"metric/tricky-{metric}-{name}", TRICKY, body)
    with_missing = {"size": 0, "aggs": {"m": {metric: {"field": "price", "missing": 100}}}}
    yield search(f"metric/tricky-{metric}-missing/both", _TRICKY_BOTH, with_missing)
    for name, target in (("empty", EMPTY), ("unmapped", TRICKY)):
        field = "no_such" if name == "unmapped" else "count"
        yield search(
            f"metric/{metric}-{name}",
            target,
            {"size": 0, "aggs": {"m": {metric: {"field": field}}}},
        )


def _tricky_buckets() -> Iterator[Request]:
    fields = ("tag", "flag", "count", "price", "when", "address", "place.town")
    for field in fields:
        body = {"size": 0, "aggs": {"a": {"terms": {"field": field, "size": 30}}}}
        yield search(f"bucket/tricky-terms-{field}", TRICKY, body)
        yield search(f"bucket/tricky-terms-{field}/both", _TRICKY_BOTH, body)
    others: list[tuple[str, dict[str, Any]]] = [
        ("histogram-array", {"histogram": {"field": "count", "interval": 2, "min_doc_count": 1}}),
        ("histogram-missing", {"histogram": {"field": "price", "interval": 5, "missing": 7}}),
        ("date-day", {"date_histogram": {"field": "day", "calendar_interval": "day"}}),
        ("date-array", {"date_histogram": {"field": "when", "calendar_interval": "month"}}),
        ("missing", {"missing": {"field": "tag"}}),
        ("range-array", {"range": {"field": "count", "ranges": [{"to": 2}, {"from": 2}]}}),
        ("terms-missing", {"terms": {"field": "tag", "missing": "(none)"}}),
        ("terms-zero", {"terms": {"field": "tag", "min_doc_count": 0, "size": 20}}),
    ]
    for name, aggregation in others:
        body = {"size": 0, "aggs": {"a": aggregation}, "query": {"range": {"count": {"gte": 1}}}}
        whole = {"size": 0, "aggs": {"a": aggregation}}
        yield search(f"bucket/tricky-{name}/query", TRICKY, body)
        yield search(f"bucket/tricky-{name}/both", _TRICKY_BOTH, whole)
