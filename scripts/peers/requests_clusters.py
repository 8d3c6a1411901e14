"""Index expressions across clusters, clusters that are gone, and what `_clusters` tells about
them."""

from collections.abc import Iterator

from scripts.peers.request import (
    CITIES,
    EMPTY,
    GONE,
    GONE_HARD,
    REMOTE,
    TRICKY,
    Request,
    search,
    there,
)

_ONE = {"size": 1, "sort": [{"population": {"order": "desc", "unmapped_type": "integer"}}]}
_COUNTED = {"size": 0, "aggs": {"n": {"value_count": {"field": "population"}}}}

_EXPRESSIONS: list[tuple[str, str]] = [
    ("one-alias", f"{REMOTE}:{CITIES}"),
    ("two-indices", f"{REMOTE}:{CITIES},{there(TRICKY)}"),
    ("index-list-both", f"{CITIES},{TRICKY},{REMOTE}:{CITIES},{there(TRICKY)}"),
    ("same-twice", f"{REMOTE}:{CITIES},{REMOTE}:{CITIES}"),
    ("remote-first", f"{REMOTE}:{CITIES},{CITIES}"),
    ("index-wildcard", f"duel-ci*,{REMOTE}:duel-ci*"),
    ("alias-wildcard", f"duel_rem*:{CITIES}"),
    ("alias-and-index-wildcard", "duel_rem*:duel-c*"),
    ("alias-wildcard-nothing", f"{CITIES},nothing*:{CITIES}"),
    ("remote-wildcard-nothing", f"{REMOTE}:nothing*"),
    ("both-wildcards-nothing", f"nothing*,{REMOTE}:nothing*"),
    ("local-wildcard-nothing", f"nothing*,{REMOTE}:{CITIES}"),
    ("remote-only-there", f"{REMOTE}:duel-far"),
    ("remote-wildcard-exclusion", f"{REMOTE}:duel-*,{REMOTE}:-duel-s*"),
    ("local-exclusion", f"duel-c*,duel-e*,-{EMPTY},{REMOTE}:{CITIES}"),
    ("alias-exclusion", f"duel_*:{CITIES},-duel_gone*:*"),
    ("alias-exclusion-one", f"{CITIES},duel_remo*:{CITIES},{GONE}:{CITIES},-{GONE}:*"),
    ("alias-exclusion-not-included", f"{CITIES},-{REMOTE}:*"),
    ("alias-exclusion-all", f"{REMOTE}:{CITIES},-{REMOTE}:*"),
    ("alias-exclusion-index", f"{REMOTE}:{CITIES},-{REMOTE}:{CITIES}"),
    ("unknown-alias", f"nobody:{CITIES}"),
    ("unknown-alias-beside", f"{CITIES},nobody:{CITIES}"),
    ("unknown-index", "duel-unknown"),
    ("unknown-remote-index", f"{REMOTE}:duel-unknown"),
    ("unknown-remote-index-beside", f"{CITIES},{REMOTE}:duel-unknown"),
    ("unknown-remote-index-among", f"{REMOTE}:{CITIES},{REMOTE}:duel-unknown"),
    ("unknown-local-beside-remote", f"duel-unknown,{REMOTE}:{CITIES}"),
    ("empty-index", f"{EMPTY},{REMOTE}:{EMPTY}"),
    ("empty-alias", f":{CITIES}"),
    ("empty-index-part", f"{REMOTE}:"),
    ("two-colons", f"{REMOTE}:{CITIES}:x"),
    ("selector", f"{REMOTE}:{CITIES}::failures"),
    ("bad-name", f"{REMOTE}:Bad Name"),
    ("uppercase", "DUEL-Cities"),
    ("underscore", "_duel"),
    ("gone-soft", f"{GONE}:{CITIES}"),
    ("gone-soft-beside", f"{CITIES},{GONE}:{CITIES}"),
    ("gone-soft-three", f"{CITIES},{REMOTE}:{CITIES},{GONE}:{CITIES}"),
    ("gone-soft-wildcard", f"{CITIES},{GONE}:duel-*"),
    ("gone-hard", f"{GONE_HARD}:{CITIES}"),
    ("gone-hard-beside", f"{CITIES},{GONE_HARD}:{CITIES}"),
    ("gone-hard-three", f"{CITIES},{REMOTE}:{CITIES},{GONE_HARD}:{CITIES}"),
    ("gone-both", f"{CITIES},{GONE}:x,{GONE_HARD}:y"),
]

