"""Cross-cluster search through two real processes."""

from pathlib import Path

import pytest

from sealane.testing.process import NodeProcess, register

from .conftest import Fill

CITIES_EU: list[dict[str, object]] = [
    {"name": "Lisboa", "country": "PT", "population": 545796, "founded": "1147-10-25"},
    {"name": "Hamburg", "country": "DE", "population": 1845229, "founded": "1189-05-07"},
    {"name": "San Marino", "country": "SM", "population": 4500},
]
CITIES_AM: list[dict[str, object]] = [
    {"name": "Lima", "country": "PE", "population": 7737002, "founded": "1535-01-18"},
    {"name": "San Juan", "country": "PR", "population": 418140, "founded": "1521-03-15"},
]


@pytest.fixture
def cities(europe: NodeProcess, americas: NodeProcess, index: str, fill: Fill) -> str:
    fill(europe, index, CITIES_EU)
    fill(americas, index, CITIES_AM)
    return index


def test_hits_of_both_clusters_are_merged(europe: NodeProcess, cities: str) -> None:
    """S-1, S-45, S-50, S-51."""
    answer = europe.call(
        "POST", f"/{cities},americas:{cities}/_search", {"sort": [{"population": "desc"}]}
    )
    assert [(hit["_index"], hit["_source"]["name"]) for hit in answer["hits"]["hits"]] == [
        (f"americas:{cities}", "Lima"),
        (cities, "Hamburg"),
        (cities, "Lisboa"),
        (f"americas:{cities}", "San Juan"),
        (cities, "San Marino"),
    ]
    assert answer["hits"]["total"] == {"value": 5, "relation": "eq"}
    assert answer["num_reduce_phases"] == 3
    assert answer["_shards"] == {"total": 2, "successful": 2, "skipped": 0, "failed": 0}
    clusters = answer["_clusters"]
    assert {key: clusters[key] for key in clusters if key != "details"} == {
        "total": 2,
        "successful": 2,
        "skipped": 0,
        "running": 0,
        "partial": 0,
        "failed": 0,
    }
    assert {alias: each["indices"] for alias, each in clusters["details"].items()} == {
        "(local)": cities,
        "americas": cities,
    }


def test_aggregations_of_both_clusters_are_merged(europe: NodeProcess, cities: str) -> None:
    """S-93: the average is of all documents, not of two averages."""
    answer = europe.call(
        "POST",
        f"/*:{cities},{cities}/_search",
        {
            "size": 0,
            "aggs": {
                "avg": {"avg": {"field": "population"}},
                "names": {
                    "terms": {"field": "country.keyword", "order": {"_key": "asc"}},
                    "aggs": {"people": {"sum": {"field": "population"}}},
                },
            },
        },
    )
    every = [city["population"] for city in CITIES_EU + CITIES_AM]
    total = sum(number for number in every if isinstance(number, int))
    assert answer["aggregations"]["avg"]["value"] == total / len(every)
    assert [bucket["key"] for bucket in answer["aggregations"]["names"]["buckets"]] == [
        "DE",
        "PE",
        "PR",
        "PT",
        "SM",
    ]


def test_a_remote_alone_answers_for_itself(europe: NodeProcess, cities: str) -> None:
    """S-46."""
    answer = europe.call(
        "POST", f"/americas:{cities}/_search", {"from": 1, "size": 1, "sort": "population"}
    )
    assert [hit["_source"]["name"] for hit in answer["hits"]["hits"]] == ["Lima"]
    assert "num_reduce_phases" not in answer
    assert list(answer["_clusters"]["details"]) == ["americas"]


def test_the_remote_knows_nothing_of_the_alias_in_its_own_answers(
    americas: NodeProcess, cities: str
) -> None:
    answer = americas.call("POST", f"/{cities}/_search")
    assert {hit["_index"] for hit in answer["hits"]["hits"]} == {cities}
    assert "_clusters" not in answer


def test_a_missing_index_on_a_skippable_remote_is_skipped(europe: NodeProcess, cities: str) -> None:
    """S-17, S-65."""
    answer = europe.call("POST", f"/{cities},americas:missing/_search")
    detail = answer["_clusters"]["details"]["americas"]
    assert detail["status"] == "skipped"
    assert detail["failures"][0]["reason"]["type"] == "index_not_found_exception"
    assert answer["hits"]["total"]["value"] == len(CITIES_EU)


