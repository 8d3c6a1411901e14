"""What the nodes of one cluster need of the transport, as they see it: something that dials, and what that gives."""

from collections.abc import Callable
from typing import Protocol

from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.model.task import Context
from sealane.transport import ConnectionProfile


class NodeLink(Protocol):
    """An open connection to a node that has said who it is."""

    @property
    def node(self) -> NodeInfo: ...

    @property
    def cluster(self) -> ClusterIdentity: ...

    @property
    def family(self) -> str: ...

    @property
    def is_open(self) -> bool: ...

    async def request(
        self, action: str, payload: bytes, ctx: Context, *, timeout_s: float | None = None
    ) -> bytes:
        """The answer's bytes. Raises what the other side raised, NodeDisconnected, ReceiveTimeout."""

    def on_close(self, callback: Callable[..., None]) -> Callable[[], None]:
        """Runs `callback(connection)` once when it is gone, at once if it is. Returns how to unregister."""

    def close(self) -> None:
        """Requests in flight fail with NodeDisconnected."""


class Dialer(Protocol):
    async def connect(
        self, address: Address, profile: ConnectionProfile, *, node_name: str = ""
    ) -> NodeLink:
        """Raises ConnectTransport, IllegalState, IllegalArgument for a name that does not resolve."""
