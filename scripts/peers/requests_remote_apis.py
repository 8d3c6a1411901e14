"""What a node tells of remotes and of itself: `_resolve/cluster`, the counts of searches over clusters, and the
statistics of nodes as far as two correct nodes have the same."""

from collections.abc import Iterator

from scripts.peers.request import CITIES, EMPTY, GONE, GONE_HARD, REMOTE, Request, there

_OPTIONS = (
    "",
    "?ignore_unavailable=true",
    "?allow_no_indices=false",
    "?expand_wildcards=all",
    "?expand_wildcards=closed",
    "?expand_wildcards=none",
)

_NAMES: list[tuple[str, str]] = [
    ("local", CITIES),
    ("local-wildcard", "duel-*"),
    ("local-missing", "duel-unknown"),
    ("local-missing-among", f"{CITIES},duel-unknown"),
    ("local-nothing", "nothing*"),
    ("local-exclusion", f"duel-e*,-{EMPTY}"),
    ("local-bad-exclusion", f"-{EMPTY}"),
    ("everything", "*"),
    ("all", "_all"),
    ("nothing-left", "*,-*"),
    ("remote", f"{REMOTE}:{CITIES}"),
    ("remote-everything", f"{REMOTE}:*"),
    ("remote-wildcard", f"{REMOTE}:duel-c*"),
    ("remote-missing", f"{REMOTE}:duel-unknown"),
    ("remote-nothing", f"{REMOTE}:nothing*"),
    ("remote-exclusion", f"{REMOTE}:duel-e*,{REMOTE}:-{EMPTY}"),
    ("remote-empty-name", f"{REMOTE}:"),
    ("remote-underscore", f"{REMOTE}:_x"),
    ("remote-selector", f"{REMOTE}:{CITIES}::data"),
    ("remote-failures", f"{REMOTE}:{CITIES}::failures"),
    ("remote-bad-selector", f"{REMOTE}:{CITIES}::x"),
    ("remote-date", f"{REMOTE}:%3Cduel-%7Bnow%2Fd%3E"),
    ("remote-of-remote", f"{REMOTE}:nobody:x"),
    ("both", f"{CITIES},{there(CITIES)}"),
    ("both-missing", f"duel-unknown,{REMOTE}:duel-unknown"),
    ("alias-wildcard", f"duel_rem*:{CITIES}"),
    ("alias-wildcard-nothing", f"nobody*:{CITIES}"),
    ("alias-exclusion", f"{CITIES},duel_rem*:*,-{REMOTE}:*"),
    ("alias-exclusion-all", f"{REMOTE}:*,-{REMOTE}:*"),
    ("alias-exclusion-index", f"{REMOTE}:*,-{REMOTE}:x"),
    ("alias-exclusion-missing", f"{CITIES},-{REMOTE}:*"),
    ("alias-unknown", f"nobody:{CITIES}"),
    ("alias-empty", f":{CITIES}"),
    ("local-word", f"(local):{CITIES}"),
    ("gone", f"{GONE}:{CITIES}"),
    ("gone-hard", f"{GONE_HARD}:{CITIES}"),
    ("gone-both", f"{CITIES},{there(CITIES)},duel_gone*:x"),
    ("local-underscore", f"_x,{REMOTE}:{CITIES}"),
    ("empty-among", f"{CITIES},,{EMPTY}"),
    ("commas", ","),
    ("uppercase", f"DUEL,{REMOTE}:DUEL"),
]

_USAGE = (
    "ccs._search.total,ccs._search.success,ccs._search.skipped,ccs._search.remotes*,"
    "ccs._search.failure_reasons,ccs._search.features,ccs._search.clusters.*.total,"
    "ccs._search.clusters.*.skipped"
)

_COUNTED: list[tuple[str, str]] = [
    ("local", f"/{CITIES}/_search"),
    ("both", f"/{CITIES},{there(CITIES)}/_search"),
    ("wildcard", f"/{REMOTE}:duel-c*/_search"),
    ("alias-wildcard", f"/duel_rem*:{CITIES}/_search"),
    ("alias-wildcard-nothing", f"/nobody*:{CITIES}/_search"),
    ("phases", f"/{CITIES},{there(CITIES)}/_search?ccs_minimize_roundtrips=false"),
    ("skipped", f"/{CITIES},{GONE}:x/_search"),
    ("failed", f"/{CITIES},{GONE_HARD}:x/_search"),
    ("missing-there", f"/{CITIES},{REMOTE}:duel-unknown/_search"),
    ("missing-here", f"/duel-unknown,{there(CITIES)}/_search"),
    ("unknown-alias", f"/{CITIES},nobody:x/_search"),
    ("count", f"/{CITIES},{there(CITIES)}/_count"),
    ("three", f"/{CITIES},{there(CITIES)},{GONE}:x/_search"),
]


