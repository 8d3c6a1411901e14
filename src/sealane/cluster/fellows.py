"""The nodes of this cluster as one of them asks them: who they are, and a request to any of them."""

from typing import Final, Protocol

from sealane.model.node import NodeInfo
from sealane.model.task import Context

ANSWER_TIMEOUT_S: Final = 24 * 3600.0
"""For a request that takes as long as it takes: what ends it earlier is its deadline, who asked, or the loss of the
node.
"""


class Fellows(Protocol):
    """All nodes of the cluster, this one included; which they are is `ClusterNodes`' to say."""

    @property
    def local(self) -> NodeInfo:
        """This node."""

    async def ask(
        self, node: NodeInfo, action: str, payload: bytes, ctx: Context, *, timeout_s: float
    ) -> bytes:
        """The answer of that node's handler for `action`; of this node's own, without a socket,
        where it is meant itself.

        Raises what the handler raises; ConnectTransport, NodeDisconnected, ReceiveTimeout where the
        node cannot be reached.
        """
