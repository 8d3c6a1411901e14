"""The embedded engine beyond the contract: refresh times, poison, cancellation, limits."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from sealane.clock import RandomIds
from sealane.engine.base import IndexConfig, ShardSearch
from sealane.engine.embedded import readers
from sealane.engine.embedded.index import OpenIndex
from sealane.engine.embedded.versions import GC_DELETES_S
from sealane.engine.embedded.view import ShardView
from sealane.engine.mapping import Mapping, parse_mapping
from sealane.errors import (
    ApiError,
    IllegalArgument,
    Internal,
    Rejected,
    SearchContextMissing,
    TaskCancelled,
)
from sealane.model.document import OpType, WriteOp, WriteResult
from sealane.model.dsl import SearchBody
from sealane.model.task import Context, TaskRegistry
from sealane.reduce.partial import Partial
from sealane.testing.engine_contract import (
    INDEX,
    config,
    context,
    delete_op,
    index_op,
    refused,
    visible,
    write,
)

from .conftest import Bench

SEARCH = ShardSearch(index_name="i", body=SearchBody(raw=b"{}"), size=0, now_ms=0)


# -- documents that could harm -----------------------------------------------------------------------------------

POISON = [
    b"",
    b"{",
    b"[]",
    b'{"a":"\\ud800"}',
    b'{"a":"\xff"}',
    b'{"n":99999999999999999999999}',
    b'{"n":1e999}',
    b'{"d":"not a date"}',
    b'{"d":99999999999999999999}',
    b'{"k":"' + b"x" * 40_000 + b'"}',
    b"[" * 3000,
    b'{"a":' + b"[" * 3000 + b"1" + b"]" * 3000 + b"}",
    b'{"a":' * 900 + b"1" + b"}" * 900,
    b'{"_doc":1,"_seq_no":"x"}',
    b'{"n":NaN}',
    b'{"\\u0000":1}',
    b'{"a":"\\u0000"}',
    b'{"ip":"::ffff:1.2.3.4%lo"}',
]
MAPPING = parse_mapping(
    {
        "properties": {
            "n": {"type": "long"},
            "d": {"type": "date"},
            "k": {"type": "keyword"},
            "ip": {"type": "ip"},
        }
    }
)


async def test_no_document_harms_those_beside_it(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(MAPPING), new=True)
    operations: list[WriteOp] = []
    for number, poison in enumerate(POISON):
        operations += [index_op(f"good-{number}", b'{"n":1}'), index_op(f"bad-{number}", poison)]
    outcomes = await engine.bulk(INDEX, operations, context())
    assert all(isinstance(outcome, WriteResult) for outcome in outcomes[::2])
    taken = sum(isinstance(outcome, WriteResult) for outcome in outcomes)
    await engine.refresh(INDEX)
    assert await visible(engine) == taken
    assert (await engine.shard_state(INDEX, 0)).max_seq_no == taken - 1
    await engine.close()


async def test_a_killed_writer_is_rebuilt_from_the_log(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    shard = engine._indices[INDEX].shards[0]

    class DeadWriter:
        def __getattr__(self, name: str) -> Callable[..., Any]:
            raise RuntimeError("An index writer was killed")

    shard._documents._writer = DeadWriter()
    await write(engine, index_op("2"))
    assert await visible(engine) == 2
    shard._documents._writer = DeadWriter()
    shard._dirty = True
    await engine.refresh(INDEX)
    assert await visible(engine) == 2
    await engine.close()


async def test_a_document_cannot_reach_the_columns_of_the_engine(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    for name in ("_doc", "_id", "_seq_no", "_field_names"):
        error = await refused(engine, index_op("1", b'{"%s":1}' % name.encode()))
        assert error.caused_by is not None
        assert "is a metadata field" in error.caused_by.reason
    await engine.close()


async def test_an_id_that_is_no_text_is_refused(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    outcomes = await engine.bulk(
        INDEX, [delete_op("\ud800"), index_op("\ud800"), index_op("1")], context()
    )
    assert [isinstance(outcome, ApiError) for outcome in outcomes] == [True, True, False]
    await engine.close()


async def test_an_id_over_512_bytes_is_refused(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("i" * 512))
    error = await refused(engine, index_op("é" * 257))
    assert "is too long, must be no longer than 512 bytes but was: 514" in error.reason
    await engine.close()


# -- mappings ----------------------------------------------------------------------------------------------------


class RefusingMappings:
    async def extend_mapping(self, index_uuid: str, update: object) -> Mapping:
        raise IllegalArgument("Limit of total fields [1] has been exceeded")


async def test_only_documents_with_new_fields_fail_when_the_mapping_may_not_grow(
    bench: Bench,
) -> None:
    bench.mappings = RefusingMappings()  # type: ignore[assignment]
    engine = bench.open()
    await engine.open_index(config(MAPPING), new=True)
    outcomes = await engine.bulk(
        INDEX,
        [index_op("1", b'{"n":1}'), index_op("2", b'{"new":1}'), index_op("3", b'{"k":"a"}')],
        context(),
    )
    assert [isinstance(outcome, ApiError) for outcome in outcomes] == [False, True, False]
    await engine.close()


async def test_new_fields_are_durable_before_their_operation(bench: Bench) -> None:
    seen: list[int] = []
    sink, engine = bench.mappings, bench.open()

    class Watching:
        async def extend_mapping(self, index_uuid: str, update: Any) -> Mapping:
            seen.append((await engine.shard_state(INDEX, 0)).max_seq_no)
            return await sink.extend_mapping(index_uuid, update)

    engine._mappings = Watching()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1", b'{"a":1}'), index_op("2", b'{"b":"x"}'))
    await write(engine, index_op("3", b'{"a":1,"b":"y"}'))
    assert seen == [-1]
    await engine.close()


async def test_a_mapping_that_changed_meanwhile_is_what_the_document_is_read_under(
    bench: Bench,
) -> None:
    """Another node mapped `z` as a keyword in the meantime: its number is kept as text."""
    sink, engine = bench.mappings, bench.open()

    class Meddling:
        async def extend_mapping(self, index_uuid: str, update: Any) -> Mapping:
            update["properties"]["z"] = {"type": "keyword"}
            return await sink.extend_mapping(index_uuid, update)

    engine._mappings = Meddling()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1", b'{"z":5}'))
    await engine.refresh(INDEX)
    assert _index(engine).config.mapping.fields["z"].type == "keyword"
    assert _index(engine).shards[0].view.searcher.doc_freq("z", "5") == 1
    await engine.close()


# -- refresh -----------------------------------------------------------------------------------------------------


def _index(engine: Any) -> OpenIndex:
    index: OpenIndex = engine._indices[INDEX]
    return index


async def test_a_tombstone_is_forgotten_after_a_minute(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"), delete_op("1"))
    await engine.refresh(INDEX)
    bench.clock.ms += int(GC_DELETES_S * 1000) - 1
    (kept,) = await write(engine, delete_op("1"))
    assert kept.version == 3
    await engine.refresh(INDEX)
    bench.clock.ms += int(GC_DELETES_S * 1000)
    await write(engine, index_op("other"))
    await engine.refresh(INDEX)
    (forgotten,) = await write(engine, index_op("1"))
    assert forgotten.version == 1
    await engine.close()


async def test_how_long_tombstones_are_kept_is_a_setting(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    settings = {"index.gc_deletes": "5s"}
    await engine.update_config(
        IndexConfig(uuid=INDEX, shards=1, mapping=Mapping(), settings=settings)
    )
    await write(engine, index_op("1"), delete_op("1"))
    await engine.refresh(INDEX)
    bench.clock.ms += 5000
    await write(engine, index_op("other"))
    await engine.refresh(INDEX)
    (forgotten,) = await write(engine, index_op("1"))
    assert forgotten.version == 1
    await engine.close()


async def test_a_quiet_shard_gets_the_large_writer_only_when_it_becomes_busy(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    shard = _index(engine).shards[0]
    await write(engine, index_op("1"))
    assert not shard._documents._is_writer_large
    many = [index_op(str(n)) for n in range(200)]
    await write(engine, *many)
    assert not shard._documents._is_writer_large, "it holds what is not committed"
    await engine.refresh(INDEX)
    await write(engine, *many)
    assert shard._documents._is_writer_large
    await engine.refresh(INDEX)
    assert await visible(engine) == 200
    await engine.close()


async def test_an_idle_writer_is_given_back_and_made_again(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    await engine.refresh(INDEX)
    index = _index(engine)
    await index.release_writers(asyncio.get_running_loop().time() + 1000)
    assert not index.shards[0].has_writer
    await write(engine, index_op("2"))
    await engine.refresh(INDEX)
    assert await visible(engine) == 2
    await engine.close()


# -- searches and readers ----------------------------------------------------------------------------------------


async def test_a_cancelled_search_does_not_begin(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    ctx = Context(task=TaskRegistry("n").start("search", start_ms=0).task)
    ctx.task.cancel("gone")
    with pytest.raises(TaskCancelled):
        await engine.search(INDEX, 0, SEARCH, ctx)
    await engine.close()


async def test_a_search_sees_its_deadline(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    now = asyncio.get_running_loop().time()
    ctx = Context(task=TaskRegistry("n").start("search", start_ms=0).task, deadline=now - 1)
    with pytest.raises(TimeoutError):
        await engine.search(INDEX, 0, SEARCH, ctx)
    await engine.close()


async def test_a_cached_answer_takes_no_thread(bench: Bench) -> None:
    answer = Partial(hits=[], total=None, max_score=None, shards=None)  # type: ignore[arg-type]

    class Caching:
        def cached(self, view: ShardView, request: ShardSearch) -> Partial:
            return answer

        def search_shard(self, *_: object) -> Partial:
            raise AssertionError("searched")

    bench.searcher = Caching()  # type: ignore[assignment]
    engine = bench.open()
    await engine.open_index(config(), new=True)
    assert await engine.search(INDEX, 0, SEARCH, context()) is answer
    await engine.close()


async def test_too_many_readers_are_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MAX_OPEN", 2)
    engine = bench.open()
    await engine.open_index(config(), new=True)
    first = await engine.open_reader(INDEX, 0)
    await engine.open_reader(INDEX, 0)
    with pytest.raises(Rejected):
        await engine.open_reader(INDEX, 0)
    await engine.close_reader(first)
    await engine.open_reader(INDEX, 0)
    await engine.close()


def test_a_reader_that_nobody_uses_expires() -> None:
    contexts = readers.ReaderContexts(RandomIds())
    view: Any = SimpleNamespace(index_uuid="i", shard=0)
    used, unused = contexts.open(view, 0.0), contexts.open(view, 0.0)
    contexts.view(used, "i", 0, 200.0)
    contexts.expire(readers.KEEP_ALIVE_S + 100.0)
    assert contexts.close(used)
    assert not contexts.close(unused)


def test_each_reader_is_kept_for_its_own_time() -> None:
    """From its last use on; one whose time was changed by the new time."""
    ended: list[str] = []
    contexts = readers.ReaderContexts(RandomIds())
    view: Any = SimpleNamespace(index_uuid="i", shard=0)
    short = contexts.open(view, 0.0, keep_alive_s=5.0, on_close=ended.append)
    long = contexts.open(view, 0.0, keep_alive_s=5.0, on_close=ended.append)
    contexts.touch(long, 4.0, 60.0)
    contexts.expire(8.0)
    assert ended == [short]
    assert contexts.view(long, "i", 0, 60.0) is view
    with pytest.raises(SearchContextMissing, match=r"No search context found for id \[2\]"):
        contexts.view(long, "i", 0, 121.0)
    assert ended == [short, long]
    assert len(contexts) == 0


def test_readers_of_another_session_are_not_taken_for_ours() -> None:
    view: Any = object()
    one, other = (readers.ReaderContexts(RandomIds()) for _ in range(2))
    held = one.open(view, 0.0)
    other.open(view, 0.0)
    with pytest.raises(SearchContextMissing):
        other.view(held, "i", 0, 0.0)


# -- concurrency -------------------------------------------------------------------------------------------------


async def test_a_cancelled_bulk_happened_as_a_whole_or_not_at_all(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    operations = [index_op(str(n), b'{"n":%d}' % n) for n in range(500)]
    for hops in range(12):
        before = (await engine.shard_state(INDEX, 0)).max_seq_no
        async with asyncio.TaskGroup() as group:
            task = group.create_task(engine.bulk(INDEX, operations, context()))
            for _ in range(hops):
                await asyncio.sleep(0)
            task.cancel()
        added = (await engine.shard_state(INDEX, 0)).max_seq_no - before
        assert added in (0, 500)
    await engine.close()


async def test_concurrent_bulks_number_their_operations_without_holes(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                engine.bulk(
                    INDEX,
                    [WriteOp(op=OpType.INDEX, source=b'{"t%d":1}' % t) for _ in range(20)],
                    context(),
                )
            )
            for t in range(8)
        ]
    seq_nos = [outcome.seq_no for task in tasks for outcome in task.result()]  # type: ignore[union-attr]
    assert sorted(seq_nos) == list(range(160))
    await engine.refresh(INDEX)
    assert await visible(engine) == 160
    await engine.close()


async def test_a_failing_log_acknowledges_nothing(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    log = _index(engine).shards[0]._log
    log._writer.execute("PRAGMA query_only=ON")
    with pytest.raises(Internal):
        await engine.bulk(INDEX, [index_op("2")], context())
    log._writer.execute("PRAGMA query_only=OFF")
    assert await engine.get(INDEX, "2") is None
    (result,) = await write(engine, index_op("3"))
    assert result.seq_no == 1
    await engine.close()
