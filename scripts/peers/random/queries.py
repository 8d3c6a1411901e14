"""Random queries over the rich documents."""

import random
from collections.abc import Callable
from typing import Any

from scripts.peers.random import corpus

Json = dict[str, Any]
Make = Callable[[random.Random], Json]


def query(rng: random.Random, depth: int = 0) -> Json:
    """Any query; compound ones at most three deep."""
    if depth < 3 and rng.random() < 0.35:
        return rng.choice(_COMPOUND)(rng, depth)
    made = rng.choice(_LEAVES)(rng)
    return _decorated(rng, made)


def _decorated(rng: random.Random, made: Json) -> Json:
    """Now and then with a boost or a name, where the query is written at length."""
    (kind, body), *_ = made.items()
    if not isinstance(body, dict) or kind in ("match_none", "ids", "exists"):
        return made
    inner = next(iter(body.values()), None)
    holder = inner if kind in _BY_FIELD and isinstance(inner, dict) else body
    if kind in _BY_FIELD and not isinstance(inner, dict):
        return made
    if rng.random() < 0.15:
        holder["boost"] = rng.choice((0, 0.5, 2, 3.5))
    if rng.random() < 0.08:
        holder["_name"] = rng.choice(("one", "two"))
    return made


_BY_FIELD = frozenset(
    (
        "term",
        "match",
        "match_phrase",
        "range",
        "prefix",
        "wildcard",
        "regexp",
        "fuzzy",
        "match_phrase_prefix",
        "match_bool_prefix",
    )
)


def _word(rng: random.Random) -> str:
    return rng.choice((*corpus.WORDS, *corpus.NAMES))


def _phrase(rng: random.Random, most: int = 3) -> str:
    return " ".join(rng.choices(corpus.WORDS, k=rng.randint(1, most)))


def _typo(rng: random.Random) -> str:
    word = rng.choice(corpus.WORDS)
    at = rng.randrange(len(word))
    return rng.choice((word[:at] + word[at + 1 :], word[:at] + "x" + word[at:], word[::-1], word))


def _value(rng: random.Random, field: str) -> Any:
    """A value that may occur in the field."""
    if field == "country":
        return rng.choice(corpus.COUNTRIES)
    if field == "kind":
        return rng.choice(corpus.KINDS)
    if field == "labels":
        return rng.choice(corpus.LABELS)
    if field in ("name.raw", "zone.name"):
        return rng.choice(("Berlin", "Europe/Berlin", "America/Sao_Paulo", "Paris", "nothing"))
    if field == "population":
        return rng.choice((1000, 50_000, 100_000, 1_000_000, 3_426_354))
    if field in corpus.WHOLE:
        return rng.randint(-6, 45)
    if field in corpus.FRACTIONS:
        return rng.choice((0.25, -0.5, 100.0, 512.25, 1e9))
    if field in corpus.DATES:
        return rng.choice(("1500-01-01", "1850-06-15", "2019-04-30", "now-10y", 1_500_000_000_000))
    if field == "capital":
        return rng.choice((True, False, "true", "false"))
    if field == "address":
        return rng.choice((*corpus.ADDRESSES, "10.0.0.0/22"))
    return _word(rng)


_ANY = (*corpus.SORTABLE, *corpus.TEXTS, *corpus.UNMAPPED)


def _term(rng: random.Random) -> Json:
    field = rng.choice(_ANY)
    value = _value(rng, field)
    if rng.random() < 0.5:
        return {"term": {field: value}}
    made: Json = {"value": value}
    if field in corpus.KEYWORDS and rng.random() < 0.3:
        made["case_insensitive"] = True
    return {"term": {field: made}}


def _terms(rng: random.Random) -> Json:
    field = rng.choice(_ANY)
    return {"terms": {field: [_value(rng, field) for _ in range(rng.randint(0, 4))]}}


def _range(rng: random.Random) -> Json:
    field = rng.choice((*corpus.NUMBERS, *corpus.DATES, *corpus.KEYWORDS, "address", "nowhere"))
    made: Json = {}
    if rng.random() < 0.8:
        made[rng.choice(("gte", "gt"))] = _plain(rng, field)
    if rng.random() < 0.8:
        made[rng.choice(("lte", "lt"))] = _plain(rng, field)
    if field in corpus.DATES and rng.random() < 0.3:
        made["time_zone"] = rng.choice(("+01:00", "Europe/Berlin", "UTC"))
    return {"range": {field: made}}


def _plain(rng: random.Random, field: str) -> Any:
    return rng.choice(corpus.ADDRESSES) if field == "address" else _value(rng, field)


