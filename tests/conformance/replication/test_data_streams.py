"""Data streams follow by their backing indices: the stream here is replicated until it is promoted."""

from typing import Any

import pytest

from tests.conformance.replication.conftest import Replicated, caught_up, equal, until

TEMPLATE = {
    "index_patterns": ["logs*"],
    "data_stream": {},
    "template": {"mappings": {"properties": {"a": {"type": "keyword"}}}},
}


async def streamed(replicated: Replicated) -> list[str]:
    """A stream of two backing indices, a document in each; their names."""
    await replicated.there.call("PUT", "/_index_template/logs", TEMPLATE)
    for value in ("x", "y"):
        if value == "y":
            await replicated.there.call("POST", "/logs/_rollover")
        document = {"@timestamp": "2026-01-01", "a": value}
        await replicated.there.call("POST", "/logs/_doc?refresh=true", document)
    (shown,) = (await replicated.there.call("GET", "/_data_stream"))["data_streams"]
    return [each["index_name"] for each in shown["indices"]]


async def stream_here(replicated: Replicated, name: str = "logs") -> Any:
    (shown,) = (await replicated.here.call("GET", f"/_data_stream/{name}"))["data_streams"]
    return shown


async def test_backing_indices_come_together_in_a_replicated_stream(
    replicated: Replicated,
) -> None:
    """R-78: whatever the order in which they come, they are in that of their generations."""
    first, second = await streamed(replicated)
    for name in (second, first):
        answer = await replicated.follow(name, name)
        assert answer.status == 200, answer.body
        await replicated.caught_up(name, name)
    shown = await stream_here(replicated)
    assert [each["index_name"] for each in shown["indices"]] == [first, second]
    assert (shown["replicated"], shown["generation"]) == (True, 2)
    found = await replicated.here.call("GET", "/logs/_search?sort=a")
    assert [hit["_index"] for hit in found["hits"]["hits"]] == [first, second]


async def test_a_stream_may_have_another_name_here(replicated: Replicated) -> None:
    """R-78: the backing index is named for the stream that is given for it."""
    first, _ = await streamed(replicated)
    renamed = first.replace(".ds-logs-", ".ds-logs_copy-")
    answer = await replicated.follow(renamed, first)
    assert (answer.status, answer.body["error"]["reason"]) == (
        400,
        "a backing index name in the local and remote cluster must remain the same",
    )
    answer = await replicated.follow(renamed, first, data_stream_name="logs_copy")
    assert answer.status == 200, answer.body
    shown = await stream_here(replicated, "logs_copy")
    assert [each["index_name"] for each in shown["indices"]] == [renamed]


async def test_a_replicated_stream_is_not_rolled_over_or_written_to(
    replicated: Replicated,
) -> None:
    """R-29: until it is promoted only its leader adds to it."""
    first, _ = await streamed(replicated)
    await replicated.follow(first, first)
    answer = await replicated.here.request("POST", "/logs/_rollover")
    assert (answer.status, answer.body["error"]["reason"]) == (
        400,
        "data stream [logs] cannot be rolled over, because it is a replicated data stream",
    )
    answer = await replicated.here.request("POST", "/logs/_doc", {"@timestamp": 1})
    assert answer.status == 403
    answer = await replicated.here.request("DELETE", f"/{first}")
    assert answer.body["error"]["reason"] == (
        f"index [{first}] is the write index for data stream [logs] and cannot be deleted"
    )


async def test_a_stream_is_promoted_with_the_last_of_its_indices(replicated: Replicated) -> None:
    """R-109: one call takes all of them, and the stream with them; one index of several leaves it replicated."""
    first, second = await streamed(replicated)
    for name in (first, second):
        await replicated.follow(name, name)
        await replicated.caught_up(name, name)
    await replicated.here.call("POST", f"/{first}/_ccr/promote")
    assert (await stream_here(replicated))["replicated"] is True
    await replicated.here.call("POST", f"/{second}/_ccr/promote")
    assert (await stream_here(replicated))["replicated"] is False


