"""The open connections of one remote: which there are, whose turn it is, and who hears when one is
lost.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sealane.model.node import NodeInfo
from sealane.remote.protocols import NodeConnection


@dataclass(frozen=True, slots=True)
class Peer:
    """What the node at the other end is: its wire family and its release, for people."""

    family: str
    release: str


class Gateways:
    """Open connections, used in turn. `on_gain` is called after each that is added, `on_loss` after
    one has closed by itself.
    """

    def __init__(self, *, on_gain: Callable[[], None], on_loss: Callable[[], None]) -> None:
        self._on_gain = on_gain
        self._on_loss = on_loss
        self._open: list[NodeConnection] = []
        self._forget: dict[int, Callable[[], None]] = {}
        self._turn = 0
        self.last_peer: Peer | None = None
        """Of the connection that was added last, kept after it has gone."""
        self.key_expires_ms: int | None = None
        """The same."""
        self._closed = False

    def __len__(self) -> int:
        return len(self._open)

    @property
    def connections(self) -> tuple[NodeConnection, ...]:
        return tuple(self._open)

    @property
    def nodes(self) -> list[NodeInfo]:
        return [connection.node for connection in self._open]

    def add(self, connection: NodeConnection) -> None:
        """Takes the connection over. One that is closed already counts as lost at once."""
        if self._closed:
            connection.close()
            return
        self._open.append(connection)
        forget = connection.on_close(self._lost)
        if connection in self._open:
            self._forget[id(connection)] = forget
            self.last_peer = Peer(connection.family, connection.node.version)
            self.key_expires_ms = connection.key_expires_ms
            self._on_gain()

    def pick(self) -> NodeConnection | None:
        """The next in turn that is open, or None."""
        self._turn += 1
        count = len(self._open)
        for step in range(count):
            connection = self._open[(self._turn + step) % count]
            if connection.is_open:
                return connection
        return None

    def close(self) -> None:
        """Closes all, and whatever is added after this. `on_loss` is not called."""
        self._closed = True
        leaving, self._open = self._open, []
        for connection in leaving:
            self._unregister(connection)
            connection.close()

    def _lost(self, connection: NodeConnection) -> None:
        if connection not in self._open:
            return
        self._open.remove(connection)
        self._unregister(connection)
        self._on_loss()

    def _unregister(self, connection: NodeConnection) -> None:
        # Missing while `on_close` itself reports a connection that is closed already.
        forget = self._forget.pop(id(connection), None)
        if forget is not None:
            forget()
