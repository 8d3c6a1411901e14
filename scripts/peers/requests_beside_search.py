"""The APIs beside `_search`: fields, names, many searches at once, and what is not for several clusters."""

import json
from collections.abc import Iterator
from typing import Any

from scripts.peers.request import CITIES, EMPTY, GONE, REMOTE, SHARDED, TRICKY, Request, there

_NAMES = [
    CITIES,
    f"{CITIES},{TRICKY}",
    f"{CITIES},{REMOTE}:{CITIES}",
    f"{TRICKY},{there(TRICKY)}",
    f"{REMOTE}:duel-*",
    f"{EMPTY},{REMOTE}:{EMPTY}",
    "duel-unknown",
    f"{CITIES},duel-unknown",
    f"{CITIES},{REMOTE}:duel-unknown",
    f"{REMOTE}:duel-unknown",
    f"nobody:{CITIES}",
    f":{CITIES}",
    f"{CITIES},{REMOTE}:*,-{REMOTE}:*",
    "duel-nothing*",
    f"{REMOTE}:duel-nothing*",
]
_OPTIONS = [
    "",
    "ignore_unavailable=true",
    "allow_no_indices=false",
    "expand_wildcards=all",
    "expand_wildcards=none",
    "expand_wildcards=sideways",
]
_FIELDS = [
    "fields=*",
    "fields=name,population,tag,big,nope&include_unmapped=true",
    "fields=*&filters=-metadata",
    "fields=*&filters=-metadata,-multifield,-parent",
    "fields=*&filters=%2Bmetadata",
    "fields=*&filters=sideways",
    "fields=*&types=keyword,date",
    "fields=place.*",
    "fields=p*&include_empty_fields=false",
    "fields=",
    "",
]
_FIELD_BODIES: list[Any] = [
    {},
    {"fields": "tag"},
    {"fields": ["tag", "when"]},
    {"fields": {}},
    {"field": ["tag"]},
    {"fields": ["tag"], "index_filter": {"range": {"when": {"gte": "2100-01-01"}}}},
    {"fields": ["tag"], "index_filter": {"range": {"when": {"gte": "1900-01-01"}}}},
    {"fields": ["tag"], "index_filter": {"term": {"_index": TRICKY}}},
    {"fields": ["tag"], "index_filter": {"term": {"nope": 1}}},
    {"fields": ["tag"], "index_filter": {"nope": {}}},
    {"fields": ["tag"], "index_filter": {}},
    {"fields": ["tag"], "index_filter": []},
    [],
]
_SEARCHES: list[list[Any]] = [
    [{"index": CITIES}, {"size": 0}, {"index": "duel-unknown"}, {"size": 0}],
    [{"index": f"{CITIES},{REMOTE}:{CITIES}"}, {"size": 0, "track_total_hits": 7}],
    [{"index": f"nobody:{CITIES}"}, {"size": 0}, {"index": EMPTY}, {"size": 0}],
    [{"index": CITIES, "nope": 1}, {"size": 0}],
    [{"index": CITIES, "request_cache": "yes"}, {"size": 0}],
    [{"index": CITIES, "search_type": "nope"}, {"size": 0}],
    [{"index": CITIES}, {"nope": 0}],
    [{"index": None}, {"size": 0}],
    [{"index": CITIES}],
    [[], {"size": 0}],
    [{"index": CITIES}, []],
]


def requests() -> Iterator[Request]:
    for at, names in enumerate(_NAMES):
        for option in _OPTIONS if at < 3 or at == 4 else _OPTIONS[:3]:
            yield _get(f"beside/resolve-index/{at}/{option}", f"/_resolve/index/{names}", option)
            fields = "fields=tag,population" + (f"&{option}" if option else "")
            yield _get(f"beside/field-caps/names/{at}/{option}", f"/{names}/_field_caps", fields)
    for at, fields in enumerate(_FIELDS):
        yield _get(
            f"beside/field-caps/fields/{at}", f"/{TRICKY},{there(TRICKY)}/_field_caps", fields
        )
        yield _get(f"beside/field-caps/sharded/{at}", f"/{SHARDED},{CITIES}/_field_caps", fields)
    for at, body in enumerate(_FIELD_BODIES):
        text = json.dumps(body)
        yield Request(
            f"beside/field-caps/body/{at}", "POST", f"/{TRICKY},{CITIES}/_field_caps", text
        )
    yield _get("beside/field-caps/gone", f"/{CITIES},{GONE}:{CITIES}/_field_caps", "fields=name")
    yield _get("beside/resolve-index/gone", f"/_resolve/index/{CITIES},{GONE}:*", "")
    for at, lines in enumerate(_SEARCHES):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        yield Request(f"beside/msearch/{at}", "POST", "/_msearch", text, ndjson=True)
    for field in ("tag", "title*", "place.town,nope", "place", "*"):
        yield _get(f"beside/mapping-field/{field}", f"/{TRICKY}/_mapping/field/{field}", "")
    for api in ("_mapping", "_settings", "_alias", "_mapping/field/a", "_stats", "_refresh"):
        yield _get(f"beside/not-across/{api}", f"/{REMOTE}:{CITIES}/{api}", "")


def _get(name: str, path: str, query: str) -> Request:
    return Request(name, "GET", f"{path}?{query}" if query else path)
