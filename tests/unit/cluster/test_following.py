"""Followers brought to what their leader has, let go, and begun again."""

from typing import Any

import pytest

from sealane.cluster.metadata import ClusterMetadata
from sealane.errors import IOFailure
from sealane.model.replication import LeaderAlias
from tests.unit.cluster.index_node import Node, properties, refused
from tests.unit.cluster.leaders import FILTERED, MARKER, follower, following, leader, paused


async def test_mapping_settings_and_aliases_follow_in_one_change(node: Node) -> None:
    """R-31, R-32, R-35, R-36: without closing it for dynamic settings; each version rises once."""
    made = await follower(
        node,
        settings={"index.mapping.depth.limit": "5"},
        aliases={"gone": LeaderAlias(), "kept": LeaderAlias()},
    )
    heard: list[tuple[ClusterMetadata, ClusterMetadata]] = []
    node.indices.followed.on_change(lambda old, new: heard.append((old, new)))
    node.engine.history.clear()
    taken = await node.indices.followed.take_leader(
        made.uuid,
        leader(
            mapping=properties(f="keyword", new="long"),
            settings={"index.mapping.total_fields.limit": "99"},
            aliases={"kept": FILTERED, "come": LeaderAlias()},
            mapping_version=2,
            settings_version=2,
            aliases_version=2,
        ),
    )
    assert node.fields("f") == ["f", "new"]
    assert taken.settings["index.mapping.total_fields.limit"] == "99"
    assert "index.mapping.depth.limit" not in taken.settings
    assert sorted(taken.aliases) == ["come", "kept"]
    assert taken.aliases["kept"].filter == '{"term":{"f":"x"}}'
    assert [each.is_write_index for each in taken.aliases.values()] == [False, False]
    assert (taken.mapping_version, taken.settings_version, taken.aliases_version) == (2, 2, 2)
    assert len(heard) == 1
    assert heard[0][0].index("f") is made
    assert heard[0][1].index("f") is taken
    assert f"close {made.uuid}" not in node.engine.history
    assert node.engine.configs[made.uuid].mapping == taken.mapping


async def test_what_is_so_already_changes_nothing(node: Node) -> None:
    made = await follower(node, aliases={"al": FILTERED})
    heard: list[object] = []
    node.indices.followed.on_change(lambda old, new: heard.append(new))
    assert await node.indices.followed.take_leader(made.uuid, leader(aliases={"al": FILTERED})) is (
        made
    )
    assert heard == []


async def test_a_version_alone_is_noted_alone(node: Node) -> None:
    """R-36: what the leader changed does not matter here, that it was looked at does."""
    made = await follower(node)
    taken = await node.indices.followed.take_leader(
        made.uuid, leader(settings={"index.refresh_interval": "9s"}, settings_version=7)
    )
    assert taken.settings == made.settings
    assert taken.settings_version == made.settings_version
    assert taken.following is not None
    assert taken.following.settings_version == 7


async def test_local_settings_stay_whatever_the_leader_has(node: Node) -> None:
    """R-29, R-34: replicas and the like are the follower's own, before and after."""
    lead = leader(settings={"index.number_of_replicas": "2", "index.refresh_interval": "1s"})
    made = await node.indices.followed.create_follower(
        "f", lead, {"number_of_replicas": "0"}, following(lead)
    )
    await node.indices.put_settings(["f"], {"refresh_interval": "30s"})
    taken = await node.indices.followed.take_leader(
        made.uuid,
        leader(
            settings={"index.number_of_replicas": "3", "index.refresh_interval": "2s"},
            settings_version=2,
        ),
    )
    assert taken.settings["index.number_of_replicas"] == "0"
    assert taken.settings["index.refresh_interval"] == "30s"


