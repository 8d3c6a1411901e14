"""The duel of remote clusters: keys that need or exclude each other, scopes, removal, and the shapes of a body."""

from collections.abc import Iterator

from scripts.peers.remote_change import (
    ALIAS,
    ELSEWHERE,
    NOBODY,
    OTHER,
    SEEDS,
    Change,
    change,
    flat,
    persistent,
    transient,
)


def changes() -> Iterator[Change]:
    yield from _rules()
    yield from _several_problems()
    yield from _scopes()
    yield from _removals()
    yield from _shapes()
    yield from _names()
    yield from _node_settings()


def _rules() -> Iterator[Change]:
    for key, value in (("node_connections", 2), ("seeds", [NOBODY]), ("proxy", NOBODY)):
        yield change(
            f"{key} in proxy mode", persistent(mode="proxy", proxy_address=NOBODY, **{key: value})
        )
        yield change(
            f"{key} in proxy mode without address", persistent(mode="proxy", **{key: value})
        )
    for key, value in (
        ("proxy_address", NOBODY),
        ("proxy_socket_connections", 2),
        ("server_name", "x"),
    ):
        yield change(
            f"{key} in sniff mode", persistent(mode="sniff", seeds=[NOBODY], **{key: value})
        )
        yield change(f"{key} alone", persistent(**{key: value}))
    for key, value in (
        ("skip_unavailable", True),
        ("transport.ping_schedule", "5s"),
        ("transport.compress", True),
        ("transport.compression_scheme", "lz4"),
    ):
        yield change(f"{key} alone", persistent(**{key: value}))
        yield change(f"{key} with no seeds", persistent(**{"seeds": [], key: value}))
        yield change(f"{key} with mode proxy alone", persistent(**{"mode": "proxy", key: value}))
        yield change(
            f"{key} with an empty proxy address",
            persistent(**{"mode": "proxy", "proxy_address": "", key: value}),
        )
        yield change(
            f"seeds removed beneath {key}",
            persistent(seeds=None),
            persistent(**{"seeds": [NOBODY], key: value}),
        )
    yield change("node_connections alone", persistent(node_connections=2))
    yield change("dial address alone", persistent(proxy=NOBODY))
    yield change("dial address with no seeds", persistent(seeds=[], proxy=NOBODY))
    yield change(
        "seeds removed beneath a dial address",
        persistent(seeds=None),
        persistent(seeds=[NOBODY], proxy=NOBODY),
    )
    yield change(
        "seeds emptied beneath an option",
        persistent(seeds=[]),
        persistent(seeds=[NOBODY], skip_unavailable=False),
    )
    yield change("an option added later", persistent(skip_unavailable=False), SEEDS)
    yield change(
        "an option changed with another",
        persistent(transport__ping_schedule="5s"),
        persistent(seeds=[NOBODY], skip_unavailable=False),
    )
    yield change("unknown key", persistent(foo="x"))
    yield change("unknown key of transport", persistent(seeds=[NOBODY], transport__foo="x"))
    yield change("unknown key, removed", persistent(foo=None))
    yield change("unknown key, transient", transient(foo="x"))
    yield change("no key", {"persistent": {f"cluster.remote.{ALIAS}": "x"}})
    yield change("a key below a key", persistent(seeds__x="x"))
    yield change("cluster_name", persistent(seeds=[NOBODY], cluster_name="x"))
    yield change("signing", persistent(seeds=[NOBODY], signing__certificate="x"))
    yield change("credentials", persistent(seeds=[NOBODY], credentials="x"))
    yield change("credentials, transient", transient(credentials="x"))
    yield change("credentials, removed", persistent(credentials=None))


def _several_problems() -> Iterator[Change]:
    yield change("bad value and unknown key", persistent(mode="foo", foo="x"), told_at_random=True)
    yield change("unknown key and bad value", persistent(foo="x", mode="foo"), told_at_random=True)
    yield change(
        "two bad values", persistent(seeds=["nohost"], node_connections=0), told_at_random=True
    )
    yield change(
        "three bad values",
        persistent(seeds=["nohost"], node_connections=0, skip_unavailable="maybe"),
        told_at_random=True,
    )
    yield change(
        "two options of nothing", persistent(skip_unavailable=True, transport__ping_schedule="5s")
    )
    yield change(
        "two keys of the other mode", persistent(mode="proxy", seeds=[NOBODY], node_connections=2)
    )
    yield change(
        "a bad value and an option of nothing", persistent(mode="foo", skip_unavailable=True)
    )
    yield change("a bad mode and a key of a mode", persistent(mode="foo", proxy_address=NOBODY))
    yield change("two unknown keys", persistent(foo="x", bar="y"), told_at_random=True)
    yield change(
        "two aliases, one bad",
        {
            "persistent": {
                **flat((ALIAS,), {"seeds": [NOBODY]}),
                **flat((OTHER,), {"seeds": ["nohost"]}),
            }
        },
    )
    yield change("two aliases, both bad", persistent(ALIAS, OTHER, seeds=["nohost"]))
    yield change("both scopes bad", {**persistent(mode="foo"), **transient(node_connections=0)})
    yield change("a good scope and a bad one", {**SEEDS, **transient(OTHER, seeds=["nohost"])})
    yield change(
        "a static key beside a good one",
        {
            "persistent": {
                **flat((ALIAS,), {"seeds": [NOBODY]}),
                "cluster.remote.connections_per_cluster": 2,
            }
        },
    )


