"""Indices: made, changed, removed, over restarts and crashes."""

import asyncio
from typing import Any

import pytest

from sealane.errors import (
    ApiError,
    IllegalState,
    IndexClosed,
    IndexNotFound,
    IOFailure,
)
from sealane.model.search import IndicesOptions
from sealane.settings import Settings, flatten
from tests.unit.cluster.fakes import NOW_MS
from tests.unit.cluster.index_node import ALL, Action, Node, properties, refused


async def test_a_new_index_is_stored_opened_and_shown(node: Node) -> None:
    await node.indices.create(
        "logs",
        {
            "settings": {"number_of_shards": 2, "index.refresh_interval": "5s"},
            "mappings": properties(f="keyword"),
            "aliases": {
                "al": {"filter": {"term": {"f": "x"}}, "is_write_index": True, "routing": "r"},
                "al3": {"is_hidden": True},
            },
        },
    )
    (view,) = node.indices.find(["al"])
    assert (view.name, view.shards, view.replicas, view.created_ms) == ("logs", 2, 1, NOW_MS)
    assert view.settings.to_nested()["index"] == {
        "routing": {"allocation": {"include": {"_tier_preference": "data_content"}}},
        "refresh_interval": "5s",
        "number_of_shards": "2",
        "provided_name": "logs",
        "creation_date": str(NOW_MS),
        "number_of_replicas": "1",
        "uuid": view.uuid,
        "version": {"created": "8536000"},
    }
    assert view.aliases == {
        "al": {
            "filter": {"term": {"f": "x"}},
            "index_routing": "r",
            "search_routing": "r",
            "is_write_index": True,
        },
        "al3": {"is_hidden": True},
    }
    assert view.mapping == properties(f="keyword")
    config = node.engine.configs[view.uuid]
    assert config.shards == 2
    assert config.settings["index.max_result_window"] == "10000"
    assert view.default_settings()["index.max_terms_count"] == "65536"


async def test_everything_is_there_after_a_restart(node: Node) -> None:
    await node.indices.create(
        "a", {"mappings": properties(f="long"), "aliases": {"x": {"filter": {"term": {"f": 1}}}}}
    )
    await node.indices.put_mapping(["a"], properties(g="keyword"))
    before = node.indices.metadata.index("a")
    again = await node.restart()
    after = again.indices.metadata.index("a")
    assert after is not None
    assert after == before
    assert after.mapping_version == 2
    assert again.engine.configs[after.uuid].mapping == after.mapping
    await again.indices.put_mapping(["a"], properties(h="keyword"))
    assert again.fields("a") == ["f", "g", "h"]


@pytest.mark.parametrize(
    ("name", "body", "kind", "reason"),
    [
        ("b", {"foo": 1}, "parse_exception", "unknown key [foo] for create index"),
        ("b", {"mappings": []}, "parse_exception", "key [mappings] must be an object"),
        ("b", {"settings": 3}, "parse_exception", "key [settings] must be an object"),
        (
            "b",
            {"mappings": {"_doc": {}}},
            "illegal_argument_exception",
            "The mapping definition cannot be nested under a type [_doc] unless "
            "include_type_name is set to true.",
        ),
        (
            "al",
            {},
            "invalid_index_name_exception",
            "Invalid index name [al], already exists as alias",
        ),
        (
            "b",
            {"aliases": {"a": {}}},
            "invalid_alias_name_exception",
            "Invalid alias name [a]: an index or data stream exists with the same name as the alias",
        ),
        (
            "b",
            {"aliases": {"b": {}}},
            "illegal_argument_exception",
            "alias name [b] self-conflicts with index name",
        ),
        (
            "b",
            {"aliases": {"q": {"foo": 1}}},
            "illegal_argument_exception",
            "Unknown field [foo] in alias [q]",
        ),
        (
            "b",
            {"aliases": {"q": {"filter": {"unknown": {}}}}},
            "illegal_argument_exception",
            "failed to parse filter for alias [q]",
        ),
        (
            "b",
            {"aliases": {"al": {"is_write_index": True}}},
            "illegal_state_exception",
            "alias [al] has more than one write index [a,b]",
        ),
    ],
)
async def test_a_bad_index_is_refused_and_leaves_nothing(
    node: Node, name: str, body: dict[str, Any], kind: str, reason: str
) -> None:
    await node.indices.create("a", {"aliases": {"al": {"is_write_index": True}}})
    version = await node.store.version()
    error = await refused(node.indices.create(name, body))
    assert (error.es_type, error.reason) == (kind, reason)
    assert await node.store.version() == version
    assert len(node.engine.configs) == 1


async def test_an_index_is_made_once(node: Node) -> None:
    await node.indices.create("a", {})
    error = await refused(node.indices.create("a", {}))
    assert error.reason == f"index [a/{node.uuid('a')}] already exists"


