"""Data streams and templates beside what REST shows of them: kept, found again, and made by several at once."""

import asyncio
import random
from itertools import product

import pytest

from sealane.cluster.catalog import EMPTY, Catalog, DataStream, IndexTemplate, StreamTemplate
from sealane.cluster.data_streams import (
    StreamAlreadyExists,
    attached,
    backing_name,
    generation_of,
    next_backing_name,
    replicated_with,
    stream_to_join,
)
from sealane.cluster.index_templates import overlapping, template_for
from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.cluster.names import InvalidAliasName
from sealane.cluster.serial import Serial
from sealane.cluster.store import MemoryStateStore
from sealane.cluster.template_mappings import merge_mappings
from sealane.errors import IllegalArgument, IllegalState, IOFailure
from sealane.model.patterns import matches
from sealane.model.replication import Following
from sealane.model.search import IndicesOptions
from tests.unit.cluster.fakes import CountingIds
from tests.unit.cluster.index_node import Node
from tests.unit.cluster.leaders import FILTERED, follower, following, leader, paused
from tests.unit.cluster.test_resolve import index

LOGS = IndexTemplate(index_patterns=("logs-*",), priority=10, data_stream=StreamTemplate())
ALL = IndicesOptions(expand_hidden=True)


def catalog(**templates: IndexTemplate) -> Catalog:
    return EMPTY.changed({f"index_template/{name}": each for name, each in templates.items()})


async def followed(made: Node, name: str, stream: str) -> IndexMetadata:
    lead = leader()
    return await made.indices.followed.create_follower(
        name, lead, {}, following(lead), stream=stream
    )


async def node(serial: Serial) -> Node:
    made = await Node(serial, MemoryStateStore(), CountingIds()).start()
    await made.indices.templates.put("logs", LOGS)
    return made


def backing_of(made: Node, stream: str) -> list[str]:
    found = made.indices.metadata.stream(stream)
    assert found is not None
    return [each.name for each in made.indices.metadata.backing(found)]


async def test_streams_and_templates_are_there_after_a_restart() -> None:
    async with Serial() as serial:
        made = await node(serial)
        target = await made.indices.write_target("logs-a")
        again = await made.restart()
        assert backing_of(again, "logs-a") == [target.name]
        assert list(again.indices.templates.find("logs")) == ["logs"]
        written = await again.indices.write_target("logs-a")
        assert (written.name, written.uuid) == (target.name, target.uuid)


async def test_writers_at_the_same_time_make_one_stream() -> None:
    async with Serial() as serial:
        made = await node(serial)
        async with asyncio.TaskGroup() as group:
            writers = [group.create_task(made.indices.write_target("logs-a")) for _ in range(5)]
        assert len({each.result().uuid for each in writers}) == 1
        assert len(backing_of(made, "logs-a")) == 1


async def test_a_stream_whose_first_index_cannot_be_stored_is_not_there() -> None:
    async with Serial() as serial:
        made = await node(serial)

        async def fails(*args: object) -> int:
            raise IOFailure("no space left")

        stored = made.store.compare_and_set
        made.store.compare_and_set = fails  # type: ignore[method-assign]
        with pytest.raises(IOFailure):
            await made.indices.streams.create("logs-a")
        made.store.compare_and_set = stored  # type: ignore[method-assign]
        assert made.indices.metadata.stream("logs-a") is None
        assert len(made.indices.metadata) == 0
        await made.indices.streams.create("logs-a")
        with pytest.raises(StreamAlreadyExists):
            await made.indices.streams.create("logs-a")


async def test_a_replicated_stream_comes_with_its_first_index_and_keeps_their_order() -> None:
    async with Serial() as serial:
        made = await node(serial)
        names = [f".ds-far-2026.11.22-{n:06d}" for n in (2, 10, 1)]
        for name in names:
            await followed(made, name, "far")
        stream = made.indices.metadata.stream("far")
        assert stream is not None
        assert (stream.replicated, stream.generation) == (True, 10)
        assert [generation_of(each) for each in backing_of(made, "far")] == [1, 2, 10]
        await made.indices.streams.promote("far")
        promoted = made.indices.metadata.stream("far")
        assert promoted is not None
        assert not promoted.replicated
        with pytest.raises(IllegalArgument, match="is no longer marked as replicated"):
            await followed(made, "late-1", "far")
        assert made.indices.metadata.index("late-1") is None
        again = await made.restart()
        assert len(backing_of(again, "far")) == 3


