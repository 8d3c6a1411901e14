"""Proxy mode: open a number of sockets to one address, whatever nodes stand behind it.

One call of `fill` is one connect round. When to run it is `upkeep`'s business.
"""

from functools import partial

from sealane.errors import (
    ApiError,
    ConnectTransport,
    IllegalState,
    IOFailure,
    NodeDisconnected,
    NoSeedNodeLeft,
)
from sealane.remote.address import is_ip
from sealane.remote.config import ProxyConfig
from sealane.remote.dialling import SINGLE_CHANNEL, Reach, distinct, each_outcome
from sealane.remote.protocols import NodeConnection

_ATTEMPTS = 3
_WORTH_RETRYING = (ConnectTransport, NodeDisconnected, IOFailure, IllegalState)


class ProxyStrategy:
    """Connect rounds of one remote in proxy mode."""

    def __init__(self, config: ProxyConfig, reach: Reach) -> None:
        self._config = config
        self._reach = reach
        self.last_address = str(config.address)
        self.warnings: list[str] = []
        self._turn = 0

    @property
    def missing(self) -> int:
        """How many sockets are still wanted."""
        return max(0, self._config.socket_connections - len(self._reach.gateways))

    @property
    def dials(self) -> int:
        """How many connects in a row a round may need, for its deadline."""
        return _ATTEMPTS

    async def fill(self) -> None:
        """One round: up to three attempts, each opening all that is missing at once.

        Returns with at least one socket connected. Raises NoSeedNodeLeft with the distinct causes,
        or the cause itself where trying again cannot help (a name that does not resolve).
        """
        failures: list[ApiError] = []
        for _ in range(_ATTEMPTS):
            turns = range(self._turn, self._turn + self.missing)
            self._turn = turns.stop
            failures += await each_outcome([partial(self._open, turn) for turn in turns])
            if not self.missing:
                return
            hopeless = [error for error in failures if not isinstance(error, _WORTH_RETRYING)]
            if hopeless and not len(self._reach.gateways):
                raise hopeless[0]
        if not len(self._reach.gateways):
            raise NoSeedNodeLeft(
                f"Unable to open any proxy connections to cluster [{self._reach.alias}] "
                f"at address [{self._config.address.address}]",
                suppressed=distinct(failures),
            )

    async def _open(self, turn: int) -> None:
        address = self._config.address.address
        # A host that is a name says itself where a proxy or certificate wants a server name.
        server_name = self._config.server_name or (None if is_ip(address.host) else address.host)
        connection = await self._reach.dial(
            address, channels=SINGLE_CHANNEL, server_name=server_name, turn=turn
        )
        self._reach.keep(connection, self._check)

    def _check(self, connection: NodeConnection) -> None:
        if not self._reach.identity.is_expected_name(connection.cluster.name):
            raise ConnectTransport(
                f"[][{self._config.address.address}] handshake failed. "
                f"unexpected remote cluster name Cluster [{connection.cluster.name}]"
            )
        self._reach.identity.check(connection.cluster, connection.node)
