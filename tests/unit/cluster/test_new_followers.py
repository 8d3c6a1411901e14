"""Followers made of what a leader says, and kept from searches while they are copied."""

import asyncio
from typing import Any

import pytest

from sealane.errors import ApiError, IOFailure
from sealane.model.replication import LeaderAlias
from tests.unit.cluster.index_node import Node, properties, refused
from tests.unit.cluster.leaders import (
    FILTERED,
    MARKER,
    follower,
    following,
    leader,
    paused,
    whole,
)

OPEN_EXISTS = (
    "[_ccr_eu:_latest_/_latest_] cannot restore index [f] because an open index with same name already exists in the "
    "cluster. Either close or delete the existing index or restore the index under a different name by providing a "
    "rename pattern and replacement name"
)


async def test_a_follower_is_its_leader_but_for_what_is_local(node: Node) -> None:
    """R-10, R-35, R-41: settings, mapping, aliases and number of shards are the leader's; overrides win."""
    lead = leader(
        shards=3,
        settings={
            "index.number_of_shards": "3",
            "index.number_of_replicas": "2",
            "index.mapping.depth.limit": "7",
        },
        mapping=properties(f="keyword", g="long"),
        aliases={"al": FILTERED, "hid": LeaderAlias(is_hidden=True)},
        mapping_version=4,
        settings_version=5,
        aliases_version=6,
    )
    made = await node.indices.followed.create_follower(
        "f", lead, {"index.number_of_replicas": "0"}, following(lead)
    )
    assert made == node.indices.metadata.index("f")
    assert made.shards == 3
    shown = {key: made.settings[key] for key in made.settings}
    assert shown == {
        "index.creation_date": str(made.creation_date),
        "index.mapping.depth.limit": "7",
        "index.number_of_replicas": "0",
        "index.number_of_shards": "3",
        "index.provided_name": "f",
        "index.uuid": made.uuid,
        "index.version.created": "8536000",
        MARKER: "true",
    }
    (view,) = node.indices.find(["f"])
    assert view.mapping == properties(f="keyword", g="long")
    assert view.aliases == {
        "al": {
            "filter": {"term": {"f": "x"}},
            "index_routing": "1",
            "search_routing": "1,2",
            "is_write_index": False,
        },
        "hid": {"is_write_index": False, "is_hidden": True},
    }
    kept = made.following
    assert kept is not None
    assert (kept.mapping_version, kept.settings_version, kept.aliases_version) == (4, 5, 6)
    assert kept.copy_to == (None, None, None)
    config = node.engine.configs[made.uuid]
    assert (config.shards, config.settings[MARKER]) == (3, "true")


async def test_a_follower_is_there_after_a_restart(node: Node) -> None:
    made = await follower(node, aliases={"al": FILTERED})
    again = await node.restart()
    assert again.indices.metadata.index("f") == made


@pytest.mark.parametrize(
    ("overrides", "members", "reason"),
    [
        (
            {"index.number_of_shards": "2"},
            {},
            "can not put follower index that could override leader settings "
            '{"index.number_of_shards":"2"}',
        ),
        ({"index.x": "2"}, {}, "unknown setting [index.x]"),
        ({}, {"mapping": b"[1]"}, "the mapping of leader index [lead] is no object"),
        (
            {},
            {"aliases": {"al": LeaderAlias(filter='{"unknown":{}}')}},
            "failed to parse filter for alias [al]",
        ),
    ],
)
async def test_what_cannot_be_made_is_told_and_nothing_is_there(
    node: Node, overrides: dict[str, Any], members: dict[str, Any], reason: str
) -> None:
    """R-10, R-11: also by the check that does nothing."""
    lead = leader(**members)
    error = await refused(
        node.indices.followed.create_follower("f", lead, overrides, following(lead))
    )
    assert (error.status, error.reason) == (400, reason)
    with pytest.raises(type(error)):
        node.indices.followed.check_follower("f", "eu", lead, overrides)
    assert node.indices.metadata.index("f") is None
    assert node.engine.configs == {}


@pytest.mark.parametrize("mapping", [b"{", b"\xff", b'{"properties":{"f":{"type":"nonsense"}}}'])
async def test_a_mapping_that_cannot_be_read_makes_no_follower(node: Node, mapping: bytes) -> None:
    lead = leader(mapping=mapping)
    error = await refused(node.indices.followed.create_follower("f", lead, {}, following(lead)))
    assert error.status == 400
    assert node.indices.metadata.index("f") is None


async def test_an_open_index_of_the_name_stays_as_it_is(node: Node) -> None:
    """R-6: the index is untouched."""
    await node.indices.create("f", {"mappings": properties(own="long")})
    before = node.indices.metadata.index("f")
    error = await refused(follower(node))
    assert (error.status, error.es_type) == (500, "snapshot_restore_exception")
    assert error.reason == OPEN_EXISTS
    with pytest.raises(type(error)):
        node.indices.followed.check_follower("f", "eu", leader(), {})
    assert node.indices.metadata.index("f") is before


