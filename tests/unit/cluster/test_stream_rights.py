"""Whose rights reach a data stream and its backing indices, and what is seen of them: the same by every way in."""

import pytest

from sealane.cluster.aliases import changed_by
from sealane.cluster.catalog import EMPTY, DataStream
from sealane.cluster.data_stream_service import StreamChange
from sealane.cluster.data_streams import named_streams
from sealane.cluster.index_names import names_reached
from sealane.cluster.matching import matches_any
from sealane.cluster.metadata import ClusterMetadata
from sealane.cluster.resolve import DEFAULT_OPTIONS, resolve
from sealane.cluster.rollover import Rollover
from sealane.cluster.serial import Serial
from sealane.cluster.store import MemoryStateStore
from sealane.cluster.targets import limits_of_target, resolve_read_target, resolve_write_target
from sealane.errors import IndexNotFound, SecurityError
from sealane.model.search import IndicesOptions
from sealane.model.security import IndexLimits
from sealane.rest.services import AliasAction
from tests.unit.cluster.fakes import CountingIds
from tests.unit.cluster.index_node import Node
from tests.unit.cluster.test_access import Rights
from tests.unit.cluster.test_data_streams import LOGS
from tests.unit.cluster.test_resolve import index

HIDDEN = IndicesOptions(expand_hidden=True)
FIRST, SECOND = ".ds-logs-a-2026.11.22-000001", ".ds-logs-a-2026.11.22-000002"
_BACKING = [index(FIRST, 1, hidden=True), index(SECOND, 1, hidden=True)]
META = ClusterMetadata(
    [*_BACKING, index("other", 1)],
    catalog=EMPTY.changed(
        {
            "data_stream/logs-a": DataStream(
                name="logs-a", indices=tuple(each.uuid for each in _BACKING), generation=2
            )
        }
    ),
)
STREAM = Rights(("logs-*",))
BACKING = Rights((FIRST,))


def reached(
    expression: str, rights: Rights | None, options: IndicesOptions = DEFAULT_OPTIONS
) -> list[str]:
    return [each.name for each in resolve(META, (expression,), options, access=rights)]


def test_a_right_on_the_stream_is_one_on_its_backing_indices() -> None:
    """T-18: by the stream's name, by a backing index's and by wildcards of either."""
    for expression in ("logs-a", "logs-*", "*", ".ds-logs-*"):
        assert reached(expression, STREAM) == [FIRST, SECOND]
    assert reached(FIRST, STREAM) == [FIRST]
    assert reached("*", STREAM, HIDDEN) == [FIRST, SECOND]
    assert resolve_read_target(META, FIRST, 0, STREAM).name == FIRST
    for name in ("logs-a", SECOND):
        target = resolve_write_target(META, name, 0, STREAM)
        assert target is not None
        assert (target.name, target.stream is not None) == (SECOND, True)


def test_a_right_on_a_backing_index_is_none_on_its_stream() -> None:
    assert reached(FIRST, BACKING) == [FIRST]
    assert reached(".ds-*", BACKING) == [FIRST]
    assert reached("logs-*", BACKING) == []
    for name in ("logs-a", SECOND, "other"):
        with pytest.raises(SecurityError):
            reached(name, BACKING)
        with pytest.raises(SecurityError):
            resolve_write_target(META, name, 0, BACKING)
        with pytest.raises(SecurityError):
            resolve_read_target(META, name, 0, BACKING)
    with pytest.raises(SecurityError):
        named_streams(META, ("logs-a",), DEFAULT_OPTIONS, BACKING)
    assert named_streams(META, ("*",), DEFAULT_OPTIONS, BACKING) == []


def test_what_is_seen_of_a_backing_index_is_the_same_by_every_way_in() -> None:
    """T-18: entries for the stream and for the index both count, whichever was named."""
    seen = {
        expression: {
            frozenset(each.limits.queries[0]) if each.limits else frozenset()
            for each in resolve(META, (expression,), access=STREAM)
            if each.name == FIRST
        }
        for expression in ("logs-a", "logs-*", FIRST, ".ds-*", "*")
    }
    assert set(map(frozenset, seen.values())) == {
        frozenset({frozenset({FIRST.encode(), b"logs-a"})})
    }
    expected: IndexLimits | None = STREAM.limits((FIRST, "logs-a"))
    assert resolve_read_target(META, FIRST, 0, STREAM).limits == expected
    uuid = _BACKING[0].uuid
    for names in ((FIRST,), ("logs-a",), ("logs-a", FIRST)):
        limits = limits_of_target(META, FIRST, uuid, names, STREAM)
        assert limits is not None
        assert set(limits.queries[0]) == {FIRST.encode(), b"logs-a"}
    with pytest.raises(SecurityError):
        limits_of_target(META, FIRST, uuid, ("other",), Rights(("*",)))


