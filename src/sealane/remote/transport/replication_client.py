"""One remote cluster as a leader, over the transport: what its followers here ask of it.

Requests wait at the remote for operations to come, so they take no places of searches, and end when whoever asks is
cancelled: the remote is told. Who asks is in the context; what comes back is judged before it is believed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol, TypeVar

import msgspec

from sealane.errors import TransportSerialization
from sealane.model.document import Operation
from sealane.model.replication import (
    NO_OPERATIONS,
    ChangesAnswer,
    ChangesRequest,
    CopyAnswer,
    CopyRequest,
    CopyStart,
    Exactness,
    LeaderCluster,
    LeaderIndex,
    ShardRef,
)
from sealane.model.task import Context
from sealane.remote.transport.believed_leaders import (
    check_cluster,
    check_histories,
    check_index,
)
from sealane.remote.transport.believed_operations import (
    check_changes,
    check_copy,
    check_documents,
    check_start,
)
from sealane.remote.transport.messages_replication import (
    ADD_LEASE_MESSAGE,
    CHANGES_MESSAGE,
    COPY_MESSAGE,
    DOCUMENTS_MESSAGE,
    HISTORIES_MESSAGE,
    IDS_MAX,
    OPEN_COPY_MESSAGE,
    REMOVE_LEASE_MESSAGE,
    RENEW_LEASE_MESSAGE,
    STATE_MESSAGE,
    DocumentsRequest,
    HistoriesRequest,
    LeaseRequest,
    Message,
    OpenCopyRequest,
    StateRequest,
    decode_changes_answer,
    decode_copy_answer,
    decode_documents_answer,
)

ANSWER_S: Final = 60.0
"""How long an answer may take beside what the leader may wait: longer than that, and it is asked anew."""
_TRIES: Final = 3

Ask = Callable[[str, bytes, Context], Awaitable[bytes]]
Q = TypeVar("Q")
A = TypeVar("A")


class ReplicationClient:
    """Implements `replication.feed.ChangeFeed` by structure. `ask` sends an action's payload to the cluster and returns
    its answer; it raises what the cluster raised, and what reaching it does.
    """

    exactness = Exactness.OPERATIONS

    def __init__(self, ask: Ask) -> None:
        self._send = ask

    async def index(self, name: str, ctx: Context) -> LeaderIndex:
        """See ChangeFeed. Raises SecurityError where whoever asks may not follow that index, whether or not there is
        one, and IndexNotFound.
        """
        request = HistoriesRequest(index=name)
        for _ in range(_TRIES):
            payload = await self._ask(HISTORIES_MESSAGE, request, ctx)
            stands = HISTORIES_MESSAGE.read_answer(payload)
            check_histories(stands)
            payload = await self._ask(STATE_MESSAGE, StateRequest(index=name), ctx)
            found = STATE_MESSAGE.read_answer(payload).index
            if found is None:
                raise _unfit(STATE_MESSAGE, "no index")
            check_index(name, found)
            if not stands.uuid or not found.open:
                return found
            if found.uuid == stands.uuid:
                return msgspec.structs.replace(found, history=stands.shards)
        # Made anew between the two questions, and that every time.
        raise _unfit(STATE_MESSAGE, f"another index is called [{name}] each time")

    async def cluster(
        self, ctx: Context, *, newer_than: int | None = None, timeout_s: float = 60.0
    ) -> LeaderCluster | None:
        """See ChangeFeed."""
        wait_ms = 0 if newer_than is None else max(0, int(timeout_s * 1000))
        request = StateRequest(newer_than=newer_than, timeout_ms=wait_ms)
        payload = await self._ask(STATE_MESSAGE, request, ctx, waits_ms=wait_ms)
        found = STATE_MESSAGE.read_answer(payload).cluster
        if found is None and newer_than is None:
            raise _unfit(STATE_MESSAGE, "no indices")
        if found is not None:
            check_cluster(found)
        return found

    async def changes(self, request: ChangesRequest, ctx: Context) -> ChangesAnswer:
        """See ChangeFeed."""
        payload = await self._ask(CHANGES_MESSAGE, request, ctx, waits_ms=request.poll_timeout_ms)
        answer = decode_changes_answer(payload)
        check_changes(request, answer)
        return answer

    async def open_copy(self, shard: ShardRef, lease_id: str, ctx: Context) -> CopyStart:
        """See ChangeFeed."""
        request = OpenCopyRequest(shard=shard, lease_id=lease_id)
        start = OPEN_COPY_MESSAGE.read_answer(await self._ask(OPEN_COPY_MESSAGE, request, ctx))
        check_start(start)
        return start

    async def copy(self, request: CopyRequest, ctx: Context) -> CopyAnswer:
        """See ChangeFeed."""
        answer = decode_copy_answer(await self._ask(COPY_MESSAGE, request, ctx))
        check_copy(request, answer)
        return answer

    async def documents(
        self, shard: ShardRef, ids: Sequence[str], history_uuid: str, ctx: Context
    ) -> Sequence[Operation]:
        """See ChangeFeed. As many ids as there are: they are asked for in portions."""
        found: list[Operation] = []
        for at in range(0, len(ids), IDS_MAX):
            portion = tuple(ids[at : at + IDS_MAX])
            while portion:
                request = DocumentsRequest(shard=shard, ids=portion, history_uuid=history_uuid)
                answer = decode_documents_answer(await self._ask(DOCUMENTS_MESSAGE, request, ctx))
                check_documents(portion, answer)
                found += answer.operations
                portion = portion[answer.answered :]
        return found

    async def add_lease(
        self, shard: ShardRef, lease_id: str, retaining_seq_no: int, ctx: Context
    ) -> None:
        """See ChangeFeed."""
        request = LeaseRequest(shard=shard, lease_id=lease_id, retaining_seq_no=retaining_seq_no)
        await self._ask(ADD_LEASE_MESSAGE, request, ctx)

    async def renew_lease(
        self, shard: ShardRef, lease_id: str, retaining_seq_no: int, ctx: Context
    ) -> None:
        """See ChangeFeed."""
        request = LeaseRequest(shard=shard, lease_id=lease_id, retaining_seq_no=retaining_seq_no)
        await self._ask(RENEW_LEASE_MESSAGE, request, ctx)

    async def remove_lease(self, shard: ShardRef, lease_id: str, ctx: Context) -> None:
        """See ChangeFeed."""
        request = LeaseRequest(shard=shard, lease_id=lease_id, retaining_seq_no=NO_OPERATIONS)
        await self._ask(REMOVE_LEASE_MESSAGE, request, ctx)

    async def _ask(
        self, message: Message[Q, A], request: Q, ctx: Context, *, waits_ms: int = 0
    ) -> bytes:
        """`waits_ms` is how long the leader may wait before it answers."""
        until = asyncio.get_running_loop().time() + waits_ms / 1000 + ANSWER_S
        if ctx.deadline is None or until < ctx.deadline:
            ctx = replace(ctx, deadline=until)
        return await self._send(message.action, message.encode(request), ctx)


class AskableInBackground(Protocol):
    """A remote that takes any action, for as long as it may wait."""

    async def ask_in_background(self, action: str, payload: bytes, ctx: Context) -> bytes: ...


class AskableRemotes(Protocol):
    def client(self, alias: str) -> AskableInBackground: ...


class RemoteFeeds:
    """Implements `replication.feed.Feeds`: the registered remotes."""

    def __init__(self, remotes: AskableRemotes) -> None:
        self._remotes = remotes

    def feed(self, alias: str) -> ReplicationClient:
        """Raises NoSuchRemoteCluster; IllegalArgument on a node without the role `remote_cluster_client`."""
        self._remotes.client(alias)

        async def ask(action: str, payload: bytes, ctx: Context) -> bytes:
            # Looked up each time: an alias that is registered anew has another client.
            return await self._remotes.client(alias).ask_in_background(action, payload, ctx)

        return ReplicationClient(ask)


def _unfit(message: Message[Any, Any], problem: str) -> TransportSerialization:
    return TransportSerialization(f"unbelievable answer to action [{message.action}]: {problem}")
