"""Documents split over shards and clusters give the answer of one shard that holds them all, for every kind of bucket
whose merge is exact.
"""

import json
import random
from typing import Any

import pytest

from sealane.query import parse_search_body
from sealane.reduce import merge
from sealane.reduce.aggs import render_aggs
from sealane.reduce.partial import Partial
from tests.unit.engine.search.shards import NOW_MS, search, shard

Json = dict[str, Any]
_SEEDS = 12
_DOCUMENTS = 60

_SUBS: list[Json] = [
    {},
    {"c": {"value_count": {"field": "n"}}, "m": {"max": {"field": "price"}}},
    {"t": {"terms": {"field": "ok"}, "aggs": {"s": {"sum": {"field": "small"}}}}},
    {"r": {"rare_terms": {"field": "tag", "max_doc_count": 2}}},
    {"p": {"ip_prefix": {"field": "ip", "prefix_length": 30}}},
]


def _document(rng: random.Random) -> Json:
    made: Json = {}
    if rng.random() < 0.85:
        made["tag"] = rng.choice("abcdef") if rng.random() < 0.8 else rng.sample("abcdef", 2)
    if rng.random() < 0.85:
        made["n"] = rng.randrange(-5, 12) if rng.random() < 0.8 else [rng.randrange(9), 3]
    if rng.random() < 0.85:
        made["price"] = rng.randrange(400) / 4
    if rng.random() < 0.85:
        made["small"] = rng.randrange(5)
    if rng.random() < 0.85:
        made["ok"] = rng.random() < 0.4
    if rng.random() < 0.85:
        hour = rng.randrange(24)
        made["at"] = f"2024-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}T{hour:02}:30:00Z"
    if rng.random() < 0.85:
        made["ip"] = rng.choice(("10.0.0.", "10.0.1.", "192.168.7.")) + str(rng.randrange(9))
    return made


def _source(rng: random.Random, name: str) -> Json:
    common: Json = {"order": rng.choice(("asc", "desc"))}
    if rng.random() < 0.5:
        common["missing_bucket"] = True
        common["missing_order"] = rng.choice(("first", "last", "default"))
    kind = rng.choice(("terms", "terms", "histogram", "date_histogram"))
    if kind == "terms":
        field = rng.choice(("tag", "n", "price", "ok", "ip", "nowhere"))
        return {name: {"terms": {"field": field, **common}}}
    if kind == "histogram":
        field, interval = rng.choice((("n", 4), ("price", 7.5), ("nowhere", 1)))
        return {name: {"histogram": {"field": field, "interval": interval, **common}}}
    unit = rng.choice(("week", "month", "quarter"))
    zone = rng.choice(("UTC", "Europe/Berlin"))
    dates = {"field": "at", "calendar_interval": unit, "time_zone": zone, **common}
    return {name: {"date_histogram": dates}}


def _composite(rng: random.Random) -> Json:
    sources = [_source(rng, f"s{n}") for n in range(rng.randint(1, 3))]
    return {"composite": {"sources": sources, "size": rng.choice((1, 3, 10, 200))}}


def _multi_terms(rng: random.Random) -> Json:
    fields = rng.sample(("tag", "n", "ok", "ip", "small", "at"), rng.randint(2, 3))
    terms: list[Json] = [{"field": field} for field in fields]
    order = rng.choice(({"_count": "desc"}, {"_key": "asc"}, {"_key": "desc"}))
    return {"multi_terms": {"terms": terms, "size": 500, "order": order}}


def _rare_terms(rng: random.Random) -> Json:
    field = rng.choice(("tag", "small", "ip", "at", "nowhere"))
    return {"rare_terms": {"field": field, "max_doc_count": rng.choice((1, 3, 10))}}


def _ip_range(rng: random.Random) -> Json:
    ranges = [{"mask": "10.0.0.0/30"}, {"from": "10.0.1.0"}, {"to": "192.168.7.4"}]
    return {"ip_range": {"field": "ip", "ranges": rng.sample(ranges, rng.randint(1, 3))}}


def _ip_prefix(rng: random.Random) -> Json:
    wide = rng.random() < 0.3
    length = rng.randrange(100, 128) if wide else rng.randrange(16, 33)
    return {
        "ip_prefix": {
            "field": "ip",
            "prefix_length": length,
            "is_ipv6": wide,
            "min_doc_count": rng.choice((1, 4)),
        }
    }


def _auto_dates(rng: random.Random) -> Json:
    return {"auto_date_histogram": {"field": "at", "buckets": rng.choice((1, 2, 5, 13, 60))}}


def _adjacency(rng: random.Random) -> Json:
    filters: Json = {
        "a": {"term": {"tag": "a"}},
        "b": {"term": {"tag": "b"}},
        "ok": {"term": {"ok": True}},
        "cheap": {"range": {"price": {"lt": 40}}},
    }
    chosen = rng.sample(sorted(filters), rng.randint(1, 4))
    return {"adjacency_matrix": {"filters": {name: filters[name] for name in chosen}}}


def _partition(rng: random.Random) -> Json:
    include = {"partition": rng.randrange(3), "num_partitions": 3}
    return {"terms": {"field": rng.choice(("tag", "n", "ip")), "size": 99, "include": include}}


_KINDS = {
    "adjacency_matrix": _adjacency,
    "auto_date_histogram": _auto_dates,
    "composite": _composite,
    "ip_prefix": _ip_prefix,
    "ip_range": _ip_range,
    "multi_terms": _multi_terms,
    "partition": _partition,
    "rare_terms": _rare_terms,
}


def _split(rng: random.Random, documents: list[Json]) -> list[list[list[Json]]]:
    """Clusters of shards."""
    clusters: list[list[list[Json]]] = [
        [[] for _ in range(rng.randint(1, 2))] for _ in range(rng.randint(1, 3))
    ]
    for document in documents:
        rng.choice(rng.choice(clusters)).append(document)
    return clusters


def _answer(body: Json, clusters: list[list[list[Json]]]) -> Json:
    parsed = parse_search_body(json.dumps(body).encode())
    options: Json = {"from_": 0, "size": 0, "now_ms": NOW_MS}
    answers: list[Partial] = [
        merge(
            parsed,
            [search(shard(documents), body) for documents in shards],
            final=False,
            **options,
        )
        for shards in clusters
    ]
    whole = merge(parsed, answers, final=True, by_cluster=True, **options)
    return render_aggs(parsed.aggs, whole.aggs or {}, typed_keys=True)


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("seed", range(_SEEDS))
def test_a_union_is_one_shard(kind: str, seed: int) -> None:
    """S-97, S-102, S-103, S-105, S-113."""
    rng = random.Random(f"{kind} {seed}")
    documents = [_document(rng) for _ in range(rng.choice((0, 5, _DOCUMENTS)))]
    agg = _KINDS[kind](rng)
    subs = rng.choice(_SUBS)
    if subs:
        agg["aggs"] = subs
    query: Json = rng.choice(({"match_all": {}}, {"term": {"ok": True}}))
    body = {"size": 0, "query": query, "aggs": {"x": agg}}
    found = _answer(body, _split(rng, documents))
    assert found == _answer(body, [[documents]]), json.dumps(body)