_OPTIONS = (
    "?ignore_unavailable=true",
    "?allow_no_indices=false",
    "?ccs_minimize_roundtrips=false",
    "?allow_partial_search_results=false",
)


def requests() -> Iterator[Request]:
    for name, expression in _EXPRESSIONS:
        yield search(f"clusters/{name}", expression, _ONE)
    for parameters in _OPTIONS:
        option = parameters.strip("?").split("=")[0]
        for name, expression in _EXPRESSIONS:
            # The form of the name is refused before any option is looked at.
            if name.startswith(
                ("unknown", "gone", "remote-wildcard", "both-wildcards", "two-indices")
            ):
                yield search(f"clusters/{name}/{option}", expression, _ONE, parameters)
    for name, expression in (
        ("both", f"{CITIES},{REMOTE}:{CITIES}"),
        ("gone", f"{CITIES},{REMOTE}:{CITIES},{GONE}:{CITIES}"),
        ("only-gone", f"{GONE}:{CITIES}"),
    ):
        yield search(f"clusters/aggregation-{name}", expression, _COUNTED)
        yield Request(f"clusters/count-{name}", "GET", f"/{expression}/_count")
    yield from _failing_shards()
    yield from _information()


def _failing_shards() -> Iterator[Request]:
    """Searches that parse, and then fail on the shards of one cluster or of both."""
    fails = {"query": {"range": {"observed": {"gte": "not a date"}}}, "size": 0}
    bad_sort = {"sort": [{"no_such_field": "asc"}], "size": 1}
    for name, body in (("query", fails), ("sort", bad_sort)):
        yield search(f"clusters/failing-{name}/local", CITIES, body)
        yield search(f"clusters/failing-{name}/remote", f"{REMOTE}:{CITIES}", body)
        yield search(f"clusters/failing-{name}/both", f"{CITIES},{REMOTE}:{CITIES}", body)
    only_one = {"sort": [{"count": "asc"}], "size": 1}
    yield search(
        "clusters/failing-one-index/remote", f"{REMOTE}:{CITIES},{there(TRICKY)}", only_one
    )
    yield search("clusters/failing-one-cluster", f"{TRICKY},{REMOTE}:{CITIES}", only_one)


def _information() -> Iterator[Request]:
    yield Request("clusters/info", "GET", f"/_remote/info?filter_path={REMOTE},{GONE},{GONE_HARD}")
    for name, expression in (
        ("both", f"{CITIES},{REMOTE}:{CITIES}"),
        ("wildcard", "duel_rem*:duel-c*"),
        ("missing", f"{REMOTE}:duel-unknown"),
        ("missing-local", f"duel-unknown,{REMOTE}:{CITIES}"),
        ("gone", f"{GONE}:{CITIES}"),
        ("gone-hard", f"{GONE_HARD}:{CITIES}"),
        ("unknown", f"nobody:{CITIES}"),
    ):
        yield Request(f"clusters/resolve_cluster-{name}", "GET", f"/_resolve/cluster/{expression}")
        yield Request(f"clusters/resolve_index-{name}", "GET", f"/_resolve/index/{expression}")
        yield Request(
            f"clusters/field_caps-{name}", "GET", f"/{expression}/_field_caps?fields=name"
        )
    for method, path in (
        ("GET", f"/{REMOTE}:{CITIES}/_mapping"),
        ("GET", f"/{REMOTE}:{CITIES}/_settings"),
        ("GET", f"/{REMOTE}:{CITIES}"),
        ("GET", f"/{REMOTE}:{CITIES}/_doc/1"),
        ("POST", f"/{REMOTE}:{CITIES}/_refresh"),
        ("DELETE", f"/{REMOTE}:{CITIES}"),
        ("PUT", f"/{REMOTE}:duel-new"),
    ):
        word = path.rsplit("/", 1)[-1].strip("_")
        yield Request(f"clusters/not-supported-{method}-{word}", method, path)
