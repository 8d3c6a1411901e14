"""An index that cannot be closed cleanly: nothing of it stays open, and nothing of it is lost."""

import pytest

from sealane.engine.base import IndexConfig
from sealane.engine.embedded.document_index import DocumentIndex
from sealane.engine.mapping import Mapping
from sealane.errors import Internal
from sealane.testing.engine_contract import INDEX, index_op, write
from sealane.testing.replication_helpers import error_of

from .conftest import Bench


async def test_a_full_disk_leaves_no_shard_half_closed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-40, R-104: closed all the same, and opened again as soon as there is room, in the same process."""
    engine = bench.open()
    two = IndexConfig(uuid=INDEX, shards=2, mapping=Mapping())
    await engine.open_index(two, new=True)
    await write(engine, *(index_op(str(number)) for number in range(10)))
    shards = engine._indices[INDEX].shards
    writers = [shard._documents for shard in shards]
    assert all(each.has_writer for each in writers)

    def full(self: DocumentIndex) -> None:
        raise Internal("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(DocumentIndex, "commit", full)
        assert isinstance(await error_of(engine.close_index(INDEX)), Internal)
    assert not any(each.has_writer for each in writers)
    await engine.open_index(two)
    assert (await engine.stats(INDEX)).docs == 10
    await write(engine, index_op("more"))
    await engine.close()
