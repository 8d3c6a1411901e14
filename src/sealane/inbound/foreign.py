"""What this node answers real servers of other products: who the nodes of its cluster are.

A real server that registers this cluster asks for nothing else before it reports the remote as
connected.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol

from sealane.errors import ActionNotFound, IllegalArgument, IllegalState
from sealane.model.node import NodeInfo
from sealane.model.security import AuthenticationType, Subject
from sealane.model.task import Context
from sealane.security.rules import Authorize
from sealane.wire.errors import LocalProtocolError, RemoteProtocolError
from sealane.wire.families.known import FOREIGN
from sealane.wire.families.protocol import Membership, NodesAction, Wire

ForeignHandler = Callable[[bytes, Context, Wire], Awaitable[bytes]]


class ForeignRegistrar(Protocol):
    """Where handlers for real servers are registered by action name: the transport service."""

    def register_foreign(self, action: str, handler: ForeignHandler) -> None: ...


def register_foreign_handlers(
    registrar: ForeignRegistrar,
    *,
    members: Callable[[], Membership],
    remote_servers: Callable[[], Sequence[NodeInfo]] = tuple,
    authorize: Authorize,
) -> None:
    """Registers every action that any product asks for. `members` are this cluster's, as they are
    when it is called, `remote_servers` those that answer callers with a key, where they do."""

    def seen_by(subject: Subject) -> Membership:
        found = members()
        if subject.type is not AuthenticationType.CROSS_CLUSTER_ACCESS:
            return found
        return replace(found, nodes=remote_servers())

    for action in dict.fromkeys(name for wire in FOREIGN for name in wire.nodes):
        registrar.register_foreign(action, _nodes_handler(action, seen_by, authorize))


def _nodes_handler(
    action: str, members: Callable[[Subject], Membership], authorize: Authorize
) -> ForeignHandler:
    async def answer(payload: bytes, ctx: Context, wire: Wire) -> bytes:
        codec = wire.nodes.get(action)
        if codec is None:
            raise ActionNotFound(action)
        wanted = _read(codec, payload)
        authorize(ctx.subject, action, ())
        found = members(ctx.subject)
        if not wanted and ctx.subject.type is not AuthenticationType.CROSS_CLUSTER_ACCESS:
            found = Membership(cluster=found.cluster, nodes=(), master_id=None)
        try:
            return codec.response(found)
        except LocalProtocolError as wrong:
            raise IllegalState(str(wrong)) from wrong

    return answer


_REQUEST_MAX = 64 * 1024
"""Of a request for nodes, in bytes: a real one has fewer than a hundred, and reading takes time by the
item."""


def _read(codec: NodesAction, payload: bytes) -> bool:
    try:
        if len(payload) > _REQUEST_MAX:
            raise RemoteProtocolError(f"[{len(payload)}] bytes exceed [{_REQUEST_MAX}]")
        return codec.read_request(payload)
    except RemoteProtocolError as wrong:
        raise IllegalArgument(f"malformed message for action [{codec.action}]: {wrong}") from wrong
