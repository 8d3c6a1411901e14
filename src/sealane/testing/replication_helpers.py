"""What the contracts of replication share: two indices, and short ways to read a shard's history and documents."""

from collections.abc import Awaitable
from typing import Final, Protocol

from sealane.engine.base import Engine, IndexConfig, ShardState
from sealane.engine.mapping import Mapping
from sealane.errors import ApiError
from sealane.model.document import Operation, VersionType
from sealane.testing.engine_contract import INDEX, delete_op, index_op, write

OTHER: Final = "contract-other"
MANY: Final = 10**6
HOUR_MS: Final = 3_600_000


class SettableClock(Protocol):
    ms: int


def kept(operations: int) -> IndexConfig:
    """An index whose log keeps so many operations behind the last commit."""
    settings = {"index.soft_deletes.retention.operations": str(operations)}
    return IndexConfig(uuid=INDEX, shards=1, mapping=Mapping(), settings=settings)


def other(**settings: str) -> IndexConfig:
    """A second index, to copy the first one into."""
    return IndexConfig(uuid=OTHER, shards=1, mapping=Mapping(), settings=settings)


async def error_of(call: Awaitable[object]) -> ApiError:
    """The error of a call that must fail. Without pytest, so that a product may ship its own engine's tests."""
    try:
        answer = await call
    except ApiError as exc:
        return exc
    raise AssertionError(f"answered {answer!r}")


async def history(engine: Engine, index: str = INDEX, from_seq_no: int = 0) -> list[Operation]:
    found = await engine.changes(index, 0, from_seq_no, max_count=MANY, max_bytes=10**8)
    return list(found.operations)


async def live(engine: Engine, index: str = INDEX) -> list[Operation]:
    """All live documents, as a copy gets them."""
    state = await engine.shard_state(index, 0)
    found = await engine.live_documents(
        index, 0, 0, state.checkpoint, max_count=MANY, max_bytes=10**8
    )
    assert found.up_to == state.checkpoint
    assert found.total_docs == len(found.operations)
    return list(found.operations)


async def copy_pages(engine: Engine, to: int, *, max_count: int) -> ShardState:
    """Copies INDEX up to `to` into OTHER, from where that stands."""
    while (state := await engine.shard_state(OTHER, 0)).checkpoint < to:
        page = await engine.live_documents(
            INDEX, 0, state.checkpoint + 1, to, max_count=max_count, max_bytes=10**6
        )
        assert len(page.operations) <= max_count
        assert all(op.wall_ms == 0 for op in page.operations)
        await engine.apply_copied(OTHER, 0, page.operations, up_to=page.up_to)
    return state


async def add_some(engine: Engine) -> None:
    """Seven operations: what is created, updated, deleted and created again, routed, and versioned from outside."""
    await write(
        engine,
        index_op("1", b'{"a":1}'),
        index_op("2", b'{"a":2}', routing="r"),
        index_op("1", b'{"a":3}'),
        delete_op("2", routing="r"),
        index_op("3", b'{"a":4}', version=41, version_type=VersionType.EXTERNAL),
        delete_op("1"),
        index_op("1", b'{"a":5}'),
    )
