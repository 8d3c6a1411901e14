"""Fields that come after the index exists: one patch, found at once, and segments still merge."""

import json

import pytest
import tantivy

from sealane.engine.embedded.engine import EmbeddedEngine
from sealane.engine.mapping import parse_mapping
from sealane.testing.engine_contract import INDEX, config, index_op, visible, write

from .conftest import Bench

LATE = {
    "text": ("text", "hello world", "hello"),
    "keyword": ("keyword", "hello", "hello"),
    "long": ("long", 5, 5),
    "integer": ("integer", 5, 5),
    "short": ("short", 5, 5),
    "byte": ("byte", 5, 5),
    "double": ("double", 1.5, 1.5),
    "float": ("float", 1.5, 1.5),
    "boolean": ("boolean", True, 1),
    "date": ("date", "1970-01-01T00:00:00.007Z", 7),
    "ip": ("ip", "1.2.3.4", "00000000000000000000ffff01020304"),
}


def _count(engine: EmbeddedEngine, field: str, value: object) -> int:
    view = engine._indices[INDEX].shards[0].view
    query = tantivy.Query.term_query(view.schema, field, value)
    return int(view.searcher.search(query, 1).count)


@pytest.mark.parametrize("kind", LATE)
async def test_a_late_field_of_each_type_is_found_and_merges(bench: Bench, kind: str) -> None:
    engine = bench.open()
    await engine.open_index(
        config(parse_mapping({"properties": {"first": {"type": "text"}}})), new=True
    )
    for number in range(6):
        await write(engine, index_op(f"early-{number}", b'{"first":"a b"}'))
        await engine.refresh(INDEX)
    mapping = parse_mapping(
        {"properties": {"first": {"type": "text"}, "late": {"type": LATE[kind][0]}}}
    )
    await engine.update_config(config(mapping))
    source = json.dumps({"first": "a b", "late": LATE[kind][1]}).encode()
    for number in range(12):
        await write(engine, index_op(f"late-{number}", source))
        await engine.refresh(INDEX)
    shard = engine._indices[INDEX].shards[0]
    shard.release_writer()
    assert shard._documents.index is not None
    shard._documents.index.reload()
    assert shard._documents.index.searcher().num_segments < 18
    assert _count(engine, "late", LATE[kind][2]) == 12
    assert await visible(engine) == 18
    await engine.close()


async def test_the_fields_of_the_first_bulk_are_there_at_creation(bench: Bench) -> None:
    """So that their text has length norms."""
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1", b'{"a":"x"}'), index_op("2", b'{"b":"y"}'))
    meta = json.loads((bench.path / INDEX / "0" / "index" / "meta.json").read_bytes())
    norms = {
        column["name"]: column["options"]["indexing"]["fieldnorms"]
        for column in meta["schema"]
        if column["type"] == "text"
    }
    assert norms["a"]
    assert norms["b"]
    assert not norms["a.keyword"]
    await write(engine, index_op("3", b'{"c":"z"}'))
    meta = json.loads((bench.path / INDEX / "0" / "index" / "meta.json").read_bytes())
    (late,) = [column for column in meta["schema"] if column["name"] == "c"]
    assert not late["options"]["indexing"]["fieldnorms"]
    await engine.close()


async def test_a_view_says_which_columns_it_has(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    empty = engine._indices[INDEX].shards[0].view
    assert empty.columns == frozenset()
    await write(engine, index_op("1", b'{"a":1}'))
    await engine.refresh(INDEX)
    first = engine._indices[INDEX].shards[0].view
    await write(engine, index_op("2", b'{"b":1}'))
    await engine.refresh(INDEX)
    second = engine._indices[INDEX].shards[0].view
    assert "a" in first.columns
    assert "b" not in first.columns
    assert {"a", "b"} <= second.columns
    assert empty.generation < first.generation < second.generation
    assert first.searcher.num_docs == 1
    await engine.close()