def test_a_pattern_without_a_match_on_a_remote_is_successful(
    europe: NodeProcess, cities: str
) -> None:
    """S-18."""
    answer = europe.call("POST", "/americas:missing-*/_search")
    detail = answer["_clusters"]["details"]["americas"]
    assert detail["status"] == "successful"
    assert detail["_shards"]["total"] == 0


def test_a_missing_local_index_fails_the_search(europe: NodeProcess, cities: str) -> None:
    """S-21."""
    answer = europe.request("POST", f"/missing,americas:{cities}/_search", {})
    assert answer.status == 404
    assert answer.body["error"]["type"] == "index_not_found_exception"


def test_an_unknown_alias_is_a_404_of_its_own(europe: NodeProcess, cities: str) -> None:
    """S-5, C-71."""
    answer = europe.request("POST", f"/nope:{cities}/_search?ignore_unavailable=true", {})
    assert answer.status == 404
    assert answer.body["error"]["type"] == "no_such_remote_cluster_exception"
    assert answer.body["error"]["reason"] == "no such remote cluster: [nope]"


def test_count_adds_the_remotes(europe: NodeProcess, cities: str) -> None:
    """S-32, S-33."""
    answer = europe.call("POST", f"/{cities},americas:{cities}/_count")
    assert answer["count"] == len(CITIES_EU) + len(CITIES_AM)
    assert answer["_clusters"]["successful"] == 2


def test_msearch_items_fail_alone(europe: NodeProcess, cities: str) -> None:
    """S-29."""
    lines = f'{{"index":"americas:{cities}"}}\n{{}}\n{{"index":"missing"}}\n{{}}\n{{"index":"{cities}"}}\n{{}}\n'
    answer = europe.call("POST", "/_msearch", lines.encode())
    first, second, third = answer["responses"]
    assert first["hits"]["total"]["value"] == len(CITIES_AM)
    assert second["status"] == 404
    assert third["hits"]["total"]["value"] == len(CITIES_EU)


def test_search_after_walks_the_sorted_union(europe: NodeProcess, cities: str) -> None:
    """S-62."""
    seen: list[str] = []
    after: list[object] | None = None
    while True:
        body: dict[str, object] = {"size": 2, "sort": [{"population": "asc"}]}
        if after is not None:
            body["search_after"] = after
        hits = europe.call("POST", f"/{cities},americas:{cities}/_search", body)["hits"]["hits"]
        if not hits:
            break
        seen += [hit["_source"]["name"] for hit in hits]
        after = hits[-1]["sort"]
    assert seen == ["San Marino", "San Juan", "Lisboa", "Hamburg", "Lima"]


def test_a_remote_that_dies_and_returns(tmp_path: Path, fill: Fill) -> None:
    """C-57, C-72, C-73, S-66, S-67, S-81: skipped, then fatal when it may not be skipped, then back by itself."""
    local = NodeProcess("local", tmp_path / "local")
    remote = NodeProcess("far", tmp_path / "far")
    with local:
        remote.start()
        try:
            fill(local, "i", [{"n": 1}])
            fill(remote, "i", [{"n": 2}])
            register(local, remote)
            assert local.call("POST", "/i,far:i/_search")["hits"]["total"]["value"] == 2
            remote.kill()
            answer = local.call("POST", "/i,far:i/_search")
            assert answer["hits"]["total"]["value"] == 1
            assert answer["_clusters"]["details"]["far"]["status"] == "skipped"
            local.call(
                "PUT",
                "/_cluster/settings",
                {"persistent": {"cluster.remote.far.skip_unavailable": False}},
            )
            failed = local.request("POST", "/i,far:i/_search", {})
            assert failed.status == 502
            assert failed.body["error"]["type"] == "connect_transport_exception"
            assert failed.body["error"]["cluster"] == "far"
            again = NodeProcess(
                "far", tmp_path / "far", transport__port=remote.transport.split(":")[1]
            )
            with again:
                assert local.call("POST", "/i,far:i/_search")["hits"]["total"]["value"] == 2
                assert local.call("GET", "/_remote/info")["far"]["connected"] is True
        finally:
            remote.stop()
