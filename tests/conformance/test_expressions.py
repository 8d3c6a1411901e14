"""Which cluster an index expression reaches, and what it is there: sections 12 "Expressions" of the checklist."""

from typing import Any

import pytest

from sealane.testing.in_process import InProcessCluster
from tests.conformance.conftest import Pair


async def documents(cluster: InProcessCluster, *indices: str) -> None:
    """One document in each index, its id the name of cluster and index."""
    for index in indices:
        await cluster.fill(index, {f"{cluster.name}-{index}": {"cluster": cluster.name, "n": 1}})


async def found(cluster: InProcessCluster, expression: str, body: Any = None) -> set[str]:
    """The ids that a search finds."""
    answer = await cluster.call("POST", f"/{expression}/_search", body or {"size": 100})
    return {hit["_id"] for hit in answer["hits"]["hits"]}


async def refusal(cluster: InProcessCluster, target: str, body: Any = None) -> tuple[int, str, str]:
    answer = await cluster.request("POST", target, body)
    assert answer.status >= 400, answer.body
    error = answer.body["error"]
    return answer.status, error["type"], error["reason"]


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    await documents(pair.local, "logs", "other")
    await documents(pair.eu, "logs", "other", "third")
    return pair


async def test_where_expressions_lead(filled: Pair) -> None:
    """S-1, S-3, S-4, S-9, S-13, C-75."""
    local = filled.local
    assert await found(local, "eu:logs") == {"eu-logs"}
    assert await found(local, "*:logs") == {"eu-logs"}
    assert await found(local, "logs,e*:o*") == {"local-logs", "eu-other"}
    every = {"local-logs", "local-other", "eu-logs", "eu-other", "eu-third"}
    assert await found(local, "*,*:*") == every
    assert await found(local, "*") == {"local-logs", "local-other"}
    assert await found(local, "nomatch*:logs") == set()
    assert await found(local, "eu:*,eu:-logs") == {"eu-other", "eu-third"}
    before = filled.link.requests
    assert await found(local, "*,*:*,-eu:*") == {"local-logs", "local-other"}
    assert filled.link.requests == before


async def test_an_exclusion_of_an_index_on_a_cluster_is_refused(filled: Pair) -> None:
    """S-13, S-14."""
    for expression, part in (("logs,-eu:logs", "logs"), ("eu:*,-eu:-logs", "-logs")):
        assert await refusal(filled.local, f"/{expression}/_search") == (
            400,
            "illegal_argument_exception",
            f"To exclude a cluster you must specify the '*' wildcard for the index expression, but found: [{part}]",
        )


async def test_a_selector_on_a_remote_is_refused(filled: Pair) -> None:
    """S-15."""
    assert await refusal(filled.local, "/eu:logs::failures/_search") == (
        400,
        "invalid_index_name_exception",
        "Invalid index name [logs::failures], Selectors are not yet supported on remote cluster patterns",
    )


async def test_a_date_in_the_name_is_of_the_cluster_it_is_asked_of(filled: Pair) -> None:
    """S-8: after an alias it is resolved over there."""
    math = "%3Cday-%7Bnow%2Fd%7D%3E"
    for cluster in (filled.local, filled.eu):
        await cluster.call("PUT", f"/{math}/_doc/{cluster.name}?refresh=true", {})
    assert await found(filled.local, math) == {"local"}
    assert await found(filled.local, f"eu:{math}") == {"eu"}


@pytest.mark.parametrize("skip", [True, False])
async def test_no_index_allowed(filled: Pair, skip: bool) -> None:
    """S-19: allow_no_indices=false reaches the remote, which then fails, or is skipped."""
    filled.link.skip_unavailable = skip
    answer = await filled.local.request("POST", "/logs,eu:miss*/_search?allow_no_indices=false", {})
    if skip:
        detail = answer.body["_clusters"]["details"]["eu"]
        assert detail["status"] == "skipped"
        assert detail["failures"][0]["reason"]["type"] == "index_not_found_exception"
    else:
        assert answer.status == 404
        assert answer.body["error"]["reason"] == "no such index [miss*]"
        assert answer.body["error"]["cluster"] == "eu"


