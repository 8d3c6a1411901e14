"""The versions of an index's mapping, settings and aliases, by which followers know that something is new."""

from typing import Any

import pytest

from sealane.cluster.metadata import IndexMetadata
from tests.unit.cluster.index_node import Action, Node, properties


def versions(node: Node) -> tuple[int, int, int]:
    index = node.indices.metadata.index("i")
    assert isinstance(index, IndexMetadata)
    return index.mapping_version, index.settings_version, index.aliases_version


@pytest.fixture
async def indexed(node: Node) -> Node:
    await node.indices.create(
        "i",
        {
            "mappings": properties(f="keyword"),
            "settings": {"refresh_interval": "5s"},
            "aliases": {"al": {"routing": "1"}},
        },
    )
    return node


def alias(**members: Any) -> Action:
    return Action(kind="add", indices=("i",), aliases=("al",), **members)


async def test_each_rises_by_its_own_changes(indexed: Node) -> None:
    """R-36: and by one each time."""
    assert versions(indexed) == (1, 1, 1)
    await indexed.indices.put_mapping(["i"], properties(g="long"))
    assert versions(indexed) == (2, 1, 1)
    await indexed.indices.extend_mapping(indexed.uuid("i"), properties(h="long", k="long"))
    assert versions(indexed) == (3, 1, 1)
    await indexed.indices.put_settings(["i"], {"refresh_interval": "6s", "hidden": "true"})
    assert versions(indexed) == (3, 2, 1)
    await indexed.indices.update_aliases([alias(), alias(is_write_index=True)])
    assert versions(indexed) == (3, 2, 2)
    await indexed.indices.update_aliases([Action(kind="remove", indices=("i",), aliases=("al",))])
    assert versions(indexed) == (3, 2, 3)
    assert versions(await indexed.restart()) == (3, 2, 3)


async def test_what_changes_nothing_raises_none(indexed: Node) -> None:
    """R-36: nor does the version of the whole metadata rise."""
    whole = indexed.indices.metadata.version
    await indexed.indices.put_mapping(["i"], properties(f="keyword"))
    await indexed.indices.put_mapping(["i"], {})
    await indexed.indices.extend_mapping(indexed.uuid("i"), properties(f="keyword"))
    await indexed.indices.put_settings(["i"], {"refresh_interval": "5s"})
    await indexed.indices.put_settings(
        ["i"], {"index.refresh_interval": "9s"}, preserve_existing=True
    )
    await indexed.indices.put_settings(["i"], {"index.hidden": None})
    await indexed.indices.update_aliases([alias(index_routing="1", search_routing="1")])
    assert versions(indexed) == (1, 1, 1)
    assert indexed.indices.metadata.version == whole
    await indexed.indices.set_open(["i"], False)
    await indexed.indices.set_open(["i"], True)
    assert versions(indexed) == (1, 1, 1)
    assert indexed.indices.metadata.version > whole
