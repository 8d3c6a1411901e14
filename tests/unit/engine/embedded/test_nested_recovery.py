"""Nested objects survive what documents survive: their index follows the log, and is made anew where it is lost."""

import shutil
from pathlib import Path

import pytest
import tantivy

from sealane.engine.embedded.documents import DocumentParser
from sealane.engine.embedded.engine import EmbeddedEngine
from sealane.engine.embedded.nested_documents import Family, NestedFlat, key_of
from sealane.engine.embedded.nested_index import NestedIndex
from sealane.engine.embedded.view import OFFSET, PARENT, ROOT, SEQ_NO
from sealane.engine.mapping import MappingLimits, merge_mapping, parse_mapping
from sealane.testing.engine_contract import INDEX, config, delete_op, index_op, visible, write

from .conftest import Bench

MAPPING = parse_mapping(
    {
        "properties": {
            "t": {"type": "long"},
            "n": {
                "type": "nested",
                "properties": {
                    "x": {"type": "long"},
                    "m": {"type": "nested", "properties": {"y": {"type": "long"}}},
                },
            },
        }
    }
)


async def objects(engine: EmbeddedEngine, bench: Bench) -> dict[int, list[int]]:
    """The values of `n.x` by the sequence number of the document that holds them."""
    await visible(engine)
    view = bench.searcher.views[-1].nested
    assert view is not None
    everything = view.searcher.search(tantivy.Query.exists_query("n.x"), 1000, False)
    addresses = [address for _, address in everything.hits]
    roots = view.searcher.fast_field_values(ROOT, addresses)
    found: dict[int, list[int]] = {}
    for root, value in zip(roots, view.searcher.fast_field_values("n.x", addresses), strict=True):
        found.setdefault(int(root or 0), []).append(int(value or 0))
    return {root: sorted(values) for root, values in found.items()}


async def filled(bench: Bench) -> EmbeddedEngine:
    """Five operations, of which two are not committed; two documents are left."""
    engine = bench.open()
    await engine.open_index(config(MAPPING), new=True)
    await write(engine, index_op("1", b'{"n":[{"x":1},{"x":2}]}'), index_op("2", b'{"n":{"x":3}}'))
    await engine.refresh(INDEX)
    await write(
        engine,
        index_op("1", b'{"n":[{"x":4}]}'),
        delete_op("2"),
        index_op("3", b'{"n":[{"x":5},{"x":6,"m":[{"y":1}]}],"t":7}'),
    )
    return engine


LEFT = {2: [4], 4: [5, 6]}


async def test_updates_and_deletes_replace_a_documents_objects(bench: Bench) -> None:
    engine = await filled(bench)
    await engine.refresh(INDEX)
    assert await objects(engine, bench) == LEFT
    await engine.close()


async def test_a_crash_loses_no_object_and_doubles_none(bench: Bench, tmp_path: Path) -> None:
    engine = await filled(bench)
    crashed = tmp_path / "crashed"
    shutil.copytree(bench.path, crashed, ignore=shutil.ignore_patterns(".tmp*", "*.lock"))
    await engine.close()
    bench.path = crashed
    engine = bench.open()
    await engine.open_index(config(MAPPING))
    assert await objects(engine, bench) == LEFT
    await engine.close()


async def test_a_crash_between_the_two_commits_is_mended(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The objects' commit reached further than the documents': what is replayed comes instead, not beside."""
    engine = await filled(bench)
    crashed = tmp_path / "crashed"
    real = NestedIndex.commit

    def commit_then_crash(self: NestedIndex) -> None:
        real(self)
        if not crashed.exists():
            shutil.copytree(bench.path, crashed, ignore=shutil.ignore_patterns(".tmp*", "*.lock"))

    monkeypatch.setattr(NestedIndex, "commit", commit_then_crash)
    await engine.refresh(INDEX)
    await engine.close()
    bench.path = crashed
    engine = bench.open()
    await engine.open_index(config(MAPPING))
    assert await objects(engine, bench) == LEFT
    await engine.close()


@pytest.mark.parametrize("damage", ["lost", "broken"])
async def test_an_index_of_objects_that_is_gone_is_made_from_the_documents(
    bench: Bench, damage: str
) -> None:
    engine = await filled(bench)
    await engine.refresh(INDEX)
    await engine.close()
    (folder,) = bench.path.glob("*/0/nested")
    if damage == "lost":
        shutil.rmtree(folder)
    else:
        (folder / "meta.json").write_text("{")
    engine = bench.open()
    await engine.open_index(config(MAPPING))
    assert await objects(engine, bench) == LEFT
    await engine.close()


async def test_a_field_that_comes_later_is_found_in_new_objects(bench: Bench) -> None:
    engine = await filled(bench)
    update = parse_mapping(
        {"properties": {"n": {"type": "nested", "properties": {"z": {"type": "keyword"}}}}}
    )
    await engine.update_config(config(merge_mapping(MAPPING, update)))
    await write(engine, index_op("4", b'{"n":[{"x":9,"z":"a"}]}'))
    await engine.refresh(INDEX)
    assert await objects(engine, bench) == {**LEFT, 5: [9]}
    view = bench.searcher.views[-1].nested
    assert view is not None
    assert {"n.x", "n.z", "n.m.y"} <= view.columns
    assert "n.x" not in bench.searcher.views[-1].columns
    await engine.close()


async def test_an_index_without_nested_fields_has_no_second_index(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1", b'{"a":1}'))
    await engine.refresh(INDEX)
    assert not list(bench.path.glob("*/0/nested"))
    assert await visible(engine) == 1
    assert bench.searcher.views[-1].nested is None
    await engine.close()


def test_objects_are_numbered_in_the_order_of_their_beginnings() -> None:
    parser = DocumentParser(MAPPING, MappingLimits())
    flat = parser.parse(b'{"n":[{"x":1,"m":[{"y":1},{"y":2}]},{"m":{"y":3}}],"t":1}', "1")
    assert isinstance(flat, Family)
    assert dict(flat) == {"t": 1}
    shown = [(each.path, each.number, each.offset) for each in flat.objects]
    assert shown == [("n", 0, 0), ("n.m", 1, 0), ("n.m", 2, 1), ("n", 3, 1), ("n.m", 4, 0)]
    last = flat.objects[-1]
    assert isinstance(last, NestedFlat)
    keyed = last.keyed("1", 7)
    assert (keyed[SEQ_NO], keyed[ROOT], keyed[PARENT], keyed[OFFSET]) == (
        key_of(7, 4),
        7,
        key_of(7, 3),
        0,
    )
