"""A node of a remote cluster that is reached through another node there, which passes requests on."""

from typing import Protocol

from sealane.cluster.relay import encode_relayed, relay_action
from sealane.model.node import NodeInfo
from sealane.model.task import Context
from sealane.remote.protocols import NodeConnection


class NodeRoute(Protocol):
    """A way to one node: its own connection, or another node's help."""

    @property
    def node(self) -> NodeInfo: ...

    async def request(
        self, action: str, payload: bytes, ctx: Context, *, timeout_s: float | None = None
    ) -> bytes:
        """The node's answer. Raises what it raised, and what its connection does."""


class RelayedRoute:
    """Requests to `node` go to a gateway as `internal:transport/proxy/<action>`."""

    def __init__(self, node: NodeInfo, gateway: NodeConnection) -> None:
        self.node = node
        self._gateway = gateway

    async def request(
        self, action: str, payload: bytes, ctx: Context, *, timeout_s: float | None = None
    ) -> bytes:
        """Raises besides NodeNotConnected where the gateway knows no such node, ActionNotFound for an action that it
        does not pass on.
        """
        message = encode_relayed(self.node, payload)
        return await self._gateway.request(relay_action(action), message, ctx, timeout_s=timeout_s)
