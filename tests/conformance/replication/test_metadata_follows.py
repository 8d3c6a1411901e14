"""Mapping, settings and aliases of a leader arrive at its follower, over REST and over two clusters."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.conformance.replication.conftest import Replicated, metadata_of, until
from tests.unit.cluster.leaders import leader

# A poll that ends soon brings news of metadata without any document.
SOON = {"read_poll_timeout": "20ms"}


def shown(replicated: Replicated) -> Callable[[str], Awaitable[dict[str, Any]]]:
    async def settings(index: str) -> dict[str, Any]:
        answer = await replicated.here.call("GET", f"/{index}/_settings?flat_settings=true")
        found: dict[str, Any] = answer[index]["settings"]
        return found

    return settings


@pytest.fixture
async def followed(replicated: Replicated) -> Replicated:
    """`copy` follows `cities`, which has documents, an alias and a setting; reads end soon."""
    there = replicated.there
    body = {
        "settings": {"number_of_shards": 2, "mapping": {"depth": {"limit": 9}}},
        "mappings": {"properties": {"n": {"type": "long"}, "name": {"type": "keyword"}}},
        "aliases": {
            "towns": {
                "filter": {"term": {"name": "x"}},
                "index_routing": "1",
                "search_routing": "1,2",
                "is_write_index": True,
            }
        },
    }
    await there.call("PUT", "/cities", body)
    await there.fill("cities", {str(n): {"n": n, "name": "x"} for n in range(20)})
    answer = await replicated.follow(**SOON)
    assert answer.status == 200, answer.body
    await replicated.caught_up()
    return replicated


async def test_a_follower_begins_as_its_leader_is(followed: Replicated) -> None:
    """R-35, R-41: as many shards, each id in the same one; aliases but for who is written to."""
    await followed.equal()
    ours, theirs = metadata_of(followed.here, "copy"), metadata_of(followed.there, "cities")
    assert (ours.shards, ours.mapping_json) == (2, theirs.mapping_json)
    assert (await followed.here.call("GET", "/copy/_alias"))["copy"]["aliases"] == {
        "towns": {
            "filter": {"term": {"name": "x"}},
            "index_routing": "1",
            "search_routing": "1,2",
            "is_write_index": False,
        }
    }
    assert (await shown(followed)("copy"))["index.mapping.depth.limit"] == "9"


async def test_a_new_field_is_in_the_mapping_before_its_documents_are_seen(
    followed: Replicated,
) -> None:
    """R-31: so that a search by it finds them."""
    await followed.there.fill("cities", {"new": {"n": 1, "born": "2026-11-22", "deep": {"x": 1.5}}})
    await followed.caught_up()
    ours, theirs = metadata_of(followed.here, "copy"), metadata_of(followed.there, "cities")
    assert ours.mapping_json == theirs.mapping_json
    found = await followed.here.call(
        "POST", "/copy/_search", {"query": {"range": {"born": {"gte": "2026-01-01"}}}}
    )
    assert [hit["_id"] for hit in found["hits"]["hits"]] == ["new"]


async def test_a_dynamic_setting_arrives_without_closing_it(followed: Replicated) -> None:
    """R-32, R-36: also without any document."""
    was_open: list[bool] = []
    followed.here.indices.followed.on_change(
        lambda _, new: was_open.append(all(index.open for index in new))
    )
    await followed.there.call("PUT", "/cities/_settings", {"mapping.total_fields.limit": 77})

    async def arrived() -> bool:
        return (await shown(followed)("copy")).get("index.mapping.total_fields.limit") == "77"

    await until(arrived)
    assert all(was_open)


async def test_a_setting_that_the_leader_removed_is_removed(followed: Replicated) -> None:
    """R-32: what is compared is all that is replicated."""
    await followed.there.call("PUT", "/cities/_settings", {"mapping.depth.limit": None})

    async def gone() -> bool:
        return "index.mapping.depth.limit" not in await shown(followed)("copy")

    await until(gone)


async def test_a_static_setting_arrives_and_it_goes_on(followed: Replicated) -> None:
    """R-33, R-37: the leader has to be closed for it, and is waited for; the follower reopens by itself."""
    await followed.there.call("POST", "/cities/_close")
    await followed.there.call("PUT", "/cities/_settings", {"mapping.ignore_malformed": True})
    await followed.there.call("POST", "/cities/_open")
    await followed.there.fill("cities", {"late": {"n": 1}})
    await followed.caught_up()
    assert (await shown(followed)("copy"))["index.mapping.ignore_malformed"] == "true"
    assert metadata_of(followed.here, "copy").open
    await followed.equal()
    found = await followed.here.call("GET", "/copy/_count")
    assert (found["count"], found["_shards"]["failed"]) == (21, 0)


async def test_local_settings_of_the_leader_do_not_come(followed: Replicated) -> None:
    """R-29, R-34: neither those that were given here nor those that were not."""
    await followed.here.call("PUT", "/copy/_settings", {"number_of_replicas": 0})
    await followed.there.call(
        "PUT",
        "/cities/_settings",
        {
            "number_of_replicas": 3,
            "max_result_window": 5,
            "refresh_interval": "99s",
            "mapping.total_fields.limit": 77,
        },
    )

    async def arrived() -> bool:
        return (await shown(followed)("copy")).get("index.mapping.total_fields.limit") == "77"

    await until(arrived)
    settings = await shown(followed)("copy")
    assert settings["index.number_of_replicas"] == "0"
    assert "index.max_result_window" not in settings
    assert "index.refresh_interval" not in settings


async def test_aliases_come_change_and_go(followed: Replicated) -> None:
    """R-35, R-36: without any document."""
    await followed.there.call(
        "POST",
        "/_aliases",
        {
            "actions": [
                {"add": {"index": "cities", "alias": "more", "is_write_index": True}},
                {"add": {"index": "cities", "alias": "towns", "routing": "7"}},
            ]
        },
    )

    async def aliases() -> dict[str, Any]:
        found: dict[str, Any] = (await followed.here.call("GET", "/copy/_alias"))["copy"]["aliases"]
        return found

    async def has_more() -> bool:
        return "more" in await aliases()

    await until(has_more)
    assert await aliases() == {
        "more": {"is_write_index": False},
        "towns": {"index_routing": "7", "search_routing": "7", "is_write_index": False},
    }
    await followed.there.call("DELETE", "/cities/_alias/towns")

    async def has_one() -> bool:
        return list(await aliases()) == ["more"]

    await until(has_one)


async def test_the_versions_that_were_reached_are_told(followed: Replicated) -> None:
    """R-36: in the stats of each shard."""
    await followed.there.call("PUT", "/cities/_alias/a")
    theirs = metadata_of(followed.there, "cities")

    async def reached() -> bool:
        stats = await followed.stats()
        return bool(stats["follower_aliases_version"] == theirs.aliases_version)

    await until(reached)
    stats = await followed.stats()
    assert stats["follower_mapping_version"] == theirs.mapping_version
    assert stats["follower_settings_version"] == theirs.settings_version


async def test_a_mapping_that_cannot_be_merged_stops_this_index_alone(
    replicated: Replicated,
) -> None:
    """R-62: told as fatal; another follower of the same cluster goes on."""
    for name, copy in (("cities", "copy"), ("rivers", "other")):
        await replicated.there.fill(name, {"1": {"n": 1}})
        await replicated.follow(copy, name, **SOON)
        await replicated.caught_up(copy, name)
    # A field of its own, which no follower can get as long as it is one.
    await replicated.pause()
    ours, theirs = metadata_of(replicated.here, "copy"), metadata_of(replicated.there, "cities")
    paused = metadata_of(replicated.here, "copy").following
    assert paused is not None
    followed = replicated.here.indices.followed
    await followed.stop_following(ours.uuid)
    own = {"properties": {"later": {"type": "keyword"}}}
    await replicated.here.call("PUT", "/copy/_mapping", own)
    lead = leader(name="cities", uuid=theirs.uuid, mapping=theirs.mapping_json)
    await followed.begin_following(ours.uuid, lead, {}, paused)
    assert (await replicated.resume(**SOON)).status == 200
    await replicated.there.fill("cities", {"2": {"later": 5}})

    async def fatal() -> Any:
        return (await replicated.stats()).get("fatal_exception")

    found = await until(fatal)
    assert found["type"] == "illegal_argument_exception"
    assert "later" in found["reason"]
    await replicated.write(7, index="rivers")
    await replicated.caught_up("other", "rivers")
