"""What the accepted sockets of a node share: the handlers of both kinds, the requests that run, and
how much of them there may be.

Reading requests and writing answers is the channels'.
"""

import asyncio
from collections.abc import Awaitable, Callable

from sealane.clock import Clock
from sealane.errors import ApiError
from sealane.model.node import ClusterIdentity, NodeInfo
from sealane.model.task import Context, Task, TaskRegistry
from sealane.transport import faults
from sealane.transport.admission import Admission
from sealane.transport.gate import InboundGate, Profile
from sealane.transport.limits import TransportLimits
from sealane.transport.tasks import TaskScope
from sealane.wire.families.protocol import Cancel, Envelope, Wire
from sealane.wire.frame import Frame
from sealane.wire.handshake import HandshakeResponder

Handler = Callable[[bytes, Context], Awaitable[bytes]]
ForeignHandler = Callable[[bytes, Context, Wire], Awaitable[bytes]]
"""For requests of real servers: their payload and answer are written as the wire's family does."""
Local = Callable[[], tuple[NodeInfo, ClusterIdentity]]

BY_REQUESTER = "by the requesting node"
"""Why a request was cancelled: whoever asked has taken it back."""


class Dispatcher:
    """What all accepted channels of a node share: handlers, limits, and the requests that run."""

    def __init__(
        self,
        *,
        local: Local,
        release: str,
        tasks: TaskRegistry,
        clock: Clock,
        limits: TransportLimits,
        scope: TaskScope,
        admission: Admission,
    ) -> None:
        self.handlers: dict[str, Handler] = {}
        self.foreign_handlers: dict[str, ForeignHandler] = {}
        self.children: dict[tuple[str, int, str], set[InboundRequest]] = {}
        """What runs for tasks of real servers, which cancel by task and on any channel; by the key that they came by
        too, as a task's number is easily guessed.
        """
        self.local = local
        self.responder = HandshakeResponder(release)
        self.tasks = tasks
        self.clock = clock
        self.limits = limits
        self.scope = scope
        self.admission = admission
        self.gate: InboundGate | None = None
        """Says who asks; None where everybody may."""
        self.header_max_bytes = {Profile.REMOTE_CLUSTER: 64 * 1024}
        """Of a request, on the ports that have a limit of their own."""
        self.bytes_in_flight = 0
        self.bytes_receiving = 0
        self.requests_in_flight = 0

    def check_capacity(self, action: str, size: int) -> ApiError | None:
        """The refusal of a request that comes while the node stops, or that would exceed what may
        be handled at once."""
        if self.admission.closed:
            node, _ = self.local()
            return faults.node_closed(node.name, node.address)
        wanted = self.bytes_in_flight + size
        if wanted > self.limits.in_flight_max_bytes:
            return faults.in_flight_too_large(action, wanted, self.limits.in_flight_max_bytes)
        if self.requests_in_flight >= self.limits.in_flight_max_requests:
            return faults.too_many_requests(action, self.limits.in_flight_max_requests)
        return None

    def note_child(self, request: "InboundRequest", envelope: Envelope, owner: str) -> None:
        """Keeps a request of a real server under its parent task until it has been answered."""
        parent, children = (envelope.parent_node, envelope.parent_number, owner), self.children
        if not envelope.parent_node or request.job is None:
            return
        children.setdefault(parent, set()).add(request)

        def forget(_: object) -> None:
            children[parent].discard(request)
            if not children[parent]:
                del children[parent]

        request.job.add_done_callback(forget)

    def cancel_children(self, wanted: Cancel, owner: str) -> None:
        for request in list(self.children.get((*wanted.parent, owner), ())):
            if wanted.request_id in (None, request.id):
                request.cancel(BY_REQUESTER)


class InboundRequest:
    """A request being handled: the asyncio task that does, and its Task once that has started."""

    __slots__ = ("action", "cancelled", "id", "job", "scheme", "size", "task", "wire")

    def __init__(self, frame: Frame, action: str, wire: Wire) -> None:
        self.wire = wire
        self.id = frame.request_id
        self.action = action
        self.scheme = frame.scheme
        self.size = len(frame.body)
        self.job: asyncio.Task[None] | None = None
        self.task: Task | None = None
        self.cancelled = False

    def cancel(self, reason: str) -> None:
        self.cancelled = True
        if self.task is not None:
            self.task.cancel(reason)

    def stop(self, reason: str) -> None:
        """The Task has been cancelled, from wherever."""
        if self.job is not None:
            self.job.cancel()
