"""Documents by index name, over an engine and an index service in memory."""

import msgspec
import pytest

from sealane.cluster.documents import BulkItem, Documents, Refresh
from sealane.cluster.metadata import Alias
from sealane.cluster.partial_updates import Update
from sealane.errors import (
    ApiError,
    DocumentMissing,
    IndexNotFound,
    IOFailure,
    NoShardAvailable,
    UnavailableShards,
    VersionConflict,
)
from sealane.model.document import OpType, WriteOp, WriteResult
from sealane.model.task import Context, Task, TaskId
from tests.unit.rest.fakes import FakeEngine, FakeIndices

CTX = Context(task=Task(TaskId("n", 1), "indices:data/write/bulk", None, 0, ""))


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def indices() -> FakeIndices:
    return FakeIndices()


@pytest.fixture
def documents(engine: FakeEngine, indices: FakeIndices) -> Documents:
    return Documents(indices, engine, engine)  # type: ignore[arg-type]


def index(name: str, doc_id: str, source: bytes = b"{}", op: OpType = OpType.INDEX) -> BulkItem:
    return BulkItem(action=op.value, index=name, op=WriteOp(op=op, id=doc_id, source=source))


def update(name: str, doc_id: str, doc: dict[str, object], **members: object) -> BulkItem:
    return BulkItem(action="update", index=name, op=Update(id=doc_id, doc=doc, **members))  # type: ignore[arg-type]


async def results(documents: Documents, *items: BulkItem) -> list[str]:
    outcomes = await documents.bulk(items, Refresh.NO, CTX)
    return [
        each.result.result if isinstance(each.result, WriteResult) else each.result.es_type
        for each in outcomes
    ]


async def test_a_run_of_plain_writes_is_one_call_of_the_engine(
    documents: Documents, engine: FakeEngine
) -> None:
    items = [index("a", str(n)) for n in range(50)]
    assert await results(documents, *items) == ["created"] * 50
    assert engine.bulk_calls == 1


async def test_an_update_sees_what_the_same_bulk_wrote_before_it(
    documents: Documents, engine: FakeEngine
) -> None:
    outcome = await results(
        documents,
        index("a", "1", b'{"n":1}'),
        update("a", "1", {"m": 2}),
        update("a", "2", {"m": 3}, upsert=b'{"m":9}'),
        update("a", "1", {"m": 2}),
        index("a", "1", op=OpType.DELETE),
        update("a", "1", {"m": 2}),
    )
    assert outcome == [
        "created",
        "updated",
        "created",
        "noop",
        "deleted",
        "document_missing_exception",
    ]
    assert engine.stored["uuid-of-a"]["2"].source == b'{"m":9}'


async def test_updates_of_different_documents_go_to_the_engine_together(
    documents: Documents, engine: FakeEngine
) -> None:
    await results(documents, *(index("a", str(n)) for n in range(10)))
    engine.bulk_calls = 0
    assert await results(documents, *(update("a", str(n), {"x": n}) for n in range(10))) == (
        ["updated"] * 10
    )
    assert engine.bulk_calls == 1


async def test_an_update_that_lost_a_race_is_tried_as_often_as_it_allows(
    documents: Documents, engine: FakeEngine
) -> None:
    await results(documents, index("a", "1", b'{"n":1}'))

    async def interfere() -> None:
        await engine.bulk("uuid-of-a", [WriteOp(op=OpType.INDEX, id="1", source=b'{"n":7}')], CTX)

    engine.before_bulk = interfere
    assert await results(documents, update("a", "1", {"m": 1})) == [
        "version_conflict_engine_exception"
    ]
    engine.before_bulk = interfere
    assert await results(documents, update("a", "1", {"m": 1}, retry_on_conflict=1)) == ["updated"]
    assert engine.stored["uuid-of-a"]["1"].source == b'{"n":7,"m":1}'


