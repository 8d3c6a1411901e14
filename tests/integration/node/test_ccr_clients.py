"""The official clients drive replication: every call of `client.ccr`, of elasticsearch 8 and 9."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import elasticsearch8
import elasticsearch9
import pytest

from sealane.testing.process import NodeProcess

LIBRARIES = {"8": elasticsearch8, "9": elasticsearch9}
_PATIENCE_S = 30.0


@pytest.fixture(params=["8", "9"])
def library(request: pytest.FixtureRequest) -> Any:
    return LIBRARIES[request.param]


@pytest.fixture
def client(library: Any, europe: NodeProcess) -> Iterator[Any]:
    with library.Elasticsearch(europe.url) as client:
        yield client


@pytest.fixture
def leader(library: Any, americas: NodeProcess) -> Iterator[Any]:
    with library.Elasticsearch(americas.url) as client:
        yield client


def wait_until(true: Callable[[], object]) -> None:
    until_s = time.monotonic() + _PATIENCE_S
    while not true():
        assert time.monotonic() < until_s
        time.sleep(0.02)


def has(client: Any, index: str, id: str) -> bool:
    """Also asked before there is such an index, and while it is copied, when it is not read yet."""
    patient = client.options(ignore_status=[404, 503], max_retries=0)
    return patient.get(index=index, id=id).get("found", False)


def test_the_life_of_a_follower(client: Any, leader: Any, library: Any, index: str) -> None:
    """R-8, R-18, R-20, R-21, R-87: from follow to an ordinary index again, as the clients read the answers."""
    copy = f"{index}-copy"
    leader.index(index=index, id="1", document={"n": 1})
    started = client.ccr.follow(
        index=copy,
        remote_cluster="americas",
        leader_index=index,
        wait_for_active_shards=1,
        max_read_request_size="1mb",
        read_poll_timeout="10s",
        settings={"index.number_of_replicas": 0},
    )
    assert started["index_following_started"] is True
    leader.index(index=index, id="2", document={"n": 2})
    wait_until(lambda: has(client, copy, "2"))

    (info,) = client.ccr.follow_info(index=copy)["follower_indices"]
    assert info["status"] == "active"
    assert info["parameters"]["max_read_request_size"] == "1mb"
    (stats,) = client.ccr.follow_stats(index=copy, human=True)["indices"]
    assert stats["shards"][0]["follower_global_checkpoint"] == 1
    assert "auto_follow_stats" in client.ccr.stats()

    with pytest.raises(library.ApiError, match="following engine"):
        client.index(index=copy, id="3", document={"n": 3})
    assert client.ccr.pause_follow(index=copy)["acknowledged"] is True
    assert client.ccr.resume_follow(index=copy, max_retry_delay="1s")["acknowledged"] is True
    client.ccr.pause_follow(index=copy)
    with pytest.raises(library.NotFoundError):
        client.ccr.follow_stats(index=copy)
    client.indices.close(index=copy)
    assert client.ccr.unfollow(index=copy)["acknowledged"] is True
    client.indices.open(index=copy)
    assert client.index(index=copy, id="3", document={"n": 3})["_seq_no"] == 2
    forgotten = leader.ccr.forget_follower(
        index=index,
        follower_cluster="europe",
        follower_index=copy,
        follower_index_uuid="gone",
        leader_remote_cluster="americas",
    )
    assert forgotten["_shards"]["failed"] == 1


def test_rules(client: Any, leader: Any, library: Any, index: str) -> None:
    """R-24, R-26, R-76: made, shown, paused, resumed, deleted; and a new index is followed."""
    client.ccr.put_auto_follow_pattern(
        name=index,
        remote_cluster="americas",
        leader_index_patterns=[f"{index}-*"],
        leader_index_exclusion_patterns=["*-copy"],
        follow_index_pattern="{{leader_index}}-copy",
        max_outstanding_read_requests=4,
    )
    (found,) = client.ccr.get_auto_follow_pattern(name=index)["patterns"]
    assert found["pattern"]["active"] is True
    assert found["pattern"]["max_outstanding_read_requests"] == 4
    leader.index(index=f"{index}-a", id="1", document={"n": 1})
    wait_until(lambda: has(client, f"{index}-a-copy", "1"))
    client.ccr.pause_auto_follow_pattern(name=index)
    (found,) = client.ccr.get_auto_follow_pattern(name=index)["patterns"]
    assert found["pattern"]["active"] is False
    client.ccr.resume_auto_follow_pattern(name=index)
    client.ccr.delete_auto_follow_pattern(name=index)
    with pytest.raises(library.NotFoundError):
        client.ccr.get_auto_follow_pattern(name=index)
    client.indices.delete(index=f"{index}-a-copy")


def test_what_is_wrong_is_an_error_of_its_kind(client: Any, library: Any, index: str) -> None:
    """R-2, R-3, R-12."""
    with pytest.raises(library.NotFoundError, match="no such remote cluster"):
        client.ccr.follow(index=index, remote_cluster="nowhere", leader_index=index)
    with pytest.raises(library.NotFoundError, match="no such index"):
        client.ccr.follow(index=index, remote_cluster="americas", leader_index=index)
    with pytest.raises(library.BadRequestError, match="must be larger than 0"):
        client.ccr.follow(
            index=index,
            remote_cluster="americas",
            leader_index=index,
            max_write_buffer_count=0,
        )
    assert not client.indices.exists(index=index)