async def test_a_missing_remote_index_may_be_ignored(filled: Pair) -> None:
    """S-16, S-20."""
    filled.link.skip_unavailable = False
    status, kind, _ = await refusal(filled.local, "/eu:missing/_search")
    assert (status, kind) == (404, "index_not_found_exception")
    answer = await filled.local.call("POST", "/logs,eu:missing/_search?ignore_unavailable=true")
    detail = answer["_clusters"]["details"]["eu"]
    assert (detail["status"], detail["_shards"]["total"]) == ("successful", 0)
    assert answer["num_reduce_phases"] == 3


async def test_the_filter_of_a_remote_alias_applies(pair: Pair) -> None:
    """S-22."""
    await pair.eu.fill("logs", {"a": {"n": 1}, "b": {"n": 2}, "c": {"n": 3}})
    for name, number in (("ones", 1), ("twos", 2)):
        action = {"index": "logs", "alias": name, "filter": {"term": {"n": number}}}
        await pair.eu.call("POST", "/_aliases", {"actions": [{"add": action}]})
    assert await found(pair.local, "eu:ones") == {"a"}
    assert await found(pair.local, "eu:ones,eu:twos") == {"a", "b"}
    assert await found(pair.local, "eu:ones,eu:logs") == {"a", "b", "c"}
    answer = await pair.local.call("POST", "/eu:ones/_search")
    assert [hit["_index"] for hit in answer["hits"]["hits"]] == ["eu:logs"]


async def test_the_field_index_holds_the_name_with_the_alias(filled: Pair) -> None:
    """S-24."""
    for value, ids in (("eu:logs", {"eu-logs"}), ("logs", {"local-logs"})):
        body = {"query": {"term": {"_index": value}}}
        assert await found(filled.local, "logs,eu:logs", body) == ids


async def test_one_cluster_under_two_aliases_answers_twice(filled: Pair) -> None:
    """S-25."""
    filled.local.register(filled.eu, "again")
    answer = await filled.local.call("POST", "/eu:logs,again:logs/_search")
    assert answer["hits"]["total"]["value"] == 2
    assert {hit["_index"] for hit in answer["hits"]["hits"]} == {"eu:logs", "again:logs"}
    assert answer["_clusters"]["successful"] == 2


async def test_checkpoints_of_remotes_are_refused(filled: Pair) -> None:
    """S-28."""
    status, kind, _ = await refusal(filled.local, "/eu:logs/_search?wait_for_checkpoints=1")
    assert (status, kind) == (400, "illegal_argument_exception")


async def test_details_show_the_expressions_without_their_alias(filled: Pair) -> None:
    """S-77: as they were typed, in their order."""
    answer = await filled.local.call("POST", "/eu:o*,logs,eu:logs,eu:-third,other/_search")
    details = answer["_clusters"]["details"]
    assert {alias: each["indices"] for alias, each in details.items()} == {
        "(local)": "logs,other",
        "eu": "o*,logs,-third",
    }


async def test_a_msearch_line_overrides_the_url(filled: Pair) -> None:
    """S-29, S-30: and one that fails leaves the others alone."""
    lines = (
        b'{"index":"eu:logs","ignore_unavailable":false}\n{"size":0}\n'
        b'{"index":"missing","ignore_unavailable":false}\n{"size":0}\n'
        b'{"index":"missing"}\n{"size":0}\n'
    )
    answer = await filled.local.call("POST", "/_msearch?ignore_unavailable=true", lines)
    assert [each["status"] for each in answer["responses"]] == [200, 404, 200]
    assert answer["responses"][0]["hits"]["total"]["value"] == 1