async def test_an_update_may_name_the_state_it_expects(documents: Documents) -> None:
    await results(documents, index("a", "1", b'{"n":1}'))
    with pytest.raises(VersionConflict) as caught:
        await documents.write(
            update("a", "1", {"n": 2}, if_seq_no=9, if_primary_term=1), Refresh.NO, CTX
        )
    assert caught.value.reason == (
        "[1]: version conflict, required seqNo [9], primary term [1]. "
        "current document has seqNo [0] and primary term [1]"
    )
    assert caught.value.metadata == {"index_uuid": "uuid-of-a", "shard": "0", "index": "a"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b'{"a":1}', {"a": 1}, "noop"),
        (b'{"a":1}', {"a": 1.0}, "updated"),
        (b'{"a":1}', {"a": True}, "updated"),
        (b'{"a":null}', {"a": None}, "noop"),
        (b"{}", {"a": None}, "updated"),
        (b'{"a":[1,2]}', {"a": [1, 2]}, "noop"),
        (b'{"a":[1,2]}', {"a": [2]}, "updated"),
        (b'{"a":{"b":1,"c":2}}', {"a": {"c": 2}}, "noop"),
        (b'{"a":{"b":1}}', {"a": {}}, "noop"),
        (b'{"a":1}', {"a": {"b": 1}}, "updated"),
    ],
)
async def test_only_a_real_difference_is_a_change(
    documents: Documents, old: bytes, new: dict[str, object], expected: str
) -> None:
    await results(documents, index("a", "1", old))
    assert await results(documents, update("a", "1", new)) == [expected]


async def test_without_noop_detection_every_update_writes(documents: Documents) -> None:
    await results(documents, index("a", "1", b'{"a":1}'))
    assert await results(documents, update("a", "1", {"a": 1}, detect_noop=False)) == ["updated"]


async def test_an_index_that_cannot_be_had_fails_its_items_only(documents: Documents) -> None:
    assert await results(documents, index("none", "1"), index("a", "1"), index("none", "2")) == [
        "index_not_found_exception",
        "created",
        "index_not_found_exception",
    ]


async def test_a_delete_makes_no_index_and_an_update_does(
    documents: Documents, indices: FakeIndices
) -> None:
    assert await results(documents, index("a", "1", op=OpType.DELETE)) == [
        "index_not_found_exception"
    ]
    assert not indices.known
    with pytest.raises(DocumentMissing):
        await documents.write(update("a", "1", {}), Refresh.NO, CTX)
    assert list(indices.known) == ["a"]


async def test_an_index_and_its_alias_are_one_group_in_the_order_of_the_request(
    documents: Documents, indices: FakeIndices, engine: FakeEngine
) -> None:
    indices.add("a", aliases={"al": Alias()})
    items = [index("a", "1", b'{"n":1}'), index("al", "1", b'{"n":2}'), index("a", "1", b'{"n":3}')]
    assert await results(documents, *items) == ["created", "updated", "updated"]
    assert engine.bulk_calls == 1
    assert engine.stored["uuid-of-a"]["1"].source == b'{"n":3}'


async def test_an_engine_that_fails_as_a_whole_fails_every_item_of_its_index(
    documents: Documents, engine: FakeEngine
) -> None:
    async def gone() -> None:
        raise IndexNotFound("a")

    engine.before_bulk = gone
    assert await results(documents, index("a", "1"), index("a", "2"), index("b", "1")) == [
        "index_not_found_exception",
        "index_not_found_exception",
        "created",
    ]


@pytest.mark.parametrize(
    ("policy", "times"), [(Refresh.NO, (0, 0)), (Refresh.NOW, (1, 0)), (Refresh.WAIT, (0, 1))]
)
async def test_a_refresh_happens_once_for_an_index_and_only_for_a_write(
    documents: Documents, engine: FakeEngine, policy: Refresh, times: tuple[int, int]
) -> None:
    await documents.bulk([index("a", "1"), index("a", "2")], policy, CTX)
    await documents.bulk([update("a", "1", {}), update("a", "9", {})], policy, CTX)
    assert engine.refreshed == ["uuid-of-a"] * times[0]
    assert engine.waited_for == ["uuid-of-a"] * times[1]


GONE = IndexNotFound("uuid-of-a")
UNOPENED = NoShardAvailable(IOFailure("no space left"))


@pytest.mark.parametrize("policy", [Refresh.NOW, Refresh.WAIT])
async def test_an_index_deleted_under_a_bulk_fails_its_own_items_by_its_name(
    documents: Documents, engine: FakeEngine, policy: Refresh
) -> None:
    engine.failing["uuid-of-a"] = GONE
    items = [index("b", "1"), index("a", "1"), update("a", "2", {"n": 1}), index("b", "2")]
    outcomes = await documents.bulk(items, policy, CTX)
    shown = [
        each.result.reason if isinstance(each.result, ApiError) else each.result.result
        for each in outcomes
    ]
    assert shown == ["created", "no such index [a]", "no such index [a]", "created"]
    assert isinstance(outcomes[1].result, IndexNotFound)
    assert outcomes[1].result.metadata["index"] == "a"