async def test_a_follower_and_its_place_in_a_stream_are_one_change() -> None:
    """R-78: a failed disk leaves neither of them."""
    async with Serial() as serial:
        made = await node(serial)
        stored = made.store.compare_and_set

        async def full(*args: object) -> int:
            raise IOFailure("no space left on device")

        made.store.compare_and_set = full  # type: ignore[method-assign]
        with pytest.raises(IOFailure):
            await followed(made, "i-1", "far")
        made.store.compare_and_set = stored  # type: ignore[method-assign]
        assert len(made.indices.metadata) == 0
        assert made.indices.metadata.stream("far") is None
        seen: list[bool] = []
        made.indices.followed.on_change(
            lambda before, after: seen.append(after.stream("far") is not None)
        )
        await followed(made, "i-1", "far")
        assert seen == [True]


async def test_an_index_that_gives_way_to_a_follower_leaves_its_place_in_the_stream() -> None:
    async with Serial() as serial:
        made = await node(serial)
        before = await followed(made, "i-1", "far")
        await made.indices.followed.change_following(before.uuid, paused)
        await made.indices.followed.set_open(before.uuid, False)
        after = await followed(made, "i-1", "far")
        stream = made.indices.metadata.stream("far")
        assert stream is not None
        assert stream.indices == (after.uuid,)
        assert backing_of(await made.restart(), "far") == ["i-1"]


async def test_an_index_is_of_one_stream() -> None:
    async with Serial() as serial:
        made = await node(serial)
        index = await followed(made, "i-1", "far")
        with pytest.raises(IllegalArgument, match="already a backing index on data stream"):
            attached(made.indices.metadata, index, "other")
        with pytest.raises(IllegalState, match="need to be unique"):
            await followed(made, "i-2", "i-1")
        assert made.indices.metadata.index("i-2") is None


async def test_an_alias_of_a_leader_takes_no_name_of_a_stream() -> None:
    """R-34: the name means the stream here, to those who read and to rights."""
    async with Serial() as serial:
        made = await node(serial)
        await made.indices.streams.create("logs-a")
        with pytest.raises(InvalidAliasName):
            await follower(made, aliases={"logs-a": FILTERED})


def test_a_stream_loses_the_indices_that_are_removed() -> None:
    indices = [index(f"b-{n}", 1) for n in (1, 2)]
    stream = DataStream(name="s", indices=tuple(each.uuid for each in indices), generation=2)
    meta = ClusterMetadata(indices, catalog=EMPTY.changed({"data_stream/s": stream}))
    left = meta.with_indices((), [indices[0].uuid], 1)
    found = left.stream("s")
    assert found is not None
    assert (found.indices, found.generation) == ((indices[1].uuid,), 3)
    assert left.stream_of(indices[1]) is found
    unrelated = meta.with_indices([index("x", 1)], (), 1)
    assert unrelated.catalog is meta.catalog


def test_the_stream_of_an_index_that_begins_to_follow_is_replicated() -> None:
    """R-110: after a failback only the new leader adds to it."""
    ours, other = index("b-1", 1), index("x", 1)
    following = Following(
        remote_cluster="eu", leader_index="b-1", leader_uuid="l", history_uuids=()
    )
    stream = DataStream(name="s", indices=(ours.uuid,), generation=1)
    meta = ClusterMetadata([ours, other], catalog=EMPTY.changed({"data_stream/s": stream}))
    begun = ours.changed(following=following)
    changed = replicated_with(meta, ours, begun)["data_stream/s"]
    assert isinstance(changed, DataStream)
    assert changed.replicated
    assert not replicated_with(meta, begun, ours)
    assert not replicated_with(meta, ours, ours.changed(open=False))
    assert not replicated_with(meta, other, other.changed(following=following))


def test_the_stream_of_a_follower() -> None:
    """R-78: the one that is given, else its leader's, whose name for the index it then has."""
    meta = ClusterMetadata([index("taken", 1)])

    def joins(name: str, given: str | None, leader: str, stream: str | None) -> str | None:
        return stream_to_join(meta, name, given=given, leader_index=leader, leader_stream=stream)

    assert joins("a", None, "b", None) is None
    assert joins("a", None, "a", "s") == "s"
    assert joins("a", "other", "b", "s") == "other"
    with pytest.raises(IllegalArgument, match="must remain the same"):
        joins("a", None, "b", "s")
    with pytest.raises(IllegalState):
        joins("a", "taken", "b", "s")
    with pytest.raises(IllegalArgument, match="must be lowercase"):
        joins("a", "S", "b", "s")


