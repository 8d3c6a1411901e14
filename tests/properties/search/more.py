"""More random queries and aggregations: those whose answer is the same however documents are spread over shards."""

import random
from typing import Any

from tests.properties.search import vocabulary as words

Json = dict[str, Any]
EVERYTHING = 10_000
"""More buckets, or more expanded terms, than there can be."""


def query(rng: random.Random) -> Json:
    """One that needs no statistics of terms to decide what matches."""
    kinds = [
        lambda: {"wildcard": {"word": {"value": rng.choice(("w?5", "*3", "w1*", "?", "*"))}}},
        lambda: {"wildcard": {"tag": {"value": "R*d", "case_insensitive": True}}},
        lambda: {
            "regexp": {"word": {"value": rng.choice(("w[0-3].", "w(05|17)", ".*9", "w<1-20>"))}}
        },
        lambda: {
            "fuzzy": {"text": {"value": rng.choice(("quik", "fax", "lzy")), "max_expansions": 1000}}
        },
        lambda: {"match": {"text": {"query": "quick foxx", "fuzziness": "AUTO"}}},
        lambda: {"match_phrase_prefix": {"text": {"query": "quick bro", "max_expansions": 1000}}},
        lambda: {"match_bool_prefix": {"text": {"query": "lazy fo", "operator": "and"}}},
        lambda: {"constant_score": {"filter": {"term": {"tag": rng.choice(words.TAGS)}}}},
        lambda: {
            "dis_max": {
                "queries": [{"term": {"small": 1}}, {"match": {"text": rng.choice(words.TEXT)}}]
            }
        },
        lambda: {
            "boosting": {
                "positive": {"range": {"number": {"gt": 0}}},
                "negative": {"term": {"flag": True}},
                "negative_boost": 0.5,
            }
        },
        lambda: {"query_string": {"query": rng.choice(_STRINGS), "default_field": "text"}},
        lambda: {"simple_query_string": {"query": "quick + fox | laz*", "fields": ["text"]}},
        lambda: {
            "terms_set": {
                "word": {
                    "terms": rng.sample(words.WORDS, 12),
                    "minimum_should_match_field": "small",
                }
            }
        },
        lambda: _nested(rng),
        lambda: {
            "geo_bounding_box": {"place": {"top": 60, "left": -20, "bottom": -10, "right": 45}}
        },
        lambda: {
            "geo_distance": {
                "distance": rng.choice(("500km", "3000km", "9000km")),
                "place": {"lat": rng.randint(-50, 50), "lon": rng.randint(-90, 90)},
            }
        },
        lambda: {
            "function_score": {
                "query": {"exists": {"field": "number"}},
                "field_value_factor": {"field": "small", "missing": 1},
                "boost_mode": "replace",
            }
        },
    ]
    return rng.choice(kinds)()


_STRINGS = (
    "quick AND NOT fox",
    "number:[-10 TO 10] OR tag:red",
    '"brown fox"~2',
    "word:w1* lazy",
    "_exists_:rare",
    "small:>=3 +flag:true",
)


def _nested(rng: random.Random) -> Json:
    inner = rng.choice(
        (
            {"term": {"parts.kind": rng.choice("abc")}},
            {"range": {"parts.amount": {"gte": rng.randint(0, 9)}}},
            {
                "bool": {
                    "filter": [
                        {"term": {"parts.kind": "a"}},
                        {"range": {"parts.amount": {"lt": 5}}},
                    ]
                }
            },
        )
    )
    return {"nested": {"path": "parts", "query": inner, "score_mode": "none"}}


def bucket(rng: random.Random) -> Json:
    """An aggregation with buckets that adds up exactly."""
    kinds = [
        lambda: {"composite": {"sources": _sources(rng), "size": rng.choice((3, 20, 500))}},
        lambda: {
            "multi_terms": {
                "terms": [{"field": "group"}, {"field": rng.choice(("small", "flag", "word"))}],
                "size": EVERYTHING,
                "order": rng.choice(({"_key": "asc"}, {"_count": "desc"})),
            }
        },
        lambda: {"rare_terms": {"field": rng.choice(("word", "group")), "max_doc_count": 3}},
        lambda: {"nested": {"path": "parts"}},
        lambda: {
            "ip_range": {
                "field": "ip",
                "ranges": [
                    {"to": "10.0.0.5"},
                    {"mask": "10.0.0.0/9"},
                    {"from": "::ffff:192.0.0.0"},
                ],
            }
        },
        lambda: {
            "geohash_grid": {"field": "place", "precision": rng.randint(1, 3), "size": EVERYTHING}
        },
        lambda: {
            "geotile_grid": {"field": "place", "precision": rng.randint(1, 5), "size": EVERYTHING}
        },
        lambda: {"auto_date_histogram": {"field": "once", "buckets": rng.choice((3, 10, 25))}},
        lambda: {
            "adjacency_matrix": {
                "filters": {
                    "low": {"range": {"number": {"lt": 0}}},
                    "red": {"term": {"tag": "red"}},
                    "on": {"term": {"flag": True}},
                }
            }
        },
    ]
    return rng.choice(kinds)()


def _sources(rng: random.Random) -> list[Json]:
    sources: list[Json] = [
        {"g": {"terms": {"field": "group", "missing_bucket": rng.random() < 0.5}}},
        {"n": {"histogram": {"field": "number", "interval": 10}}},
        {"d": {"date_histogram": {"field": "at", "calendar_interval": "month"}}},
        {"w": {"terms": {"field": "word", "order": rng.choice(("asc", "desc"))}}},
    ]
    return rng.sample(sources, rng.randint(1, 3))


def metric(rng: random.Random) -> Json:
    """A metric whose state merges without loss, for as few values as there are."""
    name = rng.choice(("number", "small", "quarter"))
    kinds = [
        lambda: {
            "percentiles": {"field": name, "percents": rng.choice(([50], [0, 25, 99.9, 100]))}
        },
        lambda: {"percentile_ranks": {"field": name, "values": [-10, 0, 3.5]}},
        lambda: {"boxplot": {"field": name}},
        lambda: {"median_absolute_deviation": {"field": name}},
        lambda: {
            "weighted_avg": {
                "value": {"field": "single"},
                "weight": {"field": "single", "missing": 2},
            }
        },
        lambda: {
            "top_hits": {
                "sort": [{"uid": rng.choice(("asc", "desc"))}],
                "size": 3,
                "_source": ["uid"],
            }
        },
        lambda: {
            "top_metrics": {
                "metrics": [{"field": "single"}],
                "sort": {"uid": rng.choice(("asc", "desc"))},
                "size": 2,
            }
        },
        lambda: {"geo_bounds": {"field": "place"}},
    ]
    return rng.choice(kinds)()


def pipeline(rng: random.Random) -> Json:
    """A histogram with pipelines inside, and one beside it."""
    return {
        "h": {
            "histogram": {"field": "number", "interval": 10},
            "aggs": {
                "s": {"sum": {"field": "small"}},
                "d": {"derivative": {"buckets_path": rng.choice(("s", "_count"))}},
                "c": {"cumulative_sum": {"buckets_path": "s"}},
            },
        },
        "best": {"max_bucket": {"buckets_path": "h>s"}},
        "stats": {"stats_bucket": {"buckets_path": "h>_count"}},
    }