async def test_a_promoted_stream_is_an_ordinary_one(replicated: Replicated) -> None:
    """Its template is needed for the next index, and nothing is put into it from the old leader any more."""
    first, second = await streamed(replicated)
    await replicated.follow(first, first)
    await replicated.caught_up(first, first)
    await replicated.here.call("POST", "/_data_stream/_promote/logs")
    answer = await replicated.here.request("POST", f"/{first}/_ccr/promote")
    assert answer.status == 200, answer.body
    assert (await stream_here(replicated))["replicated"] is False
    answer = await replicated.follow(second, second)
    assert (answer.status, answer.body["error"]["reason"]) == (
        400,
        f"cannot follow backing index [{second}], because local data stream [logs] is no longer marked as replicated",
    )
    assert (await replicated.here.request("HEAD", f"/{second}")).status == 404
    answer = await replicated.here.request("POST", "/logs/_rollover")
    assert answer.body["error"]["reason"] == (
        "no matching index template found for data stream [logs]"
    )
    await replicated.here.call("PUT", "/_index_template/logs", TEMPLATE)
    rolled = await replicated.here.call("POST", "/logs/_rollover")
    assert rolled["old_index"] == first
    written = await replicated.here.call("POST", "/logs/_doc", {"@timestamp": 1})
    assert written["_index"] == rolled["new_index"]


async def test_a_stream_of_followers_is_deleted_with_them(replicated: Replicated) -> None:
    first, _ = await streamed(replicated)
    await replicated.follow(first, first)
    await replicated.here.call("DELETE", "/_data_stream/logs")
    assert (await replicated.here.request("HEAD", f"/{first}")).status == 404
    assert (await replicated.here.call("GET", "/_data_stream"))["data_streams"] == []


async def test_new_backing_indices_of_a_stream_are_followed_by_themselves(
    replicated: Replicated,
) -> None:
    """R-76, R-78: a rule that matches the stream's name takes each index that a rollover makes."""
    await streamed(replicated)
    rule = {"remote_cluster": "eu", "leader_index_patterns": ["logs"]}
    await replicated.here.call("PUT", "/_ccr/auto_follow/logs", rule)
    rolled = await replicated.there.call("POST", "/logs/_rollover")
    name = rolled["new_index"]

    async def followed() -> bool:
        return (await replicated.here.request("HEAD", f"/{name}")).status == 200

    await until(followed)
    await replicated.there.call("POST", "/logs/_doc", {"@timestamp": 1})
    await replicated.caught_up(name, name)
    assert [each["index_name"] for each in (await stream_here(replicated))["indices"]] == [name]


@pytest.mark.parametrize("name", ["logs", "lo*"])
async def test_a_stream_itself_cannot_be_followed(replicated: Replicated, name: str) -> None:
    """R-4: only its backing indices can."""
    await streamed(replicated)
    answer = await replicated.follow("copy", name)
    assert answer.status >= 400
    if name == "logs":
        assert "DATA_STREAM" in answer.body["error"]["reason"]


async def test_a_stream_fails_over_and_back(replicated: Replicated) -> None:
    """R-109, R-110: what the promoted side adds, new indices too, comes to the old leader, whose stream is replicated
    from then on.
    """
    first, name = await streamed(replicated)
    for each in (first, name):
        await replicated.follow(each, each)
        await replicated.caught_up(each, each)
    replicated.link.is_cut = True
    await replicated.there.call("POST", "/logs/_doc?refresh=true", {"@timestamp": 1, "a": "lost"})
    await replicated.here.call("POST", f"/{first},{name}/_ccr/promote")
    await replicated.here.call("POST", "/_data_stream/_promote/logs")
    await replicated.here.call("PUT", "/_index_template/logs", TEMPLATE)
    await replicated.here.call("POST", "/logs/_doc?refresh=true", {"@timestamp": 1, "a": "new"})
    replicated.link.is_cut = False
    replicated.there.register(replicated.here, "us")
    body = {"remote_cluster": "us", "leader_index": name}
    await replicated.there.call("POST", f"/{name}/_ccr/failback", body)
    await caught_up(replicated.here, name, replicated.there, name)
    await equal(replicated.here, name, replicated.there, name)
    refused = await replicated.there.request("POST", "/logs/_rollover")
    assert "it is a replicated data stream" in refused.body["error"]["reason"]
    rolled = (await replicated.here.call("POST", "/logs/_rollover"))["new_index"]
    await replicated.here.call("POST", "/logs/_doc?refresh=true", {"@timestamp": 1, "a": "later"})
    asked = {"remote_cluster": "us", "leader_index": rolled}
    await replicated.there.call("PUT", f"/{rolled}/_ccr/follow?wait_for_active_shards=1", asked)
    found = await replicated.there.call("GET", "/logs/_search?sort=a")
    assert [hit["_source"]["a"] for hit in found["hits"]["hits"]] == ["later", "new", "x", "y"]
