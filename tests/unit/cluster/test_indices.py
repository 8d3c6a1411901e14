"""Indices: made, changed, removed, over restarts and crashes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from sealane.cluster.indices import IndexService
from sealane.cluster.serial import Serial
from sealane.cluster.settings_service import ClusterSettings
from sealane.cluster.store import MemoryStateStore
from sealane.errors import (
    ApiError,
    IllegalState,
    IndexClosed,
    IndexNotFound,
    IOFailure,
    ParsingError,
)
from sealane.model.search import IndicesOptions
from sealane.settings import Registry, Settings, flatten
from sealane.settings.node_settings import NODE_SETTINGS
from tests.unit.cluster.fakes import NOW_MS, ConfigEngine, CountingIds, FixedClock

ALL = IndicesOptions(expand_closed=True, expand_hidden=True)


@dataclass(frozen=True, kw_only=True)
class Action:
    kind: str
    indices: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    filter: Mapping[str, Any] | None = None
    index_routing: str | None = None
    search_routing: str | None = None
    is_write_index: bool | None = None
    is_hidden: bool | None = None
    must_exist: bool | None = None


def check_filter(query: bytes) -> None:
    if b"unknown" in query:
        raise ParsingError("unknown query [unknown]")


class Node:
    """The parts of a node that indices need. `restart` makes it anew over the same store."""

    def __init__(self, serial: Serial, store: MemoryStateStore, ids: CountingIds) -> None:
        self.serial, self.store, self.ids = serial, store, ids
        self.engine = ConfigEngine()
        self.settings = ClusterSettings(
            store=store, registry=Registry(NODE_SETTINGS), node=Settings(), serial=serial
        )
        self.indices = IndexService(
            store=store,
            settings=self.settings,
            serial=serial,
            clock=FixedClock(),
            ids=ids,
            check_filter=check_filter,
        )

    async def start(self) -> "Node":
        await self.indices.load()
        await self.indices.start(self.engine)
        return self

    async def restart(self) -> "Node":
        return await Node(self.serial, self.store, self.ids).start()

    def fields(self, name: str) -> list[str]:
        index = self.indices.metadata.index(name)
        assert index is not None
        return sorted(index.mapping.fields)

    async def until(self, what: Callable[[], bool]) -> None:
        """Lets other tasks run until `what` holds."""
        for _ in range(1000):
            if what():
                return
            await asyncio.sleep(0)
        raise AssertionError("it never came about")

    def uuid(self, name: str) -> str:
        index = self.indices.metadata.index(name)
        assert index is not None
        return index.uuid


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    async with Serial() as serial:
        yield await Node(serial, MemoryStateStore(), CountingIds()).start()


async def refused(awaitable: Any) -> ApiError:
    with pytest.raises(ApiError) as raised:
        await awaitable
    return raised.value


def properties(**types: str) -> dict[str, Any]:
    return {"properties": {name: {"type": kind} for name, kind in types.items()}}


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
