"""The documents that random requests ask about: cities with a field of every kind, in one shard and in three.

Everything a request may name is here too: fields by what can be done with them, and values that occur.
"""

import random
from collections.abc import Iterator
from typing import Any

from sealane.cli import dataset

Json = dict[str, Any]

RICH = "duel-rich"
MANY = "duel-many"
FAR = {RICH: "duel-rich-far", MANY: "duel-many-far"}
"""Under other names on the remote cluster, so that ties are ordered alike everywhere."""
SHARDS = {RICH: 1, MANY: 3}
DOCUMENTS = {RICH: 500, MANY: 300}

_SEED = 20_260
WORDS = (
    "harbour",
    "river",
    "mountain",
    "old",
    "new",
    "royal",
    "market",
    "bridge",
    "castle",
    "island",
    "forest",
    "valley",
    "lake",
    "green",
    "white",
    "stone",
    "north",
    "south",
    "port",
    "saint",
)
_KINDS = ("town", "city", "metropolis")

MAPPINGS: Json = {
    "properties": {
        "name": {"type": "text", "fields": {"raw": {"type": "keyword", "ignore_above": 30}}},
        "about": {"type": "text"},
        "country": {"type": "keyword"},
        "kind": {"type": "keyword"},
        "labels": {"type": "keyword"},
        "population": {"type": "integer"},
        "rank": {"type": "long"},
        "height": {"type": "double"},
        "ratio": {"type": "float"},
        "level": {"type": "byte"},
        "scores": {"type": "short"},
        "capital": {"type": "boolean"},
        "founded": {"type": "date", "format": "yyyy-MM-dd||epoch_millis"},
        "observed": {"type": "date"},
        "address": {"type": "ip"},
        "place": {"type": "geo_point"},
        "zone": {"properties": {"name": {"type": "keyword"}, "offset": {"type": "integer"}}},
        "visits": {
            "type": "nested",
            "properties": {
                "by": {"type": "keyword"},
                "stars": {"type": "integer"},
                "note": {"type": "text"},
            },
        },
    }
}

KEYWORDS = ("country", "kind", "labels", "name.raw", "zone.name")
WHOLE = ("population", "rank", "level", "scores", "zone.offset")
FRACTIONS = ("height", "ratio")
NUMBERS = (*WHOLE, *FRACTIONS)
DATES = ("founded", "observed")
TEXTS = ("name", "about")
SINGLE = ("country", "kind", "population", "rank", "height", "level", "founded", "observed")
"""Fields with one value at most: what collapse and scores take."""
UNMAPPED = ("nowhere", "zone.nothing")
SORTABLE = (*KEYWORDS, *NUMBERS, *DATES, "capital", "address")

COUNTRIES = ("DE", "FR", "IT", "ES", "US", "BR", "MX", "GB", "PL", "XX")
KINDS = (*_KINDS, "hamlet")
LABELS = ("Old", "new", "Café", "x-1", "日本", "")
ADDRESSES = ("10.0.0.1", "10.0.0.200", "10.0.3.7", "192.168.1.1", "2001:db8::1", "::1")
NAMES = ("berlin", "san", "la", "saint", "paris", "villa", "new york", "santa", "de", "port")


def documents(index: str, group: str) -> list[tuple[str, Json]]:
    """(id, source), by id. `group` is one of the data set's, and so is another set of cities."""
    rng = random.Random(f"{_SEED}/{index}/{group}")
    cities = sorted(dataset.cities(group), key=lambda each: -each[1]["population"])
    chosen = cities[:: 7 if index == RICH else 11][: DOCUMENTS[index]]
    return [(identifier, _source(rng, city)) for identifier, city in sorted(chosen)]


def _source(rng: random.Random, city: Json) -> Json:
    population = city["population"]
    source: Json = {
        "name": city["name"],
        "country": city["countrycode"],
        "population": population,
        "observed": city["observed"],
        "place": {"lat": city["lat"], "lon": city["lon"]},
        "zone": {"name": city["timezone"], "offset": rng.randint(-6, 3)},
        "kind": _KINDS[(population > 100_000) + (population > 1_000_000)],
        "rank": rng.randint(-5, 60),
    }
    return source | dict(_optional(rng, city))


def _optional(rng: random.Random, city: Json) -> Iterator[tuple[str, Any]]:
    """What not every city has, or has several of."""
    if rng.random() < 0.9:
        yield "about", " ".join(rng.choices(WORDS, k=rng.randint(2, 9)))
    if rng.random() < 0.7:
        yield "labels", rng.sample(LABELS, rng.randint(1, 3))
    if rng.random() < 0.8:
        yield "height", rng.randint(-400, 8000) / 4
    if rng.random() < 0.8:
        yield "ratio", rng.randint(-64, 64) / 64
    if rng.random() < 0.8:
        yield "level", rng.randint(-3, 9)
    if rng.random() < 0.7:
        yield "scores", [rng.randint(0, 40) for _ in range(rng.randint(1, 4))]
    if rng.random() < 0.8:
        yield "capital", rng.random() < 0.3
    if rng.random() < 0.8:
        yield (
            "founded",
            f"{rng.randint(1100, 1999)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
        )
    if rng.random() < 0.6:
        yield "address", rng.choice(ADDRESSES)
    if rng.random() < 0.6:
        yield (
            "visits",
            [
                {
                    "by": rng.choice(("ann", "bob", "cyd")),
                    "stars": rng.randint(1, 5),
                    "note": " ".join(rng.choices(WORDS, k=3)),
                }
                for _ in range(rng.randint(1, 3))
            ],
        )
