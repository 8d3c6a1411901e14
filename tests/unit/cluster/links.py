"""Connections to nodes that answer what a test says."""

from collections.abc import Awaitable, Callable

from sealane.errors import ConnectTransport, NodeDisconnected
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.model.task import Context
from sealane.transport import ConnectionProfile

Answer = Callable[[str, bytes], Awaitable[bytes]]


class FakeLink:
    """An open connection; `answer` is asked for each request."""

    def __init__(
        self, node: NodeInfo, cluster: ClusterIdentity, answer: Answer, family: str = "sealane"
    ) -> None:
        self.node = node
        self.cluster = cluster
        self.family = family
        self.is_open = True
        self.requests: list[str] = []
        self._answer = answer
        self._on_close: list[Callable[..., None]] = []

    async def request(
        self, action: str, payload: bytes, ctx: Context, *, timeout_s: float | None = None
    ) -> bytes:
        if not self.is_open:
            raise NodeDisconnected(f"[{self.node.name}][{action}] disconnected")
        self.requests.append(action)
        return await self._answer(action, payload)

    def on_close(self, callback: Callable[..., None]) -> Callable[[], None]:
        self._on_close.append(callback)
        return lambda: self._on_close.remove(callback)

    def close(self) -> None:
        self.is_open = False
        callbacks, self._on_close = self._on_close, []
        for callback in callbacks:
            callback(self)


class FakeDialer:
    """Knows what answers at which address; elsewhere nobody does. `links` are those opened, in order."""

    def __init__(self) -> None:
        self.there: dict[Address, Callable[[], FakeLink]] = {}
        self.dialled: list[Address] = []
        self.links: list[FakeLink] = []

    async def connect(
        self, address: Address, profile: ConnectionProfile, *, node_name: str = ""
    ) -> FakeLink:
        self.dialled.append(address)
        if address not in self.there:
            raise ConnectTransport(f"[{node_name}][{address}] connect_exception")
        link = self.there[address]()
        self.links.append(link)
        return link