async def test_a_closed_index_or_a_paused_follower_gives_way(node: Node) -> None:
    """R-7: the old content is gone, with its uuid."""
    await node.indices.create("f", {"mappings": properties(own="long"), "aliases": {"old": {}}})
    await node.indices.set_open(["f"], False)
    ordinary = node.uuid("f")
    first = await follower(node)
    assert first.uuid != ordinary
    assert node.indices.metadata.by_uuid(ordinary) is None
    assert node.fields("f") == ["f"]
    assert node.indices.metadata.alias("old") is None
    assert list(node.engine.configs) == [first.uuid]
    await node.indices.set_open(["f"], False)
    error = await refused(follower(node))
    assert (error.status, error.es_type, error.reason) == (
        400,
        "resource_already_exists_exception",
        f"task with id {{{first.uuid}-0}} already exist",
    )
    await node.indices.followed.change_following(first.uuid, paused)
    second = await follower(node)
    assert second.uuid not in (first.uuid, ordinary)
    assert list(node.engine.configs) == [second.uuid]
    assert (await node.restart()).indices.metadata.index("f") == second


async def test_another_number_of_shards_does_not_give_way(node: Node) -> None:
    await node.indices.create("f", {"settings": {"number_of_shards": 2}})
    await node.indices.set_open(["f"], False)
    error = await refused(follower(node))
    assert error.reason == (
        "[_ccr_eu:_latest_/_latest_] cannot restore index [f] with [2] shards from a snapshot of index [lead] with "
        "[1] shards"
    )


@pytest.mark.parametrize("name", ["Bad", "_x", "al"])
async def test_a_name_that_no_index_may_have_is_refused(node: Node, name: str) -> None:
    await node.indices.create("i", {"aliases": {"al": {}}})
    error = await refused(follower(node, name))
    assert (error.status, error.es_type) == (400, "invalid_index_name_exception")


async def test_a_store_that_fails_leaves_no_follower(node: Node, monkeypatch: Any) -> None:
    async def fails(*_: Any) -> int:
        raise IOFailure("disk full")

    monkeypatch.setattr(node.store, "compare_and_set", fails)
    assert (await refused(follower(node))).reason == "disk full"
    assert node.indices.metadata.index("f") is None
    assert node.engine.configs == {}


async def test_a_store_that_fails_changes_no_follower(node: Node, monkeypatch: Any) -> None:
    """R-104: what was asked may be asked again."""
    made = await follower(node)

    async def fails(*_: Any) -> int:
        raise IOFailure("disk full")

    newer = leader(mapping=properties(f="keyword", g="long"), mapping_version=2)
    followed = node.indices.followed
    with monkeypatch.context() as broken:
        broken.setattr(node.store, "compare_and_set", fails)
        for call in (
            followed.take_leader(made.uuid, newer),
            followed.change_following(made.uuid, paused),
            followed.stop_following(made.uuid),
            followed.set_open(made.uuid, False),
        ):
            assert (await refused(call)).reason == "disk full"
    assert node.indices.metadata.index("f") is made
    await followed.take_leader(made.uuid, newer)
    assert node.fields("f") == ["f", "g"]


async def test_a_caller_that_leaves_does_not_leave_half_a_follower(node: Node) -> None:
    task = asyncio.ensure_future(follower(node))
    await asyncio.sleep(0)
    task.cancel()
    await node.until(lambda: node.indices.metadata.index("f") is not None)
    assert node.uuid("f") in node.engine.configs


# -- reads while it is copied ----------------------------------------------------------------------


async def test_a_half_copied_follower_is_held_whenever_it_is_opened(node: Node) -> None:
    """R-92: over closing, restarts and static settings, until the copy is known to be whole."""
    uuid = (await follower(node)).uuid
    held = {uuid: "index [f] is still being copied from its leader"}
    assert node.engine.held == held
    await node.indices.set_open(["f"], False)
    await node.indices.followed.hold_reads(uuid, IOFailure("asked before the engine has it open"))
    assert node.engine.held == {}
    await node.indices.set_open(["f"], True)
    assert node.engine.held == held
    assert (await node.restart()).engine.held == held
    await node.indices.followed.change_following(uuid, whole)
    await node.indices.followed.hold_reads(uuid, None)
    await node.indices.set_open(["f"], False)
    await node.indices.followed.hold_reads(uuid, None)
    await node.indices.set_open(["f"], True)
    assert node.engine.held == {}
    assert (await node.restart()).engine.held == {}


async def test_a_copy_that_ends_while_its_index_is_opened_is_not_held_for_ever(node: Node) -> None:
    """R-9, R-33: whoever ends it lets go what is only held after that."""
    made = await follower(node)
    await node.indices.followed.set_open(made.uuid, False)
    hold_reads = node.engine.hold_reads

    async def late(uuid: str, reason: ApiError | None) -> None:
        if reason is not None:
            await node.indices.followed.change_following(made.uuid, whole)
            await hold_reads(uuid, None)
        await hold_reads(uuid, reason)

    node.engine.hold_reads = late  # type: ignore[method-assign]
    await node.indices.followed.set_open(made.uuid, True)
    assert node.engine.held == {}
