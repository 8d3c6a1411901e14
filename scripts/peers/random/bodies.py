"""Random search bodies: a query and some of what may stand beside it."""

import random
from typing import Any

from scripts.peers.random import corpus
from scripts.peers.random.aggregations import aggregations
from scripts.peers.random.queries import query

Json = dict[str, Any]


def body(rng: random.Random) -> Json:
    """One of three shapes: hits, aggregations, or a bit of everything; now and then something is wrong with it."""
    shape = rng.random()
    if shape < 0.45:
        made = _hits(rng)
    elif shape < 0.8:
        made = {"size": 0, "aggs": aggregations(rng)}
        if rng.random() < 0.6:
            made["query"] = query(rng)
    else:
        made = _hits(rng)
        made["aggs"] = aggregations(rng, 1)
    if rng.random() < 0.3:
        made["track_total_hits"] = rng.choice((True, False, 5, 100))
    if rng.random() < 0.08:
        _break(rng, made)
    return made


def _hits(rng: random.Random) -> Json:
    made: Json = {"size": rng.choice((1, 3, 5, 10))}
    if rng.random() < 0.9:
        made["query"] = query(rng)
    if rng.random() < 0.3:
        made["from"] = rng.choice((0, 2, 7, 500))
    is_sorted = rng.random() < 0.5
    for chance, add in (
        (0.15, lambda: {"post_filter": query(rng, 2)}),
        (0.25, lambda: {"_source": rng.choice((False, ["name", "k*"], {"excludes": ["zone"]}))}),
        (
            0.12,
            lambda: {
                "fields": rng.choice((["name"], ["*"], [{"field": "founded", "format": "yyyy"}]))
            },
        ),
        (0.1, lambda: {"docvalue_fields": rng.sample(corpus.SORTABLE, 2)}),
        (0.05, lambda: {"min_score": rng.choice((0.5, 1, 2.5))}),
        (0.05, lambda: {"version": True, "seq_no_primary_term": True}),
        (0.08, lambda: {"collapse": {"field": rng.choice(("country", "kind", "level", "about"))}}),
        (0.12, lambda: {"highlight": _highlight(rng)}),
        (0.06, lambda: {"rescore": _rescore(rng)}),
        (0.06, lambda: {"suggest": _suggest(rng)}),
        (0.04, lambda: {"explain": True}),
        (0.03, lambda: {"track_scores": True}),
        (0.03, lambda: {"terminate_after": rng.choice((1, 1000))}),
        (0.03, lambda: {"timeout": "10s"}),
    ):
        if rng.random() < chance:
            made |= add()
    if is_sorted and "rescore" not in made:
        made["sort"] = sort(rng)
    return made


def sort(rng: random.Random) -> list[Any]:
    """One to three keys, mostly with one at the end that tells all documents apart."""
    keys: list[Any] = [_sort_key(rng) for _ in range(rng.randint(1, 2))]
    if rng.random() < 0.8:
        keys += [{"population": "desc"}, {"observed": "asc"}]
    return keys


def _sort_key(rng: random.Random) -> Any:
    field = rng.choice((*corpus.SORTABLE, "_score", "_doc", "nowhere", "place"))
    if field == "place":
        return {
            "_geo_distance": {
                "place": {"lat": 48, "lon": 11},
                "order": rng.choice(("asc", "desc")),
                "unit": rng.choice(("km", "mi")),
            }
        }
    if field in ("_score", "_doc"):
        # `_doc` is the number of a document in Lucene's segments, where nested objects have one too: it is no answer
        # to compare. The draw stays, so that the other requests stay what they are.
        return "_score"
    if rng.random() < 0.4:
        return {field: rng.choice(("asc", "desc"))}
    made: Json = {"order": rng.choice(("asc", "desc"))}
    if rng.random() < 0.4:
        made["missing"] = rng.choice(("_first", "_last"))
    if field in ("scores", "labels") and rng.random() < 0.5:
        made["mode"] = rng.choice(("min", "max", "avg") if field == "scores" else ("min", "max"))
    if field == "nowhere" and rng.random() < 0.7:
        made["unmapped_type"] = rng.choice(("long", "keyword", "date"))
    return {field: made}


def _highlight(rng: random.Random) -> Json:
    made: Json = {"fields": rng.choice(({"about": {}}, {"*": {}}, {"name": {}, "about": {}}))}
    for name, choices in (
        ("type", ("unified", "plain")),
        ("fragment_size", (20, 60)),
        ("number_of_fragments", (0, 1, 3)),
        ("pre_tags", (["<b>"],)),
        ("require_field_match", (False,)),
        ("no_match_size", (15,)),
        ("order", ("score",)),
    ):
        if rng.random() < 0.25:
            made[name] = rng.choice(choices)
    if "pre_tags" in made:
        made["post_tags"] = ["</b>"]
    return made


def _rescore(rng: random.Random) -> Json:
    made: Json = {"rescore_query": query(rng, 2)}
    if rng.random() < 0.5:
        made |= {"query_weight": 0.7, "rescore_query_weight": 1.2}
    if rng.random() < 0.4:
        made["score_mode"] = rng.choice(("total", "multiply", "avg", "max", "min"))
    return {"window_size": rng.choice((3, 10, 50)), "query": made}


def _suggest(rng: random.Random) -> Json:
    word = rng.choice(corpus.WORDS)
    text = f"{word[:-1]} {rng.choice(corpus.WORDS)}x"
    term: Json = {"field": "about"}
    if rng.random() < 0.4:
        term["suggest_mode"] = rng.choice(("missing", "popular", "always"))
    if rng.random() < 0.3:
        term["size"] = rng.randint(1, 3)
    if rng.random() < 0.3:
        term["sort"] = rng.choice(("score", "frequency"))
    return {"s": {"text": text, "term": term}}


def _break(rng: random.Random, made: Json) -> None:
    """Spoils one member: a name nobody knows, a value of the wrong kind, or a limit that is passed."""
    wrong: Json = rng.choice(
        (
            {"sise": 3},
            {"size": -1},
            {"from": "x"},
            {"query": {"trem": {"kind": "town"}}},
            {"query": {"term": {"kind": ["a", "b"]}}},
            {"query": {"range": {"rank": {"gte": "abc"}}}},
            {"query": {"match": {"about": {"query": "x", "opperator": "and"}}}},
            {"query": []},
            {"aggs": {"x": {"termz": {"field": "kind"}}}},
            {"aggs": {"x": {"terms": {}}}},
            {"aggs": {"x": {"terms": {"field": "about"}}}},
            {"aggs": {"x": {"avg": {"field": "kind"}}}},
            {"aggs": {"x": {"histogram": {"field": "rank", "interval": 0}}}},
            {"sort": [{"about": "asc"}]},
            {"sort": [{"rank": "sideways"}]},
            {"from": 9_999, "size": 10},
            {"track_total_hits": -2},
            {"search_after": [1]},
            {"collapse": {"field": "labels"}},
            {"query": {"query_string": {"query": "about:[1 TO"}}},
            {"query": {"bool": {"must": {"match_all": {}}, "mist": {}}}},
        )
    )
    made |= wrong
