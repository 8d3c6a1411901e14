"""Random documents and requests from a seed.

Numbers that are summed are quarters of small integers, so sums are the same in any order; extremes are in fields that
are only compared. `uid` is different in every document and ends every sort, so an order is never a matter of chance.
"""

import random
from dataclasses import dataclass, field
from typing import Any

from tests.properties.search import more
from tests.properties.search.vocabulary import EXTREMES, IPS, TAGS, TEXT, WIDE, WORDS

MAPPING: dict[str, Any] = {
    "uid": {"type": "keyword"},
    "number": {"type": "long"},
    "small": {"type": "integer"},
    "quarter": {"type": "double"},
    "extreme": {"type": "long"},
    "wide": {"type": "double"},
    "tag": {"type": "keyword"},
    "word": {"type": "keyword"},
    "text": {"type": "text"},
    "flag": {"type": "boolean"},
    "at": {"type": "date"},
    "ip": {"type": "ip"},
    "group": {"type": "keyword"},
    "single": {"type": "integer"},
    "once": {"type": "date"},
    "place": {"type": "geo_point"},
    "parts": {
        "type": "nested",
        "properties": {"kind": {"type": "keyword"}, "amount": {"type": "integer"}},
    },
}
OPTIONAL: dict[str, Any] = {"rare": {"type": "long"}}
"""Mapped only where a document has it: unmapped on the other clusters."""

YEAR_2024_MS, HOUR_MS = 1_704_067_200_000, 3_600_000
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "+05:30", "Asia/Kathmandu")
SORTABLE = ("number", "small", "quarter", "extreme", "wide", "tag", "word", "flag", "at", "ip")
NUMERIC = ("number", "small", "quarter")

Json = dict[str, Any]


@dataclass
class Case:
    """A seed's documents, by cluster, and its random numbers for the requests."""

    seed: int
    rng: random.Random
    shards: list[int]
    documents: list[dict[str, Json]] = field(default_factory=list)

    @property
    def union(self) -> dict[str, Json]:
        return {uid: document for part in self.documents for uid, document in part.items()}


def case(seed: int) -> Case:
    """2 to 8 clusters of 1 to 3 shards with 0 to 60 documents each; one in ten clusters has none."""
    rng = random.Random(seed)
    made = Case(seed, rng, [rng.randint(1, 3) for _ in range(_clusters(rng))])
    for at in range(len(made.shards)):
        count = 0 if rng.random() < 0.1 else rng.randint(1, 60)
        has_rare = rng.random() < 0.5
        made.documents.append(
            {f"{at}-{n:03d}": _document(rng, f"{at}-{n:03d}", has_rare) for n in range(count)}
        )
    return made


def _clusters(rng: random.Random) -> int:
    """Mostly few: each costs time, and what many do differently is rare."""
    return rng.choice((2, 2, 2, 3, 3, 4, 5, 8))


def large_case(seed: int, count: int) -> Case:
    """Two clusters of one shard with `count` documents each: where one shard has all, other ways to search pay off."""
    rng = random.Random(seed)
    made = Case(seed, rng, [1, 1])
    for at in range(2):
        uids = [f"{at}-{n:05d}" for n in range(count)]
        made.documents.append({uid: _document(rng, uid, False) for uid in uids})
    return made


def _document(rng: random.Random, uid: str, has_rare: bool) -> Json:
    values: dict[str, Any] = {
        "number": lambda: rng.randint(-50, 50),
        "small": lambda: rng.randint(0, 5),
        "quarter": lambda: rng.randint(-400, 400) / 4,
        "extreme": lambda: rng.choice(EXTREMES),
        "wide": lambda: rng.choice(WIDE),
        "tag": lambda: rng.choice(TAGS),
        "word": lambda: rng.choice(WORDS),
        "text": lambda: " ".join(rng.choices(TEXT, k=rng.randint(1, 6))),
        "flag": lambda: rng.random() < 0.5,
        "at": lambda: _date(rng),
        "ip": lambda: rng.choice(IPS),
    }
    document: Json = {"uid": uid}
    for name, value in values.items():
        chance = rng.random()
        if chance < 0.15:
            continue  # missing
        if chance < 0.2:
            document[name] = rng.choice([None, []])
        elif chance < 0.3:
            document[name] = [value() for _ in range(rng.randint(1, 4))]
        else:
            document[name] = value()
    if rng.random() < 0.8:
        document["group"] = rng.choice(("north", "south", "east"))
    if rng.random() < 0.8:
        document["single"] = rng.randint(-8, 8)
    if rng.random() < 0.8:
        document["once"] = YEAR_2024_MS + rng.randint(0, 24 * 366) * HOUR_MS
    if rng.random() < 0.8:
        document["place"] = {"lat": rng.randint(-340, 340) / 4, "lon": rng.randint(-700, 700) / 4}
    if rng.random() < 0.6:
        document["parts"] = [
            {"kind": rng.choice("abc"), "amount": rng.randint(0, 9)}
            for _ in range(rng.randint(1, 3))
        ]
    if has_rare and rng.random() < 0.3:
        document["rare"] = rng.randint(0, 9)
    return document


