"""Mappings of indices: what may be added, and that new fields are durable before they are used."""

import asyncio

import pytest

from sealane.errors import (
    ApiError,
    IndexNotFound,
)
from tests.unit.cluster.index_node import Node, properties, refused


async def test_a_mapping_that_conflicts_changes_no_index(node: Node) -> None:
    await node.indices.create("a", {})
    await node.indices.create("b", {"mappings": properties(f="keyword")})
    error = await refused(node.indices.put_mapping(["a", "b"], properties(f="long")))
    assert error.reason == "mapper [f] cannot be changed from type [keyword] to [long]"
    assert node.fields("a") == []
    error = await refused(node.indices.put_mapping(["a"], {"_doc": {}}))
    assert error.reason == "Types cannot be provided in put mapping requests"
    await refused(node.indices.put_mapping(["nope*"], {}))


async def test_new_fields_are_durable_when_they_are_returned(node: Node) -> None:
    await node.indices.create("a", {})
    mapping = await node.indices.extend_mapping(node.uuid("a"), properties(f="long"))
    assert sorted(mapping.fields) == ["f"]
    assert (await node.restart()).fields("a") == ["f"]
    with pytest.raises(IndexNotFound):
        await node.indices.extend_mapping("none", properties(f="long"))


async def test_fields_asked_for_at_once_are_stored_together(node: Node) -> None:
    await node.indices.create("a", {})
    uuid, before = node.uuid("a"), await node.store.version()
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(node.indices.extend_mapping(uuid, properties(**{f"f{n}": "long"})))
            for n in range(20)
        ]
    assert len(node.fields("a")) == 20
    assert await node.store.version() == before + 1
    assert all(f"f{n}" in task.result().fields for n, task in enumerate(tasks))


async def test_of_two_conflicting_extensions_one_fails_alone(node: Node) -> None:
    await node.indices.create("a", {})
    uuid = node.uuid("a")
    results = []

    async def extend(kind: str) -> None:
        try:
            results.append(await node.indices.extend_mapping(uuid, properties(f=kind)))
        except ApiError as error:
            results.append(error)

    async with asyncio.TaskGroup() as group:
        group.create_task(extend("long"))
        group.create_task(extend("keyword"))
    assert sum(isinstance(each, ApiError) for each in results) == 1


async def test_the_field_limit_holds_for_extensions(node: Node) -> None:
    await node.indices.create("a", {"settings": {"index.mapping.total_fields.limit": 1}})
    await node.indices.extend_mapping(node.uuid("a"), properties(f="long"))
    error = await refused(node.indices.extend_mapping(node.uuid("a"), properties(g="long")))
    assert error.reason == "Limit of total fields [1] has been exceeded"


async def test_new_fields_come_through_while_a_change_waits_for_the_shard(node: Node) -> None:
    """A bulk holds its shard while it waits for its fields; a put mapping must not be in between."""
    await node.indices.create("a", {})
    uuid = node.uuid("a")
    async with node.engine.shard:
        task = asyncio.get_running_loop().create_task(
            node.indices.put_mapping(["a"], properties(f="long"))
        )
        await node.until(lambda: "f" in node.fields("a"))
        await node.indices.extend_mapping(uuid, properties(g="long"))
    await task
    assert sorted(node.engine.configs[uuid].mapping.fields) == ["f", "g"]
