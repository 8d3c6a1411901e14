"""What a start finds: clean and unclean ends, formats, files that are gone."""

import json
import shutil
from pathlib import Path

import pytest

from sealane.engine.embedded.engine import EmbeddedEngine
from sealane.engine.mapping import parse_mapping
from sealane.errors import IllegalState, NoShardAvailable
from sealane.testing.engine_contract import INDEX, config, delete_op, index_op, visible, write

from .conftest import Bench


async def _crash(engine: EmbeddedEngine, bench: Bench, to: Path) -> None:
    """Copies the files as they are now, as a crash would leave them, and points the bench there."""
    shutil.copytree(bench.path, to, ignore=shutil.ignore_patterns(".tmp*", "*.lock"))
    await engine.close()
    bench.path = to


async def test_an_unclean_start_raises_the_term_and_keeps_everything(
    bench: Bench, tmp_path: Path
) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1", b'{"a":1}'), index_op("2"))
    await engine.refresh(INDEX)
    await write(engine, index_op("1", b'{"a":2}'), delete_op("2"), index_op("3"))
    before = await engine.shard_state(INDEX, 0)
    await _crash(engine, bench, tmp_path / "crashed")
    engine = bench.open()
    await engine.open_index(config(), new=True)
    after = await engine.shard_state(INDEX, 0)
    assert after.primary_term == 2
    assert (after.history_uuid, after.max_seq_no) == (before.history_uuid, before.max_seq_no)
    assert await visible(engine) == 2
    document = await engine.get(INDEX, "1", realtime=False)
    assert document is not None
    assert (document.source, document.version, document.primary_term) == (b'{"a":2}', 2, 1)
    (result,) = await write(engine, index_op("1"))
    assert (result.seq_no, result.primary_term, result.version) == (5, 2, 3)
    await engine.close()


async def test_a_clean_start_keeps_the_term(bench: Bench) -> None:
    for _ in range(3):
        engine = bench.open()
        await engine.open_index(config(), new=True)
        assert (await engine.shard_state(INDEX, 0)).primary_term == 1
        await write(engine, index_op("1"))
        await engine.close()


async def test_operations_after_the_commit_but_before_its_note_are_replayed_once(
    bench: Bench, tmp_path: Path
) -> None:
    """The commit reached further than the log knows: replaying too much changes nothing."""
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"), index_op("2"), delete_op("1"), index_op("1", b'{"a":9}'))
    await engine.refresh(INDEX)
    shard = engine._indices[INDEX].shards[0]
    shard._log.set_facts(committed=-1)
    await _crash(engine, bench, tmp_path / "crashed")
    engine = bench.open()
    await engine.open_index(config(), new=True)
    assert await visible(engine) == 2
    document = await engine.get(INDEX, "1", realtime=False)
    assert document is not None
    assert (document.source, document.version) == (b'{"a":9}', 3)
    await engine.close()


@pytest.mark.parametrize("where", ["", INDEX, f"{INDEX}/0"])
async def test_an_unknown_format_stops_the_start(bench: Bench, where: str) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await engine.close()
    (bench.path / where / "format").write_text("2\n")
    with pytest.raises(IllegalState, match=r"has the disk format \[2\]"):
        await bench.open().open_index(config(), new=True)


async def test_a_lost_index_is_rebuilt_from_a_whole_log(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"), index_op("2"), delete_op("1"))
    await engine.close()
    shutil.rmtree(bench.path / INDEX / "0" / "index")
    engine = bench.open()
    await engine.open_index(config(), new=True)
    assert await visible(engine) == 1
    await engine.close()


async def test_a_damaged_index_is_rebuilt_from_a_whole_log(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"), index_op("2"))
    await engine.close()
    (bench.path / INDEX / "0" / "index" / "meta.json").write_text("{")
    engine = bench.open()
    await engine.open_index(config(), new=True)
    assert await visible(engine) == 2
    await engine.close()


async def test_a_lost_index_with_a_trimmed_log_is_never_opened_as_if_whole(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"), index_op("2"), index_op("3"))
    await engine.refresh(INDEX)
    engine._indices[INDEX].shards[0]._log._writer.execute("DELETE FROM operations WHERE seq_no < 2")
    await engine.close()
    shutil.rmtree(bench.path / INDEX / "0" / "index")
    with pytest.raises(IllegalState, match="cannot be recovered"):
        await bench.open().open_index(config(), new=True)


async def test_a_schema_patch_that_was_cut_off_is_made_again(bench: Bench) -> None:
    """The mapping knows a field that the index has no column for: the next write adds it."""
    mapping = parse_mapping({"properties": {"a": {"type": "long"}, "b": {"type": "keyword"}}})
    engine = bench.open()
    await engine.open_index(
        config(parse_mapping({"properties": {"a": {"type": "long"}}})), new=True
    )
    await write(engine, index_op("1", b'{"a":1}'))
    await engine.close()
    meta = bench.path / INDEX / "0" / "index" / "meta.json"
    assert "b" not in [column["name"] for column in json.loads(meta.read_bytes())["schema"]]
    engine = bench.open()
    await engine.open_index(config(mapping), new=True)
    await write(engine, index_op("2", b'{"a":2,"b":"x"}'))
    await engine.refresh(INDEX)
    assert await visible(engine) == 2
    assert engine._indices[INDEX].shards[0].view.searcher.doc_freq("b", "x") == 1
    await engine.close()


@pytest.mark.parametrize("lost", ["", "0"])
async def test_an_index_that_lost_its_folder_is_not_replaced_by_an_empty_one(
    bench: Bench, lost: str
) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    await engine.close()
    shutil.rmtree(bench.path / INDEX / lost)
    engine = bench.open()
    with pytest.raises(IllegalState, match="is missing"):
        await engine.open_index(config())
    with pytest.raises(NoShardAvailable, match="is missing"):
        await engine.refresh(INDEX)
    await engine.close()


@pytest.mark.parametrize("content", [None, b""])
async def test_a_lost_operation_log_is_not_begun_again(bench: Bench, content: bytes | None) -> None:
    """A new log would give numbers out a second time."""
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    await engine.close()
    log = bench.path / INDEX / "0" / "operations.sqlite"
    for path in log.parent.glob("operations.sqlite*"):
        path.unlink()
    if content is not None:
        log.write_bytes(content)
    engine = bench.open()
    with pytest.raises(IllegalState, match=r"operation log .* is missing or empty"):
        await engine.open_index(config())
    await engine.close()


async def test_what_could_not_be_opened_may_be_opened_later(bench: Bench, tmp_path: Path) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    await engine.close()
    (bench.path / INDEX / "0").rename(tmp_path / "aside")
    engine = bench.open()
    with pytest.raises(IllegalState):
        await engine.open_index(config())
    (tmp_path / "aside").rename(bench.path / INDEX / "0")
    await engine.open_index(config())
    assert await visible(engine) == 1
    await engine.close()


async def test_generated_ids_are_found_again_whatever_their_shard(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(shards=5), new=True)
    results = await write(engine, *(index_op(None) for _ in range(20)))
    for result in results:
        assert await engine.get(INDEX, result.id) is not None
    assert len({result.shard for result in results}) > 1
    await engine.close()
