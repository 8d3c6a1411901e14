"""`_resolve/cluster` and `_cluster/stats` between two clusters that share a process: all but the sockets is real."""

from typing import Any

import pytest

from tests.conformance.conftest import Pair

VERSION = {
    "number": "8.19.0",
    "build_flavor": "default",
    "minimum_wire_compatibility_version": "7.17.0",
    "minimum_index_compatibility_version": "7.0.0",
}


def entry(*, skip: bool = True, **members: Any) -> dict[str, Any]:
    return {"connected": True, "skip_unavailable": skip, **members}


def found(matches: bool, *, skip: bool = True) -> dict[str, Any]:
    return entry(skip=skip, matching_indices=matches, version=VERSION)


LOCAL = found(True, skip=False)


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    """`i` and `eu:i`, and `eu:shut`, which is closed."""
    for cluster in (pair.local, pair.eu):
        await cluster.fill("i", {"1": {"n": 1}})
    await pair.eu.call("PUT", "/shut")
    await pair.eu.call("POST", "/shut/_close")
    return pair


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/*,eu:*", {"(local)": LOCAL, "eu": found(True)}),
        ("/i", {"(local)": LOCAL}),
        ("/eu:i", {"eu": found(True)}),
        ("/e*:i*", {"eu": found(True)}),
        ("/eu:zz*", {"eu": found(False)}),
        ("/eu:shut", {"eu": found(False)}),
        ("/i,eu:nope", {"(local)": LOCAL, "eu": entry(error="no such index [nope]")}),
        (
            "/nope,eu:i",
            {"(local)": entry(skip=False, error="no such index [nope]"), "eu": found(True)},
        ),
        ("/eu:nope?ignore_unavailable=true", {"eu": found(False)}),
        ("/eu:zz*?allow_no_indices=false", {"eu": entry(error="no such index [zz*]")}),
        ("/eu:*?expand_wildcards=none", {"eu": entry(error="no such index [**]")}),
        ("/eu:i::data", {"eu": found(True)}),
        ("/i,e*:i,-eu:*", {"(local)": LOCAL}),
        ("/zz*:i", {}),
        ("/,", {}),
        ("", {"eu": entry(version=VERSION)}),
        ("/", {"eu": entry(version=VERSION)}),
        (
            "/eu:_x",
            {
                "eu": {
                    "connected": False,
                    "skip_unavailable": True,
                    "error": "[_x] org.elasticsearch.indices.InvalidIndexNameException: "
                    "Invalid index name [_x], must not start with '_'.",
                }
            },
        ),
        ("/eu:x:y", {"eu": {"connected": False, "skip_unavailable": True}}),
    ],
)
async def test_what_each_cluster_says(filled: Pair, target: str, expected: dict[str, Any]) -> None:
    """S-124, C-84."""
    assert await filled.local.call("GET", f"/_resolve/cluster{target}") == expected


async def test_a_remote_that_must_answer_shows_its_setting(filled: Pair) -> None:
    filled.link.skip_unavailable = False
    answer = await filled.local.call("GET", "/_resolve/cluster/eu:i")
    assert answer == {"eu": found(True, skip=False)}


@pytest.mark.parametrize("skip", [True, False])
async def test_a_dead_remote_is_not_connected(filled: Pair, skip: bool) -> None:
    """C-83: whatever its skip_unavailable says, and nothing fails."""
    filled.link.is_cut = True
    filled.link.skip_unavailable = skip
    answer = await filled.local.call("GET", "/_resolve/cluster/i,eu:i")
    assert answer == {"(local)": LOCAL, "eu": {"connected": False, "skip_unavailable": skip}}
    alone = await filled.local.call("GET", "/_resolve/cluster")
    assert alone == {"eu": {"connected": False, "skip_unavailable": skip}}


async def test_a_remote_that_hangs_ends_with_the_timeout(filled: Pair) -> None:
    """C-83, S-125."""
    filled.link.hold()
    answer = await filled.local.call("GET", "/_resolve/cluster/i,eu:i?timeout=1ms")
    assert answer == {
        "(local)": LOCAL,
        "eu": {
            "connected": False,
            "skip_unavailable": True,
            "error": "Request timed out before receiving a response from the remote cluster",
        },
    }
    filled.link.release()


@pytest.mark.parametrize(
    ("target", "status", "kind", "reason"),
    [
        ("/nope:x", 404, "no_such_remote_cluster_exception", "no such remote cluster: [nope]"),
        ("/i,-nope:*", 404, "no_such_remote_cluster_exception", "no such remote cluster: [nope]"),
        (
            "/_x,eu:i",
            400,
            "invalid_index_name_exception",
            "Invalid index name [_x], must not start with '_'.",
        ),
        (
            "/:i",
            400,
            "illegal_argument_exception",
            "index name [:i] is invalid because the remote part is empty",
        ),
        (
            "/eu:i,-eu:*",
            400,
            "illegal_argument_exception",
            "The '-' exclusions in the index expression list excludes all indexes. "
            "Nothing to search. Input: [eu:i,-eu:*]",
        ),
        (
            "?allow_no_indices=true&expand_wildcards=all",
            400,
            "illegal_argument_exception",
            "No index options are allowed on _resolve/cluster when no index expression is "
            "specified, but received: [expand_wildcards, allow_no_indices]",
        ),
        (
            "?expand_wildcards=foo&timeout=x",
            400,
            "illegal_argument_exception",
            "No index options are allowed on _resolve/cluster when no index expression is "
            "specified, but received: [expand_wildcards]",
        ),
        (
            "/i?expand_wildcards=foo",
            400,
            "illegal_argument_exception",
            "No valid expand wildcard value [foo]",
        ),
        (
            "?timeout=1",
            400,
            "illegal_argument_exception",
            "failed to parse setting [timeout] with value [1] as a time value: "
            "unit is missing or unrecognized",
        ),
        (
            "/i?foo=1",
            400,
            "illegal_argument_exception",
            "request [/_resolve/cluster/i] contains unrecognized parameter: [foo]",
        ),
    ],
)
async def test_what_is_wrong_with_the_request(
    filled: Pair, target: str, status: int, kind: str, reason: str
) -> None:
    """C-85, C-86."""
    answer = await filled.local.request("GET", f"/_resolve/cluster{target}")
    assert answer.status == status
    assert (answer.body["error"]["type"], answer.body["error"]["reason"]) == (kind, reason)


async def test_only_get_is_served(filled: Pair) -> None:
    answer = await filled.local.request("POST", "/_resolve/cluster/i")
    assert answer.status == 405
    assert answer.body["error"].endswith("and method [POST], allowed: [GET]")
    assert (await filled.local.request("GET", "/_resolve/cluster/i/j")).status == 400


# -- _cluster/stats ----------------------------------------------------------------------------------------


async def usage(pair: Pair) -> dict[str, Any]:
    answer = await pair.local.call("GET", "/_cluster/stats")
    counts: dict[str, Any] = answer["ccs"]["_search"]
    return counts


async def test_searches_over_clusters_are_counted(filled: Pair) -> None:
    """S-128."""
    kibana = {"X-elastic-product-origin": "kibana"}
    await filled.local.request("GET", "/i,eu:i/_search", headers=kibana)
    await filled.local.request("GET", "/eu:i*/_search?ccs_minimize_roundtrips=false")
    await filled.local.request("GET", "/i,eu:nope/_search")
    filled.link.skip_unavailable = False
    await filled.local.request("GET", "/i,eu:nope/_search")
    counts = await usage(filled)
    assert (counts["total"], counts["success"], counts["skipped"]) == (4, 3, 1)
    assert counts["failure_reasons"] == {"not_found": 1}
    assert counts["features"] == {"mrt_on": 3, "wildcards": 1}
    assert counts["clients"] == {"kibana": 1}
    assert {
        alias: (each["total"], each["skipped"]) for alias, each in counts["clusters"].items()
    } == {
        "(local)": (2, 0),
        "eu": (2, 1),
    }


