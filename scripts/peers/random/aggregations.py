"""Random aggregations over the rich documents: of those that the judge has, which lacks some modules."""

import random
from collections.abc import Callable
from typing import Any

from scripts.peers.random import corpus
from scripts.peers.random.queries import query

Json = dict[str, Any]
Make = Callable[[random.Random], Json]


def aggregations(rng: random.Random, depth: int = 0) -> Json:
    """One to three side by side, at most three deep; now and then a pipeline beside them."""
    made = {f"a{n}": _aggregation(rng, depth) for n in range(rng.randint(1, max(1, 3 - depth)))}
    if rng.random() < 0.15:
        made["p"] = _sibling(rng, made)
    return made


def _aggregation(rng: random.Random, depth: int) -> Json:
    if depth >= 2 or rng.random() < 0.4:
        return rng.choice(_METRICS)(rng)
    made = rng.choice(_BUCKETS)(rng)
    if rng.random() < 0.55:
        made["aggs"] = aggregations(rng, depth + 1)
        if next(iter(made)) in ("histogram", "date_histogram") and rng.random() < 0.4:
            made["aggs"]["parent"] = _parent(rng, made["aggs"])
    if rng.random() < 0.05:
        made["meta"] = {"why": [1, "two"]}
    return made


# -- metrics -----------------------------------------------------------------------------------------------------


def _number_field(rng: random.Random) -> str:
    return rng.choice((*corpus.NUMBERS, *corpus.NUMBERS, "nowhere"))


def _metric(rng: random.Random) -> Json:
    kind = rng.choice(("avg", "sum", "min", "max", "stats", "extended_stats", "value_count"))
    field = _number_field(rng)
    if kind in ("min", "max", "value_count", "stats") and rng.random() < 0.3:
        field = rng.choice((*corpus.DATES, "capital"))
    made: Json = {"field": field}
    if field in corpus.NUMBERS and rng.random() < 0.2:
        made["missing"] = rng.randint(-5, 5)
    if rng.random() < 0.1 and field in corpus.NUMBERS:
        made["format"] = rng.choice(("0.00", "#,##0", "000"))
    return {kind: made}


def _cardinality(rng: random.Random) -> Json:
    made: Json = {"field": rng.choice((*corpus.SORTABLE, "nowhere"))}
    if rng.random() < 0.3:
        made["precision_threshold"] = rng.choice((0, 10, 100, 40_000))
    return {"cardinality": made}


def _percentiles(rng: random.Random) -> Json:
    field = rng.choice(("level", "scores", "rank", "height", "nowhere"))
    kind = rng.choice(("percentiles", "percentile_ranks", "median_absolute_deviation"))
    made: Json = {"field": field}
    if kind == "percentiles" and rng.random() < 0.5:
        made["percents"] = rng.choice(([50], [0, 100], [12.5, 99.9]))
    if kind == "percentile_ranks":
        made["values"] = rng.choice(([0], [1, 10.5], [-100, 3]))
    if kind.startswith("percentile") and rng.random() < 0.3:
        made["keyed"] = False
    if kind.startswith("percentile") and rng.random() < 0.2:
        made["hdr"] = {"number_of_significant_value_digits": 2}
    return {kind: made}


def _top_hits(rng: random.Random) -> Json:
    made: Json = {"size": rng.randint(1, 4), "sort": [{"rank": "desc"}, {"population": "asc"}]}
    if rng.random() < 0.5:
        made["_source"] = rng.choice((False, ["rank"], {"includes": ["k*"]}))
    if rng.random() < 0.3:
        made["from"] = rng.randint(0, 2)
    return {"top_hits": made}


_METRICS: tuple[Make, ...] = (
    _metric,
    _metric,
    _metric,
    _cardinality,
    _percentiles,
    _top_hits,
    lambda rng: {
        "weighted_avg": {
            "value": {"field": rng.choice(("level", "rank", "nowhere"))},
            "weight": {"field": "population", **({"missing": 2} if rng.random() < 0.5 else {})},
        }
    },
    lambda rng: {rng.choice(("geo_bounds", "geo_centroid")): {"field": "place"}},
)


# -- buckets -----------------------------------------------------------------------------------------------------


def _terms(rng: random.Random) -> Json:
    field = rng.choice(
        (*corpus.KEYWORDS, "level", "scores", "capital", "address", "nowhere", "ratio")
    )
    made: Json = {"field": field}
    for name, choices in (
        ("size", (1, 3, 5, 50)),
        ("shard_size", (2, 20)),
        ("min_doc_count", (0, 1, 3)),
        ("show_term_doc_count_error", (True,)),
        ("order", ({"_key": "asc"}, {"_key": "desc"}, {"_count": "asc"}, [{"_count": "desc"}])),
    ):
        if rng.random() < 0.25:
            made[name] = rng.choice(choices)
    if field in corpus.KEYWORDS and rng.random() < 0.2:
        made[rng.choice(("include", "exclude"))] = rng.choice(("[A-M].*", ["DE", "town"], ".*a.*"))
    if rng.random() < 0.15:
        made["missing"] = "none" if field in corpus.KEYWORDS else 7
    return {"terms": made}


