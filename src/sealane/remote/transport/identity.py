"""Asking a real server for the uuid of its cluster, which its handshake does not tell: a remote is
pinned by it.
"""

import logging
from typing import Final

from sealane.clock import Clock
from sealane.errors import ApiError
from sealane.model.node import ClusterIdentity
from sealane.model.security import SYSTEM
from sealane.model.task import Context, TaskRegistry
from sealane.remote.protocols import NodeConnection
from sealane.remote.transport.nodes import of_bounded_size
from sealane.wire.errors import RemoteProtocolError

TIMEOUT_S: Final = 5.0
"""The answer takes a few milliseconds, and a connection waits for it."""

_log = logging.getLogger("sealane.remote")


class IdentityRequest:
    """Calls are requests of the node itself, each a task of its own."""

    def __init__(self, tasks: TaskRegistry, clock: Clock) -> None:
        self._tasks = tasks
        self._clock = clock

    async def __call__(self, connection: NodeConnection) -> None:
        """Completes `connection.cluster`. It stays without a uuid where that cannot be had: a server
        may refuse the request, and is known by its name then.
        """
        question = connection.wire.identity
        if question is None or connection.cluster.uuid:
            return
        now_ms = self._clock.now_ms()
        try:
            with self._tasks.start(question.action, start_ms=now_ms) as task:
                ctx = Context(task=task, subject=SYSTEM, start_ms=now_ms)
                answer = await connection.request(
                    question.action, question.identity_request(), ctx, timeout_s=TIMEOUT_S
                )
            told = question.read_identity(of_bounded_size(answer))
        except (ApiError, RemoteProtocolError) as error:
            _log.debug("cluster uuid not told: node=%s error=%s", connection.node.name, error)
            return
        connection.cluster = ClusterIdentity(name=connection.cluster.name, uuid=told.uuid)
