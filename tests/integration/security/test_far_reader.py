"""Who may read on a remote cluster only goes on there with scrolls and points in time, and nowhere else."""

from collections.abc import Iterator
from typing import Any

import pytest

from sealane.testing.process import Answer, NodeProcess, basic
from sealane.testing.secured import secured_clusters

FAR = basic("far", "secret-1")
ROLE = {
    "remote_indices": [
        {"clusters": ["*"], "names": ["logs-*"], "privileges": ["read", "view_index_metadata"]}
    ]
}


@pytest.fixture(scope="module")
def europe() -> Iterator[NodeProcess]:
    with secured_clusters() as (europe, americas):
        for number in range(3):
            americas.call("PUT", f"/logs-1/_doc/{number}?refresh=true", {"n": number})
        europe.call("PUT", "/logs-1/_doc/1?refresh=true", {"n": 1})
        europe.call("PUT", "/_security/role/far", ROLE)
        europe.call("PUT", "/_security/user/far", {"password": "secret-1", "roles": ["far"]})
        yield europe


def ask(node: NodeProcess, path: str, body: Any = None) -> Answer:
    return node.request("POST", path, body, {"Authorization": FAR})


def test_a_scroll_over_a_remote_goes_on(europe: NodeProcess) -> None:
    """X-32."""
    first = ask(europe, "/americas:logs-1/_search?scroll=1m&size=2", {"sort": ["n"]})
    page = ask(europe, "/_search/scroll", {"scroll_id": first.body["_scroll_id"]})
    assert [hit["_id"] for hit in page.body["hits"]["hits"]] == ["2"]


def test_a_point_in_time_of_a_remote_is_searched(europe: NodeProcess) -> None:
    """X-32."""
    opened = ask(europe, "/americas:logs-1/_pit?keep_alive=1m")
    found = ask(europe, "/_search", {"pit": {"id": opened.body["id"]}})
    assert found.body["hits"]["total"]["value"] == 3


def test_nothing_is_had_of_the_own_cluster(europe: NodeProcess) -> None:
    """X-34: neither by a search, nor by a scroll or point in time of somebody else."""
    scroll = europe.call("POST", "/logs-1/_search?scroll=1m", {})["_scroll_id"]
    pit = europe.call("POST", "/logs-1/_pit?keep_alive=1m")["id"]
    for path, body in (
        ("/_search", {}),
        ("/logs-1/_search", {}),
        ("/_search/scroll", {"scroll_id": scroll}),
        ("/_search", {"pit": {"id": pit}}),
        ("/_search/scroll", {"scroll_id": "no id"}),
    ):
        answer = ask(europe, path, body)
        assert (answer.status, answer.body["error"]["type"]) == (403, "security_exception"), path
