"""Asking a node for the nodes of its cluster."""

import asyncio

from sealane.clock import Clock
from sealane.model.node import NodeInfo
from sealane.model.task import SYSTEM, Context, TaskRegistry
from sealane.remote.protocols import NodeConnection
from sealane.remote.transport.messages import NODES, decode_nodes

_TIMEOUT_S = 30.0


class NodesRequest:
    """Calls are requests of the node itself, each a task of its own."""

    def __init__(self, tasks: TaskRegistry, clock: Clock) -> None:
        self._tasks = tasks
        self._clock = clock

    async def __call__(self, connection: NodeConnection) -> list[NodeInfo]:
        """Raises what the other side raised, NodeDisconnected, ReceiveTimeout after 30 seconds."""
        now_ms = self._clock.now_ms()
        with self._tasks.start(NODES, start_ms=now_ms) as task:
            deadline = asyncio.get_running_loop().time() + _TIMEOUT_S
            ctx = Context(task=task, subject=SYSTEM, deadline=deadline, start_ms=now_ms)
            return decode_nodes(await connection.request(NODES, b"", ctx, timeout_s=_TIMEOUT_S))
