"""The nodes of this cluster as one of them asks them: who they are, and a request to any of them."""

from collections.abc import Sequence
from typing import Protocol

from sealane.model.node import NodeInfo
from sealane.model.task import Context


class Fellows(Protocol):
    """All nodes of the cluster, this one included."""

    @property
    def local(self) -> NodeInfo:
        """This node."""

    def nodes(self) -> Sequence[NodeInfo]:
        """As last published by the master, this node among them."""

    async def ask(
        self, node: NodeInfo, action: str, payload: bytes, ctx: Context, *, timeout_s: float
    ) -> bytes:
        """The answer of that node's handler for `action`; of this node's own, without a socket,
        where it is meant itself.

        Raises what the handler raises; ConnectTransport, NodeDisconnected, ReceiveTimeout where the
        node cannot be reached.
        """