@pytest.mark.parametrize("policy", [Refresh.NOW, Refresh.WAIT])
@pytest.mark.parametrize("names", [["a"], ["a", "b"]])
async def test_an_index_that_vanishes_before_its_refresh_was_written_all_the_same(
    documents: Documents, engine: FakeEngine, policy: Refresh, names: list[str]
) -> None:
    async def vanish(index_uuid: str) -> None:
        raise IndexNotFound(index_uuid)

    engine.refresh = engine.wait_for_refresh = vanish  # type: ignore[method-assign]
    outcomes = await documents.bulk([index(name, "1") for name in names], policy, CTX)
    assert all(isinstance(each.result, WriteResult) for each in outcomes)


@pytest.mark.parametrize("names", [["a"], ["a", "b"]])
async def test_a_refresh_that_fails_is_told_as_it_is(
    documents: Documents, engine: FakeEngine, names: list[str]
) -> None:
    async def fail(index_uuid: str) -> None:
        raise IOFailure("no space left")

    engine.refresh = fail  # type: ignore[method-assign]
    with pytest.raises(IOFailure, match="no space left"):
        await documents.bulk([index(name, "1") for name in names], Refresh.NOW, CTX)


async def test_a_write_to_an_index_that_was_never_opened_says_so(
    documents: Documents, engine: FakeEngine
) -> None:
    engine.failing["uuid-of-a"] = UNOPENED
    (outcome, updated) = await documents.bulk(
        [index("a", "1"), update("a", "1", {})], Refresh.NO, CTX
    )
    for each in (outcome.result, updated.result):
        assert isinstance(each, UnavailableShards)
        assert each.status == 503
        assert each.reason == "[a] primary shard is not active"
        assert each.caused_by is UNOPENED.caused_by


async def test_a_get_names_the_index_that_vanished_or_was_never_opened(
    documents: Documents, indices: FakeIndices, engine: FakeEngine
) -> None:
    indices.add("a")
    engine.failing["uuid-of-a"] = GONE
    with pytest.raises(IndexNotFound, match=r"no such index \[a\]"):
        await documents.get("a", "1")
    engine.failing["uuid-of-a"] = UNOPENED
    with pytest.raises(NoShardAvailable) as caught:
        await documents.get("a", "1", refresh=True)
    assert caught.value.reason == "No shard available for [get [a][1]: routing [null]]"
    assert caught.value.caused_by is UNOPENED.caused_by


async def test_an_index_that_vanishes_while_an_update_is_tried_again_fails_that_update(
    documents: Documents, engine: FakeEngine
) -> None:
    await results(documents, index("a", "1", b'{"n":1}'))

    async def interfere() -> None:
        await engine.bulk("uuid-of-a", [WriteOp(op=OpType.INDEX, id="1", source=b"{}")], CTX)
        engine.reads_left = 0

    engine.before_bulk = interfere
    assert await results(
        documents, update("a", "1", {"m": 1}, retry_on_conflict=3), index("b", "1")
    ) == ["index_not_found_exception", "created"]


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (b'{"n":1e400}', b'{"n":"Infinity","m":1}'),
        (b'{"n":[-1e400]}', b'{"n":["-Infinity"],"m":1}'),
        (b'{"s":"\\ud800x"}', b'{"s":"\\uD800x","m":1}'),
        (b'{"n":123456789012345678901234567890}', b'{"n":123456789012345678901234567890,"m":1}'),
        (b'{"n":1} // why', b'{"n":1,"m":1}'),
    ],
)
async def test_an_update_reads_whatever_could_be_stored(
    documents: Documents, engine: FakeEngine, stored: bytes, expected: bytes
) -> None:
    await results(documents, index("a", "1"))
    docs = engine.stored["uuid-of-a"]
    docs["1"] = msgspec.structs.replace(docs["1"], source=stored)
    engine.checks_json = False
    assert await results(documents, update("a", "1", {"m": 1})) == ["updated"]
    assert docs["1"].source == expected


async def test_a_stored_source_that_is_no_json_fails_its_update_only(
    documents: Documents, engine: FakeEngine
) -> None:
    await results(documents, index("a", "1"))
    docs = engine.stored["uuid-of-a"]
    docs["1"] = msgspec.structs.replace(docs["1"], source=b"{damaged")
    assert await results(documents, update("a", "1", {"m": 1}), index("a", "2")) == [
        "parse_exception",
        "created",
    ]


async def test_a_get_may_demand_a_version(documents: Documents) -> None:
    await results(documents, index("a", "1"))
    name, found = await documents.get("a", "1", version=1)
    assert name == "a"
    assert found is not None
    with pytest.raises(
        ApiError, match="current version \\[1\\] is different than the one provided"
    ):
        await documents.get("a", "1", version=3)
