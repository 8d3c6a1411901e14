"""Metrics of documents split over shards and clusters are those of one shard that holds them all."""

import random
from typing import Any

import pytest

from sealane.query import parse_search_body
from sealane.query.any_json import dumps
from sealane.reduce import merge_aggs, render_aggs
from sealane.reduce.partial import AggPartial
from tests.unit.engine.search.shards import FIELDS, mapping_of, search, shard

Json = dict[str, Any]

METRICS: Json = {
    "percentiles": {"percentiles": {"field": "price"}},
    "ranks": {"percentile_ranks": {"field": "n", "values": [-3, 0, 7.5]}},
    "hdr": {"percentiles": {"field": "small", "hdr": {"number_of_significant_value_digits": 2}}},
    "mad": {"median_absolute_deviation": {"field": "n", "missing": 2.5}},
    "box": {"boxplot": {"field": "price"}},
    "weighted": {
        "weighted_avg": {"value": {"field": "n"}, "weight": {"field": "small", "missing": 1}}
    },
    "extended": {"extended_stats": {"field": "price", "missing": -1}},
    "distinct": {"cardinality": {"field": "tag", "precision_threshold": 5}},
    "strings": {"string_stats": {"field": "tag", "show_distribution": True}},
    "matrix": {"matrix_stats": {"fields": ["n", "price"]}},
    "test": {"t_test": {"a": {"field": "n"}, "b": {"field": "price"}}},
    "bounds": {"geo_bounds": {"field": "place"}},
    "centroid": {"geo_centroid": {"field": "place"}},
    "top": {"top_metrics": {"metrics": {"field": "tag"}, "sort": {"at": "desc"}, "size": 3}},
}
INSIDE: Json = {
    "histogram": {
        "histogram": {"field": "n", "interval": 4},
        "aggs": {
            **METRICS,
            "sum": {"sum": {"field": "price"}},
            "moved": {
                "moving_fn": {
                    "buckets_path": "sum",
                    "window": 2,
                    "script": "MovingFunctions.unweightedAvg(values)",
                }
            },
            "change": {"derivative": {"buckets_path": "percentiles[50]"}},
        },
    },
    "best": {"max_bucket": {"buckets_path": "histogram>weighted"}},
}
MAPPING = mapping_of({**FIELDS, "place": "geo_point"})


def document(rng: random.Random, number: int) -> Json:
    found: Json = {"at": 1_700_000_000_000 + number * 1_000}
    if rng.random() < 0.9:
        found["n"] = rng.choice((rng.randint(-9, 9), [rng.randint(-9, 9), rng.randint(-9, 9)]))
    if rng.random() < 0.9:
        found["price"] = round(rng.gauss(0, 30), 2)
    if rng.random() < 0.8:
        found["small"] = rng.randint(0, 400)
    if rng.random() < 0.8:
        found["tag"] = "".join(rng.choices("abcé😀", k=rng.randint(1, 4)))
    return found


def answer(aggs: Json, parts: list[list[Json]]) -> Json:
    """The parts as shards; the first two are merged as a cluster first."""
    asked = {"size": 0, "aggs": aggs}
    found = [_tree(asked, documents) for documents in parts]
    body = parse_search_body(dumps(asked))
    if len(found) > 2:
        cluster = merge_aggs(body.aggs, found[:2], final=False)
        found = [cluster, *found[2:]]
    shown: Json = render_aggs(body.aggs, merge_aggs(body.aggs, found, final=True))
    return shown


def _tree(asked: Json, documents: list[Json]) -> dict[str, AggPartial]:
    found = search(shard(documents, MAPPING), asked).aggs
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(12))
def test_split_documents_have_the_metrics_of_all(seed: int) -> None:
    """S-107, S-110, S-112: any split, merged in two steps, with empty parts among them."""
    rng = random.Random(seed)
    documents = [document(rng, number) for number in range(rng.choice((3, 40, 150)))]
    cuts = sorted(rng.randint(0, len(documents)) for _ in range(rng.randint(1, 4)))
    parts = [
        documents[first:last]
        for first, last in zip([0, *cuts], [*cuts, len(documents)], strict=True)
    ]
    aggs = {**METRICS, **INSIDE}
    assert _same(answer(aggs, [documents]), answer(aggs, parts))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return other == pytest.approx(one, rel=1e-9, abs=1e-9)
    return bool(one == other)
