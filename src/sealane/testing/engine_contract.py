"""What every engine must do: subclass EngineContract in a test module and give it an `engine` fixture.

The fixture yields an open engine that keeps its mappings in a FakeMappings. The tests leave searching to the engine's
own suite, but for what belongs to refresh and reader contexts.
"""

import asyncio
from collections.abc import Awaitable, Sequence

from sealane.engine.base import Engine, FoundDoc, IndexConfig, ShardSearch, TermsWanted
from sealane.engine.mapping import Mapping, parse_mapping
from sealane.errors import ApiError, SearchContextMissing, VersionConflict
from sealane.model.document import Operation, OpKind, OpType, VersionType, WriteOp, WriteResult
from sealane.model.dsl import SearchBody
from sealane.model.task import Context, TaskRegistry

INDEX = "contract-index"
_REGISTRY = TaskRegistry("contract")


def config(mapping: Mapping | None = None, shards: int = 1) -> IndexConfig:
    return IndexConfig(uuid=INDEX, shards=shards, mapping=mapping or Mapping())


def context() -> Context:
    return Context(task=_REGISTRY.start("test", start_ms=0).task)


def index_op(doc_id: str | None, source: bytes = b"{}", **rest: object) -> WriteOp:
    return WriteOp(op=OpType.INDEX, id=doc_id, source=source, **rest)  # type: ignore[arg-type]


def delete_op(doc_id: str, **rest: object) -> WriteOp:
    return WriteOp(op=OpType.DELETE, id=doc_id, **rest)  # type: ignore[arg-type]


async def write(engine: Engine, *operations: WriteOp) -> list[WriteResult]:
    """Writes that must all succeed."""
    outcomes = await engine.bulk(INDEX, operations, context())
    return [_succeeded(outcome) for outcome in outcomes]


async def refused(engine: Engine, operation: WriteOp) -> ApiError:
    """The error of a write that must fail."""
    (outcome,) = await engine.bulk(INDEX, [operation], context())
    assert isinstance(outcome, ApiError), outcome
    return outcome


def _succeeded(outcome: WriteResult | ApiError) -> WriteResult:
    assert isinstance(outcome, WriteResult), outcome
    return outcome


async def visible(engine: Engine, reader: str | None = None) -> int:
    docs = await engine.search(
        INDEX,
        0,
        ShardSearch(index_name="i", body=SearchBody(raw=b"{}"), size=0, now_ms=0, reader=reader),
        context(),
    )
    assert docs.total is not None
    return docs.total.value


async def _error_of(call: Awaitable[object]) -> ApiError:
    """The error of a call that must fail. Without pytest, so that a product may ship its own engine's tests."""
    try:
        answer = await call
    except ApiError as exc:
        return exc
    raise AssertionError(f"answered {answer!r}")


def operation(
    seq_no: int, doc_id: str, version: int = 1, source: bytes | None = b"{}"
) -> Operation:
    kind = OpKind.DELETE if source is None else OpKind.INDEX
    return Operation(seq_no, 1, version, kind, doc_id, None, source, 1_700_000_000_000)


async def _log(engine: Engine, from_seq_no: int = 0) -> Sequence[Operation]:
    found = await engine.changes(INDEX, 0, from_seq_no, max_count=1000, max_bytes=10**9)
    return found.operations