def requests() -> Iterator[Request]:
    # First, while nothing else has been counted on either side.
    for name, path in _COUNTED:
        # The searches themselves are compared elsewhere.
        path += "&filter_path=timed_out" if "?" in path else "?filter_path=timed_out"
        yield Request(f"remotes/count/{name}", "GET", path, setup=True)
        path = f"/_cluster/stats?filter_path={_USAGE}"
        yield Request(f"remotes/count/{name}/stats", "GET", path, setup=True)
    yield from _resolving()
    yield from _statistics()


def _resolving() -> Iterator[Request]:
    for option in _OPTIONS:
        word = option.strip("?").replace("=", "-") or "default"
        for name, expression in _NAMES:
            path = f"/_resolve/cluster/{expression}{option}"
            yield Request(f"remotes/resolve/{name}/{word}", "GET", path)
    only = f"filter_path={REMOTE},{GONE},{GONE_HARD},error,status"
    for name, parameters in (
        ("plain", ""),
        ("timeout", "timeout=30s&"),
        ("timeout-unit", "timeout=1&"),
        ("options", "allow_no_indices=true&ignore_unavailable=x&"),
        ("unknown-parameter", "expand_wildcard=all&"),
        ("pretty", "pretty&human&"),
    ):
        yield Request(
            f"remotes/resolve-remotes/{name}", "GET", f"/_resolve/cluster?{parameters}{only}"
        )
    for name, parameters in (
        ("wildcard-state", "expand_wildcards=foo"),
        ("option", "ignore_throttled=x"),
        ("throttled", "ignore_throttled=true"),
        ("unknown-parameter", "local=true&timeouts=1s"),
        ("timeout-unit", "timeout=x"),
        ("filter", "filter_path=*.connected"),
    ):
        path = f"/_resolve/cluster/{CITIES},{REMOTE}:x?{parameters}"
        yield Request(f"remotes/resolve-parameter/{name}", "GET", path)
    for method, path in (
        ("POST", "/_resolve/cluster"),
        ("PUT", f"/_resolve/cluster/{CITIES}"),
        ("GET", f"/_resolve/cluster/{CITIES}/x"),
        ("GET", "/_resolve"),
        ("POST", "/_remote/info"),
        ("GET", "/_remote/info/x"),
        ("GET", "/_remote/info?foo=1"),
    ):
        word = path.strip("/").replace("/", "-").replace("?", "-")
        yield Request(f"remotes/refused/{method}-{word}", method, path)


def _statistics() -> Iterator[Request]:
    figures = "version,nodes_count,status,mode,skip_unavailable"
    clusters = ",".join(
        f"ccs.clusters.{alias}.{figure}"
        for alias in (REMOTE, GONE, GONE_HARD)
        for figure in figures.split(",")
    )
    yield Request(
        "remotes/cluster-stats/remotes",
        "GET",
        f"/_cluster/stats?include_remotes=true&filter_path={clusters}",
    )
    for name, path in (
        ("header", "/_cluster/stats?filter_path=_nodes,cluster_name,status,nodes.versions"),
        ("other-node", "/_cluster/stats/nodes/nobody?filter_path=_nodes,status,indices.count"),
        ("no-data", "/_cluster/stats/nodes/data:false?filter_path=_nodes,status"),
        ("role", "/_cluster/stats/nodes/data:x"),
        ("flag", "/_cluster/stats?include_remotes=x"),
        ("parameter", "/_cluster/stats?include_remote=true"),
        ("timeout", "/_cluster/stats?timeout=1"),
        ("path", "/_cluster/stats/indices"),
    ):
        yield Request(f"remotes/cluster-stats/{name}", "GET", path)
    yield Request("remotes/cluster-stats/method", "POST", "/_cluster/stats")
    for name, path in (
        ("header", "/_nodes/stats?filter_path=_nodes,cluster_name,nodes.*.name"),
        ("choice", "/_nodes/nobody,_local/stats/http?filter_path=_nodes"),
        ("metric", "/_nodes/stats/foo"),
        ("metrics", "/_nodes/stats/foo,transports,http"),
        ("index-metric", "/_nodes/stats/indices/foo"),
        ("index-metric-alone", "/_nodes/stats/transport/docs"),
        ("all-and-index-metric", "/_nodes/stats/_all/docs"),
        ("all-and-one", "/_nodes/stats/_all,transport"),
        ("level", "/_nodes/stats?level=foo"),
        ("parameter", "/_nodes/stats?foo"),
        ("too-deep", "/_nodes/x/stats/y/z/q"),
        ("sockets", "/_nodes/stats/transport?filter_path=nodes.*.transport.server_open"),
    ):
        yield Request(f"remotes/nodes-stats/{name}", "GET", path)
    for metric in ("remote_cluster_server", "_all", "_none", "http,foo", "_local/_none"):
        path = f"/_nodes/{metric}?filter_path=_nodes,nodes.*.remote_cluster_server"
        yield Request(f"remotes/nodes/{metric.replace('/', '-')}", "GET", path)
