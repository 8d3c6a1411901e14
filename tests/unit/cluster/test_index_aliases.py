"""Aliases of indices: several actions that happen together or not at all."""

import msgspec
import pytest

from tests.unit.cluster.index_node import Action, Node, refused


async def test_aliases_come_and_go_as_one(node: Node) -> None:
    await node.indices.create("a", {"aliases": {"old": {}}})
    await node.indices.create("b", {})
    await node.indices.update_aliases(
        [
            Action(kind="add", indices=("b",), aliases=("old", "q"), filter={"term": {"f": 1}}),
            Action(kind="remove", indices=("a",), aliases=("old",)),
        ]
    )
    assert [index.name for index in node.indices.metadata.alias("old") or ()] == ["b"]
    again = await node.restart()
    (index,) = again.indices.metadata.alias("q") or ()
    assert index.aliases_version == 2
    assert msgspec.json.decode(index.aliases["q"].filter_bytes() or b"") == {"term": {"f": 1}}
    await node.indices.update_aliases([Action(kind="remove", indices=("b",), aliases=("_all",))])
    assert not list(node.indices.metadata.aliases())
    await node.indices.update_aliases([Action(kind="remove_index", indices=("a",))])
    assert [index.name for index in node.indices.metadata] == ["b"]
    assert len(node.engine.configs) == 1


@pytest.mark.parametrize(
    ("actions", "kind", "reason"),
    [
        ([], "illegal_argument_exception", "No action specified"),
        (
            [Action(kind="remove", indices=("a",), aliases=("zzz",))],
            "aliases_not_found_exception",
            "aliases [zzz] missing",
        ),
        (
            [Action(kind="remove", indices=("a",), aliases=("no*",))],
            "aliases_not_found_exception",
            "aliases [no*] missing",
        ),
        (
            [Action(kind="add", indices=("nope",), aliases=("z",))],
            "index_not_found_exception",
            "no such index [nope]",
        ),
        (
            [Action(kind="add", indices=("nope*",), aliases=("z",))],
            "index_not_found_exception",
            "no such index [nope*]",
        ),
        (
            [Action(kind="add", indices=("a",), aliases=("b",))],
            "invalid_alias_name_exception",
            "Invalid alias name [b]: an index or data stream exists with the same name as the alias",
        ),
        (
            [
                Action(kind="add", indices=("a",), aliases=("w",), is_write_index=True),
                Action(kind="add", indices=("b",), aliases=("w",), is_write_index=True),
            ],
            "illegal_state_exception",
            "alias [w] has more than one write index [a,b]",
        ),
        (
            [
                Action(kind="add", indices=("a",), aliases=("h",), is_hidden=True),
                Action(kind="add", indices=("b",), aliases=("h",)),
            ],
            "illegal_state_exception",
            "alias [h] has is_hidden set to true on indices [a] but does not have is_hidden set "
            "to true on indices [b]; alias must have the same is_hidden setting on all indices",
        ),
        (
            [Action(kind="add", indices=("a",), aliases=("r",), index_routing="1,2")],
            "illegal_argument_exception",
            "alias [r] has several index routing values associated with it",
        ),
    ],
)
async def test_bad_alias_actions_change_nothing(
    node: Node, actions: list[Action], kind: str, reason: str
) -> None:
    await node.indices.create("a", {"aliases": {"al": {}}})
    await node.indices.create("b", {})
    before = node.indices.metadata
    error = await refused(node.indices.update_aliases(actions))
    assert (error.es_type, error.reason) == (kind, reason)
    assert node.indices.metadata is before


async def test_one_alias_of_several_will_do_to_remove(node: Node) -> None:
    await node.indices.create("a", {"aliases": {"al": {}}})
    await node.indices.update_aliases(
        [Action(kind="remove", indices=("a",), aliases=("al", "none"))]
    )
    assert not list(node.indices.metadata.aliases())