def _histogram(rng: random.Random) -> Json:
    made: Json = {
        "field": rng.choice(("rank", "level", "scores", "height", "nowhere")),
        "interval": rng.choice((1, 5, 12.5, 100)),
    }
    if rng.random() < 0.3:
        made["min_doc_count"] = rng.randint(0, 3)
    if rng.random() < 0.2:
        made["offset"] = rng.choice((0.5, 3))
    if rng.random() < 0.2:
        made["keyed"] = True
    if rng.random() < 0.15:
        made["extended_bounds"] = {"min": -10, "max": 60}
    elif rng.random() < 0.15:
        made["hard_bounds"] = {"min": 0, "max": 20}
    return {"histogram": made}


def _date_histogram(rng: random.Random) -> Json:
    made: Json = {"field": rng.choice((*corpus.DATES, "nowhere"))}
    if made["field"] == "founded":
        made["fixed_interval"] = rng.choice(("36500d", "18250d"))
    elif rng.random() < 0.6:
        made["calendar_interval"] = rng.choice(("year", "quarter", "month", "1y", "week"))
    else:
        made["fixed_interval"] = rng.choice(("365d", "90d", "2160h"))
    for name, choices in (
        ("time_zone", ("Europe/Berlin", "-03:00", "America/New_York")),
        ("min_doc_count", (0, 1, 5)),
        ("format", ("yyyy", "yyyy-MM", "epoch_millis")),
        ("offset", ("+6h", "-1d")),
        ("keyed", (True,)),
        ("order", ({"_count": "desc"}, {"_key": "desc"})),
    ):
        if rng.random() < 0.2:
            made[name] = rng.choice(choices)
    return {"date_histogram": made}


def _ranges(rng: random.Random) -> Json:
    if rng.random() < 0.3:
        ranges = [{"to": "1500-01-01"}, {"from": "1500-01-01", "to": "now/y"}]
        return {"date_range": {"field": "founded", "ranges": ranges}}
    if rng.random() < 0.2:
        ranges = [
            {"to": "10.0.1.0"},
            {"mask": "10.0.0.0/25"},
            {"from": "192.168.0.0", "key": "far"},
        ]
        return {"ip_range": {"field": "address", "ranges": ranges}}
    numbers: list[Json] = [
        {"to": rng.randint(-5, 5)},
        {"from": 3, "to": 20},
        {"from": 20, "key": "top"},
    ]
    made: Json = {"field": _number_field(rng), "ranges": numbers[: rng.randint(1, 3)]}
    if rng.random() < 0.3:
        made["keyed"] = True
    return {"range": made}


def _composite(rng: random.Random) -> Json:
    sources: list[Json] = [
        {"c": {"terms": {"field": rng.choice(("country", "kind", "level"))}}},
        {"h": {"histogram": {"field": "rank", "interval": 10}}},
        {"d": {"date_histogram": {"field": "observed", "calendar_interval": "year"}}},
        {"m": {"terms": {"field": "labels", "missing_bucket": True, "order": "desc"}}},
    ]
    made: Json = {
        "sources": rng.sample(sources, rng.randint(1, 3)),
        "size": rng.choice((2, 10, 40)),
    }
    return {"composite": made}


_BUCKETS: tuple[Make, ...] = (
    _terms,
    _terms,
    _terms,
    _histogram,
    _date_histogram,
    _ranges,
    _composite,
    lambda rng: {"filter": query(rng, 2)},
    lambda rng: {
        "filters": {
            "filters": {"x": query(rng, 3), "y": query(rng, 3)},
            **({"other_bucket": True} if rng.random() < 0.5 else {}),
        }
    },
    lambda rng: {"missing": {"field": rng.choice((*corpus.SORTABLE, "nowhere"))}},
    lambda rng: {"significant_terms": {"field": rng.choice(("country", "labels", "kind"))}},
    lambda rng: {"rare_terms": {"field": rng.choice(("country", "labels")), "max_doc_count": 5}},
    lambda rng: {"nested": {"path": "visits"}, "aggs": {"s": {"terms": {"field": "visits.by"}}}},
    lambda rng: {
        rng.choice(("geohash_grid", "geotile_grid")): {
            "field": "place",
            "precision": rng.randint(1, 4),
        }
    },
)


# -- pipelines ---------------------------------------------------------------------------------------------------


def _path(rng: random.Random, members: Json) -> str:
    """A path to a number below, or to one that is not there."""
    name = rng.choice((*members, "none"))
    return rng.choice((name, "_count", f"{name}.value", f"{name}.avg"))


def _sibling(rng: random.Random, beside: Json) -> Json:
    holders = {name: each for name, each in beside.items() if "aggs" in each}
    if not holders:
        return {"avg_bucket": {"buckets_path": f"{next(iter(beside))}>_count"}}
    name = rng.choice(tuple(holders))
    path = f"{name}>{_path(rng, holders[name]['aggs'])}"
    kind = rng.choice(("avg_bucket", "max_bucket", "min_bucket", "sum_bucket", "stats_bucket"))
    return {kind: {"buckets_path": path}}


def _parent(rng: random.Random, beside: Json) -> Json:
    kind = rng.choice(("cumulative_sum", "serial_diff"))
    return {kind: {"buckets_path": _path(rng, beside)}}