def test_streams_are_listed_by_rights() -> None:
    shown = names_reached(META, ("*",), HIDDEN, 0, STREAM)
    assert [each.name for each in shown.indices] == [FIRST, SECOND]
    assert [each.data_stream for each in shown.indices] == ["logs-a", "logs-a"]
    assert [each.name for each in shown.data_streams] == ["logs-a"]
    assert names_reached(META, ("*",), HIDDEN, 0, BACKING).data_streams == ()
    assert matches_any(META, ("logs-*",), DEFAULT_OPTIONS, 0, STREAM)
    assert not matches_any(META, ("logs-*",), DEFAULT_OPTIONS, 0, BACKING)


def test_what_takes_no_data_streams_does_not_find_them() -> None:
    for name in ("logs-a",):
        with pytest.raises(IndexNotFound) as raised:
            resolve(META, (name,), streams=False)
        assert raised.value.metadata["excluded_ds"] == "true"
        with pytest.raises(IndexNotFound):
            resolve_read_target(META, name, 0)
    assert resolve(META, ("logs-*",), streams=False) == []
    missing_ok = IndicesOptions(ignore_unavailable=True)
    assert resolve(META, ("logs-a",), missing_ok, streams=False) == []
    action = AliasAction(kind="add", indices=("logs-a",), aliases=("x",))
    with pytest.raises(IndexNotFound):
        changed_by(META, [action], lambda raw: None)


def test_the_failure_store_of_a_stream_is_empty() -> None:
    assert resolve(META, ("logs-a::failures",)) == []
    assert reached("logs-a::data", None) == [FIRST, SECOND]


async def prepared(serial: Serial, rights: list[Rights]) -> Node:
    """A stream of two backing indices, an index that could be one, and an alias. `rights` are those of who asks."""
    made = Node(serial, MemoryStateStore(), CountingIds(), lambda: rights[0] if rights else None)
    await made.start()
    await made.indices.templates.put("logs", LOGS)
    await made.indices.streams.create("logs-a")
    await made.indices.rollovers.rollover(Rollover(target="logs-a"))
    time = {"properties": {"@timestamp": {"type": "date"}}}
    await made.indices.create("secret-1", {"mappings": time})
    await made.indices.create("mine-1", {"aliases": {"mine": {}}})
    return made


async def test_indices_come_into_a_stream_by_a_right_on_both() -> None:
    """T-18: what is a backing index of it already is covered by the right on the stream."""
    async with Serial() as serial:
        rights: list[Rights] = []
        made = await prepared(serial, rights)
        old = made.indices.metadata.backing(made.indices.metadata.catalog.streams["logs-a"])[0].name
        rights.append(STREAM)
        with pytest.raises(SecurityError):
            await made.indices.streams.modify([StreamChange(True, "logs-a", "secret-1")])
        rights[0] = Rights(("secret-*",))
        with pytest.raises(SecurityError):
            await made.indices.streams.modify([StreamChange(True, "logs-a", "secret-1")])
        rights[0] = STREAM
        await made.indices.streams.modify([StreamChange(False, "logs-a", old)])
        with pytest.raises(SecurityError):
            await made.indices.streams.modify([StreamChange(True, "logs-a", old)])


@pytest.mark.parametrize(
    "asked",
    [
        Rollover(target="mine", new_name="secret-2"),
        Rollover(target="mine", new_name="<secret-{now/d}>", dry_run=True),
        Rollover(target="mine", body={"aliases": {"secret": {"is_write_index": True}}}),
    ],
)
async def test_an_alias_is_rolled_over_to_no_name_that_is_not_allowed(asked: Rollover) -> None:
    """What others write to that name would be read through the alias."""
    async with Serial() as serial:
        rights: list[Rights] = []
        made = await prepared(serial, rights)
        rights.append(Rights(("mine",)))
        with pytest.raises(SecurityError):
            await made.indices.rollovers.rollover(asked)
        rolled = await made.indices.rollovers.rollover(
            Rollover(target="mine", body={"aliases": {"mine": {}}})
        )
        assert rolled.new_index == "mine-000002"
