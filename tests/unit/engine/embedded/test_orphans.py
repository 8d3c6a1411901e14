"""Folders of indices that nobody knows: which go at start, and which stay."""

import shutil

from sealane.engine.mapping import parse_mapping
from sealane.testing.engine_contract import INDEX, config, index_op, visible, write

from .conftest import Bench

KNOWN = frozenset({INDEX})


async def test_what_is_known_or_open_is_left_alone(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    assert await engine.remove_orphans(frozenset()) == []
    await engine.close()
    engine = bench.open()
    assert await engine.remove_orphans(KNOWN) == []
    await engine.open_index(config(), new=True)
    assert await visible(engine) == 1
    await engine.close()


async def test_an_index_that_was_never_announced_goes(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(
        config(parse_mapping({"properties": {"a": {"type": "long"}}})), new=True
    )
    await engine.close()
    engine = bench.open()
    assert await engine.remove_orphans(frozenset()) == [INDEX]
    assert not (bench.path / INDEX).exists()
    await engine.close()


async def test_a_deletion_that_was_cut_off_is_finished(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    await engine.close()
    shutil.rmtree(bench.path / INDEX / "0" / "index")
    (bench.path / INDEX / "deleted").touch()
    engine = bench.open()
    assert await engine.remove_orphans(frozenset()) == [INDEX]
    assert not (bench.path / INDEX).exists()
    await engine.close()


async def test_documents_that_nobody_deleted_stay(bench: Bench) -> None:
    """The metadata may be what was lost."""
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    await engine.close()
    engine = bench.open()
    assert await engine.remove_orphans(frozenset()) == []
    await engine.open_index(config(), new=True)
    assert await visible(engine) == 1
    await engine.close()


async def test_a_deleted_index_leaves_no_folder(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    await engine.delete_index(INDEX)
    assert not (bench.path / INDEX).exists()
    await engine.delete_index(INDEX)
    await engine.close()