async def test_an_index_that_the_engine_cannot_open_does_not_stay(node: Node) -> None:
    node.engine.fail_open = IOFailure("disk full")
    assert (await refused(node.indices.create("a", {}))).reason == "disk full"
    assert len(node.indices.metadata) == 0
    assert len((await node.restart()).indices.metadata) == 0
    node.engine.fail_open = None
    await node.indices.create("a", {})


async def test_one_index_that_cannot_be_opened_does_not_stop_the_start(node: Node) -> None:
    await node.indices.create("a", {})
    again = Node(node.serial, node.store, node.ids)
    again.engine.fail_open = IOFailure("damaged")
    await again.start()
    assert again.indices.opened.failed[node.uuid("a")].reason == "damaged"
    assert again.indices.known_uuids() == {node.uuid("a")}


async def test_an_unreadable_entry_stops_the_start(node: Node) -> None:
    await node.store.compare_and_set({"index/x": b"{"}, {})
    with pytest.raises(IllegalState, match=r"the stored index \[index/x\] cannot be read"):
        await node.restart()


async def test_a_crash_before_the_engine_removed_its_files_is_seen_at_start(node: Node) -> None:
    await node.indices.create("a", {})
    await node.indices.create("b", {})
    gone = node.uuid("a")
    async with node.engine.shard:
        task = asyncio.get_running_loop().create_task(node.indices.delete(["a"]))
        await node.until(lambda: gone not in node.indices.known_uuids())
        # The store has forgotten it, the engine has not: what a restart finds.
        again = await node.restart()
        assert again.indices.known_uuids() == {node.uuid("b")}
        assert gone in node.engine.configs
    await task


async def test_deleting_by_wildcard_needs_leave(node: Node) -> None:
    for name in ("a1", "a2", "b"):
        await node.indices.create(name, {"aliases": {"al": {}}})
    for expression in ("a*", "_all", "*"):
        error = await refused(node.indices.delete(["b", expression]))
        assert error.reason == "Wildcard expressions or all indices are not allowed"
    error = await refused(node.indices.delete([]))
    assert error.reason == "Validation Failed: 1: index / indices is missing;"
    error = await refused(node.indices.delete(["al"]))
    assert error.reason.startswith("The provided expression [al] matches an alias")
    await refused(node.indices.delete(["a1", "nope"]))
    assert len(node.indices.metadata) == 3
    await node.settings.update({"transient": {"action.destructive_requires_name": False}})
    await node.indices.delete(["a*"], ALL)
    assert [index.name for index in node.indices.metadata] == ["b"]
    assert len(node.engine.configs) == 1


async def test_settings_of_an_index(node: Node) -> None:
    await node.indices.create("a", {})
    changes = flatten({"index": {"refresh_interval": "5s"}, "number_of_replicas": 0})
    await node.indices.put_settings(["a"], changes)
    (view,) = node.indices.find(["a"])
    assert view.settings["index.refresh_interval"] == "5s"
    assert view.replicas == 0
    assert node.engine.configs[view.uuid].settings["index.refresh_interval"] == "5s"
    await node.indices.put_settings(
        ["a"], {"refresh_interval": "9s", "hidden": "false"}, preserve_existing=True
    )
    assert node.indices.find(["a"])[0].settings["index.refresh_interval"] == "5s"
    await node.indices.put_settings(["a"], {"index.*": None})
    (view,) = node.indices.find(["a"])
    assert view.settings == Settings(
        {
            "index.creation_date": str(NOW_MS),
            "index.number_of_shards": "1",
            "index.number_of_replicas": "1",
            "index.uuid": view.uuid,
            "index.version.created": "8536000",
            "index.provided_name": "a",
        }
    )


async def test_static_settings_need_a_closed_index(node: Node) -> None:
    await node.indices.create("a", {})
    error = await refused(
        node.indices.put_settings(["a"], {"number_of_shards": "2", "codec": "best_compression"})
    )
    assert error.reason == (
        "Can't update non dynamic settings [[index.codec, index.number_of_shards]] for open "
        f"indices [[a/{node.uuid('a')}]] unless the `reopen` query parameter is set to true. "
        "Alternatively, close the indices, apply the settings changes, and reopen the indices"
    )
    await node.indices.set_open(["a"], False)
    assert node.engine.configs == {}
    error = await refused(node.indices.put_settings(["a"], {"number_of_shards": "2"}))
    assert error.reason == "final a setting [index.number_of_shards], not updateable"
    await node.indices.put_settings(["a"], {"codec": "best_compression"})
    await node.indices.set_open(["a"], True)
    config = node.engine.configs[node.uuid("a")]
    assert config.settings["index.codec"] == "best_compression"
    error = await refused(node.indices.put_settings(["a"], {}))
    assert error.reason == "Validation Failed: 1: no settings to update;"