class EngineContract:
    # -- writing -------------------------------------------------------------------------------------------------

    async def test_created_updated_deleted_and_not_found(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        results = await write(
            engine, index_op("1"), index_op("1"), delete_op("1"), delete_op("1"), index_op("1")
        )
        assert [r.result for r in results] == [
            "created",
            "updated",
            "deleted",
            "not_found",
            "created",
        ]
        assert [r.version for r in results] == [1, 2, 3, 4, 5]
        assert [r.seq_no for r in results] == [0, 1, 2, 3, 4]

    async def test_versions_go_on_after_a_refresh(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        await write(engine, index_op("1"), index_op("2"), delete_op("2"))
        await engine.refresh(INDEX)
        results = await write(engine, index_op("1"), index_op("2"))
        assert [(r.result, r.version) for r in results] == [("updated", 2), ("created", 3)]

    async def test_an_id_is_made_up_when_none_is_given(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        first, second = await write(engine, index_op(None), index_op(None))
        assert len(first.id) == 20
        assert first.id != second.id
        assert await engine.get(INDEX, second.id) is not None

    async def test_create_refuses_a_live_document(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        create = WriteOp(op=OpType.CREATE, id="1", source=b"{}")
        await write(engine, create)
        error = await refused(engine, create)
        assert isinstance(error, VersionConflict)
        assert (
            error.reason == "[1]: version conflict, document already exists (current version [1])"
        )
        await write(engine, delete_op("1"))
        (again,) = await write(engine, create)
        assert again.version == 3

    async def test_conditional_writes(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        await write(engine, index_op("1"))
        (done,) = await write(engine, index_op("1", if_seq_no=0, if_primary_term=1))
        assert done.version == 2
        error = await refused(engine, index_op("1", if_seq_no=5, if_primary_term=1))
        assert error.reason == (
            "[1]: version conflict, required seqNo [5], primary term [1]. "
            "current document has seqNo [1] and primary term [1]"
        )
        error = await refused(engine, delete_op("no", if_seq_no=5, if_primary_term=1))
        assert error.reason == (
            "[no]: version conflict, required seqNo [5], primary term [1]. but no document was found"
        )

    async def test_external_versions(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        external, gte = VersionType.EXTERNAL, VersionType.EXTERNAL_GTE
        (first,) = await write(engine, index_op("1", version=5, version_type=external))
        assert first.version == 5
        error = await refused(engine, index_op("1", version=5, version_type=external))
        assert error.reason == (
            "[1]: version conflict, current version [5] is higher or equal to the one provided [5]"
        )
        (again,) = await write(engine, index_op("1", version=5, version_type=gte))
        assert again.version == 5
        error = await refused(engine, index_op("1", version=4, version_type=gte))
        assert error.reason == (
            "[1]: version conflict, current version [5] is higher than the one provided [4]"
        )
        (gone,) = await write(engine, delete_op("1", version=9, version_type=external))
        assert (gone.result, gone.version) == ("deleted", 9)
        await refused(engine, index_op("1", version=9, version_type=external))

    async def test_a_bad_document_keeps_no_other_out(self, engine: Engine) -> None:
        await engine.open_index(
            new=True, config=config(parse_mapping({"properties": {"n": {"type": "long"}}}))
        )
        outcomes = await engine.bulk(
            INDEX,
            [index_op("1", b'{"n":1}'), index_op("2", b'{"n":"abc"}'), index_op("3", b'{"n":3}')],
            context(),
        )
        assert [isinstance(each, ApiError) for each in outcomes] == [False, True, False]
        assert [op.id for op in await _log(engine)] == ["1", "3"]
        assert (await engine.shard_state(INDEX, 0)).max_seq_no == 1

    async def test_a_bulk_sees_its_own_earlier_operations(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        outcomes = await engine.bulk(
            INDEX,
            [
                WriteOp(op=OpType.CREATE, id="1", source=b'{"v":1}'),
                WriteOp(op=OpType.CREATE, id="1", source=b'{"v":2}'),
                index_op("1", b'{"v":3}', if_seq_no=0, if_primary_term=1),
            ],
            context(),
        )
        assert [isinstance(each, ApiError) for each in outcomes] == [False, True, False]
        document = await engine.get(INDEX, "1")
        assert document is not None
        assert (document.source, document.version) == (b'{"v":3}', 2)

    async def test_new_fields_are_mapped(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        await write(engine, index_op("1", b'{"a":1}'))
        error = await refused(engine, index_op("2", b'{"a":"abc"}'))
        assert error.es_type == "document_parsing_exception"

    # -- reading -------------------------------------------------------------------------------------------------

    async def test_a_get_is_realtime_or_as_of_the_refresh(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        await write(engine, index_op("1", b'{"a":1}'))
        realtime = await engine.get(INDEX, "1")
        assert realtime is not None
        assert realtime.source == b'{"a":1}'
        assert await engine.get(INDEX, "1", realtime=False) is None
        await engine.refresh(INDEX)
        assert await engine.get(INDEX, "1", realtime=False) == realtime
        await write(engine, delete_op("1"))
        assert await engine.get(INDEX, "1") is None
        assert await engine.get(INDEX, "1", realtime=False) == realtime

    async def test_the_source_comes_back_byte_for_byte(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        source = '{ "é" : [1.50, 1e3, null] ,"b":{}}'.encode()
        await write(engine, index_op("1", source))
        await engine.refresh(INDEX)
        document = await engine.get(INDEX, "1", realtime=False)
        assert document is not None
        assert document.source == source

    async def test_routing_is_kept(self, engine: Engine) -> None:
        await engine.open_index(config(shards=3), new=True)
        (result,) = await write(engine, index_op("1", routing="elsewhere"))
        found = await engine.get(INDEX, "1", routing="elsewhere")
        assert found is not None
        assert found.routing == "elsewhere"
        state = await engine.shard_state(INDEX, result.shard)
        assert state.max_seq_no == 0

    async def test_waiting_for_a_refresh_ends_when_all_is_searchable(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        await engine.wait_for_refresh(INDEX)
        await write(engine, index_op("1"))
        async with asyncio.TaskGroup() as group:
            waiters = [group.create_task(engine.wait_for_refresh(INDEX)) for _ in range(3)]
            await asyncio.sleep(0)
            await engine.refresh(INDEX)
        assert all(waiter.done() for waiter in waiters)
        assert await visible(engine) == 1
        await engine.wait_for_refresh(INDEX)

    async def test_a_search_sees_what_was_refreshed(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        await write(engine, index_op("1"), index_op("2"))
        assert await visible(engine) == 0
        await engine.refresh(INDEX)
        assert await visible(engine) == 2
        await write(engine, index_op("1"), delete_op("2"))
        await engine.refresh(INDEX)
        assert await visible(engine) == 1

    async def test_a_reader_keeps_its_view(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        await write(engine, index_op("1"))
        await engine.refresh(INDEX)
        reader = await engine.open_reader(INDEX, 0)
        await write(engine, index_op("2"))
        await engine.refresh(INDEX)
        assert await visible(engine, reader) == 1
        assert await visible(engine) == 2
        assert await engine.close_reader(reader)
        assert not await engine.close_reader(reader)
        assert isinstance(await _error_of(visible(engine, reader)), SearchContextMissing)

    async def test_a_reader_shows_its_own_shard_alone(self, engine: Engine) -> None:
        await engine.open_index(config(shards=2), new=True)
        reader = await engine.open_reader(INDEX, 1)
        assert isinstance(await _error_of(visible(engine, reader)), SearchContextMissing)
        assert engine.open_readers == 1

    async def test_readers_are_counted_and_tell_their_end_once(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        ended: list[str] = []
        reader = await engine.open_reader(INDEX, 0, keep_alive_s=60.0, on_close=ended.append)
        await engine.keep_reader(reader, 90.0)
        assert (engine.open_readers, ended) == (1, [])
        await engine.close_reader(reader)
        await engine.close_reader(reader)
        assert (engine.open_readers, ended) == (0, [reader])
        missing = await _error_of(engine.keep_reader(reader, 1.0))
        assert isinstance(missing, SearchContextMissing)

    async def test_what_a_query_phase_finds_can_be_fetched(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        await write(engine, index_op("1", b'{"a":1}'), index_op("2", b'{"a":2}'))
        await engine.refresh(INDEX)
        reader = await engine.open_reader(INDEX, 0)
        await write(engine, index_op("1", b'{"a":3}'), delete_op("2"))
        await engine.refresh(INDEX)
        search = ShardSearch(
            index_name="eu:i",
            body=SearchBody(raw=b"{}"),
            size=10,
            now_ms=0,
            reader=reader,
            query_only=True,
        )
        found = (await engine.search(INDEX, 0, search, context())).hits
        assert [(hit.id, hit.source) for hit in found] == [("", None)] * 2
        docs = [FoundDoc(hit.doc or 0, 0.5) for hit in reversed(found)]
        hits = await engine.fetch(INDEX, 0, search, docs, context())
        assert [(hit.index, hit.id, hit.source) for hit in hits] == [
            ("eu:i", "2", b'{"a":2}'),
            ("eu:i", "1", b'{"a":1}'),
        ]
        await engine.close_reader(reader)
        gone = await _error_of(engine.fetch(INDEX, 0, search, docs, context()))
        assert isinstance(gone, SearchContextMissing)

    async def test_hits_before_a_page_are_left_out(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        await write(engine, *(index_op(str(number)) for number in range(5)))
        await engine.refresh(INDEX)
        search = ShardSearch(index_name="i", body=SearchBody(raw=b"{}"), size=4, now_ms=0, skip=2)
        found = await engine.search(INDEX, 0, search, context())
        assert [hit.id for hit in found.hits] == ["2", "3"]
        assert found.total is not None
        assert found.total.value == 5

    async def test_a_shard_with_matches_can_match(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        await write(engine, index_op("1"))
        await engine.refresh(INDEX)
        search = ShardSearch(index_name="i", body=SearchBody(raw=b"{}"), size=1, now_ms=0)
        assert await engine.can_match(INDEX, 0, search)

    async def test_terms_are_sorted_and_told_once(self, engine: Engine) -> None:
        mapping = parse_mapping({"properties": {"tag": {"type": "keyword"}}})
        await engine.open_index(config(mapping), new=True)
        tags = (b"bean", b"apple", b"avocado", b"apple")
        await write(
            engine,
            *(index_op(str(n), b'{"tag":"' + tag + b'"}') for n, tag in enumerate(tags)),
        )
        await engine.refresh(INDEX)
        assert await engine.terms(INDEX, 0, TermsWanted("tag")) == ["apple", "avocado", "bean"]
        wanted = TermsWanted("tag", prefix="a", after="apple", size=1)
        assert await engine.terms(INDEX, 0, wanted) == ["avocado"]
        assert await engine.terms(INDEX, 0, TermsWanted("nothing")) == []

    async def test_stats_count_live_documents(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        await write(engine, index_op("1"), index_op("2"), delete_op("2"))
        await engine.refresh(INDEX)
        stats = await engine.stats(INDEX)
        assert stats.docs == 1
        assert stats.shards[0].max_seq_no == 2

    # -- the log -------------------------------------------------------------------------------------------------

    async def test_changes_are_what_was_written(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        await write(engine, index_op("1", b'{"a":1}'), index_op("2", routing="r"), delete_op("1"))
        found = await engine.changes(INDEX, 0, 0, max_count=10, max_bytes=10**6)
        assert [(op.seq_no, op.kind, op.id, op.version) for op in found.operations] == [
            (0, OpKind.INDEX, "1", 1),
            (1, OpKind.INDEX, "2", 1),
            (2, OpKind.DELETE, "1", 2),
        ]
        assert found.operations[0].source == b'{"a":1}'
        assert found.operations[1].routing == "r"
        assert found.operations[2].source is None
        assert found.state.checkpoint == 2

    async def test_changes_are_limited_but_never_empty(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        await write(engine, *[index_op(str(n), b'{"a":"%s"}' % (b"x" * 100)) for n in range(5)])
        by_count = await engine.changes(INDEX, 0, 1, max_count=2, max_bytes=10**6)
        assert [op.seq_no for op in by_count.operations] == [1, 2]
        by_bytes = await engine.changes(INDEX, 0, 1, max_count=10, max_bytes=1)
        assert [op.seq_no for op in by_bytes.operations] == [1]
        beyond = await engine.changes(INDEX, 0, 9, max_count=10, max_bytes=10)
        assert not beyond.operations

    async def test_a_replica_keeps_seq_no_term_and_version(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        given = [operation(0, "1", 7), operation(1, "2", 3), operation(2, "1", 8, b'{"a":2}')]
        await engine.apply_replica(INDEX, 0, given)
        assert list(await _log(engine)) == given
        document = await engine.get(INDEX, "1")
        assert document is not None
        assert (document.version, document.seq_no) == (8, 2)

    async def test_a_replica_applies_nothing_twice(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        given = [operation(0, "1"), operation(1, "1", 2, None)]
        await engine.apply_replica(INDEX, 0, given)
        await engine.apply_replica(INDEX, 0, given)
        assert len(await _log(engine)) == 2
        assert await engine.get(INDEX, "1") is None

    async def test_a_replica_may_get_operations_out_of_order(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        await engine.apply_replica(INDEX, 0, [operation(2, "1", 3, b'{"a":3}')])
        state = await engine.shard_state(INDEX, 0)
        assert (state.checkpoint, state.max_seq_no) == (-1, 2)
        await engine.apply_replica(INDEX, 0, [operation(0, "1", 1), operation(1, "1", 2, None)])
        assert (await engine.shard_state(INDEX, 0)).checkpoint == 2
        await engine.refresh(INDEX)
        document = await engine.get(INDEX, "1", realtime=False)
        assert document is not None
        assert document.source == b'{"a":3}'

    # -- indices -------------------------------------------------------------------------------------------------

    async def test_an_unknown_index_is_not_found(self, engine: Engine) -> None:
        error = await _error_of(engine.get("missing", "1"))
        assert error.status == 404

    async def test_deleting_an_unknown_index_is_no_error(self, engine: Engine) -> None:
        await engine.delete_index("missing")

    async def test_a_deleted_index_comes_back_empty(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        await write(engine, index_op("1"))
        await engine.delete_index(INDEX)
        await engine.open_index(config(), new=True)
        assert await engine.get(INDEX, "1") is None
        assert (await engine.shard_state(INDEX, 0)).max_seq_no == -1

    async def test_a_closed_index_comes_back_whole(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        await write(engine, index_op("1", b'{"a":1}'), index_op("2"), delete_op("2"))
        before = await engine.shard_state(INDEX, 0)
        await engine.close_index(INDEX)
        await engine.open_index(
            new=True, config=config(parse_mapping({"properties": {"a": {"type": "long"}}}))
        )
        assert await engine.shard_state(INDEX, 0) == before
        assert await engine.get(INDEX, "1") is not None
        assert await engine.get(INDEX, "2") is None
        (result,) = await write(engine, index_op("1"))
        assert (result.seq_no, result.version) == (3, 2)
