"""What followers in other clusters are answered, and on whose authority."""

from collections.abc import Sequence
from typing import Any

import pytest

from sealane.errors import IllegalArgument, SecurityError
from sealane.inbound.replication import register_replication_handlers
from sealane.model.access import Access
from sealane.model.document import Operation, OpKind
from sealane.model.replication import (
    ChangesAnswer,
    ChangesRequest,
    CopyAnswer,
    CopyRequest,
    CopyStart,
    LeaderCluster,
    LeaderIndex,
    ShardRef,
)
from sealane.model.security import Subject
from sealane.model.task import Context
from sealane.remote.transport import messages_replication as messages
from sealane.remote.transport.messages_replication import (
    DocumentsAnswer,
    DocumentsRequest,
    HistoriesAnswer,
    HistoriesRequest,
    LeaseRequest,
    OpenCopyRequest,
    StateRequest,
)
from sealane.security.rules import Authorize, allow_all
from tests.unit.inbound.test_handlers import Handlers, context

SHARD = ShardRef(index="logs", index_uuid="u", shard=0)
CHANGES = ChangesRequest(
    shard=SHARD,
    from_seq_no=0,
    max_count=10,
    max_bytes=1000,
    poll_timeout_ms=0,
    history_uuid="h",
)
COPY = CopyRequest(
    shard=SHARD, from_seq_no=0, to_seq_no=9, max_count=10, max_bytes=1000, history_uuid="h"
)
LEASE = LeaseRequest(shard=SHARD, lease_id="l", retaining_seq_no=3)
REQUESTS: dict[str, Any] = {
    messages.HISTORIES: HistoriesRequest(index="logs"),
    messages.STATE: StateRequest(index="logs"),
    messages.CHANGES: CHANGES,
    messages.COPY: COPY,
    messages.DOCUMENTS: DocumentsRequest(shard=SHARD, ids=("1",), history_uuid="h"),
    messages.OPEN_COPY: OpenCopyRequest(shard=SHARD, lease_id="l"),
    messages.ADD_LEASE: LEASE,
    messages.RENEW_LEASE: LEASE,
    messages.REMOVE_LEASE: LEASE,
}
REPLICATION_PAYLOADS = {
    message.action: message.encode(REQUESTS[message.action]) for message in messages.MESSAGES
}
READING = "indices:data/read/xpack/ccr/shard_changes"
LARGE = Operation(0, 1, 1, OpKind.INDEX, "1", None, b'"' + b"x" * 300_000 + b'"', 0)


class Leader:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self, operations: Sequence[Operation] = ()) -> None:
        self.asked: list[object] = []
        self._operations = operations

    async def histories(self, name: str, ctx: Context) -> HistoriesAnswer:
        self.asked.append(name)
        return HistoriesAnswer(uuid="u")

    async def described(self, name: str, ctx: Context) -> LeaderIndex:
        self.asked.append(name)
        return LeaderIndex(
            name=name,
            uuid="u",
            settings={},
            mapping=b"{}",
            mapping_version=1,
            settings_version=1,
            aliases={},
            aliases_version=1,
        )

    async def cluster(
        self, ctx: Context, *, newer_than: int | None = None, timeout_s: float = 60.0
    ) -> LeaderCluster | None:
        self.asked.append((newer_than, timeout_s))
        return None

    async def changes(self, request: ChangesRequest, ctx: Context) -> ChangesAnswer:
        self.asked.append(request)
        return ChangesAnswer(
            operations=self._operations,
            checkpoint=0,
            max_seq_no=0,
            mapping_version=1,
            settings_version=1,
            aliases_version=1,
            history_uuid="h",
            now_ms=1,
            took_ms=0,
        )

    async def open_copy(self, shard: ShardRef, lease_id: str, ctx: Context) -> CopyStart:
        self.asked.append((shard, lease_id))
        return CopyStart(checkpoint=1, history_uuid="h", total_docs=1, total_bytes=1)

    async def copy(self, request: CopyRequest, ctx: Context) -> CopyAnswer:
        self.asked.append(request)
        return CopyAnswer(
            operations=self._operations, up_to=9, checkpoint=9, mapping_version=1, total_docs=1
        )

    async def documents(self, request: DocumentsRequest, ctx: Context) -> DocumentsAnswer:
        self.asked.append(request)
        return DocumentsAnswer(list(self._operations), 1)

    async def add_lease(
        self, shard: ShardRef, lease_id: str, retaining_seq_no: int, ctx: Context
    ) -> None:
        self.asked.append(("add", lease_id, retaining_seq_no))

    async def renew_lease(
        self, shard: ShardRef, lease_id: str, retaining_seq_no: int, ctx: Context
    ) -> None:
        self.asked.append(("renew", lease_id, retaining_seq_no))

    async def remove_lease(self, shard: ShardRef, lease_id: str, ctx: Context) -> None:
        self.asked.append(("remove", lease_id))


