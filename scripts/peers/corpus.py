"""What both pairs hold before the first request: a few thousand cities a cluster, and small
indices in which everything is awkward. All of it is fixed, and loaded in one order, so that
equal answers are due."""

from typing import Any

from scripts.pairs import bulk_lines, register_remote, transport_address
from scripts.peers.random import corpus as random_corpus
from scripts.peers.request import (
    CITIES,
    DYNAMIC,
    EMPTY,
    FAR_NAMES,
    GONE,
    GONE_HARD,
    REMOTE,
    SCRATCH,
    SHARDED,
    TRICKY,
)
from scripts.rest import Rest
from sealane.cli import dataset

CITIES_PER_CLUSTER = 3000
_BULK_ITEMS = 1000
_ONLY_FAR = "duel-far"
# The discard service's port: nothing listens there, and a connection is refused at once.
_NOBODY = "127.0.0.1:9"
_NOBODY_HARD = "127.0.0.1:19"

_ONE_SHARD = {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"}
_THREE_SHARDS = {**_ONE_SHARD, "number_of_shards": 3}

_TRICKY_MAPPINGS: dict[str, Any] = {
    "properties": {
        "title": {"type": "text", "fields": {"raw": {"type": "keyword", "ignore_above": 20}}},
        "tag": {"type": "keyword"},
        "flag": {"type": "boolean"},
        "tiny": {"type": "byte"},
        "small": {"type": "short"},
        "count": {"type": "integer"},
        "big": {"type": "long"},
        "ratio": {"type": "float"},
        "price": {"type": "double"},
        "when": {"type": "date"},
        "day": {"type": "date", "format": "yyyy-MM-dd||epoch_second"},
        "address": {"type": "ip"},
        "place": {"properties": {"town": {"type": "keyword"}, "floor": {"type": "integer"}}},
        "parts": {
            "properties": {"label": {"type": "keyword"}, "amount": {"type": "integer"}},
        },
        "hidden": {"type": "keyword", "index": False},
        "raw_only": {"type": "object", "enabled": False},
    }
}

_TRICKY: list[dict[str, Any]] = [
    {
        "title": "The quick brown fox",
        "tag": ["animal", "quick"],
        "flag": True,
        "count": 1,
        "big": 9007199254740993,
        "ratio": 0.1,
        "price": 10.5,
        "when": "2020-02-29T23:59:59.999Z",
        "day": "2020-02-29",
        "address": "192.168.0.1",
        "place": {"town": "Ghent", "floor": 3},
        "parts": [{"label": "a", "amount": 1}, {"label": "b", "amount": 2}],
    },
    {"title": "Quick, quick!", "tag": "quick", "flag": False, "count": 2, "address": "10.0.0.7"},
    {"title": "", "tag": "", "count": 0, "price": 0.0, "flag": "true"},
    {"title": None, "tag": None, "count": None, "place": None},
    {},
    {"title": ["first value", "second value"], "count": [3, 1, 2], "price": [1.5, -2.5]},
    {"title": "Łódź Ærø 東京 مدينة 🚀 ﬁne", "tag": ["Łódź", "łódź", "東京", "🚀"], "count": "42"},
    {"title": "numbers as strings", "count": "7", "price": "3.25", "flag": "false", "big": "-12"},
    {"title": "dates", "when": 1583020799999, "day": "2020-03-01", "count": -5},
    {"title": "more dates", "when": ["2019-12-31", "2020-01-01T00:00:00+02:00"], "day": 1583107200},
    {"title": "v6", "address": ["2001:db8::1", "::ffff:10.0.0.7"], "count": 2147483647},
    {"title": "tiny numbers", "tiny": -128, "small": 32767, "ratio": 3.4028235e38},
    {"title": "a" * 30, "tag": "long", "hidden": "unsearchable", "raw_only": {"x": [1, {"y": 2}]}},
    {"title": "brown bear, brown bread", "tag": "animal", "count": 2, "price": 10.5, "flag": True},
    {"place": [{"town": "Lima", "floor": 1}, {"town": "Ghent"}], "parts": {"label": "a"}},
    {"place.town": "Dotted", "title": "dots in a name", "count": 1.0},
]

_DYNAMIC: list[dict[str, Any]] = [
    {
        "word": "hello world",
        "whole": 5,
        "real": 1.5,
        "yes": True,
        "date": "2021-05-06",
        "moment": "2021-05-06T07:08:09Z",
        "slashed": "2021/05/06",
        "digits": "12",
        "deep": {"er": {"still": "x"}},
        "list": [1, 2],
        "empty": [],
        "nothing": None,
    },
    {"word": "again", "whole": 6.9, "new": "late field", "deep": {"other": 1}},
]


def prepare(local: Rest, remote: Rest) -> None:
    """Makes the indices on both clusters and the three remotes on the local one."""
    clean(local, remote)
    for node, group in ((local, "europe"), (remote, "americas")):
        cities = _busiest(group)
        _load(node, CITIES, dataset.MAPPINGS, _ONE_SHARD, cities)
        _load(node, SHARDED, dataset.MAPPINGS, _THREE_SHARDS, cities[:400])
        tricky, dynamic = (
            (FAR_NAMES[index] if node is remote else index) for index in (TRICKY, DYNAMIC)
        )
        _load(node, tricky, _TRICKY_MAPPINGS, _ONE_SHARD, _numbered(_TRICKY))
        _load(node, dynamic, None, _ONE_SHARD, _numbered(_DYNAMIC))
        _load(node, EMPTY, _TRICKY_MAPPINGS, _ONE_SHARD, [])
    for index, shards in random_corpus.SHARDS.items():
        for node, name, group in (
            (local, index, "europe"),
            (remote, random_corpus.FAR[index], "americas"),
        ):
            settings = {**_ONE_SHARD, "number_of_shards": shards}
            documents = random_corpus.documents(index, group)
            _load(node, name, random_corpus.MAPPINGS, settings, documents)
    only_remote = [("1", {"tag": "only here"})]
    _load(remote, _ONLY_FAR, _TRICKY_MAPPINGS, _ONE_SHARD, only_remote)
    register_remote(local, REMOTE, transport_address(remote))
    register_remote(local, GONE, _NOBODY, skip_unavailable=True)
    register_remote(local, GONE_HARD, _NOBODY_HARD, skip_unavailable=False)


def clean(local: Rest, remote: Rest) -> None:
    """Takes everything away that the duel may have left."""
    for node in (local, remote):
        fixed = (CITIES, SHARDED, TRICKY, DYNAMIC, EMPTY, *FAR_NAMES.values(), _ONLY_FAR)
        for index in (*fixed, *random_corpus.FAR, *random_corpus.FAR.values()):
            node.must("DELETE", f"/{index}?ignore_unavailable=true", missing_ok=True)
        # A wildcard may not delete, by the reference's default: the scratch indices are asked for.
        for index in sorted(node.must("GET", f"/{SCRATCH}*/_settings", missing_ok=True)):
            if index.startswith(SCRATCH):
                node.must("DELETE", f"/{index}", missing_ok=True)
    for alias in (REMOTE, GONE, GONE_HARD):
        register_remote(local, alias, None)


def _busiest(group: str) -> list[tuple[str, dict[str, Any]]]:
    """The most populous cities of a group, back in the order of their ids."""
    every = list(dataset.cities(group))
    every.sort(key=lambda city: (-city[1]["population"], int(city[0])))
    return sorted(every[:CITIES_PER_CLUSTER], key=lambda city: int(city[0]))


def _numbered(sources: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [(str(number), source) for number, source in enumerate(sources, start=1)]


def _load(
    node: Rest,
    index: str,
    mappings: dict[str, Any] | None,
    settings: dict[str, Any],
    documents: list[tuple[str, dict[str, Any]]],
) -> None:
    body: dict[str, Any] = {"settings": settings}
    if mappings is not None:
        body["mappings"] = mappings
    node.must("PUT", f"/{index}", body)
    for start in range(0, len(documents), _BULK_ITEMS):
        node.bulk(f"/{index}/_bulk", bulk_lines(documents[start : start + _BULK_ITEMS]))
    node.must("POST", f"/{index}/_refresh")