async def test_searches_that_name_no_remote_are_not(filled: Pair) -> None:
    """S-129, and those that fail before they begin."""
    for target in (
        "/i/_search",
        "/_search",
        "/zz*:i/_search",
        "/nope,eu:i/_search",
        "/qq:i/_search",
    ):
        await filled.local.request("GET", target)
    assert (await usage(filled))["total"] == 0


async def test_remotes_are_listed_when_they_are_asked_for(filled: Pair) -> None:
    """C-87: a dead one is unavailable, and does not hold the answer up."""
    gone = filled.local.register(filled.eu, "gone", skip_unavailable=False)
    gone.is_cut = True
    assert "clusters" not in (await filled.local.call("GET", "/_cluster/stats"))["ccs"]
    answer = await filled.local.call("GET", "/_cluster/stats?include_remotes=true")
    assert answer["ccs"]["clusters"] == {
        "eu": {
            "cluster_uuid": "eu",
            "mode": "sniff",
            "skip_unavailable": True,
            "transport.compress": "indexing_data",
            "status": "yellow",
            "version": ["8.19.0"],
            "nodes_count": 1,
            "shards_count": 2,
            "indices_count": 2,
            "indices_total_size_in_bytes": answer["ccs"]["clusters"]["eu"][
                "indices_total_size_in_bytes"
            ],
            "max_heap_in_bytes": 0,
            "mem_total_in_bytes": 0,
        },
        "gone": {
            "cluster_uuid": "unavailable",
            "mode": "sniff",
            "skip_unavailable": False,
            "transport.compress": "indexing_data",
            "status": "unavailable",
            "version": [],
            "nodes_count": 0,
            "shards_count": 0,
            "indices_count": 0,
            "indices_total_size_in_bytes": 0,
            "max_heap_in_bytes": 0,
            "mem_total_in_bytes": 0,
        },
    }
    assert answer["ccs"]["clusters"]["eu"]["indices_total_size_in_bytes"] > 0


async def test_the_cluster_itself_is_summed_up(filled: Pair) -> None:
    answer = await filled.eu.call("GET", "/_cluster/stats?human")
    assert (answer["cluster_name"], answer["cluster_uuid"], answer["status"]) == (
        "eu",
        "eu",
        "yellow",
    )
    assert answer["indices"]["count"] == 2
    assert answer["indices"]["shards"]["primaries"] == 2
    assert answer["indices"]["shards"]["index"]["shards"] == {"min": 1, "max": 1, "avg": 1.0}
    assert answer["indices"]["docs"]["count"] == 1
    store = answer["indices"]["store"]
    assert store["size"].endswith("b")
    assert store["size_in_bytes"] > 0
    assert answer["nodes"]["count"]["remote_cluster_client"] == 1
    assert answer["nodes"]["versions"] == ["8.19.0"]
