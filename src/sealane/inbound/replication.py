"""What this node answers the followers of its indices in other clusters.

An index is followed by one right, however many actions it takes (`replication.leader.rights`): an action that is part
of it is judged by reading operations, and then name by name where names become indices. Large answers are written down
beside the loop.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, Protocol

from sealane.errors import SecurityError
from sealane.inbound.actions import Action, Registrar, register_actions
from sealane.model.access import Access
from sealane.model.document import Operation
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
from sealane.remote.transport.messages_replication import (
    ADD_LEASE_MESSAGE,
    CHANGES_MESSAGE,
    COPY_MESSAGE,
    DOCUMENTS_MESSAGE,
    HISTORIES_MESSAGE,
    OPEN_COPY_MESSAGE,
    REMOVE_LEASE_MESSAGE,
    RENEW_LEASE_MESSAGE,
    STATE_MESSAGE,
    DocumentsAnswer,
    DocumentsRequest,
    HistoriesAnswer,
    HistoriesRequest,
    LeaseRequest,
    Message,
    OpenCopyRequest,
    StateAnswer,
    StateRequest,
    encode_changes_answer,
    encode_copy_answer,
    encode_documents_answer,
)
from sealane.replication.leader.rights import CHANGES, FOLLOWING, insufficient
from sealane.security.rules import Authorize

_LARGE_BYTES: Final = 256 * 1024
"""An answer below that is written down sooner than another thread begins."""

Offload = Callable[[Callable[[], bytes]], Awaitable[bytes]]
"""Runs what takes long beside the loop."""


class Leader(Protocol):
    """This cluster as a leader. Each method judges the names it is given."""

    async def histories(self, name: str, ctx: Context) -> HistoriesAnswer: ...

    async def described(self, name: str, ctx: Context) -> LeaderIndex: ...

    async def cluster(
        self, ctx: Context, *, newer_than: int | None = None, timeout_s: float = 60.0
    ) -> LeaderCluster | None: ...

    async def changes(self, request: ChangesRequest, ctx: Context) -> ChangesAnswer: ...

    async def open_copy(self, shard: ShardRef, lease_id: str, ctx: Context) -> CopyStart: ...

    async def copy(self, request: CopyRequest, ctx: Context) -> CopyAnswer: ...

    async def documents(self, request: DocumentsRequest, ctx: Context) -> DocumentsAnswer: ...

    async def add_lease(
        self, shard: ShardRef, lease_id: str, retaining_seq_no: int, ctx: Context
    ) -> None: ...

    async def renew_lease(
        self, shard: ShardRef, lease_id: str, retaining_seq_no: int, ctx: Context
    ) -> None: ...

    async def remove_lease(self, shard: ShardRef, lease_id: str, ctx: Context) -> None: ...


def register_replication_handlers(
    registrar: Registrar, *, leader: Leader, authorize: Authorize, offload: Offload
) -> None:
    """Registers all that followers ask."""
    register_actions(registrar, [_histories(leader)], partial(_may_follow, authorize))
    register_actions(registrar, [_state(leader)], authorize)
    of_the_right = [
        *_reads(leader, offload),
        *_leases(leader),
        _open_copy(leader),
    ]
    register_actions(registrar, of_the_right, partial(_by_reading, authorize))


def _by_reading(
    authorize: Authorize, subject: Subject, action: str, indices: Sequence[str]
) -> Access | None:
    return authorize(subject, CHANGES, indices)


def _may_follow(
    authorize: Authorize, subject: Subject, action: str, indices: Sequence[str]
) -> Access | None:
    """In the words of somebody who wants to follow also where nothing at all is granted. Raises SecurityError."""
    denied: list[str] = []
    cause: SecurityError | None = None
    access = None
    for each in FOLLOWING:
        try:
            access = authorize(subject, each, indices)
        except SecurityError as error:
            denied.append(each)
            cause = error
    if cause is not None:
        raise insufficient(indices[0], tuple(denied)) from cause
    return access


def _action(
    message: Message[Any, Any], answer: Callable[[Any, Context], Awaitable[bytes]]
) -> Action[Any]:
    return Action(
        name=message.action, read=message.read_request, indices=message.indices, answer=answer
    )


def _histories(leader: Leader) -> Action[Any]:
    async def answer(request: HistoriesRequest, ctx: Context) -> bytes:
        return HISTORIES_MESSAGE.encode(await leader.histories(request.index, ctx))

    return _action(HISTORIES_MESSAGE, answer)


def _state(leader: Leader) -> Action[Any]:
    async def answer(request: StateRequest, ctx: Context) -> bytes:
        if request.index is not None:
            found = StateAnswer(index=await leader.described(request.index, ctx))
        else:
            timeout_s = request.timeout_ms / 1000
            known = request.newer_than
            found = StateAnswer(
                cluster=await leader.cluster(ctx, newer_than=known, timeout_s=timeout_s)
            )
        return STATE_MESSAGE.encode(found)

    return _action(STATE_MESSAGE, answer)


def _reads(leader: Leader, offload: Offload) -> list[Action[Any]]:
    async def changes(request: ChangesRequest, ctx: Context) -> bytes:
        found = await leader.changes(request, ctx)
        return await _written(found.operations, partial(encode_changes_answer, found), offload)

    async def copy(request: CopyRequest, ctx: Context) -> bytes:
        found = await leader.copy(request, ctx)
        return await _written(found.operations, partial(encode_copy_answer, found), offload)

    async def documents(request: DocumentsRequest, ctx: Context) -> bytes:
        found = await leader.documents(request, ctx)
        return await _written(found.operations, partial(encode_documents_answer, found), offload)

    return [
        _action(CHANGES_MESSAGE, changes),
        _action(COPY_MESSAGE, copy),
        _action(DOCUMENTS_MESSAGE, documents),
    ]


async def _written(
    operations: Sequence[Operation], encode: Callable[[], bytes], offload: Offload
) -> bytes:
    size = 0
    for each in operations:
        size += len(each.source or b"")
        if size > _LARGE_BYTES:
            return await offload(encode)
    return encode()


def _open_copy(leader: Leader) -> Action[Any]:
    async def answer(request: OpenCopyRequest, ctx: Context) -> bytes:
        start = await leader.open_copy(request.shard, request.lease_id, ctx)
        return OPEN_COPY_MESSAGE.encode(start)

    return _action(OPEN_COPY_MESSAGE, answer)


def _leases(leader: Leader) -> list[Action[Any]]:
    async def add(request: LeaseRequest, ctx: Context) -> bytes:
        await leader.add_lease(request.shard, request.lease_id, request.retaining_seq_no, ctx)
        return b""

    async def renew(request: LeaseRequest, ctx: Context) -> bytes:
        await leader.renew_lease(request.shard, request.lease_id, request.retaining_seq_no, ctx)
        return b""

    async def remove(request: LeaseRequest, ctx: Context) -> bytes:
        await leader.remove_lease(request.shard, request.lease_id, ctx)
        return b""

    return [
        _action(ADD_LEASE_MESSAGE, add),
        _action(RENEW_LEASE_MESSAGE, renew),
        _action(REMOVE_LEASE_MESSAGE, remove),
    ]
