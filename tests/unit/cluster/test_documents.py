"""Documents by index name, over an engine and an index service in memory."""

import pytest

from sealane.cluster.documents import BulkItem, Documents, Refresh, Update
from sealane.cluster.metadata import Alias
from sealane.errors import ApiError, DocumentMissing, IndexNotFound, VersionConflict
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
    ("policy", "times"), [(Refresh.NO, 0), (Refresh.NOW, 1), (Refresh.WAIT, 1)]
)
async def test_a_refresh_happens_once_for_an_index_and_only_for_a_write(
    documents: Documents, engine: FakeEngine, policy: Refresh, times: int
) -> None:
    await documents.bulk([index("a", "1"), index("a", "2")], policy, CTX)
    await documents.bulk([update("a", "1", {}), update("a", "9", {})], policy, CTX)
    assert engine.refreshed == ["uuid-of-a"] * times


async def test_a_get_may_demand_a_version(documents: Documents) -> None:
    await results(documents, index("a", "1"))
    name, found = await documents.get("a", "1", version=1)
    assert name == "a"
    assert found is not None
    with pytest.raises(
        ApiError, match="current version \\[1\\] is different than the one provided"
    ):
        await documents.get("a", "1", version=3)