async def test_a_closed_index_stays_closed_over_a_restart(node: Node) -> None:
    await node.indices.create("a", {})
    assert await node.indices.set_open(["a"], False) == ["a"]
    again = await node.restart()
    assert again.engine.configs == {}
    assert [view.open for view in again.indices.find(["a"])] == [False]


async def test_blocks_refuse_what_they_name(node: Node) -> None:
    await node.indices.create("a", {})

    async def block(**settings: str | None) -> None:
        await node.indices.put_settings(["a"], {f"blocks.{k}": v for k, v in settings.items()})

    await block(write="true")
    error = await refused(node.indices.write_target("a"))
    assert error.reason == "index [a] blocked by: [FORBIDDEN/8/index write (api)];"
    await node.indices.put_mapping(["a"], properties(f="long"))
    await block(write="false", read_only="true")
    read_only = "index [a] blocked by: [FORBIDDEN/5/index read-only (api)];"
    action = Action(kind="add", indices=("a",), aliases=("z",))
    for call in (
        node.indices.put_mapping(["a"], properties(g="long")),
        node.indices.put_settings(["a"], {"refresh_interval": "3s"}),
        node.indices.update_aliases([action]),
        node.indices.delete(["a"]),
    ):
        error = await refused(call)
        assert (error.status, error.reason) == (403, read_only)
    await block(read_only=None, read="true")
    with pytest.raises(ApiError, match="FORBIDDEN/7"):
        node.indices.resolve(["a"], IndicesOptions(), NOW_MS)
    with pytest.raises(ApiError, match="FORBIDDEN/7"):
        node.indices.read_target("a")
    node.indices.find(["a"])
    await block(read=None, metadata="true")
    with pytest.raises(ApiError, match="FORBIDDEN/9"):
        node.indices.find(["a"])
    await block(metadata=None, read_only_allow_delete="true")
    assert (await refused(node.indices.write_target("a"))).status == 429
    await node.indices.delete(["a"])


async def test_a_write_makes_its_index(node: Node) -> None:
    target = await node.indices.write_target("<logs-{now/d}>")
    assert target.name == "logs-2026.11.22"
    assert node.indices.find([target.name])[0].settings["index.provided_name"] == "<logs-{now/d}>"
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(node.indices.write_target("many")) for _ in range(5)]
    assert len({task.result().uuid for task in tasks}) == 1
    with pytest.raises(IndexNotFound):
        await node.indices.write_target("none", auto_create=False)
    error = await refused(node.indices.write_target("Upper"))
    assert error.reason == "Invalid index name [Upper], must be lowercase"


async def test_making_an_index_by_a_write_can_be_forbidden(node: Node) -> None:
    await node.settings.update({"transient": {"action.auto_create_index": "+ok*,-no*"}})
    await node.indices.write_target("ok1")
    error = await refused(node.indices.write_target("no1"))
    assert error.to_cause() == {
        "type": "index_not_found_exception",
        "reason": "no such index [no1] and [action.auto_create_index] contains [-no*] "
        "which forbids automatic creation of the index",
        "index_uuid": "_na_",
        "index": "no1",
    }
    for name in ("ok1", "nope"):
        error = await refused(node.indices.write_target(name, require_alias=True))
        assert error.reason == (
            f"no such index [{name}] and [require_alias] request flag is [true] and "
            f"[{name}] is not an alias"
        )


async def test_a_client_that_leaves_does_not_leave_an_index_half_made(node: Node) -> None:
    task = asyncio.get_running_loop().create_task(node.indices.create("a", {}))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await node.until(lambda: node.indices.exists(["a"]))
    assert node.uuid("a") in node.engine.configs


async def test_refresh_and_sizes_are_the_engines(node: Node) -> None:
    await node.indices.create("a", {})
    (view,) = node.indices.find(["a"])
    await node.indices.refresh(view)
    assert node.engine.history[-1] == f"refresh {view.uuid}"
    assert (await node.indices.sizes(view)).docs == 0
    assert node.indices.exists(["a"])
    assert not node.indices.exists(["b"])


async def test_opening_and_closing_tell_what_changed(node: Node) -> None:
    await node.indices.create("a", {})
    await node.indices.create("b", {})
    assert await node.indices.set_open(["a"], False) == ["a"]
    assert await node.indices.set_open(["a", "b"], False) == ["b"]
    assert await node.indices.set_open(["a", "b"], False) == []
    error = await refused(node.indices.set_open([], True))
    assert error.reason == "Validation Failed: 1: index is missing;"


async def test_closed_indices_are_shown_and_may_be_forbidden(node: Node) -> None:
    await node.indices.create("a", {})
    await node.indices.set_open(["a"], False)
    assert [view.name for view in node.indices.find(["a"])] == ["a"]
    with pytest.raises(IndexClosed):
        node.indices.find(["a"], forbid_closed=True)
