"""Sketches, weights, places, best hits and pipelines, on one cluster and on both."""

from collections.abc import Iterator
from typing import Any

from scripts.peers.request import CITIES, REMOTE, Request, search

_BOTH = f"{CITIES},{REMOTE}:{CITIES}"

_METRICS: list[tuple[str, dict[str, Any]]] = [
    ("percentiles", {"percentiles": {"field": "lat", "tdigest": {"compression": 2000}}}),
    ("percentiles-keyed", {"percentiles": {"field": "no_such", "keyed": False}}),
    ("percentiles-hdr", {"percentiles": {"field": "population", "hdr": {}}}),
    ("ranks-hdr", {"percentile_ranks": {"field": "population", "values": [1e5, 1e6], "hdr": {}}}),
    ("mad", {"median_absolute_deviation": {"field": "lon", "compression": 2000}}),
    ("weighted", {"weighted_avg": {"value": {"field": "lat"}, "weight": {"field": "population"}}}),
    (
        "weighted-missing",
        {
            "weighted_avg": {
                "value": {"field": "no_such", "missing": 2.5},
                "weight": {"field": "population"},
            }
        },
    ),
    ("cardinality-low", {"cardinality": {"field": "timezone", "precision_threshold": 10}}),
    ("cardinality-none", {"cardinality": {"field": "population", "precision_threshold": 0}}),
]

_PIPELINES: list[tuple[str, dict[str, Any]]] = [
    (kind, {kind: {"buckets_path": "h>s"}})
    for kind in (
        "avg_bucket",
        "max_bucket",
        "min_bucket",
        "sum_bucket",
        "stats_bucket",
        "extended_stats_bucket",
        "percentiles_bucket",
    )
]
_PARENTS: list[tuple[str, dict[str, Any]]] = [
    ("cumulative", {"cumulative_sum": {"buckets_path": "s"}}),
    ("cumulative-count", {"cumulative_sum": {"buckets_path": "_count", "format": "0.0"}}),
    ("serial", {"serial_diff": {"buckets_path": "s", "lag": 2, "gap_policy": "insert_zeros"}}),
    ("bad-path", {"cumulative_sum": {"buckets_path": "none"}}),
    ("circle", {"cumulative_sum": {"buckets_path": "x"}}),
]


def requests() -> Iterator[Request]:
    for name, agg in _METRICS:
        yield search(f"metrics/{name}", CITIES, {"size": 0, "aggs": {"x": agg}})
        yield search(f"metrics/{name}-both", _BOTH, {"size": 0, "aggs": {"x": agg}})
        nested = {"t": {"terms": {"field": "continent"}, "aggs": {"x": agg}}}
        yield search(f"metrics/{name}-in-terms", _BOTH, {"size": 0, "aggs": nested})
    for name, agg in _PIPELINES:
        yield search(f"metrics/{name}", _BOTH, {"size": 0, "aggs": {**_histogram(), "x": agg}})
    for name, agg in _PARENTS:
        yield search(f"metrics/{name}", _BOTH, {"size": 0, "aggs": _histogram(x=agg)})


def _histogram(**inside: dict[str, Any]) -> dict[str, Any]:
    return {
        "h": {
            "histogram": {"field": "lat", "interval": 20},
            "aggs": {"s": {"max": {"field": "population"}}, **inside},
        }
    }
