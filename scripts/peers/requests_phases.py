"""Searches in phases: the other mode of execution, shards that are skipped, first pages of scrolls, slices, and what
may not be asked together. Pages after the first have ids of their own on either side, and are left to tests.
"""

from collections.abc import Iterator
from typing import Any

from scripts.peers.request import CITIES, EMPTY, REMOTE, SHARDED, TRICKY, Request, search, there

_SHOWN = "filter_path=hits,_shards,_clusters,num_reduce_phases,aggregations,error,status"
_BOTH = f"{SHARDED},{TRICKY},{there(SHARDED)},{there(TRICKY)}"
_TARGETS = {
    "local": f"{SHARDED},{TRICKY}",
    "remote": f"{there(SHARDED)},{there(TRICKY)}",
    "both": _BOTH,
    "empty": f"{EMPTY},{REMOTE}:{EMPTY}",
}
_BY_SIZE: dict[str, Any] = {"population": {"order": "desc", "unmapped_type": "long"}}
_LATE: dict[str, Any] = {"range": {"when": {"gte": "2100-01-01"}}}
_QUERIES: dict[str, dict[str, Any]] = {
    "all": {"match_all": {}},
    "none": {"match_none": {}},
    "late": _LATE,
    "early": {"range": {"when": {"lt": "0001-01-01"}}},
    "unmapped term": {"term": {"nope": 1}},
    "unmapped exists": {"exists": {"field": "nope"}},
    "unmapped match": {"match": {"nope": "a"}},
    "index": {"term": {"_index": SHARDED}},
    "must": {"bool": {"must": [_LATE, {"match_all": {}}]}},
    "should": {"bool": {"should": [_LATE, {"match_all": {}}]}},
    "not all": {"bool": {"must_not": [{"match_all": {}}]}},
    "no ids": {"ids": {"values": []}},
    "number": {"range": {"population": {"gt": 10**9}}},
}
_PARAMETERS = (
    "pre_filter_shard_size=1",
    "ccs_minimize_roundtrips=false",
    "ccs_minimize_roundtrips=false&pre_filter_shard_size=1",
    "ccs_minimize_roundtrips=false&batched_reduce_size=2",
    "batched_reduce_size=3",
)
_REFUSED_SCROLLS: dict[str, dict[str, Any]] = {
    "from": {"from": 1},
    "size": {"size": 0},
    "after": {"sort": "population", "search_after": [1]},
    "untracked": {"track_total_hits": False},
    "tracked": {"track_total_hits": 10},
    "collapse": {"collapse": {"field": "country"}},
    "window": {"size": 20_000},
}
_SLICES: tuple[dict[str, Any], ...] = (
    {"id": 0, "max": 2},
    {"id": 1, "max": 2},
    {"id": 5, "max": 9},
    {"id": 20, "max": 64},
    {"id": 3, "max": 7, "field": "population"},
    {"id": 3, "max": 11, "field": "nope"},
    {"id": 3, "max": 11, "field": "name"},
    {"id": 0, "max": 2_000},
    {"id": 2, "max": 2},
    {"id": -1, "max": 2},
    {"max": 2},
    {},
)


def requests() -> Iterator[Request]:
    yield from _skipping()
    yield from _scrolls()
    yield from _points_in_time()


def _skipping() -> Iterator[Request]:
    for where, target in _TARGETS.items():
        for what, query in _QUERIES.items():
            for parameters in _PARAMETERS:
                name = f"phases/{where}/{what}/{parameters}"
                body = {"query": query, "sort": [_BY_SIZE], "size": 3}
                yield search(name, target, body, f"?{parameters}")
                counted = {
                    "query": query,
                    "size": 0,
                    "aggs": {"most": {"max": {"field": "population"}}},
                }
                yield search(f"{name}/aggs", target, counted, f"?{parameters}")


def _scrolls() -> Iterator[Request]:
    for where, target in _TARGETS.items():
        for sort in ("_doc", "_score", "population"):
            key = _BY_SIZE if sort == "population" else sort
            body = {"sort": [key], "size": 4, "_source": False}
            yield search(f"scroll/{where}/{sort}", target, body, f"?scroll=1s&{_SHOWN}")
    for what, body in _REFUSED_SCROLLS.items():
        yield search(f"scroll/refused/{what}", _BOTH, body, "?scroll=1s")
    for scroll in ("2d", "x", "", "1m&request_cache=true"):
        yield search(f"scroll/refused/{scroll}", CITIES, {}, f"?scroll={scroll}")
    for slice_ in _SLICES:
        body = {"slice": slice_, "sort": [_BY_SIZE], "size": 4}
        # Names that differ on both sides: a shard's place among equal ones is its index's random uuid.
        target = f"{SHARDED},{there(TRICKY)}"
        yield search(f"slice/{slice_}", target, body, f"?scroll=1s&{_SHOWN}")
    yield search("slice/plain", TRICKY, {"slice": {"id": 0, "max": 2}})
    wrong: tuple[Any, ...] = (
        {},
        {"scroll_id": 1},
        {"scroll_id": "%%"},
        {"foo": "bar"},
        {"scroll_id": "abc", "scroll": "x"},
        [],
    )
    for number, body in enumerate(wrong):
        for method in ("POST", "DELETE"):
            text = body if isinstance(body, dict) else "[]"
            yield Request(f"scroll/{method}/{number}", method, "/_search/scroll", text)


def _points_in_time() -> Iterator[Request]:
    for number, path in enumerate(
        (
            "/_pit",
            "/_pit?keep_alive=1m",
            f"/{CITIES}/_pit",
            f"/{CITIES}/_pit?keep_alive=x",
            f"/{CITIES}/_pit?keep_alive=1m&nope=1",
            "/duel-unknown/_pit?keep_alive=1m",
            f"/{REMOTE}:duel-unknown*/_pit?keep_alive=1m&filter_path=_shards",
            f"/{_BOTH}/_pit?keep_alive=1s&filter_path=_shards",
        )
    ):
        yield Request(f"pit/open/{number}", "POST", path)
    filters: tuple[dict[str, Any], ...] = (
        {"index_filter": _LATE},
        {"index_filter": {"nope": {}}},
        {"nope": 1},
    )
    for number, body in enumerate(filters):
        path = f"/{_BOTH}/_pit?keep_alive=1s&filter_path=_shards,error,status"
        yield Request(f"pit/filter/{number}", "POST", path, body)
    ids: tuple[Any, ...] = (
        {},
        {"id": ""},
        {"id": ["a"]},
        {"id": 1},
        {"id": "%%"},
        {"id": "a", "x": 1},
    )
    for number, closed in enumerate(ids):
        yield Request(f"pit/close/{number}", "DELETE", "/_pit", closed)
    pits: tuple[Any, ...] = ({}, "x", None, [], {"id": 1}, {"id": "a"}, {"id": "x", "y": 1})
    for number, pit in enumerate(pits):
        yield Request(f"pit/search/{number}", "POST", "/_search", {"pit": pit})
