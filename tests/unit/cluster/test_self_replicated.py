"""What a user may do to a follower, and what comes from its leader alone."""

from typing import Any

import pytest

from sealane.model.replication import LeaderAlias
from tests.unit.cluster.index_node import Action, Node, properties, refused
from tests.unit.cluster.leaders import following, leader

MARKER = "index.xpack.ccr.following_index"
INTERNAL = (
    f"can not update internal setting [{MARKER}]; this setting is managed via a dedicated API"
)


@pytest.fixture
async def with_follower(node: Node) -> Node:
    lead = leader(
        settings={"index.mapping.depth.limit": "7"},
        aliases={"al": LeaderAlias()},
    )
    await node.indices.followed.create_follower("f1", lead, {}, following(lead))
    await node.indices.followed.create_follower("f2", lead, {}, following(lead))
    await node.indices.create("i", {})
    return node


async def test_a_mapping_is_not_put(with_follower: Node) -> None:
    """R-28: the followers are named, and ordinary indices beside them are not changed either."""
    error = await refused(
        with_follower.indices.put_mapping(["f1", "i", "f2"], properties(x="long"))
    )
    assert (error.status, error.es_type, error.reason) == (
        403,
        "status_exception",
        "can't put mapping to the following indices [f1, f2]; the mapping of the following indices are "
        "self-replicated from its leader indices",
    )
    assert with_follower.fields("i") == []


@pytest.mark.parametrize(
    "action",
    [
        Action(kind="add", indices=("f1",), aliases=("x",)),
        Action(kind="remove", indices=("f1",), aliases=("al",)),
        Action(kind="remove_index", indices=("f1",)),
    ],
)
async def test_aliases_are_not_changed(with_follower: Node, action: Action) -> None:
    """R-28: also beside an ordinary index."""
    error = await refused(
        with_follower.indices.update_aliases(
            [Action(kind="add", indices=("i",), aliases=("y",)), action]
        )
    )
    assert (error.status, error.es_type, error.reason) == (
        403,
        "status_exception",
        "can't modify aliases on indices [f1]; aliases of following indices are self-replicated from their leader "
        "indices",
    )
    assert with_follower.indices.metadata.alias("y") is None


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"mapping.depth.limit": "8"}, "index.mapping.depth.limit"),
        ({"index.mapping.depth.limit": None}, "index.mapping.depth.limit"),
        ({"index.mapping.*": None}, "index.mapping.depth.limit"),
        (
            {"mapping.total_fields.limit": "8", "refresh_interval": "9s"},
            "index.mapping.total_fields.limit",
        ),
    ],
)
async def test_replicated_settings_are_not_changed(
    with_follower: Node, changes: dict[str, Any], named: str
) -> None:
    """R-29: one that is replicated keeps the whole change away."""
    before = with_follower.indices.metadata.index("f1")
    error = await refused(with_follower.indices.put_settings(["f1", "i"], changes))
    assert (error.status, error.es_type, error.reason) == (
        400,
        "illegal_argument_exception",
        f"can't update settings [{named}] of the following indices [f1]; these settings of following indices are "
        "self-replicated from their leader indices",
    )
    assert with_follower.indices.metadata.index("f1") is before


async def test_local_settings_are_changed(with_follower: Node) -> None:
    """R-29: replicas, blocks, the refresh interval; and one that is as the leader's already."""
    await with_follower.indices.put_settings(
        ["f1"],
        {
            "number_of_replicas": "0",
            "refresh_interval": "9s",
            "blocks.write": "true",
            "mapping.depth.limit": "7",
        },
    )
    index = with_follower.indices.metadata.index("f1")
    assert index is not None
    assert index.settings["index.refresh_interval"] == "9s"
    assert index.blocks == {"write"}


@pytest.mark.parametrize("name", ["f1", "i"])
@pytest.mark.parametrize("value", ["true", "false", None])
async def test_the_marker_is_nobodys_to_set(
    with_follower: Node, name: str, value: str | None
) -> None:
    """R-30: on a follower or not, open or closed."""
    for is_open in (True, False):
        await with_follower.indices.set_open([name], is_open)
        error = await refused(with_follower.indices.put_settings([name], {MARKER: value}))
        assert (error.status, error.reason) == (400, INTERNAL)


async def test_a_pattern_does_not_remove_the_marker(with_follower: Node) -> None:
    """R-30"""
    await with_follower.indices.put_settings(["f1"], {"index.xpack.*": None})
    (view,) = with_follower.indices.find(["f1"])
    assert view.settings[MARKER] == "true"


async def test_a_new_index_is_not_made_with_the_marker(with_follower: Node) -> None:
    """R-30"""
    error = await refused(
        with_follower.indices.create("n", {"settings": {"xpack.ccr.following_index": True}})
    )
    assert (error.status, error.reason) == (400, INTERNAL)


async def test_a_follower_is_closed_opened_and_deleted_as_any_index(with_follower: Node) -> None:
    """R-39, R-40"""
    assert await with_follower.indices.set_open(["f1"], False) == ["f1"]
    assert await with_follower.indices.set_open(["f1"], True) == ["f1"]
    (view,) = with_follower.indices.find(["f1"])
    await with_follower.indices.refresh(view)
    await with_follower.indices.delete(["f1"])
    assert with_follower.indices.metadata.index("f1") is None
    assert view.uuid not in with_follower.engine.configs
