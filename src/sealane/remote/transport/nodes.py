"""Asking a node for the nodes of its cluster, in the way that its product has."""

import asyncio

from sealane.clock import Clock
from sealane.errors import ActionNotFound, ApiError, SecurityError, TransportSerialization
from sealane.model.node import NodeInfo
from sealane.model.security import SYSTEM
from sealane.model.task import Context, TaskRegistry
from sealane.remote.protocols import NodeConnection
from sealane.wire.errors import RemoteProtocolError
from sealane.wire.families.protocol import NodesAction

_TIMEOUT_S = 30.0
_NAME_MAX = 1000
_ANSWER_MAX = 8 * 1024 * 1024
"""In bytes: over ten thousand nodes. Reading holds up everything else, and takes time by the node."""


class NodesRequest:
    """Calls are requests of the node itself, each a task of its own."""

    def __init__(self, tasks: TaskRegistry, clock: Clock) -> None:
        self._tasks = tasks
        self._clock = clock

    async def __call__(self, connection: NodeConnection) -> list[NodeInfo]:
        """The first of the wire's actions that the node knows answers.

        Raises what the other side raised, NodeDisconnected, ReceiveTimeout when 30 seconds have not
        been enough, TransportSerialization for an answer that cannot be read.
        """
        deadline = asyncio.get_running_loop().time() + _TIMEOUT_S
        unknown: ApiError | None = None
        for question in connection.wire.nodes.values():
            try:
                return await self._ask(connection, question, deadline)
            except ApiError as error:
                # A real server answers one of them only to who comes with a key, and another one to all others.
                if error.es_type not in (ActionNotFound.es_type, SecurityError.es_type):
                    raise
                unknown = error
        assert unknown is not None
        raise unknown

    async def _ask(
        self, connection: NodeConnection, question: NodesAction, deadline: float
    ) -> list[NodeInfo]:
        now_ms = self._clock.now_ms()
        action = question.action
        with self._tasks.start(action, start_ms=now_ms) as task:
            ctx = Context(task=task, subject=SYSTEM, deadline=deadline, start_ms=now_ms)
            wanted = question.request(by_key=connection.by_key)
            answer = await connection.request(action, wanted, ctx, timeout_s=_TIMEOUT_S)
        try:
            return _checked(question.read_response(of_bounded_size(answer)))
        except RemoteProtocolError as wrong:
            node = connection.node
            raise TransportSerialization(
                f"Failed to deserialize response of [{action}] from [{node.name}][{node.address}]: "
                f"{wrong}"
            ) from wrong


def of_bounded_size(answer: bytes) -> bytes:
    if len(answer) > _ANSWER_MAX:
        raise RemoteProtocolError(f"[{len(answer)}] bytes exceed [{_ANSWER_MAX}]")
    return answer


def _checked(nodes: list[NodeInfo]) -> list[NodeInfo]:
    """Names are shown to people and kept; they are a few dozen characters long."""
    longest = max((len(text) for node in nodes for text in (node.name, node.id)), default=0)
    if longest > _NAME_MAX:
        raise RemoteProtocolError(
            f"a node's name has [{longest}] characters, [{_NAME_MAX}] are read"
        )
    return nodes