def _date(rng: random.Random) -> Any:
    at = YEAR_2024_MS + rng.randint(0, 24 * 366) * HOUR_MS + rng.choice((0, 0, 1, 59_999))
    if rng.random() < 0.5:
        return at
    day = rng.randint(1, 28)
    return f"2024-{rng.randint(1, 12):02d}-{day:02d}T{rng.randint(0, 23):02d}:30:00Z"


# -- queries -----------------------------------------------------------------------------------------------------


def query(rng: random.Random, depth: int = 0) -> Json:
    """Any query but those whose answer depends on scores."""
    kinds = [
        lambda: {"match_all": {}},
        lambda: {"term": {"tag": rng.choice(TAGS)}},
        lambda: {"term": {"small": {"value": rng.randint(0, 6)}}},
        lambda: {"term": {"flag": rng.choice((True, False, "true"))}},
        lambda: {"term": {"ip": rng.choice((*IPS, "10.0.0.0/8"))}},
        lambda: {"term": {"extreme": rng.choice(EXTREMES)}},
        lambda: {"terms": {"word": rng.sample(WORDS, rng.randint(1, 10))}},
        lambda: {"terms": {"number": [rng.randint(-50, 50) for _ in range(8)]}},
        lambda: {"range": {rng.choice(NUMERIC): _bounds(rng, rng.randint(-30, 30), 20)}},
        lambda: {"range": {"extreme": {"gte": rng.choice(EXTREMES)}}},
        lambda: {"range": {"wide": {"lt": rng.choice(WIDE)}}},
        lambda: {"range": {"at": {"gte": f"2024-{rng.randint(1, 12):02d}-01", "lt": "2025||/y"}}},
        lambda: {"range": {"at": {"gt": "2024-06-30||-1M/M", "time_zone": rng.choice(ZONES)}}},
        lambda: {"exists": {"field": rng.choice((*SORTABLE, "text", "rare"))}},
        lambda: {"prefix": {"word": f"w{rng.randint(0, 3)}"}},
        lambda: {"prefix": {"tag": {"value": "R", "case_insensitive": True}}},
        lambda: {"ids": {"values": [f"{rng.randint(0, 3)}-{rng.randint(0, 40):03d}"] * 2}},
        lambda: {"match": {"text": " ".join(rng.sample(TEXT, 2))}},
        lambda: {"match": {"text": {"query": "quick fox", "operator": "and"}}},
        lambda: {"match_phrase": {"text": {"query": "brown fox", "slop": rng.randint(0, 3)}}},
        lambda: {"multi_match": {"query": rng.choice(TEXT), "fields": ["text", "word"]}},
        lambda: {"match_none": {}},
    ]
    if depth < 2 and rng.random() < 0.35:
        return {"bool": _bool(rng, depth)}
    if rng.random() < 0.35:
        return more.query(rng)
    return rng.choice(kinds)()


def _bool(rng: random.Random, depth: int) -> Json:
    clauses: Json = {}
    for name in ("must", "filter", "should", "must_not"):
        if rng.random() < 0.5:
            clauses[name] = [query(rng, depth + 1) for _ in range(rng.randint(1, 2))]
    if "should" in clauses and rng.random() < 0.3:
        clauses["minimum_should_match"] = rng.choice((1, 2, "50%"))
    return clauses


def _bounds(rng: random.Random, low: int, width: int) -> Json:
    return {rng.choice(("gte", "gt")): low, rng.choice(("lte", "lt")): low + width}


# -- sorts and pages ---------------------------------------------------------------------------------------------


def sort(rng: random.Random) -> list[Any]:
    """One to three keys and the tie-breaker."""
    keys = [_sort_key(rng, name) for name in rng.sample((*SORTABLE, "rare"), rng.randint(0, 3))]
    return [*keys, {"uid": rng.choice(("asc", "desc"))}]


def _sort_key(rng: random.Random, name: str) -> Json:
    key: Json = {"order": rng.choice(("asc", "desc"))}
    if rng.random() < 0.5:
        key["missing"] = rng.choice(("_first", "_last"))
    elif name in NUMERIC and rng.random() < 0.5:
        key["missing"] = rng.randint(-60, 60)
    if rng.random() < 0.3:
        single = ("min", "max")
        key["mode"] = rng.choice((*single, "sum", "avg", "median") if name in NUMERIC else single)
    if name == "rare":
        key["unmapped_type"] = "long"
    return {name: key}


def page(rng: random.Random) -> Json:
    """A page of a sorted search; now and then one behind the end."""
    body: Json = {
        "query": query(rng),
        "sort": sort(rng),
        "from": rng.choice((0, 0, rng.randint(0, 40), 300)),
        "size": rng.choice((0, 1, 10, rng.randint(1, 80))),
        "track_total_hits": rng.choice((True, True, False, rng.randint(0, 60))),
    }
    if rng.random() < 0.2:
        body["post_filter"] = query(rng)
    if rng.random() < 0.2:
        body["_source"] = rng.choice((False, ["uid", "t*"], {"excludes": ["text", "at"]}))
    if rng.random() < 0.15:
        body["collapse"] = {"field": rng.choice(("group", "single"))}
    return body


