"""A remote cluster without sockets: nodes that can be up, down or silent, and a dialer that reaches
them.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from sealane.errors import ApiError, ConnectionRefused, ConnectTransport, NodeDisconnected
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.model.task import Context, Task, TaskId
from sealane.remote.protocols import NodeConnection
from sealane.settings import Settings
from sealane.transport import ConnectionProfile
from sealane.transport.gate import LinkSecurity
from sealane.wire.families.known import WIRES
from sealane.wire.families.protocol import Membership
from sealane.wire.versions import FamilyName

WIRE_OF = {wire.name: wire for wire in WIRES.values()}

EU = ClusterIdentity(name="eu", uuid="uuid-eu")
US = ClusterIdentity(name="us", uuid="uuid-us")


def node(
    name: str, port: int, *, roles: Iterable[str] = ("data", "master"), **attributes: str
) -> NodeInfo:
    """A node at 10.0.0.1:`port`."""
    return NodeInfo(
        id=f"id-{name}",
        ephemeral_id=f"eph-{name}",
        name=name,
        address=Address("10.0.0.1", port),
        roles=tuple(roles),
        attributes=attributes,
        version="8.19.0",
    )


def address_text(info: NodeInfo) -> str:
    return str(info.address)


def context(*, deadline: float | None = None) -> Context:
    return Context(task=Task(TaskId("n", 1), "test", None, 0, ""), deadline=deadline)


Answer = Callable[[str, bytes, Context], bytes]


@dataclass
class FakeNode:
    """One node of a remote cluster, reachable at its address while `error` is None and `silent` is
    False.
    """

    info: NodeInfo
    cluster: ClusterIdentity = EU
    family: str = "sealane"
    error: ApiError | None = None
    silent: bool = False
    listed: list[NodeInfo] = field(default_factory=list)
    list_error: ApiError | None = None
    list_hangs: bool = False
    answer: Answer | None = None
    connections: list["FakeConnection"] = field(default_factory=list)

    @property
    def open_connections(self) -> list["FakeConnection"]:
        return [each for each in self.connections if each.is_open]

    def go_down(self) -> None:
        """Refuses from now on, and breaks what is open."""
        self.error = refused(self.info.address)
        for connection in self.open_connections:
            connection.break_off()


class FakeConnection:
    def __init__(
        self, owner: FakeNode, profile: ConnectionProfile, server_name: str | None
    ) -> None:
        self.owner = owner
        self.profile = profile
        self.server_name = server_name
        self.node = owner.info
        if owner.family == "opensearch":
            self.node = msgspec.structs.replace(owner.info, version="2.19.4")
        self.cluster = owner.cluster
        if owner.family != "sealane":  # their handshakes tell no more than the name
            self.cluster = ClusterIdentity(name=owner.cluster.name, uuid="")
        self.family: FamilyName = owner.family
        self.wire = WIRE_OF[owner.family]
        self.by_key = False
        self.address = owner.info.address
        self.key_expires_ms: int | None = None
        self.is_open = True
        self._callbacks: list[Callable[[NodeConnection], None]] = []
        self._cut = asyncio.Event()

    async def request(
        self, action: str, payload: bytes, ctx: Context, *, timeout_s: float | None = None
    ) -> bytes:
        if not self.is_open:
            raise self._disconnected(action)
        if action in self.wire.nodes:
            await asyncio.sleep(0)
            if self.owner.list_hangs:
                await self._cut.wait()
            if self.owner.list_error is not None:
                raise self.owner.list_error
            members = Membership(
                cluster=self.owner.cluster, nodes=self.owner.listed, master_id=None
            )
            return self.wire.nodes[action].response(members)
        if self.owner.answer is None:
            await self._cut.wait()
            raise self._disconnected(action)
        return self.owner.answer(action, payload, ctx)

    def on_close(self, callback: Callable[[NodeConnection], None]) -> Callable[[], None]:
        if not self.is_open:
            callback(self)
            return lambda: None
        self._callbacks.append(callback)

        def forget() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return forget

    def close(self) -> None:
        if not self.is_open:
            return
        self.is_open = False
        self._cut.set()
        for callback in list(self._callbacks):
            callback(self)

    def break_off(self) -> None:
        """What a dead socket does."""
        self.close()

    def _disconnected(self, action: str) -> ApiError:
        return NodeDisconnected(f"[{self.node.name}][{self.node.address}][{action}] disconnected")


class FakeDialer:
    """Reaches the nodes it knows; refuses everywhere else. `dialled` is every address in order."""

    def __init__(self, *nodes: FakeNode) -> None:
        self.by_address: dict[Address, FakeNode] = {n.info.address: n for n in nodes}
        self.accept_max = 1000
        """How many connections may be open at once; the others are refused."""
        self.errors: dict[Address, ApiError] = {}
        self.dialled: list[Address] = []
        self.dialled_at: list[float] = []
        self.connections: list[FakeConnection] = []
        self.profiles: list[ConnectionProfile] = []

    @property
    def open_connections(self) -> list[FakeConnection]:
        return [each for each in self.connections if each.is_open]

    async def connect(
        self,
        address: Address,
        profile: ConnectionProfile,
        *,
        server_name: str | None = None,
        node_name: str = "",
        security: LinkSecurity | None = None,
    ) -> FakeConnection:
        self.dialled.append(address)
        self.dialled_at.append(asyncio.get_running_loop().time())
        self.profiles.append(profile)
        await asyncio.sleep(0)
        if address in self.errors:
            raise self.errors[address]
        found = self.by_address.get(address)
        if found is None or len(self.open_connections) >= self.accept_max:
            raise refused(address)
        if found.silent:
            await asyncio.sleep(profile.connect_timeout_s)
            raise ConnectTransport(f"[][{address}] connect_timeout[{profile.connect_timeout_s:g}s]")
        if found.error is not None:
            raise found.error
        connection = FakeConnection(found, profile, server_name)
        found.connections.append(connection)
        self.connections.append(connection)
        return connection


def refused(address: Address) -> ConnectTransport:
    return ConnectTransport(
        f"[][{address}] connect_exception", caused_by=ConnectionRefused("Connection refused")
    )


def cluster_of(*infos: NodeInfo, identity: ClusterIdentity = EU) -> list[FakeNode]:
    """Nodes that name each other."""
    return [FakeNode(info, identity, listed=list(infos)) for info in infos]


class FakeSettings:
    """Settings in force, and whoever follows them."""

    def __init__(self, current: Settings) -> None:
        self.current = current
        self.subscribers: list[Callable[[Settings, Settings], None]] = []

    def subscribe(self, subscriber: Callable[[Settings, Settings], None]) -> Callable[[], None]:
        self.subscribers.append(subscriber)
        return lambda: self.subscribers.remove(subscriber)

    def change(self, new: Settings) -> None:
        old, self.current = self.current, new
        for subscriber in list(self.subscribers):
            subscriber(old, new)