async def test_a_static_setting_is_taken_by_closing_it_in_the_engine_alone(node: Node) -> None:
    """R-33: the index is open to everybody else all the time, and open after a crash."""
    made = await follower(node)
    seen: list[bool] = []

    def hear(_: ClusterMetadata, new: ClusterMetadata) -> None:
        index = new.index("f")
        assert index is not None
        seen.append(index.open)

    node.indices.followed.on_change(hear)
    node.engine.history.clear()
    await node.indices.followed.take_leader(
        made.uuid, leader(settings={"index.mapping.coerce": "false"}, settings_version=2)
    )
    assert node.engine.history == [
        f"close {made.uuid}",
        f"open {made.uuid}",
        f"hold {made.uuid}",
        f"update {made.uuid}",
    ]
    assert seen == [True]
    assert node.engine.configs[made.uuid].settings["index.mapping.coerce"] == "false"


async def test_a_follower_that_cannot_be_opened_again_is_tried_again(node: Node) -> None:
    """R-33: its new settings are durable, so the node says that it is not open and goes on trying."""
    made = await follower(node)
    node.engine.fail_open = IOFailure("too many open files")
    error = await refused(
        node.indices.followed.take_leader(
            made.uuid, leader(settings={"index.mapping.coerce": "false"}, settings_version=2)
        )
    )
    assert error.reason == "too many open files"
    assert list(node.indices.opened.failed) == [made.uuid]
    assert made.uuid not in node.engine.configs
    node.engine.fail_open = None
    again = await node.restart()
    assert again.indices.opened.failed == {}
    assert again.engine.configs[made.uuid].settings["index.mapping.coerce"] == "false"


async def test_a_closed_follower_takes_static_settings_and_stays_closed(node: Node) -> None:
    made = await follower(node)
    await node.indices.set_open(["f"], False)
    taken = await node.indices.followed.take_leader(
        made.uuid, leader(settings={"index.mapping.coerce": "false"}, settings_version=2)
    )
    assert not taken.open
    assert taken.settings["index.mapping.coerce"] == "false"
    assert made.uuid not in node.engine.configs


async def test_a_mapping_that_cannot_be_merged_changes_nothing_at_all(node: Node) -> None:
    """R-62: told, and neither the settings nor the aliases that came with it are taken."""
    made = await follower(node)
    error = await refused(
        node.indices.followed.take_leader(
            made.uuid,
            leader(
                mapping=properties(f="long"),
                aliases={"al": LeaderAlias()},
                mapping_version=2,
                aliases_version=2,
            ),
        )
    )
    assert (error.status, error.es_type) == (400, "illegal_argument_exception")
    assert node.indices.metadata.index("f") is made


async def test_an_older_answer_takes_nothing_back(node: Node) -> None:
    """Answers of a leader may come in any order."""
    made = await follower(node)
    newer = leader(mapping=properties(f="keyword", g="long"), mapping_version=3, aliases_version=3)
    taken = await node.indices.followed.take_leader(made.uuid, newer)
    older = leader(aliases={"al": LeaderAlias()}, aliases_version=2)
    assert await node.indices.followed.take_leader(made.uuid, older) is taken


async def test_another_leader_than_the_one_that_is_followed_is_refused(node: Node) -> None:
    """R-15: an index made anew under the leader's name is another index."""
    made = await follower(node)
    error = await refused(node.indices.followed.take_leader(made.uuid, leader(uuid="other")))
    assert (error.status, error.reason) == (
        400,
        "follow index [f] should reference [other] as leader index but instead reference [leader-uuid] as leader index",
    )


async def test_what_is_no_follower_is_told(node: Node) -> None:
    await node.indices.create("i", {})
    uuid, followed = node.uuid("i"), node.indices.followed
    for call in (
        followed.take_leader(uuid, leader()),
        followed.change_following(uuid, paused),
        followed.stop_following(uuid),
    ):
        error = await refused(call)
        assert (error.status, error.reason) == (400, "index [i] is not a follower index")
    for call in (
        followed.take_leader("gone", leader()),
        followed.change_following("gone", paused),
        followed.stop_following("gone"),
        followed.set_open("gone", True),
    ):
        assert (await refused(call)).status == 404


