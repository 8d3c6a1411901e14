"""What reaching another cluster needs from below, as it sees it: something that dials, and what
that gives.
"""

from collections.abc import Callable
from typing import Protocol

from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.model.task import Context
from sealane.settings import Settings
from sealane.transport import ConnectionProfile
from sealane.transport.gate import LinkSecurity
from sealane.wire.families.protocol import Wire
from sealane.wire.families.sealane import SEALANE

NATIVE_FAMILY = SEALANE.name
"""The wire family of our own nodes."""


class NodeConnection(Protocol):
    """An open, handshaken connection to one node; all of its channels live and die together."""

    cluster: ClusterIdentity
    """The cluster that node belongs to. `uuid` is empty where its product does not tell it in the
    handshake, until whoever dialled has asked for it."""

    @property
    def node(self) -> NodeInfo:
        """Who answered the handshake."""

    @property
    def family(self) -> str:
        """The wire family: `sealane`, `elasticsearch`, `opensearch`."""

    @property
    def wire(self) -> Wire:
        """How this node's answers to anything but a search are asked for and read."""

    @property
    def address(self) -> Address:
        """Where it was dialled."""

    @property
    def by_key(self) -> bool:
        """Whether this side came with a key, to a port that is for those."""

    @property
    def key_expires_ms(self) -> int | None:
        """When that key ends, where the node has told."""

    @property
    def is_open(self) -> bool: ...

    async def request(
        self, action: str, payload: bytes, ctx: Context, *, timeout_s: float | None = None
    ) -> bytes:
        """The answer's bytes. Raises what the other side raised, NodeDisconnected, ReceiveTimeout."""

    def on_close(self, callback: Callable[["NodeConnection"], None]) -> Callable[[], None]:
        """Runs `callback(connection)` once when it is gone, at once if it is. Returns how to
        unregister."""

    def close(self) -> None:
        """Closes all channels; requests in flight fail with NodeDisconnected."""


class Dialer(Protocol):
    async def connect(
        self,
        address: Address,
        profile: ConnectionProfile,
        *,
        server_name: str | None = None,
        node_name: str = "",
        security: LinkSecurity | None = None,
    ) -> NodeConnection:
        """Opens all channels and shakes hands within the profile's connect timeout.

        `node_name` is how errors call the node. Without `security` the connection has that of the node's own.

        Raises ConnectTransport, IllegalState, or IllegalArgument for a name that does not resolve;
        nothing stays open then, nor when it is cancelled.
        """


class SettingsSource(Protocol):
    """Where the settings in force come from; all scopes merged, and validated."""

    @property
    def current(self) -> Settings: ...

    def subscribe(self, subscriber: Callable[[Settings, Settings], None], /) -> Callable[[], None]:
        """Calls `subscriber(old, new)` after each change. Returns how to stop it."""