def _scopes() -> Iterator[Change]:
    yield change("transient seeds", transient(seeds=[NOBODY]))
    yield change("transient over persistent", transient(seeds=[ELSEWHERE]), SEEDS)
    yield change(
        "transient taken away", transient(seeds=None), {**SEEDS, **transient(seeds=[ELSEWHERE])}
    )
    yield change(
        "transient skip over persistent skip",
        {
            **persistent(seeds=[NOBODY], skip_unavailable=True),
            **transient(seeds=[NOBODY], skip_unavailable=False),
        },
    )
    yield change("transient option of persistent seeds", transient(skip_unavailable=False), SEEDS)
    yield change(
        "persistent option of transient seeds",
        persistent(skip_unavailable=False),
        transient(seeds=[NOBODY]),
    )
    yield change("both scopes at once", {**SEEDS, **transient(OTHER, seeds=[NOBODY])})
    yield change("unknown scope", {"permanent": {}})
    yield change("unknown scope beside a known one", {**SEEDS, "foo": {"a": 1}})
    yield change("defaults as a scope", {"defaults": {}, **SEEDS})


def _removals() -> Iterator[Change]:
    full = persistent(seeds=[NOBODY], skip_unavailable=False, transport__ping_schedule="5s")
    yield change("one key of nothing", persistent(seeds=None))
    yield change(
        "every key by its name",
        persistent(seeds=None, skip_unavailable=None, transport__ping_schedule=None),
        full,
    )
    yield change(
        "an alias by wildcard",
        {"persistent": {f"cluster.remote.{ALIAS}.*": None}},
        full,
        persistent(OTHER, seeds=[NOBODY]),
    )
    yield change(
        "aliases by wildcard",
        {"persistent": {"cluster.remote.duel_*": None}},
        full,
        persistent(OTHER, seeds=[NOBODY]),
    )
    yield change(
        "a key of all aliases by wildcard",
        {"persistent": {"cluster.remote.duel_*.seeds": None}},
        persistent(ALIAS, OTHER, seeds=[NOBODY]),
    )
    yield change(
        "a wildcard in the middle, beneath an option",
        {"persistent": {"cluster.remote.duel_*.seeds": None}},
        full,
    )
    yield change(
        "a wildcard that matches nothing", {"persistent": {"cluster.remote.duel_zz.*": None}}, full
    )
    yield change("a wildcard of nothing known", {"persistent": {"duel_zz.*": None}}, full)
    yield change(
        "a wildcard with a value", {"persistent": {f"cluster.remote.{ALIAS}.*": "x"}}, full
    )
    yield change(
        "a wildcard and a value",
        {
            "persistent": {
                f"cluster.remote.{ALIAS}.*": None,
                f"cluster.remote.{ALIAS}.seeds": [ELSEWHERE],
            }
        },
        full,
    )
    yield change(
        "a wildcard in the other scope", {"transient": {f"cluster.remote.{ALIAS}.*": None}}, full
    )
    yield change(
        "the alias as an object of nothing",
        {"persistent": {"cluster": {"remote": {ALIAS: None}}}},
        full,
    )
    yield change(
        "the alias by its own name", {"persistent": {f"cluster.remote.{ALIAS}": None}}, full
    )
    yield change("seeds removed beneath options", persistent(seeds=None), full)
    yield change("an option removed", persistent(skip_unavailable=None), full)
    yield change("a null in a list", '{"persistent":{"cluster.remote.duel_b.seeds":[null]}}')
    yield change(
        "a secret removed by wildcard", {"persistent": {"cluster.remote.*.credentials": None}}
    )