async def test_the_version_of_the_metadata_rises_with_every_change(node: Node) -> None:
    versions = [node.indices.metadata.version]

    def hear(_: ClusterMetadata, new: ClusterMetadata) -> None:
        versions.append(new.version)

    stop = node.indices.followed.on_change(hear)
    made = await follower(node)
    await node.indices.create("i", {})
    await node.indices.followed.change_following(made.uuid, paused)
    await node.indices.followed.change_following(made.uuid, paused)
    await node.indices.delete(["i"])
    assert versions == sorted(set(versions))
    assert len(versions) == 5
    stop()
    await node.indices.delete(["f"])
    assert len(versions) == 5


# -- from follower to ordinary index and back --------------------------------------------------------


async def test_stopping_leaves_an_ordinary_index(node: Node) -> None:
    """R-18: marker and what was kept of the leader are gone in one change, and after a restart."""
    made = await follower(node, aliases={"al": LeaderAlias()})
    heard: list[object] = []
    node.indices.followed.on_change(lambda old, new: heard.append(new))
    stopped = await node.indices.followed.stop_following(made.uuid)
    assert len(heard) == 1
    assert stopped.following is None
    assert MARKER not in stopped.settings
    assert MARKER not in node.engine.configs[made.uuid].settings
    assert stopped.mapping == made.mapping
    await node.indices.put_mapping(["f"], properties(own="long"))
    assert (await node.restart()).fields("f") == ["f", "own"]


async def test_an_ordinary_index_begins_to_follow_with_what_it_has(node: Node) -> None:
    """R-110: the old leader becomes a follower; its uuid stays, and so do its documents."""
    await node.indices.create(
        "i", {"mappings": properties(f="keyword", own="long"), "aliases": {"mine": {}}}
    )
    uuid = node.uuid("i")
    lead = leader(settings={"index.mapping.depth.limit": "9"}, aliases={"al": LeaderAlias()})
    begun = await node.indices.followed.begin_following(
        uuid, lead, {"number_of_replicas": "0"}, following(lead)
    )
    assert (begun.uuid, begun.settings[MARKER]) == (uuid, "true")
    assert begun.settings["index.number_of_replicas"] == "0"
    assert node.engine.configs[uuid].settings[MARKER] == "true"
    assert node.engine.held == {}
    taken = await node.indices.followed.take_leader(uuid, lead)
    assert sorted(taken.aliases) == ["al"]
    assert taken.settings["index.mapping.depth.limit"] == "9"
    error = await refused(node.indices.followed.begin_following(uuid, lead, {}, following(lead)))
    assert error.reason == "index [i] is a follower index already"


async def test_a_bulk_that_was_under_way_does_not_extend_a_followers_mapping(node: Node) -> None:
    """R-110: its documents that need new fields are refused."""
    await node.indices.create("i", {})
    uuid, lead = node.uuid("i"), leader()
    await node.indices.followed.begin_following(uuid, lead, {}, following(lead))
    error = await refused(node.indices.extend_mapping(uuid, properties(own="long")))
    assert (error.status, error.es_type) == (403, "status_exception")
    assert node.fields("i") == []


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        (
            {"shards": 2},
            "leader index primary shards [2] does not match with the number of shards of the follow index [1]",
        ),
        ({"open": False}, "leader and follow index must be open"),
        (
            {"settings": {"index.mapping.coerce": "false"}},
            'the leader index settings [{"index.mapping.coerce":"false","index.number_of_shards":"1"}] and follower '
            'index settings [{"index.number_of_shards":"1"}] must be identical',
        ),
    ],
)
async def test_an_index_that_can_never_be_like_the_leader_does_not_begin(
    node: Node, members: dict[str, Any], reason: str
) -> None:
    await node.indices.create("i", {})
    lead = leader(**members)
    error = await refused(
        node.indices.followed.begin_following(node.uuid("i"), lead, {}, following(lead))
    )
    assert (error.status, error.reason) == (400, reason)
    (view,) = node.indices.find(["i"])
    assert view.metadata.following is None


async def test_replication_opens_and_closes_what_it_must(node: Node) -> None:
    """R-40: also where a user may not, because of a block."""
    made = await follower(node, settings={"index.blocks.read_only": "true"})
    await node.indices.followed.set_open(made.uuid, False)
    assert made.uuid not in node.engine.configs
    await node.indices.followed.set_open(made.uuid, True)
    assert made.uuid in node.engine.configs