def _match(rng: random.Random) -> Json:
    field = rng.choice((*corpus.TEXTS, *corpus.TEXTS, "country", "population", "nowhere"))
    value = _phrase(rng) if field in corpus.TEXTS else _value(rng, field)
    if rng.random() < 0.4:
        return {"match": {field: value}}
    made: Json = {"query": value}
    for name, choices in (
        ("operator", ("and", "or", "AND")),
        ("minimum_should_match", (1, "2", "50%", "-1", "2<75%")),
        ("zero_terms_query", ("none", "all")),
        ("lenient", (True, False)),
        ("fuzziness", ("AUTO", 1, "0", "AUTO:3,6")),
    ):
        if rng.random() < 0.2:
            made[name] = rng.choice(choices)
    return {"match": {field: made}}


def _match_phrase(rng: random.Random) -> Json:
    field = rng.choice(corpus.TEXTS)
    if rng.random() < 0.5:
        return {"match_phrase": {field: _phrase(rng)}}
    return {"match_phrase": {field: {"query": _phrase(rng), "slop": rng.randint(0, 4)}}}


def _multi_match(rng: random.Random) -> Json:
    made: Json = {
        "query": rng.choice((_phrase(rng), _word(rng))),
        "fields": rng.choice(
            (["name", "about"], ["name^2", "about"], ["n*", "about^0.5"], ["name"])
        ),
    }
    if rng.random() < 0.6:
        made["type"] = rng.choice(("best_fields", "most_fields", "phrase", "phrase_prefix"))
    if rng.random() < 0.3:
        made["operator"] = rng.choice(("and", "or"))
    if rng.random() < 0.3:
        made["tie_breaker"] = rng.choice((0.0, 0.3, 1.0))
    return {"multi_match": made}


def _patterned(rng: random.Random) -> Json:
    field = rng.choice((*corpus.KEYWORDS, *corpus.TEXTS, "population", "nowhere"))
    word = rng.choice((*corpus.WORDS, "Europe", "Ber", "DE", "town"))
    kind = rng.choice(("prefix", "wildcard", "regexp", "fuzzy"))
    if kind == "prefix":
        body: Any = {"value": word[: rng.randint(0, 4)]}
    elif kind == "wildcard":
        body = {
            "value": rng.choice((f"{word[:2]}*", f"*{word[-2:]}", f"?{word[1:]}", "*", "", "x\\*"))
        }
    elif kind == "regexp":
        body = {
            "value": rng.choice((f"{word[:2]}.*", f"({word}|town)", "[a-m]+", ".*e.{2}", "a|b"))
        }
    else:
        body = {"value": _typo(rng)}
        if rng.random() < 0.5:
            body["fuzziness"] = rng.choice((0, 1, 2, "AUTO"))
        if rng.random() < 0.3:
            body["prefix_length"] = rng.randint(0, 2)
        if rng.random() < 0.3:
            body["transpositions"] = False
    if kind != "fuzzy" and rng.random() < 0.25:
        body["case_insensitive"] = True
    return {kind: {field: body}}


def _phrase_prefix(rng: random.Random) -> Json:
    kind = rng.choice(("match_phrase_prefix", "match_bool_prefix"))
    text = f"{_phrase(rng, 2)} {rng.choice(corpus.WORDS)[:2]}"
    return {kind: {rng.choice(corpus.TEXTS): rng.choice((text, {"query": text}))}}


def _query_string(rng: random.Random) -> Json:
    text = rng.choice(
        (
            f"{_word(rng)} {_word(rng)}",
            f"about:{_word(rng)} AND NOT name:{_word(rng)}",
            f"country:DE OR country:{rng.choice(corpus.COUNTRIES)}",
            f'"{_phrase(rng)}"~{rng.randint(1, 3)}',
            f"+{_word(rng)} -{_word(rng)}",
            f"population:[{rng.randint(1, 9)}0000 TO *]",
            f"rank:>={rng.randint(0, 40)}",
            f"({_word(rng)} OR {_word(rng)}) AND kind:town",
            f"{_typo(rng)}~1",
            f"{_word(rng)[:3]}*",
            f"_exists_:{rng.choice(_ANY)}",
            f"{_word(rng)}^2 {_word(rng)}",
            "about:(",
            "*",
            "kind:/tow.*/",
        )
    )
    made: Json = {"query": text}
    if rng.random() < 0.4:
        made["fields"] = rng.choice((["about"], ["name^2", "about"], ["*"]))
    elif rng.random() < 0.3:
        made["default_field"] = "about"
    if rng.random() < 0.3:
        made["default_operator"] = rng.choice(("AND", "or"))
    if rng.random() < 0.2:
        made["lenient"] = True
    return {"query_string": made}


def _simple_query_string(rng: random.Random) -> Json:
    text = rng.choice(
        (
            f"{_word(rng)} + {_word(rng)}",
            f"{_word(rng)} | -{_word(rng)}",
            f'"{_phrase(rng)}"',
            f"({_word(rng)} + ({_word(rng)}",
            f"{_word(rng)[:3]}*",
            f"{_typo(rng)}~1",
        )
    )
    made: Json = {"query": text, "fields": rng.choice((["about"], ["name", "about^3"]))}
    if rng.random() < 0.3:
        made["default_operator"] = rng.choice(("and", "or"))
    return {"simple_query_string": made}


