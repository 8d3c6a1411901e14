"""Indices, mappings, aliases and cluster settings; each step builds on the ones before it."""

from collections.abc import Iterator
from typing import Any

from scripts.peers.request import CITIES, DYNAMIC, SCRATCH, TRICKY, Request

_A = f"{SCRATCH}-x"
_B = f"{SCRATCH}-y"

_STEPS: list[tuple[str, str, str, dict[str, Any] | None]] = [
    (
        "create",
        "PUT",
        f"/{_A}",
        {
            "settings": {"number_of_shards": 2, "number_of_replicas": 0},
            "mappings": {"properties": {"n": {"type": "integer"}, "t": {"type": "text"}}},
            "aliases": {f"{SCRATCH}-alias": {}, f"{SCRATCH}-few": {"filter": {"term": {"n": 1}}}},
        },
    ),
    ("create-again", "PUT", f"/{_A}", None),
    ("create-plain", "PUT", f"/{_B}?wait_for_active_shards=0", None),
    ("create-upper", "PUT", "/Duel-Upper", None),
    ("create-underscore", "PUT", "/_duel", None),
    ("create-comma", "PUT", "/duel-a,duel-b", None),
    ("create-long", "PUT", f"/{'d' * 256}", None),
    ("create-hash", "PUT", "/duel%23x", None),
    ("create-unknown-key", "PUT", f"/{SCRATCH}-c", {"maps": {}}),
    ("create-unknown-setting", "PUT", f"/{SCRATCH}-c", {"settings": {"index.colour": "red"}}),
    ("create-bad-setting", "PUT", f"/{SCRATCH}-c", {"settings": {"number_of_shards": 0}}),
    ("create-bad-setting-text", "PUT", f"/{SCRATCH}-c", {"settings": {"number_of_shards": "few"}}),
    (
        "create-unknown-type",
        "PUT",
        f"/{SCRATCH}-c",
        {"mappings": {"properties": {"a": {"type": "colour"}}}},
    ),
    ("create-no-type", "PUT", f"/{SCRATCH}-c", {"mappings": {"properties": {"a": {"x": 1}}}}),
    (
        "create-bad-mapping-option",
        "PUT",
        f"/{SCRATCH}-c",
        {"mappings": {"properties": {"a": {"type": "keyword", "shade": 1}}}},
    ),
    ("create-bad-mapping-root", "PUT", f"/{SCRATCH}-c", {"mappings": {"props": {}}}),
    *(
        (
            f"type-{name}",
            "PUT",
            f"/{SCRATCH}-{name}",
            {"mappings": {"properties": {"v": {"type": name}}}},
        )
        for name in (
            "half_float",
            "nested",
            "object",
            "date_nanos",
            "binary",
            "geo_point",
        )
    ),
    ("exists", "HEAD", f"/{_A}", None),
    ("exists-not", "HEAD", "/duel-unknown", None),
    ("get", "GET", f"/{_A}", None),
    ("get-missing", "GET", "/duel-unknown", None),
    ("get-missing-ignored", "GET", "/duel-unknown?ignore_unavailable=true", None),
    ("get-wildcard", "GET", f"/{SCRATCH}-x*/_mapping", None),
    ("mapping-put", "PUT", f"/{_A}/_mapping", {"properties": {"k": {"type": "keyword"}}}),
    ("mapping-conflict", "PUT", f"/{_A}/_mapping", {"properties": {"n": {"type": "text"}}}),
    ("mapping-unknown-type", "PUT", f"/{_A}/_mapping", {"properties": {"z": {"type": "x"}}}),
    ("mapping-get", "GET", f"/{_A}/_mapping", None),
    ("mapping-missing", "GET", "/duel-unknown/_mapping", None),
    ("mapping-field", "GET", f"/{_A}/_mapping/field/n,t", None),
    ("mapping-tricky", "GET", f"/{TRICKY}/_mapping", None),
    ("mapping-dynamic", "GET", f"/{DYNAMIC}/_mapping", None),
    ("settings-put", "PUT", f"/{_A}/_settings", {"index": {"refresh_interval": "5s"}}),
    ("settings-final", "PUT", f"/{_A}/_settings", {"index": {"number_of_shards": 4}}),
    ("settings-unknown", "PUT", f"/{_A}/_settings", {"index": {"colour": "red"}}),
    ("settings-bad", "PUT", f"/{_A}/_settings", {"index": {"number_of_replicas": -1}}),
    ("settings-get", "GET", f"/{_A}/_settings", None),
    ("settings-get-one", "GET", f"/{_A}/_settings/index.number*?flat_settings=true", None),
    ("alias-put", "PUT", f"/{_B}/_alias/{SCRATCH}-second", None),
    ("alias-get", "GET", f"/{_A}/_alias", None),
    ("alias-get-name", "GET", f"/_alias/{SCRATCH}-alias", None),
    ("alias-missing", "GET", "/_alias/duel-no-alias", None),
    ("alias-exists", "HEAD", f"/_alias/{SCRATCH}-alias", None),
    (
        "aliases-actions",
        "POST",
        "/_aliases",
        {"actions": [{"add": {"index": _B, "alias": f"{SCRATCH}-alias"}}]},
    ),
    (
        "aliases-missing",
        "POST",
        "/_aliases",
        {"actions": [{"remove": {"index": _B, "alias": "no"}}]},
    ),
    ("aliases-unknown", "POST", "/_aliases", {"actions": [{"rename": {}}]}),
    ("aliases-empty", "POST", "/_aliases", {"actions": []}),
    ("aliases-same-name", "PUT", f"/{_B}/_alias/{_A}", None),
    ("alias-search", "GET", f"/{SCRATCH}-alias/_search", None),
    ("alias-search-filtered", "GET", f"/{SCRATCH}-few/_search", None),
    ("alias-write-two", "PUT", f"/{SCRATCH}-alias/_doc/1", {"n": 1}),
    ("alias-delete", "DELETE", f"/{_B}/_alias/{SCRATCH}-second", None),
    ("alias-delete-again", "DELETE", f"/{_B}/_alias/{SCRATCH}-second", None),
    ("refresh", "POST", f"/{_A}/_refresh", None),
    ("refresh-missing", "POST", "/duel-unknown/_refresh", None),
    ("flush", "POST", f"/{_A}/_flush", None),
    ("close", "POST", f"/{_B}/_close", None),
    ("closed-search", "GET", f"/{_B}/_search", None),
    ("closed-search-wildcard", "GET", f"/{SCRATCH}-y*/_search", None),
    ("open", "POST", f"/{_B}/_open", None),
    ("delete", "DELETE", f"/{_A}", None),
    ("delete-again", "DELETE", f"/{_A}", None),
    ("delete-wildcard", "DELETE", f"/{SCRATCH}-*", None),
    ("delete-ignored", "DELETE", f"/{_A}?ignore_unavailable=true", None),
    (
        "analyze",
        "POST",
        "/_analyze",
        {"analyzer": "standard", "text": "The Quick-Brown fox's 東京 x_y"},
    ),
    ("analyze-field", "POST", f"/{TRICKY}/_analyze", {"field": "title", "text": "Ærø 3.14"}),
]

_SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("empty", {}),
    ("empty-persistent", {"persistent": {}}),
    ("unknown-key", {"persistent": {"cluster.colour": "red"}}),
    ("unknown-near", {"persistent": {"cluster.remote.duel_x.seed": ["127.0.0.1:1"]}}),
    ("unknown-scope", {"lasting": {"cluster.remote.duel_x.seeds": ["127.0.0.1:1"]}}),
    ("bad-seed", {"persistent": {"cluster.remote.duel_x.seeds": ["127.0.0.1"]}}),
    ("bad-port", {"persistent": {"cluster.remote.duel_x.seeds": ["127.0.0.1:abc"]}}),
    ("bad-mode", {"persistent": {"cluster.remote.duel_x.mode": "carrier"}}),
    ("bad-skip", {"persistent": {"cluster.remote.duel_x.skip_unavailable": "perhaps"}}),
    ("skip-alone", {"persistent": {"cluster.remote.duel_x.skip_unavailable": False}}),
    ("bad-compress", {"persistent": {"cluster.remote.duel_x.transport.compress": "zip"}}),
    ("bad-ping", {"persistent": {"cluster.remote.duel_x.transport.ping_schedule": "often"}}),
    (
        "proxy-in-sniff",
        {
            "persistent": {
                "cluster.remote.duel_x": {"mode": "sniff", "proxy_address": "127.0.0.1:1"}
            }
        },
    ),
    (
        "seeds-in-proxy",
        {"persistent": {"cluster.remote.duel_x": {"mode": "proxy", "seeds": ["127.0.0.1:1"]}}},
    ),
    (
        "proxy-bad-address",
        {"persistent": {"cluster.remote.duel_x": {"mode": "proxy", "proxy_address": "x"}}},
    ),
    ("connections-zero", {"persistent": {"cluster.remote.duel_x.node_connections": 0}}),
    ("good", {"persistent": {"cluster.remote.duel_x.seeds": ["127.0.0.1:9"]}}),
    ("good-null", {"persistent": {"cluster.remote.duel_x.seeds": None}}),
    ("transient", {"transient": {"cluster.remote.duel_y.seeds": ["127.0.0.1:9"]}}),
    ("transient-null", {"transient": {"cluster.remote.duel_y.*": None}}),
    ("not-dynamic", {"persistent": {"cluster.name": "other"}}),
]


def requests() -> Iterator[Request]:
    for name, method, path, body in _STEPS:
        yield Request(f"index/{name}", method, path, body, setup=True)
    for name, body in _SETTINGS:
        yield Request(f"settings/{name}", "PUT", "/_cluster/settings", body, setup=True)
    only_ours = "filter_path=persistent.cluster.remote.duel*,transient"
    yield Request("settings/get", "GET", f"/_cluster/settings?{only_ours}")
    yield Request("settings/get-flat", "GET", f"/_cluster/settings?flat_settings=true&{only_ours}*")
    yield Request("settings/broken", "PUT", "/_cluster/settings", '{"persistent":')
    yield Request("settings/no-body", "PUT", "/_cluster/settings")
    yield Request("cat/count", "GET", f"/_cat/count/{CITIES}?h=count")
    yield Request(
        "cat/indices",
        "GET",
        f"/_cat/indices/{CITIES},{TRICKY}?h=index,docs.count,pri,rep&s=index&v",
    )
    yield Request("cat/unknown-column", "GET", f"/_cat/indices/{CITIES}?h=index,nope")
    yield Request("cat/json", "GET", f"/_cat/indices/{CITIES}?h=index,status,pri&format=json")
