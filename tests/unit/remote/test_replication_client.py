"""A remote cluster as a leader: what its follower sends, for how long, and on what account."""

import asyncio
from typing import Any

import msgspec
import pytest

from sealane.errors import (
    IllegalArgument,
    NoSuchRemoteCluster,
    Rejected,
    TransportSerialization,
)
from sealane.model.document import Operation, OpKind
from sealane.model.replication import ChangesAnswer, LeaderIndex, ShardHistory
from sealane.model.task import Context, Task, TaskId
from sealane.remote.cluster import REPLICATING_MAX
from sealane.remote.transport import messages_replication as messages
from sealane.remote.transport.messages_replication import (
    DocumentsAnswer,
    HistoriesAnswer,
    StateAnswer,
    encode_changes_answer,
    encode_documents_answer,
)
from sealane.remote.transport.replication_client import ANSWER_S, RemoteFeeds, ReplicationClient
from sealane.testing.simulation import in_virtual_time
from tests.unit.remote.fakes import FakeDialer, FakeNode
from tests.unit.remote.registries import A, remotes, sniff
from tests.unit.remote.test_messages_replication import SHARD, asked, changes, op


def context(deadline: float | None = None) -> Context:
    return Context(task=Task(TaskId("n", 1), "test", None, 0, ""), deadline=deadline)


class Answers:
    """Answers in order; keeps what was asked."""

    def __init__(self, *answers: bytes) -> None:
        self.left = list(answers)
        self.asked: list[tuple[str, bytes, Context]] = []

    async def __call__(self, action: str, payload: bytes, ctx: Context) -> bytes:
        self.asked.append((action, payload, ctx))
        return self.left.pop(0)


def histories(uuid: str, *shards: ShardHistory) -> bytes:
    return messages.HISTORIES_MESSAGE.encode(HistoriesAnswer(uuid=uuid, shards=shards))


def state(uuid: str, **other: Any) -> bytes:
    said: dict[str, Any] = {
        "settings": {},
        "mapping": b"{}",
        "mapping_version": 1,
        "settings_version": 1,
        "aliases": {},
        "aliases_version": 1,
    }
    index = LeaderIndex(name="logs", uuid=uuid, **{**said, **other})
    return messages.STATE_MESSAGE.encode(StateAnswer(index=index))


STANDS = ShardHistory(history_uuid="h", primary_term=1, max_seq_no=3, checkpoint=3)


async def test_an_index_is_told_with_where_its_shards_stand() -> None:
    ask = Answers(histories("u", STANDS), state("u"))
    found = await ReplicationClient(ask).index("logs", context())
    assert (found.uuid, found.history) == ("u", (STANDS,))
    assert [action for action, _, _ in ask.asked] == [messages.HISTORIES, messages.STATE]


async def test_an_index_that_is_made_anew_meanwhile_is_asked_for_again() -> None:
    """Never the history of one and the mapping of another."""
    ask = Answers(histories("u", STANDS), state("v"), histories("v"), state("v"))
    found = await ReplicationClient(ask).index("logs", context())
    assert (found.uuid, found.history) == ("v", ())
    ask = Answers(*[histories("u"), state("v")] * 3)
    with pytest.raises(TransportSerialization, match=r"another index is called \[logs\]"):
        await ReplicationClient(ask).index("logs", context())


async def test_a_long_poll_may_take_as_long_as_it_says_and_a_while_more() -> None:
    ask = Answers(encode_changes_answer(changes()))
    now = asyncio.get_running_loop().time()
    await ReplicationClient(ask).changes(asked(poll_timeout_ms=60_000), context())
    deadline = ask.asked[0][2].deadline
    assert deadline is not None
    assert 60 + ANSWER_S <= deadline - now < 61 + ANSWER_S
    ask = Answers(encode_changes_answer(changes()))
    await ReplicationClient(ask).changes(asked(), context(deadline=now + 5))
    assert ask.asked[0][2].deadline == now + 5


async def test_what_does_not_fit_what_was_asked_is_not_believed() -> None:
    ask = Answers(encode_changes_answer(changes([op(9)])))
    with pytest.raises(TransportSerialization, match=r"operation \[9\] in place of \[5\]"):
        await ReplicationClient(ask).changes(asked(), context())


async def test_documents_are_asked_for_until_all_ids_are_answered() -> None:
    one, two = op(1, id="a"), op(2, id="c")
    ask = Answers(
        encode_documents_answer(DocumentsAnswer([one], 2)),
        encode_documents_answer(DocumentsAnswer([two], 1)),
    )
    found = await ReplicationClient(ask).documents(SHARD, ["a", "b", "c"], "h", context())
    assert list(found) == [one, two]
    read = messages.DOCUMENTS_MESSAGE.read_request
    assert [read(payload).ids for _, payload, _ in ask.asked] == [("a", "b", "c"), ("c",)]


async def test_all_indices_come_with_a_wait_only_where_something_is_known() -> None:
    empty = messages.STATE_MESSAGE.encode(StateAnswer())
    ask = Answers(empty, empty)
    assert await ReplicationClient(ask).cluster(context(), newer_than=4, timeout_s=9) is None
    with pytest.raises(TransportSerialization):
        await ReplicationClient(ask).cluster(context())
    read = messages.STATE_MESSAGE.read_request
    assert [read(payload).timeout_ms for _, payload, _ in ask.asked] == [9000, 0]


def leader(action: str, payload: bytes, ctx: Context) -> bytes:
    assert ctx.local_alias == "eu"
    return encode_changes_answer(changes())


@in_virtual_time
async def test_a_remote_is_followed_by_its_alias() -> None:
    async with remotes(FakeDialer(FakeNode(A, answer=leader)), sniff()) as made:
        feeds = RemoteFeeds(made)
        answer: ChangesAnswer = await feeds.feed("eu").changes(asked(), context())
        assert len(answer.operations) == 3
        with pytest.raises(NoSuchRemoteCluster):
            feeds.feed("us")


@in_virtual_time
async def test_followers_take_no_places_of_searches_and_have_a_limit_of_their_own() -> None:
    async with remotes(FakeDialer(FakeNode(A, answer=leader)), sniff()) as made:
        cluster = made.cluster("eu")
        places = [cluster.replicating() for _ in range(REPLICATING_MAX)]
        with pytest.raises(Rejected, match="rejected execution of a replication request"):
            cluster.replicating()
        assert cluster.requests_in_flight == 0
        with cluster.request():
            assert cluster.requests_in_flight == 1
        counted, timed = cluster.traffic.requests, cluster.traffic.latencies.count
        with places.pop():
            pass
        assert (cluster.traffic.requests, cluster.traffic.latencies.count) == (counted + 1, timed)


@in_virtual_time
async def test_a_remote_that_does_not_know_how_to_lead_says_so() -> None:
    async with remotes(FakeDialer(FakeNode(A, family="elasticsearch")), sniff()) as made:
        with pytest.raises(IllegalArgument, match="is not supported yet by this version"):
            await RemoteFeeds(made).feed("eu").changes(asked(), context())


def test_an_operation_is_what_a_leader_has_of_it() -> None:
    """The members in their order are the format: one may only be appended."""
    assert msgspec.structs.fields(Operation)[0].name == "seq_no"
    assert [each.name for each in msgspec.structs.fields(Operation)] == [
        "seq_no",
        "term",
        "version",
        "kind",
        "id",
        "routing",
        "source",
        "wall_ms",
    ]
    assert [kind.value for kind in OpKind] == [0, 1, 2]
