"""What the families of real servers have in common: the parent task before each request, Java's
exceptions, and how running requests are taken back.
"""

from collections.abc import Mapping

from sealane.errors import ApiError, RemoteTransport
from sealane.wire import exceptions
from sealane.wire.compression import Scheme
from sealane.wire.families import marks
from sealane.wire.families.discovery import write_tcp_request
from sealane.wire.families.protocol import Cancel, Envelope, IdentityAction, NodesAction
from sealane.wire.families.states import StateAction
from sealane.wire.primitives import StreamInput, StreamOutput
from sealane.wire.versions import FamilyName

CANCEL_CHILD = "internal:admin/tasks/cancel_child"
"""Stops one request: parent task, its id, reason. Elasticsearch only."""
BAN = "internal:admin/tasks/ban"
"""Stops all requests of a task and refuses further ones, until it is sent again to lift that."""
CANCELS = frozenset({CANCEL_CHILD, BAN})

_REASON = "by the requesting node"


class ForeignFamily:
    """The shared half of a ForeignWire."""

    name: FamilyName
    product: str
    version: int
    shakes_hands_on_every_channel = False
    answers_cancels = True

    def __init__(self, *nodes: NodesAction, state: StateAction) -> None:
        """`nodes` are asked before the state."""
        self.nodes: Mapping[str, NodesAction] = {each.action: each for each in (*nodes, state)}
        self.actions: frozenset[str] | None = frozenset(self.nodes)
        self.identity: IdentityAction | None = state

    def tcp_request_body(self, *, mark: bool) -> bytes:
        """With the mark in either form: the second is tried when the first was not answered, and
        that may have been a Sealane node whose socket was lost."""
        payload = StreamOutput().vint(self.version)
        if mark:
            marks.write(payload, marks.FORMAT)
        return write_tcp_request(payload)

    def scheme(self, wanted: Scheme | None) -> Scheme | None:
        return wanted

    # -- requests and errors -----------------------------------------------------------------------

    def request_body(self, envelope: Envelope, payload: bytes) -> tuple[bytes, bytes]:
        parent = (envelope.parent_node, envelope.parent_number) if envelope.parent_node else None
        return StreamOutput().task_id(parent).getvalue(), payload

    def read_request(self, body: bytes | memoryview) -> tuple[Envelope, bytes]:
        source = StreamInput(body)
        parent = source.task_id()
        node, number = parent or ("", 0)
        return Envelope(node, number), source.rest()

    def error_body(self, error: ApiError, origin: str) -> bytes:
        return exceptions.error_body(RemoteTransport(origin, caused_by=error), self.version)

    def read_error(self, body: bytes | memoryview) -> ApiError:
        error = exceptions.read_error_body(body, self.version)
        # The envelope only says which node it was.
        if error.es_type == RemoteTransport.es_type and error.caused_by is not None:
            return error.caused_by
        return error

    # -- taking back -------------------------------------------------------------------------------

    def read_cancel(self, action: str, payload: bytes) -> Cancel | None:
        if action == CANCEL_CHILD:
            return _read_cancel_child(payload)
        if action == BAN:
            return _read_ban(payload)
        return None


def cancel_child_request(
    parent: tuple[str, int], request_id: int, reason: str = _REASON
) -> tuple[str, bytes]:
    body = StreamOutput().task_id(None).task_id(parent).int64(request_id).string(reason)
    return CANCEL_CHILD, body.getvalue()


def ban_request(parent: tuple[str, int], reason: str = _REASON) -> tuple[str, bytes]:
    """Does not wait until what it stops has ended."""
    out = StreamOutput().task_id(None).task_id(parent).boolean(True).string(reason)
    return BAN, out.boolean(False).getvalue()


def lift_ban_request(parent: tuple[str, int]) -> tuple[str, bytes]:
    out = StreamOutput().task_id(None).task_id(parent).boolean(False)
    return BAN, out.boolean(False).getvalue()


def _read_cancel_child(payload: bytes) -> Cancel:
    source = StreamInput(payload)
    parent, request_id = source.task_id(), source.int64()
    source.string()
    source.finish("request to cancel a child")
    return Cancel(parent or ("", -1), request_id)


def _read_ban(payload: bytes) -> Cancel | None:
    """None for a ban that is lifted: those sent here are not kept."""
    source = StreamInput(payload)
    parent, ban = source.task_id(), source.boolean()
    if ban:
        source.string()
    source.boolean()
    source.finish("ban of a task")
    return Cancel(parent or ("", -1), None) if ban else None
