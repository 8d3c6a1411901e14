"""Random requests: an API, an expression of indices, parameters and a body."""

import json
import random
from typing import Any

from scripts.peers.random import corpus
from scripts.peers.random.bodies import body
from scripts.peers.random.queries import query
from scripts.peers.request import GONE, GONE_HARD, REMOTE, Request

Json = dict[str, Any]


def requests_of(seeds: range) -> list[Request]:
    return [request_of(seed) for seed in seeds]


def request_of(seed: int) -> Request:
    """The request of a seed. Two seeds share nothing."""
    rng = random.Random(f"request/{seed}")
    method, path, content, ndjson = rng.choices(
        (_search, _count, _msearch, _field_caps, _validate, _resolve, _two_phases),
        weights=(70, 6, 5, 5, 3, 3, 8),
    )[0](rng)
    return Request(f"random/{seed}", method, path, content, ndjson=ndjson)


Made = tuple[str, str, Json | str | None, bool]


def expression(rng: random.Random) -> str:
    """Mostly indices that are there, of one cluster or both; now and then names that lead elsewhere."""
    index = rng.choice((corpus.RICH, corpus.MANY))
    here, there = index, f"{REMOTE}:{corpus.FAR[index]}"
    usual = (here, there, f"{here},{there}", f"{here},{there}", f"{here},{there}")
    if rng.random() < 0.85:
        return rng.choice(usual)
    other = corpus.MANY if index == corpus.RICH else corpus.RICH
    return rng.choice(
        (
            f"{here},{other},{REMOTE}:{corpus.FAR[other]}",
            f"duel-ri*,{REMOTE}:duel-rich*",
            f"{here},{REMOTE}:none*",
            f"{here},{REMOTE}:missing",
            f"missing,{there}",
            f"nobody:{index}",
            f"{here},{there},{GONE}:x",
            f"{GONE_HARD}:x",  # alone: of two failures the reference tells the one that came last
            f"{GONE}:x",
            f"duel_rem*:{corpus.FAR[index]}",
            f"{here},*:duel-many*,-{GONE_HARD}:*,-{GONE}:*",
            f"{here},{there},-{REMOTE}:*",
            f"{there},-{REMOTE}:*",
            f"{here}::data",
            f"{REMOTE}:{corpus.FAR[index]}::failures",
            f"<{index}-{{now/d}}>,{there}",
            f":{index}",
        )
    )


def _parameters(rng: random.Random, choices: tuple[str, ...], chance: float = 0.06) -> str:
    taken = [each for each in choices if rng.random() < chance]
    return f"?{'&'.join(taken)}" if taken else ""


_SEARCH = (
    "ignore_unavailable=true",
    "allow_no_indices=false",
    "expand_wildcards=all",
    "typed_keys=true",
    "rest_total_hits_as_int=true",
    "allow_partial_search_results=false",
    "request_cache=true",
    "batched_reduce_size=2",
    "filter_path=hits.total,aggregations",
    "preference=_local",
)


def _search(rng: random.Random) -> Made:
    parameters = _parameters(rng, _SEARCH)
    return "POST", f"/{_path(expression(rng))}/_search{parameters}", body(rng), False


def _two_phases(rng: random.Random) -> Made:
    parameters = _parameters(rng, _SEARCH)
    joint = "&" if parameters else "?"
    path = f"/{_path(expression(rng))}/_search{parameters}{joint}ccs_minimize_roundtrips=false"
    return "POST", path, body(rng), False


def _count(rng: random.Random) -> Made:
    content = {"query": query(rng)} if rng.random() < 0.8 else None
    return (
        "POST",
        f"/{_path(expression(rng))}/_count{_parameters(rng, _SEARCH[:3])}",
        content,
        False,
    )


def _msearch(rng: random.Random) -> Made:
    lines = []
    for _ in range(rng.randint(1, 4)):
        header: Json = {"index": expression(rng).split(",")}
        if rng.random() < 0.2:
            header["ignore_unavailable"] = True
        lines += [json.dumps(header), json.dumps(body(rng))]
    return "POST", "/_msearch", "\n".join(lines) + "\n", True


def _field_caps(rng: random.Random) -> Made:
    fields = rng.choice(("*", "rank,name", "zone*", "nowhere", "v*,place", "labels,population"))
    options = _parameters(
        rng, ("include_unmapped=true", "types=keyword,long", "filters=-metadata"), 0.2
    )
    path = f"/{_path(expression(rng))}/_field_caps{options}"
    return "GET", f"{path}{'&' if options else '?'}fields={fields}", None, False


def _validate(rng: random.Random) -> Made:
    explain = rng.choice(("", "?explain=true"))
    index = rng.choice((corpus.RICH, corpus.MANY))
    return "POST", f"/{index}/_validate/query{explain}", {"query": query(rng)}, False


def _resolve(rng: random.Random) -> Made:
    name = rng.choice(("_resolve/index", "_resolve/cluster"))
    return "GET", f"/{name}/{_path(expression(rng))}", None, False


def _path(text: str) -> str:
    return (
        text.replace("<", "%3C")
        .replace(">", "%3E")
        .replace("{", "%7B")
        .replace("}", "%7D")
        .replace("/", "%2F")
    )