class Offload:
    def __init__(self) -> None:
        self.works = 0

    async def __call__(self, work: Any) -> bytes:
        self.works += 1
        done: bytes = work()
        return done


def handlers(
    leader: Leader, decide: Authorize = allow_all, offload: Offload | None = None
) -> Handlers:
    made = Handlers()
    register_replication_handlers(
        made, leader=leader, authorize=decide, offload=offload or Offload()
    )
    return made


async def test_each_request_arrives_as_it_was_meant() -> None:
    leader = Leader()
    made = handlers(leader)
    for action, payload in REPLICATION_PAYLOADS.items():
        await made[action](payload, context())
    assert leader.asked == [
        "logs",
        "logs",
        CHANGES,
        COPY,
        REQUESTS[messages.DOCUMENTS],
        (SHARD, "l"),
        ("add", "l", 3),
        ("renew", "l", 3),
        ("remove", "l"),
    ]


async def test_all_indices_are_asked_for_with_how_long_to_wait() -> None:
    leader = Leader()
    payload = messages.STATE_MESSAGE.encode(StateRequest(newer_than=7, timeout_ms=1500))
    answer = await handlers(leader)[messages.STATE](payload, context())
    assert leader.asked == [(7, 1.5)]
    assert messages.STATE_MESSAGE.read_answer(answer).cluster is None


async def test_whatever_reads_is_judged_by_the_right_to_read_operations() -> None:
    """X-58: copies and leases are parts of that right, whatever else is granted."""
    seen: list[tuple[str, tuple[str, ...]]] = []

    def refuse(subject: Subject, action: str, expressions: Sequence[str]) -> Access | None:
        seen.append((action, tuple(expressions)))
        raise SecurityError("no")

    leader = Leader()
    made = handlers(leader, refuse)
    for action, payload in REPLICATION_PAYLOADS.items():
        with pytest.raises(SecurityError):
            await made[action](payload, context())
    assert seen == [
        (messages.HISTORIES, ("logs",)),
        (READING, ("logs",)),
        (messages.STATE, ("logs",)),
        *[(READING, ("logs",))] * 7,
    ]
    assert leader.asked == []


@pytest.mark.parametrize(
    ("denied", "text"),
    [
        ({messages.HISTORIES}, ", privilege for action [indices:monitor/stats] is missing"),
        ({READING}, f", privilege for action [{READING}] is missing"),
        (
            {messages.HISTORIES, READING},
            ", privilege for action [indices:monitor/stats] is missing"
            f", privilege for action [{READING}] is missing",
        ),
    ],
)
async def test_who_may_not_follow_at_all_hears_what_is_missing(denied: set[str], text: str) -> None:
    """X-57: in the reference's words."""

    def refuse(subject: Subject, action: str, expressions: Sequence[str]) -> Access | None:
        if action in denied:
            raise SecurityError("no")
        return None

    payload = REPLICATION_PAYLOADS[messages.HISTORIES]
    with pytest.raises(SecurityError) as raised:
        await handlers(Leader(), refuse)[messages.HISTORIES](payload, context())
    assert raised.value.reason == "insufficient privileges to follow index [logs]" + text
    assert raised.value.status == 403


@pytest.mark.parametrize("action", [messages.CHANGES, messages.COPY, messages.DOCUMENTS])
async def test_a_large_answer_is_written_beside_the_loop(action: str) -> None:
    for operations, works in (((), 0), ((LARGE,), 1)):
        offload = Offload()
        made = handlers(Leader(operations), offload=offload)
        await made[action](REPLICATION_PAYLOADS[action], context())
        assert offload.works == works


@pytest.mark.parametrize("action", sorted(REPLICATION_PAYLOADS))
async def test_what_is_no_request_is_refused(action: str) -> None:
    leader = Leader()
    for payload in (b"", b"\xc1", b"\x80", b"\x90"):
        if action == messages.STATE and payload == b"\x80":
            continue  # asks for everything
        with pytest.raises(IllegalArgument, match="malformed message"):
            await handlers(leader)[action](payload, context())
    assert leader.asked == []