def _geo(rng: random.Random) -> Json:
    lat, lon = rng.randint(-40, 60), rng.randint(-110, 40)
    if rng.random() < 0.5:
        distance = rng.choice(("500km", "1000mi", "200nmi", "5km"))
        return {
            "geo_distance": {
                "distance": distance,
                "place": rng.choice(({"lat": lat, "lon": lon}, [lon, lat], f"{lat},{lon}")),
            }
        }
    box = {
        "top_left": {"lat": lat + 10, "lon": lon - 10},
        "bottom_right": {"lat": lat - 10, "lon": lon + 10},
    }
    return {"geo_bounding_box": {"place": box}}


def _nested(rng: random.Random) -> Json:
    inner = rng.choice(
        (
            {"term": {"visits.by": rng.choice(("ann", "bob", "eve"))}},
            {"range": {"visits.stars": {"gte": rng.randint(1, 5)}}},
            {"match": {"visits.note": _word(rng)}},
            {
                "bool": {
                    "must": [
                        {"term": {"visits.by": "ann"}},
                        {"range": {"visits.stars": {"gt": 3}}},
                    ]
                }
            },
        )
    )
    made: Json = {"path": rng.choice(("visits", "visits", "visits", "zone")), "query": inner}
    if rng.random() < 0.4:
        made["score_mode"] = rng.choice(("avg", "max", "min", "sum", "none"))
    return {"nested": made}


_LEAVES: tuple[Make, ...] = (
    lambda rng: {"match_all": {}},
    lambda rng: {"match_none": {}},
    _term,
    _term,
    _terms,
    _range,
    _range,
    _match,
    _match,
    _match_phrase,
    _multi_match,
    _patterned,
    _patterned,
    _phrase_prefix,
    _query_string,
    _query_string,
    _simple_query_string,
    _geo,
    _nested,
    lambda rng: {"exists": {"field": rng.choice((*_ANY, "zone", "place", "visits"))}},
    lambda rng: {"ids": {"values": rng.choice((["2950159"], [], ["1", "2988507", "3448439"]))}},
    lambda rng: {
        "terms_set": {
            "labels": {"terms": ["Old", "new", "x-1"], "minimum_should_match_field": "level"}
        }
    },
    lambda rng: {
        "more_like_this": {
            "fields": ["about"],
            "like": _phrase(rng, 6),
            "min_term_freq": 1,
            "min_doc_freq": rng.randint(1, 5),
        }
    },
)


def _bool(rng: random.Random, depth: int) -> Json:
    clauses: Json = {}
    for name in ("must", "filter", "should", "must_not"):
        if rng.random() < 0.45:
            inner = [query(rng, depth + 1) for _ in range(rng.randint(1, 2))]
            clauses[name] = inner[0] if len(inner) == 1 and rng.random() < 0.5 else inner
    if rng.random() < 0.2:
        clauses["minimum_should_match"] = rng.choice((0, 1, 2, "50%", -1))
    return {"bool": clauses}


def _function_score(rng: random.Random, depth: int) -> Json:
    function = rng.choice(
        (
            {"weight": rng.choice((0.5, 2, 10))},
            {"field_value_factor": {"field": "population", "modifier": "log1p", "missing": 1}},
            {"field_value_factor": {"field": "scores", "factor": 1.5, "missing": 2}},
            {"gauss": {"rank": {"origin": 10, "scale": 5, "offset": 1, "decay": 0.4}}},
            {"linear": {"height": {"origin": 100, "scale": 200}}},
            {"exp": {"founded": {"origin": "1800-01-01", "scale": "3650d"}}},
            {"gauss": {"place": {"origin": "48,11", "scale": "800km"}}},
        )
    )
    functions = [function, {"filter": query(rng, 3), "weight": 3}][: rng.randint(1, 2)]
    made: Json = {"query": query(rng, depth + 1), "functions": functions}
    for name, choices in (
        ("score_mode", ("multiply", "sum", "avg", "first", "max", "min")),
        ("boost_mode", ("multiply", "replace", "sum", "avg", "max", "min")),
        ("max_boost", (2, 10)),
    ):
        if rng.random() < 0.4:
            made[name] = rng.choice(choices)
    return {"function_score": made}


_COMPOUND: tuple[Callable[[random.Random, int], Json], ...] = (
    _bool,
    _bool,
    _bool,
    lambda rng, depth: {
        "constant_score": {"filter": query(rng, depth + 1), "boost": rng.choice((1, 1.2))}
    },
    lambda rng, depth: {
        "dis_max": {
            "queries": [query(rng, depth + 1) for _ in range(2)],
            "tie_breaker": rng.choice((0, 0.7)),
        }
    },
    lambda rng, depth: {
        "boosting": {
            "positive": query(rng, depth + 1),
            "negative": query(rng, depth + 1),
            "negative_boost": rng.choice((0, 0.2, 0.5)),
        }
    },
    _function_score,
)