def _shapes() -> Iterator[Change]:
    nested = {
        "cluster": {"remote": {ALIAS: {"seeds": [NOBODY], "transport": {"ping_schedule": "5s"}}}}
    }
    yield change("nested", {"persistent": nested})
    yield change(
        "nested and dotted", {"persistent": {"cluster.remote": {f"{ALIAS}.seeds": [NOBODY]}}}
    )
    yield change(
        "dotted transport",
        {
            "persistent": {
                "cluster": {"remote": {ALIAS: {"seeds": [NOBODY], "transport.compress": True}}}
            }
        },
    )
    yield change(
        "numbered seeds",
        {
            "persistent": {
                f"cluster.remote.{ALIAS}.seeds.0": NOBODY,
                f"cluster.remote.{ALIAS}.seeds.1": ELSEWHERE,
            }
        },
    )
    yield change("an object for a list", persistent(seeds={"a": 1}))
    yield change("an object in a list", persistent(seeds=[{"a": 1}]))
    yield change("a list in a list", persistent(seeds=[[NOBODY]]))
    yield change("an empty object", {"persistent": {"cluster": {"remote": {ALIAS: {}}}}})
    yield change(
        "the same key twice, nested and dotted",
        f'{{"persistent":{{"cluster.remote.{ALIAS}.seeds":["{NOBODY}"],"cluster":{{"remote":{{"{ALIAS}":{{"seeds":["{ELSEWHERE}"]}}}}}}}}}}',
    )
    yield change(
        "the same key twice",
        f'{{"persistent":{{"cluster.remote.{ALIAS}.seeds":["{NOBODY}"],"cluster.remote.{ALIAS}.seeds":["{ELSEWHERE}"]}}}}',
    )
    yield change(
        "the same scope twice",
        f'{{"persistent":{{"cluster.remote.{ALIAS}.seeds":["{NOBODY}"]}},"persistent":{{}}}}',
    )
    yield change("nothing", "")
    yield change("an empty body", "{}")
    yield change("empty scopes", {"persistent": {}, "transient": {}})
    yield change("a scope of null", {"persistent": None})
    yield change("a scope of text", {"persistent": "x"})
    yield change("a scope of a list", {"persistent": ["x"]})
    yield change("a body of a list", "[]")
    yield change("a body of a number", "5")
    yield change("a body of null", "null")
    yield change("not JSON", "{")
    yield change("half a body", '{"persistent":{"cluster.remote.duel_b.seeds":["127.0.0.1:1"]')
    yield change(
        "text after the body", '{"persistent":{"cluster.remote.duel_b.seeds":["127.0.0.1:1"]}} x'
    )
    yield change("an unknown parameter", SEEDS, parameters="?foo=1")
    yield change("a timeout", SEEDS, parameters="?timeout=5s&master_timeout=5s")
    yield change("a bad timeout", SEEDS, parameters="?timeout=5")


def _names() -> Iterator[Change]:
    for alias in (
        "duel_a.b",
        "duel_a:b",
        "duel_a b",
        "duel_a*",
        "duel_é",
        "",
        "duel_a/b",
        "(local)",
        "duel_a,b",
        "duel_#",
    ):
        yield change(f"alias [{alias}]", persistent(alias, seeds=[NOBODY]))
    for alias in ("duel_X", "duel_A-b_9", "duel_" + "x" * 200):
        yield change(f"alias [{alias[:20]}]", persistent(alias, seeds=[NOBODY]))
    yield change("aliases in two cases", persistent("duel_x", "duel_X", seeds=[NOBODY]))


def _node_settings() -> Iterator[Change]:
    for key, value in (
        ("cluster.remote.connections_per_cluster", 2),
        ("cluster.remote.initial_connect_timeout", "5s"),
        ("cluster.remote.node.attr", "gw"),
        ("cluster.remote.node.attr.gateway", True),
        ("cluster.remote.connect", True),
        ("cluster.remote.max_pending_connection_listeners", 10),
        ("node.remote_cluster_client", True),
        ("node.roles", ["data"]),
        ("transport.connect_timeout", "5s"),
        ("transport.ping_schedule", "5s"),
        ("transport.compress", "true"),
        ("remote_cluster_server.enabled", True),
        ("remote_cluster.port", 5),
        ("remote_cluster.host", "_local_"),
        ("remote_cluster.bind_host", "_local_"),
        ("remote_cluster.publish_host", "_local_"),
        ("remote_cluster.publish_port", 5),
        ("remote_cluster.tcp.keep_alive", True),
        ("remote_cluster.tcp.keep_idle", 5),
        ("remote_cluster.tcp.keep_interval", 5),
        ("remote_cluster.tcp.keep_count", 5),
        ("remote_cluster.tcp.no_delay", True),
        ("remote_cluster.tcp.reuse_address", True),
        ("remote_cluster.tcp.send_buffer_size", "1kb"),
        ("remote_cluster.tcp.receive_buffer_size", "1kb"),
        ("remote_cluster.max_request_header_size", "1kb"),
        ("transport.profiles._remote_cluster.port", 5),
        ("transport.profiles.default.port", 5),
        ("cluster.remote", "x"),
        ("cluster.remote.", "x"),
        ("xpack.security.remote_cluster_client.ssl.enabled", True),
        ("xpack.security.remote_cluster_server.ssl.enabled", True),
        ("transport.tcp.keep_alive", True),
        ("transport.port", 5),
        ("search.remote.x.seeds", [NOBODY]),
        ("cluster.name", "x"),
        ("discovery.seed_hosts", ["x"]),
    ):
        yield change(f"[{key}]", {"persistent": {key: value}})
        if key.startswith("cluster.remote"):
            yield change(f"[{key}], transient", {"transient": {key: value}})
            yield change(f"[{key}], removed", {"persistent": {key: None}})