def test_a_new_index_is_of_its_day_and_of_a_name_that_is_free() -> None:
    noon = 1_795_348_800_000
    assert backing_name("logs-a", 7, noon) == ".ds-logs-a-2026.11.22-000007"
    stream = DataStream(name="s", indices=(), generation=1)
    taken = ClusterMetadata([index(backing_name("s", 2, noon), 1)])
    assert next_backing_name(taken, stream, noon) == (backing_name("s", 3, noon), 3)
    assert [generation_of(name) for name in ("x", "x-12", ".ds-s-2026.11.22-000030")] == [0, 12, 30]
    far = attached(taken, index("q-5", 1), "far")
    assert far is not None
    assert far.generation == 5


def test_of_templates_that_match_the_highest_priority_counts() -> None:
    known = catalog(
        low=IndexTemplate(index_patterns=("a*",), priority=1),
        high=IndexTemplate(index_patterns=("ab*", "x"), priority=2),
        every=IndexTemplate(index_patterns=("*",)),
    )
    for name, wanted in (("a", "low"), ("abc", "high"), ("x", "high"), ("q", "every")):
        found = template_for(known, name)
        assert found is not None
        assert found[0] == wanted
    assert template_for(known, "q", hidden=True) is None


@pytest.mark.parametrize(
    ("first", "second", "meet"),
    [
        ("a*", "*b", True),
        ("a*", "b*", False),
        ("ab", "a*", True),
        ("ab", "ab", True),
        ("ab", "abc", False),
        ("*a*b*", "c*d", True),
        ("a*c", "ab*d", False),
        ("*", "", True),
        ("a*a", "a", False),
    ],
)
def test_patterns_that_have_a_name_in_common(first: str, second: str, meet: bool) -> None:
    known = catalog(t=IndexTemplate(index_patterns=(first,)))
    found = overlapping(known, "new", IndexTemplate(index_patterns=(second,)))
    assert bool(found) is meet
    back = catalog(t=IndexTemplate(index_patterns=(second,)))
    assert bool(overlapping(back, "new", IndexTemplate(index_patterns=(first,)))) is meet


def test_mappings_are_merged_field_by_field() -> None:
    merged = merge_mappings(
        (
            {"dynamic": "false", "_meta": {"a": 1}, "properties": {"k": {"type": "keyword"}}},
            {"_meta": {"b": 2}, "properties": {"k": {"type": "long"}, "o": {"dynamic": "strict"}}},
            {"properties": {"o": {"properties": {"x": {"type": "ip"}}, "dynamic": "strict"}}},
            {"properties": {"k": {"properties": {"now": {"type": "date"}}}}},
            {"properties": {"d.e": {"type": "long"}, "n": {"type": "nested", "dynamic": "false"}}},
            {"properties": {"d": {"properties": {"f": {"type": "long"}}}, "n": {"properties": {}}}},
        )
    )
    assert merged == {
        "dynamic": "false",
        "_meta": {"a": 1, "b": 2},
        "properties": {
            "k": {"properties": {"now": {"type": "date"}}},
            "o": {"properties": {"x": {"type": "ip"}}, "dynamic": "strict"},
            "d": {"properties": {"e": {"type": "long"}, "f": {"type": "long"}}},
            "n": {"properties": {}},
        },
    }


@pytest.mark.parametrize("seed", range(20))
def test_patterns_overlap_where_a_name_matches_both(seed: int) -> None:
    """Held against all names that are long enough to tell."""
    chance = random.Random(seed)
    first, second = ("".join(chance.choices("ab*", k=chance.randint(1, 4))) for _ in range(2))
    names = ("".join(each) for size in range(1, 9) for each in product("ab", repeat=size))
    expected = any(matches(first, name) and matches(second, name) for name in names)
    assert bool(overlapping(catalog(a=_of(first)), "b", _of(second))) == expected


def test_long_patterns_are_compared_in_one_go() -> None:
    many = "*a" * 50_000
    assert overlapping(catalog(a=_of(f"{many}c")), "b", _of(f"{many}d")) == {}
    assert list(overlapping(catalog(a=_of(f"{many}*")), "b", _of(f"*{many}"))) == ["a"]
    long = catalog(a=_of(f"{many}*"), b=_of("a" * 100_000))
    assert list(overlapping(long, "c", _of("a" * 100_000))) == []
    assert template_for(long, "aaa") is None


def _of(pattern: str) -> IndexTemplate:
    return IndexTemplate(index_patterns=(pattern,))
