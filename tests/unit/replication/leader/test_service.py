"""What a leader answers its followers: operations, copies, leases, over the messages of two clusters in one process."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sealane.errors import (
    ClusterBlock,
    HistoryDiverged,
    IllegalState,
    IndexClosed,
    IndexNotFound,
    LeaseAlreadyExists,
    LeaseInvalid,
    LeaseNotFound,
    NodeClosed,
    ResourceNotFound,
    SecurityError,
    ShardNotFound,
    UnexpectedHistory,
)
from sealane.model.document import Operation, OpKind
from sealane.model.followers import ForgetFollower
from sealane.model.node import ClusterIdentity
from sealane.model.replication import (
    NO_OPERATIONS,
    ChangesRequest,
    CopyRequest,
    HistoryMark,
    LeaderKind,
    ShardRef,
    lease_id,
    mark_of,
)
from sealane.model.security import IndexPrivileges, Realm, RoleDescriptor, Subject
from sealane.model.task import Context, Task, TaskId
from sealane.remote.transport.replication_client import RemoteFeeds, ReplicationClient
from sealane.replication.leader.service import LeaderService
from sealane.security.rules.access import SubjectAccess
from sealane.security.rules.permission import Permission
from sealane.testing.in_process import InProcessCluster, clusters
from sealane.transport import TaskScope
from tests.conformance.conftest import Noon, Pair


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with clusters(tmp_path, "local", "eu", clock=Noon()) as (local, eu):
        yield Pair(local, eu, local.register(eu))


@pytest.fixture
async def tasks() -> AsyncIterator[TaskScope]:
    async with TaskScope("test") as scope:
        yield scope


def context() -> Context:
    return Context(task=Task(TaskId("local", 1), "test", None, 0, ""))


def feed(pair: Pair) -> ReplicationClient:
    return RemoteFeeds(pair.local.links).feed("eu")


async def shard(pair: Pair, index: str = "logs", number: int = 0) -> ShardRef:
    found = await feed(pair).index(index, context())
    return ShardRef(index=index, index_uuid=found.uuid, shard=number)


async def request(pair: Pair, from_seq_no: int = 0, **other: Any) -> ChangesRequest:
    found = await feed(pair).index("logs", context())
    ref = ShardRef(index="logs", index_uuid=found.uuid, shard=0)
    asked: dict[str, Any] = {
        "max_count": 100,
        "max_bytes": 1 << 20,
        "poll_timeout_ms": 0,
        "history_uuid": found.history[0].history_uuid,
    }
    return ChangesRequest(shard=ref, from_seq_no=from_seq_no, **{**asked, **other})


async def fill(cluster: InProcessCluster, count: int, index: str = "logs") -> None:
    await cluster.fill(index, {str(number): {"n": number} for number in range(count)})


async def until_it_waits(cluster: InProcessCluster, polls: int = 1) -> None:
    while cluster.leader.polls < polls:  # noqa: ASYNC110
        await asyncio.sleep(0)


# -- what there is -------------------------------------------------------------------------------------------------


async def test_an_index_is_described_as_it_is_copied(pair: Pair) -> None:
    body = {
        "settings": {"number_of_shards": 2, "refresh_interval": "5s"},
        "mappings": {"properties": {"n": {"type": "integer"}}},
        "aliases": {"all": {"filter": {"term": {"n": 1}}, "is_write_index": True}},
    }
    await pair.eu.call("PUT", "/logs", body)
    found = await feed(pair).index("logs", context())
    assert (found.name, found.kind, found.open, found.shards) == (
        "logs",
        LeaderKind.INDEX,
        True,
        2,
    )
    assert dict(found.settings) == {
        "index.number_of_shards": "2",
        "index.number_of_replicas": "1",
        "index.refresh_interval": "5s",
        **{key: value for key, value in found.settings.items() if "routing" in key},
    }
    assert msgspec.json.decode(found.mapping) == {"properties": {"n": {"type": "integer"}}}
    assert found.aliases["all"].filter == '{"term":{"n":1}}'
    assert [each.checkpoint for each in found.history] == [NO_OPERATIONS] * 2
    assert (found.cluster_uuid, found.cluster_name, found.origins) == ("eu", "eu", ("eu",))


async def test_what_is_no_open_index_is_described_not_refused(pair: Pair) -> None:
    """R-3, R-4, R-5: the follower says what it makes of it."""
    with pytest.raises(IndexNotFound, match=r"no such index \[logs\]"):
        await feed(pair).index("logs", context())
    await pair.eu.call("PUT", "/logs", {"aliases": {"all": {}}})
    alias = await feed(pair).index("all", context())
    assert (alias.kind, alias.uuid, alias.history) == (LeaderKind.ALIAS, "", ())
    await pair.eu.call("POST", "/logs/_close")
    closed = await feed(pair).index("logs", context())
    assert (closed.open, closed.history) == (False, ())


async def test_all_indices_are_told_and_then_what_is_new(pair: Pair, tasks: TaskScope) -> None:
    await pair.eu.call("PUT", "/logs")
    found = await feed(pair).cluster(context())
    assert found is not None
    assert [(each.name, each.is_ready, each.origins) for each in found.indices] == [
        ("logs", True, ("eu",))
    ]
    version = found.metadata_version
    assert await feed(pair).cluster(context(), newer_than=version, timeout_s=0.0) is None
    waiting = tasks.start(feed(pair).cluster(context(), newer_than=version, timeout_s=600.0))
    await until_it_waits(pair.eu)
    await pair.eu.call("PUT", "/more")
    news = await waiting
    assert news is not None
    assert [each.name for each in news.indices] == ["logs", "more"]
    assert news.metadata_version > version
    older = await feed(pair).cluster(context(), newer_than=version + 1000, timeout_s=600.0)
    assert older is not None, "a lower version is news, too"


# -- operations ----------------------------------------------------------------------------------------------------


async def test_operations_come_in_order_without_holes_up_to_what_was_asked(pair: Pair) -> None:
    """R-45, R-47: from where it was asked, contiguous, by count, and none above the checkpoint."""
    await fill(pair.eu, 5)
    await pair.eu.call("DELETE", "/logs/_doc/3")
    answer = await feed(pair).changes(await request(pair, 2, max_count=3), context())
    assert [each.seq_no for each in answer.operations] == [2, 3, 4]
    rest = await feed(pair).changes(await request(pair, 5), context())
    assert [(each.seq_no, each.kind, each.id) for each in rest.operations] == [
        (5, OpKind.DELETE, "3")
    ]
    assert (answer.checkpoint, answer.max_seq_no) == (5, 5)
    assert answer.now_ms == Noon().now_ms()


async def test_an_answer_is_larger_than_asked_by_one_operation_at_most(pair: Pair) -> None:
    """R-47, R-48: one that is larger than any limit comes alone."""
    await pair.eu.fill("logs", {"a": {"t": "x" * 5000}, "b": {"t": "y" * 5000}})
    answer = await feed(pair).changes(await request(pair, 0, max_bytes=10), context())
    assert [each.id for each in answer.operations] == ["a"]


async def test_a_read_beyond_the_end_waits_for_what_comes_next(
    pair: Pair, tasks: TaskScope
) -> None:
    """R-46: it returns as soon as there is an operation."""
    await fill(pair.eu, 1)
    asked = await request(pair, 1, poll_timeout_ms=600_000)
    waiting = tasks.start(feed(pair).changes(asked, context()))
    await until_it_waits(pair.eu)
    await pair.eu.call("PUT", "/logs/_doc/new", {"n": 7})
    answer = await waiting
    assert [each.id for each in answer.operations] == ["new"]
    assert answer.took_ms < 60_000
    assert pair.eu.leader.polls == 0


async def test_a_read_that_waited_long_enough_is_empty_with_fresh_checkpoints(pair: Pair) -> None:
    """R-46, R-42."""
    await pair.eu.call("PUT", "/logs")
    answer = await feed(pair).changes(await request(pair, 0, poll_timeout_ms=1), context())
    assert (list(answer.operations), answer.checkpoint, answer.max_seq_no) == ([], -1, -1)


async def test_a_read_that_nobody_waits_for_any_more_ends_at_the_leader(
    pair: Pair, tasks: TaskScope
) -> None:
    """R-46: cancelling the follower's task cancels the leader's."""
    await fill(pair.eu, 1)
    asked = await request(pair, 1, poll_timeout_ms=600_000)
    waiting = tasks.start(feed(pair).changes(asked, context()))
    await until_it_waits(pair.eu)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert pair.eu.leader.polls == 0


async def test_a_change_of_the_mapping_ends_a_wait(pair: Pair, tasks: TaskScope) -> None:
    """R-36: so that it arrives without a document."""
    await fill(pair.eu, 1)
    asked = await request(pair, 1, poll_timeout_ms=600_000)
    waiting = tasks.start(feed(pair).changes(asked, context()))
    await until_it_waits(pair.eu)
    await pair.eu.call("PUT", "/logs/_mapping", {"properties": {"x": {"type": "keyword"}}})
    answer = await waiting
    assert list(answer.operations) == []
    assert answer.mapping_version == (await feed(pair).index("logs", context())).mapping_version


async def test_versions_are_those_that_fit_all_operations(pair: Pair) -> None:
    """R-31: a field of an operation is in the mapping of the version that the answer names."""
    await pair.eu.call("PUT", "/logs")
    before = await feed(pair).index("logs", context())
    await pair.eu.fill("logs", {"1": {"fresh": 1}})
    answer = await feed(pair).changes(await request(pair), context())
    assert answer.mapping_version > before.mapping_version


async def test_a_leader_that_is_closed_or_gone_says_so_to_who_waits(
    pair: Pair, tasks: TaskScope
) -> None:
    """R-37, R-38."""
    await fill(pair.eu, 1)
    asked = await request(pair, 1, poll_timeout_ms=600_000)
    waiting = tasks.start(feed(pair).changes(asked, context()))
    await until_it_waits(pair.eu)
    await pair.eu.call("POST", "/logs/_close")
    with pytest.raises(
        ClusterBlock, match=r"index \[logs\] blocked by: \[FORBIDDEN/4/index closed\]"
    ):
        await waiting
    await pair.eu.call("POST", "/logs/_open")
    waiting = tasks.start(feed(pair).changes(asked, context()))
    await until_it_waits(pair.eu)
    await pair.eu.call("DELETE", "/logs")
    with pytest.raises(IndexNotFound, match=r"no such index \[logs\]"):
        await waiting


async def test_an_index_made_anew_is_not_the_one_that_was_followed(pair: Pair) -> None:
    """R-101, R-15."""
    await fill(pair.eu, 1)
    asked = await request(pair)
    await pair.eu.call("DELETE", "/logs")
    await fill(pair.eu, 1)
    with pytest.raises(IndexNotFound, match=r"no such index \[logs\]"):
        await feed(pair).changes(asked, context())


async def test_another_history_is_refused_with_and_without_operations(pair: Pair) -> None:
    """R-49: on data and on an empty poll."""
    await fill(pair.eu, 1)
    for from_seq_no in (0, 1):
        asked = await request(pair, from_seq_no, history_uuid="another", poll_timeout_ms=1)
        with pytest.raises(IllegalState, match=r"unexpected history uuid, expected \[another\]"):
            await feed(pair).changes(asked, context())


async def test_a_promoted_leader_is_read_on_from_within_what_both_share(pair: Pair) -> None:
    """R-109: under its new name; beyond the point where it was promoted, not at all."""
    await fill(pair.eu, 3)
    asked = await request(pair, 2)
    uuid = pair.eu.indices.metadata.index("logs").uuid  # type: ignore[union-attr]
    (state,) = await pair.eu.engine.begin_history(uuid)
    await pair.eu.call("PUT", "/logs/_doc/new", {"n": 1})
    answer = await feed(pair).changes(asked, context())
    assert answer.history_uuid == state.history_uuid != asked.history_uuid
    assert [each.seq_no for each in answer.operations] == [2, 3]
    beyond = msgspec.structs.replace(asked, from_seq_no=4)
    with pytest.raises(UnexpectedHistory):
        await pair.eu.leader.changes(beyond, context())


async def test_a_leader_that_lost_operations_does_not_let_its_follower_wait(pair: Pair) -> None:
    """R-100: the follower sees a checkpoint below its own at once, or by its mark that the histories have parted."""
    await fill(pair.eu, 2)
    asked = await request(pair, 9, poll_timeout_ms=600_000)
    answer = await feed(pair).changes(asked, context())
    assert (list(answer.operations), answer.checkpoint) == ([], 1)
    mark = HistoryMark(8, 1, 1, "x", 0)
    with pytest.raises(HistoryDiverged):
        await pair.eu.leader.changes(msgspec.structs.replace(asked, previous=mark), context())


async def test_operations_given_anew_are_found_out_by_the_one_before(pair: Pair) -> None:
    """R-100: also where nothing new has come."""
    await fill(pair.eu, 2)
    first = await feed(pair).changes(await request(pair, 1), context())
    mark = mark_of(first.operations[0])
    same = await request(pair, 2, previous=mark)
    assert (await feed(pair).changes(same, context())).checkpoint == 1
    other = msgspec.structs.replace(same, previous=HistoryMark(1, 1, 1, "other", mark.wall_ms))
    with pytest.raises(IllegalState, match="the histories of leader and follower have parted"):
        await feed(pair).changes(other, context())


async def test_a_node_that_stops_lets_nobody_wait(pair: Pair, tasks: TaskScope) -> None:
    await fill(pair.eu, 1)
    asked = await request(pair, 1, poll_timeout_ms=600_000)
    waiting = tasks.start(feed(pair).changes(asked, context()))
    news = tasks.start(
        feed(pair).cluster(context(), newer_than=pair.eu.indices.metadata.version, timeout_s=600.0)
    )
    await until_it_waits(pair.eu, 2)
    pair.eu.leader.close()
    for each in (waiting, news):
        with pytest.raises(NodeClosed):
            await each


# -- copies --------------------------------------------------------------------------------------------------------


async def open_copy(pair: Pair, lease: str = "lease") -> tuple[ShardRef, Any]:
    ref = await shard(pair)
    await feed(pair).add_lease(ref, lease, NO_OPERATIONS, context())
    return ref, await feed(pair).open_copy(ref, lease, context())


async def test_a_copy_comes_by_pages_and_ends_where_it_said_it_would(pair: Pair) -> None:
    """R-43, R-66: live documents alone, once the lease is there."""
    await fill(pair.eu, 6)
    await pair.eu.call("DELETE", "/logs/_doc/1")
    await pair.eu.call("PUT", "/logs/_doc/2", {"n": 20})
    ref, start = await open_copy(pair)
    assert (start.checkpoint, start.total_docs) == (7, 5)
    (lease,) = await pair.eu.engine.leases(ref.index_uuid, 0)
    assert lease.retaining_seq_no == 7, "with the operation that the mark is of"
    assert (start.mark.seq_no, start.mark.id) == (7, "2")
    await pair.eu.call("PUT", "/logs/_doc/3?refresh=true", {"n": 30})
    seen, position = [], 0
    while position <= start.checkpoint:
        page = await feed(pair).copy(
            CopyRequest(
                shard=ref,
                from_seq_no=position,
                to_seq_no=start.checkpoint,
                max_count=2,
                max_bytes=1 << 20,
                history_uuid=start.history_uuid,
                mark=start.mark,
            ),
            context(),
        )
        seen += [(each.seq_no, each.id) for each in page.operations]
        position = page.up_to + 1
    assert seen == [(0, "0"), (4, "4"), (5, "5"), (7, "2")]
    assert page.checkpoint == 8


async def test_a_copy_needs_a_lease_of_that_shard(pair: Pair) -> None:
    """X-56: neither one of another shard nor one that nobody added."""
    await pair.eu.call("PUT", "/logs", {"settings": {"number_of_shards": 2}})
    first = await shard(pair)
    await feed(pair).add_lease(first, "mine", NO_OPERATIONS, context())
    second = msgspec.structs.replace(first, shard=1)
    with pytest.raises(LeaseNotFound, match=r"retention lease with ID \[mine\] not found"):
        await feed(pair).open_copy(second, "mine", context())
    with pytest.raises(LeaseNotFound):
        await feed(pair).open_copy(first, "other", context())


async def test_shards_and_uuids_have_to_belong_together(pair: Pair) -> None:
    """X-54, X-56: whichever the action."""
    await fill(pair.eu, 1)
    await pair.eu.call("PUT", "/other")
    ref = await shard(pair)
    other = (await feed(pair).index("other", context())).uuid
    foreign = msgspec.structs.replace(ref, index_uuid=other)
    missing = msgspec.structs.replace(ref, shard=5)
    asked = await request(pair)
    copy = CopyRequest(
        shard=ref, from_seq_no=0, to_seq_no=0, max_count=1, max_bytes=1, history_uuid="h"
    )
    one = feed(pair)
    for wrong, error in ((foreign, IndexNotFound), (missing, ShardNotFound)):
        for call in (
            one.changes(msgspec.structs.replace(asked, shard=wrong), context()),
            one.copy(msgspec.structs.replace(copy, shard=wrong), context()),
            one.open_copy(wrong, "lease", context()),
            one.documents(wrong, ["1"], "h", context()),
            one.add_lease(wrong, "lease", 0, context()),
            one.renew_lease(wrong, "lease", 0, context()),
            one.remove_lease(wrong, "lease", context()),
        ):
            with pytest.raises(error):
                await call


async def test_a_leader_that_became_an_older_copy_is_found_out_in_a_page(pair: Pair) -> None:
    """R-100: also while it is copied, though copied documents tell nothing of it."""
    await fill(pair.eu, 3)
    ref, start = await open_copy(pair)
    page = CopyRequest(
        shard=ref,
        from_seq_no=0,
        to_seq_no=2,
        max_count=10,
        max_bytes=1 << 20,
        history_uuid=start.history_uuid,
        mark=start.mark,
    )
    assert len((await feed(pair).copy(page, context())).operations) == 3
    forked = msgspec.structs.replace(page, mark=HistoryMark(2, 1, 1, "other", 5))
    with pytest.raises(IllegalState, match="have parted"):
        await feed(pair).copy(forked, context())
    lost = msgspec.structs.replace(page, to_seq_no=50, mark=None)
    with pytest.raises(IllegalState, match=r"absent: its last one is 2"):
        await feed(pair).copy(lost, context())
    other = msgspec.structs.replace(page, history_uuid="other")
    with pytest.raises(IllegalState, match="unexpected history uuid"):
        await feed(pair).copy(other, context())


async def test_a_copy_is_marked_by_an_operation_that_the_log_holds_no_more(pair: Pair) -> None:
    """R-100: however little is retained."""
    await pair.eu.call("PUT", "/logs", {"settings": {"soft_deletes.retention.operations": 0}})
    await fill(pair.eu, 3)
    ref, start = await open_copy(pair)
    assert await pair.eu.engine.log_floor(ref.index_uuid, 0) == 3
    assert (start.checkpoint, start.mark.seq_no, start.mark.id) == (2, 2, "2")
    page = CopyRequest(
        shard=ref,
        from_seq_no=0,
        to_seq_no=2,
        max_count=10,
        max_bytes=1 << 20,
        history_uuid=start.history_uuid,
        mark=HistoryMark(2, 1, 1, "other", 5),
    )
    with pytest.raises(IllegalState, match="have parted"):
        await feed(pair).copy(page, context())
    good = msgspec.structs.replace(page, mark=start.mark)
    assert len((await feed(pair).copy(good, context())).operations) == 3


async def test_an_empty_leader_is_a_copy_of_nothing(pair: Pair) -> None:
    """R-42."""
    await pair.eu.call("PUT", "/logs")
    _, start = await open_copy(pair)
    assert (start.checkpoint, start.total_docs, start.mark) == (NO_OPERATIONS, 0, None)


async def test_documents_are_found_by_id_in_their_shard_whatever_their_routing(pair: Pair) -> None:
    """R-110: what an older leader needs to return to what it was."""
    await pair.eu.call("PUT", "/logs", {"settings": {"number_of_shards": 3}})
    for number in range(20):
        await pair.eu.call("PUT", f"/logs/_doc/{number}?routing=r{number % 5}", {"n": number})
    ids = [str(number) for number in range(25)]
    found = await feed(pair).index("logs", context())
    everything: list[Operation] = []
    for number in range(3):
        ref = ShardRef(index="logs", index_uuid=found.uuid, shard=number)
        history = found.history[number].history_uuid
        everything += await feed(pair).documents(ref, ids, history, context())
    assert sorted(int(each.id) for each in everything) == list(range(20))
    assert {each.id: each.routing for each in everything}["7"] == "r2"
    assert all(each.source and each.wall_ms == 0 for each in everything)


# -- leases --------------------------------------------------------------------------------------------------------


async def test_leases_are_added_renewed_and_removed(pair: Pair) -> None:
    """R-68: source and id are those of the reference."""
    await fill(pair.eu, 3)
    ref = await shard(pair)
    one = feed(pair)
    await one.add_lease(ref, "lease", 1, context())
    with pytest.raises(
        LeaseAlreadyExists, match=r"retention lease with ID \[lease\] already exists"
    ):
        await one.add_lease(ref, "lease", 1, context())
    await one.renew_lease(ref, "lease", 2, context())
    with pytest.raises(LeaseInvalid, match=r"retaining a higher sequence number \[2\]"):
        await one.renew_lease(ref, "lease", 1, context())
    (kept,) = await pair.eu.engine.leases(ref.index_uuid, 0)
    assert (kept.id, kept.retaining_seq_no, kept.source) == ("lease", 2, "ccr")
    await one.remove_lease(ref, "lease", context())
    with pytest.raises(LeaseNotFound, match=r"retention lease with ID \[lease\] not found"):
        await one.remove_lease(ref, "lease", context())
    with pytest.raises(LeaseNotFound):
        await one.renew_lease(ref, "lease", 2, context())


def forget(**other: str) -> ForgetFollower:
    return ForgetFollower(
        **{
            "leader_index": "logs",
            "follower_cluster": "local",
            "follower_index": "copy",
            "follower_index_uuid": "u",
            "leader_remote_cluster": "eu",
            **other,
        }
    )


async def test_only_the_lease_that_is_named_is_forgotten(pair: Pair) -> None:
    """R-20, R-64."""
    await pair.eu.call("PUT", "/logs", {"settings": {"number_of_shards": 2}})
    first = await shard(pair)
    names = {
        follower: lease_id(
            follower_cluster="local",
            follower_index=follower,
            follower_uuid="u",
            alias="eu",
            leader_index="logs",
            leader_uuid=first.index_uuid,
        )
        for follower in ("copy", "other")
    }
    for number in range(2):
        for name in names.values():
            ref = msgspec.structs.replace(first, shard=number)
            await feed(pair).add_lease(ref, name, 0, context())
    answer = await pair.eu.leader.forget(forget(), context())
    assert (answer.total, answer.successful, list(answer.failures)) == (2, 2, [])
    for number in range(2):
        kept = await pair.eu.engine.leases(first.index_uuid, number)
        assert [each.id for each in kept] == [names["other"]]
    again = await pair.eu.leader.forget(forget(), context())
    assert (again.total, again.successful) == (2, 0)
    assert [(index, at, error.es_type) for index, at, error in again.failures] == [
        ("logs", 0, "retention_lease_not_found_exception"),
        ("logs", 1, "retention_lease_not_found_exception"),
    ]


async def test_a_right_on_a_data_stream_forgets_followers_of_its_indices(pair: Pair) -> None:
    """R-20: as in the reference."""
    template = {"index_patterns": ["logs-*"], "data_stream": {}, "priority": 500}
    await pair.eu.call("PUT", "/_index_template/logs", template)
    await pair.eu.call("PUT", "/_data_stream/logs-app")
    (backing,) = (each.name for each in pair.eu.indices.metadata)
    entry = IndexPrivileges(names=("logs-app",), privileges=("manage_leader_index",))
    permission = Permission(((RoleDescriptor(name="r", indices=(entry,)),),), role_names=("r",))
    ann = Subject(name="ann", realm=Realm(name="native1", type="native"), roles=("r",))
    access = SubjectAccess(ann, permission, "indices:admin/xpack/ccr/forget_follower")
    leader = LeaderService(
        indices=pair.eu.indices.followed,
        engine=pair.eu.engine,
        cluster=lambda: ClusterIdentity(name="eu", uuid="eu"),
        clock=Noon(),
        guard=lambda: access,
    )
    answer = await leader.forget(forget(leader_index=backing), context())
    assert (answer.total, answer.successful) == (1, 0)
    for name in ("other", ".ds-other-2026.11.22-000001"):
        with pytest.raises(SecurityError):
            await leader.forget(forget(leader_index=name), context())
    leader.close()


async def test_followers_are_forgotten_by_open_indices_alone(pair: Pair) -> None:
    with pytest.raises(IndexNotFound):
        await pair.eu.leader.forget(forget(), context())
    await pair.eu.call("PUT", "/logs")
    await pair.eu.call("POST", "/logs/_close")
    with pytest.raises(IndexClosed):
        await pair.eu.leader.forget(forget(), context())


async def test_operations_that_are_gone_are_named(pair: Pair) -> None:
    """R-71, R-102: with the numbers that are missing."""
    await pair.eu.call("PUT", "/logs", {"settings": {"soft_deletes.retention.operations": 0}})
    await fill(pair.eu, 3)
    uuid = pair.eu.indices.metadata.index("logs").uuid  # type: ignore[union-attr]
    if await pair.eu.engine.log_floor(uuid, 0) == 0:
        pytest.fail("nothing was trimmed: the test needs a log that is")
    with pytest.raises(ResourceNotFound, match="no longer available for replicating") as raised:
        await feed(pair).changes(await request(pair), context())
    assert raised.value.metadata["es.requested_operations_missing"][0] == "0"
