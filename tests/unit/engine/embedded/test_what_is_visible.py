"""What a shard says of its view while another thread works on it: a copy must never take a part for the whole."""

from typing import Any

import pytest

from sealane.engine.embedded.document_index import DocumentIndex
from sealane.engine.embedded.shard import Shard
from sealane.engine.embedded.versions import VersionMap
from sealane.errors import Internal
from sealane.testing.engine_contract import INDEX, config, index_op, visible, write

from .conftest import Bench


async def test_what_is_being_told_again_is_not_visible_yet(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-44, R-104: a page of a copy that is asked for amid it waits for the end."""
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    await engine.refresh(INDEX)
    await write(engine, index_op("2"), index_op("3"))
    seen: list[tuple[bool, int]] = []
    index_again, commit = Shard._index_again, DocumentIndex.commit

    def observed(self: Shard, operations: Any) -> None:
        seen.append((self.is_dirty, self.visible_to))
        index_again(self, operations)

    def fails_once(self: DocumentIndex) -> None:
        monkeypatch.setattr(DocumentIndex, "commit", commit)
        raise Internal("no space left on device")

    monkeypatch.setattr(Shard, "_index_again", observed)
    monkeypatch.setattr(DocumentIndex, "commit", fails_once)
    await engine.refresh(INDEX)
    assert seen == [(True, 0)]
    assert await visible(engine) == 3
    shard = engine._indices[INDEX].shards[0]
    assert (shard.is_dirty, shard.visible_to) == (False, 2)
    await engine.close()


async def test_what_is_being_written_is_not_visible_yet(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-44: the checkpoint counts it as soon as it is durable, and the view does not show it."""
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    await engine.refresh(INDEX)
    shard = engine._indices[INDEX].shards[0]
    seen: list[tuple[int, bool, int]] = []
    put_all = VersionMap.put_all

    def observed(self: VersionMap, *args: Any) -> None:
        seen.append((shard.checkpoint, shard.is_dirty, shard.visible_to))
        put_all(self, *args)

    monkeypatch.setattr(VersionMap, "put_all", observed)
    await write(engine, index_op("2"))
    assert seen == [(1, True, 0)]
    await engine.close()