# -- aggregations ------------------------------------------------------------------------------------------------


def aggregations(rng: random.Random, depth: int = 0) -> Json:
    """One to three, nested up to three deep. Terms ask for more buckets than there can be."""
    return {f"a{n}": _aggregation(rng, depth) for n in range(rng.randint(1, 3 - depth))}


def _aggregation(rng: random.Random, depth: int) -> Json:
    if depth == 2 or rng.random() < 0.35:
        return more.metric(rng) if rng.random() < 0.3 else _metric(rng)
    kinds = [_terms, _histogram, _date_histogram, _range, _date_range, _filters, _filter, _missing]
    made = more.bucket(rng) if rng.random() < 0.3 else rng.choice(kinds)(rng)
    if "composite" in made and depth:
        made = _filter(rng)  # it stands at the top only, or below nested
    if rng.random() < 0.6:
        made["aggs"] = aggregations(rng, depth + 1)
    if "terms" in made and rng.random() < 0.3:
        made.setdefault("aggs", {})["by"] = {"sum": {"field": "small"}}
        made["terms"]["order"] = [{"by": rng.choice(("asc", "desc"))}, {"_key": "asc"}]
    if depth == 0 and rng.random() < 0.1:
        return {"global": {}, "aggs": {"all": made}}
    return made


def _metric(rng: random.Random) -> Json:
    kind = rng.choice(("avg", "sum", "stats", "extended_stats", "min", "max", "value_count"))
    name = rng.choice(NUMERIC)
    if kind in ("min", "max", "value_count") and rng.random() < 0.5:
        name = rng.choice(("extreme", "wide", "at", "flag", "rare"))
    if rng.random() < 0.2:
        kind, name = "cardinality", rng.choice((*SORTABLE, "uid", "rare"))
    made: Json = {"field": name}
    if name in NUMERIC and rng.random() < 0.2:
        made["missing"] = rng.randint(-9, 9)
    return {kind: made}


def _terms(rng: random.Random) -> Json:
    made: Json = {
        "field": rng.choice(("tag", "word", "small", "quarter", "flag", "at", "ip", "rare", "uid")),
        "size": 10_000,
        "order": rng.choice(({"_count": "desc"}, {"_key": "asc"}, {"_key": "desc"})),
    }
    if rng.random() < 0.2:
        made["min_doc_count"] = rng.randint(2, 4)
    if made["field"] == "small" and rng.random() < 0.5:
        made["missing"] = -1
    return {"terms": made}


def _histogram(rng: random.Random) -> Json:
    made: Json = {"field": rng.choice(NUMERIC), "interval": rng.choice((1, 5, 10, 2.5))}
    if rng.random() < 0.3:
        made["offset"] = rng.choice((1, 2.25))
    if rng.random() < 0.3:
        made["min_doc_count"] = rng.randint(1, 3)
    elif rng.random() < 0.2:
        made["extended_bounds"] = {"min": -120, "max": 120}
    if rng.random() < 0.2:
        made["keyed"] = True
    if rng.random() < 0.2:
        made["order"] = {"_count": "asc"}
    return {"histogram": made}


def _date_histogram(rng: random.Random) -> Json:
    made: Json = {"field": "at", "time_zone": rng.choice(ZONES)}
    if rng.random() < 0.6:
        made["calendar_interval"] = rng.choice(("day", "week", "month", "quarter", "year"))
    else:
        made["fixed_interval"] = rng.choice(("12h", "30d", "90m", "7d"))
    if made.get("fixed_interval") == "90m" or rng.random() < 0.3:
        made["min_doc_count"] = 1
    if rng.random() < 0.2:
        made["format"] = "yyyy-MM-dd"
    return {"date_histogram": made}


def _range(rng: random.Random) -> Json:
    cuts = sorted(rng.sample(range(-60, 60), 3))
    ranges = [{"to": cuts[1]}, {"from": cuts[0], "to": cuts[2]}, {"from": cuts[2], "key": "top"}]
    return {"range": {"field": rng.choice(NUMERIC), "ranges": ranges}}


def _date_range(rng: random.Random) -> Json:
    ranges = [{"to": "2024-04-01"}, {"from": "2024-03-31||/M", "to": "2024-09-15T12:00:00Z"}]
    return {"date_range": {"field": "at", "ranges": ranges, "keyed": rng.random() < 0.5}}


def _filters(rng: random.Random) -> Json:
    named = {f"f{n}": query(rng, 2) for n in range(rng.randint(1, 3))}
    if rng.random() < 0.5:
        return {"filters": {"filters": list(named.values()), "other_bucket": True}}
    return {"filters": {"filters": named}}


def _filter(rng: random.Random) -> Json:
    return {"filter": query(rng, 1)}


def _missing(rng: random.Random) -> Json:
    return {"missing": {"field": rng.choice((*SORTABLE, "rare"))}}
