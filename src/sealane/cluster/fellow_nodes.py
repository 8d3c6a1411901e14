"""A request to any node of the cluster: this one's own handler, or a connection that is kept while the node is there.

Implements `Fellows`. Connections are opened when the first request needs one. Who is in the cluster is the
membership's to say.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from sealane.cluster.dialling import Dialer, NodeLink
from sealane.errors import (
    ActionNotFound,
    ApiError,
    ConnectTransport,
    NodeNotConnected,
    ReceiveTimeout,
)
from sealane.model.node import NodeInfo
from sealane.model.task import Context
from sealane.transport import ConnectionProfile, TaskScope
from sealane.wire.families.sealane import SEALANE

Handler = Callable[[bytes, Context], Awaitable[bytes]]

FELLOW_CHANNELS: Final = 6
"""Sockets to one node: what the reference keeps for ordinary requests between two nodes."""


class FellowNodes:
    """Owns its connections until `close`."""

    def __init__(
        self,
        *,
        local: Callable[[], NodeInfo],
        nodes: Callable[[], Sequence[NodeInfo]],
        dialer: Dialer,
        handler: Callable[[str], Handler | None],
        profile: ConnectionProfile,
    ) -> None:
        """`nodes` are those published last; `handler` finds this node's own by its action."""
        self._local = local
        self._nodes = nodes
        self._dialer = dialer
        self._handler = handler
        self._profile = profile
        self._scope = TaskScope("fellow nodes")
        self._links: dict[str, NodeLink] = {}
        """By ephemeral id, so that a node that started again is dialled anew."""
        self._dialling: dict[str, asyncio.Task[NodeLink | ApiError]] = {}

    @property
    def local(self) -> NodeInfo:
        return self._local()

    async def ask(
        self, node: NodeInfo, action: str, payload: bytes, ctx: Context, *, timeout_s: float
    ) -> bytes:
        """Gives up at the context's deadline or after `timeout_s`, whichever is first, while it connects too.

        Raises what the handler raises; ConnectTransport, NodeDisconnected, ReceiveTimeout.
        """
        began = asyncio.get_running_loop().time()
        until = began + timeout_s
        if ctx.deadline is not None:
            until = min(until, ctx.deadline)
        try:
            async with asyncio.timeout_at(until):
                if node.id == self.local.id:
                    return await self._ask_itself(action, payload, ctx)
                link = await self._link(node)
        except TimeoutError:
            waited_ms = int((asyncio.get_running_loop().time() - began) * 1000)
            raise ReceiveTimeout(
                f"[{node.name}][{node.address}][{action}] no answer after [{waited_ms}ms]"
            ) from None
        left_s = timeout_s - (asyncio.get_running_loop().time() - began)
        return await link.request(action, payload, ctx, timeout_s=max(0.0, left_s))

    async def _ask_itself(self, action: str, payload: bytes, ctx: Context) -> bytes:
        handler = self._handler(action)
        if handler is None:
            raise ActionNotFound(action)
        return await handler(payload, ctx)

    async def _link(self, node: NodeInfo) -> NodeLink:
        link = self._links.get(node.ephemeral_id)
        if link is not None and link.is_open:
            return link
        dialling = self._dialling.get(node.ephemeral_id)
        if dialling is None:
            known = self._published(node)
            # At the address it has here: whoever names a node must not choose where this one dials.
            dialling = self._scope.start(self._dial(known), name=f"fellow {known.name}")
            self._dialling[node.ephemeral_id] = dialling
        # Shared: one asker that gives up does not end it for the others.
        outcome = await asyncio.shield(dialling)
        if isinstance(outcome, ApiError):
            raise outcome
        return outcome

    def _published(self, node: NodeInfo) -> NodeInfo:
        """The node as it is in the cluster now. Raises NodeNotConnected where it is not."""
        for each in self._nodes():
            if each.ephemeral_id == node.ephemeral_id:
                return each
        raise NodeNotConnected(f"[{node.name}][{node.address}] Node not connected")

    async def _dial(self, node: NodeInfo) -> NodeLink | ApiError:
        try:
            link = await self._dialer.connect(node.address, self._profile, node_name=node.name)
            if link.family != SEALANE.name or link.node.ephemeral_id != node.ephemeral_id:
                link.close()
                raise ConnectTransport(
                    f"[{node.name}][{node.address}] another node answers there: [{link.node.name}]"
                )
            try:
                self._published(node)  # it may have left meanwhile, and nobody would close this
            except NodeNotConnected:
                link.close()
                raise
            self._links[node.ephemeral_id] = link
            link.on_close(lambda _: self._lost(node.ephemeral_id, link))
            return link
        except ApiError as error:
            return error
        finally:
            del self._dialling[node.ephemeral_id]

    def _lost(self, ephemeral_id: str, link: NodeLink) -> None:
        if self._links.get(ephemeral_id) is link:
            del self._links[ephemeral_id]

    def members_changed(self) -> None:
        """Closes the connections to nodes that are no longer in the cluster."""
        here = {node.ephemeral_id for node in self._nodes()}
        for ephemeral_id in [each for each in self._links if each not in here]:
            self._links.pop(ephemeral_id).close()

    def drop(self, node: NodeInfo) -> None:
        """Closes the connection to a node that does not answer any more; what waits for it fails. A later request
        connects anew.
        """
        link = self._links.pop(node.ephemeral_id, None)
        if link is not None:
            link.close()

    async def close(self) -> None:
        await self._scope.close()
        links, self._links = self._links, {}
        for link in links.values():
            link.close()
