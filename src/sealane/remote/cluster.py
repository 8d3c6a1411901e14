"""One registered remote cluster: its configuration in force, and a connection to it for whoever
asks.
"""

import asyncio
from enum import StrEnum

from sealane.errors import ApiError, ConnectTransport
from sealane.model.node import ClusterIdentity, NodeInfo
from sealane.model.task import Context
from sealane.remote.config import NodeConfig, RemoteConfig
from sealane.remote.link import Link, Surroundings
from sealane.remote.protocols import NodeConnection
from sealane.remote.upkeep import UpkeepStatistics

FIRST_ROUND_WAIT_S = 5.0
"""How long a request that could do without the cluster waits for the first round after a
configuration.
"""


class Change(StrEnum):
    """What a new configuration did."""

    CONNECTED = "CONNECTED"
    DISCONNECTED = "DISCONNECTED"
    RECONNECTED = "RECONNECTED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"


class RemoteCluster:
    """Registered until `close`. Its configuration is replaced as a whole; its link when the
    connections must be.
    """

    def __init__(self, config: RemoteConfig, node: NodeConfig, around: Surroundings) -> None:
        self.config = config
        self._node = node
        self._around = around
        self._link = Link(config, node, around)

    def apply(self, config: RemoteConfig) -> Change:
        """Takes a new configuration, reconnecting where the old connections do not serve it. Never
        blocks.
        """
        before, self.config = self.config, config
        if config.connection_key() != before.connection_key():
            self._link.close()
            self._link = Link(config, self._node, self._around)
            return Change.RECONNECTED
        return Change.UNCHANGED if config == before else Change.UPDATED

    def close(self) -> None:
        self._link.close()

    @property
    def nodes(self) -> list[NodeInfo]:
        """One entry a connection; in proxy mode a node may come several times."""
        return self._link.gateways.nodes

    @property
    def identity(self) -> ClusterIdentity | None:
        """The cluster behind the alias, once it has answered."""
        return self._link.identity.cluster

    def statistics(self) -> UpkeepStatistics:
        return self._link.upkeep.statistics()

    async def connection(self, ctx: Context) -> NodeConnection:
        """The connection whose turn it is.

        With none open, a remote that may be skipped fails at once and a round is begun for the next
        request; only the first round after a configuration is waited for, some seconds at most. Any
        other remote is waited for until the round ends or the context's deadline. Raises the
        round's error, ConnectTransport, Rejected.
        """
        link = self._link
        connection = link.gateways.pick()
        if connection is not None:
            return connection
        if not self.config.skip_unavailable:
            await self._wait_round(link, ctx.deadline)
        elif not link.upkeep.first_round_ended:
            patience = link.upkeep.began_at + FIRST_ROUND_WAIT_S
            deadline = patience if ctx.deadline is None else min(patience, ctx.deadline)
            try:
                await self._wait_round(link, deadline)
            except ApiError as error:
                raise self._unreachable(error) from error
        else:
            link.upkeep.kick()
        connection = link.gateways.pick()
        if connection is None:
            raise self._unreachable(link.upkeep.failure)
        return connection

    async def _wait_round(self, link: Link, deadline: float | None) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await link.upkeep.wait_round()
        except TimeoutError:
            raise self._unreachable(link.upkeep.failure) from None

    def _unreachable(self, cause: ApiError | None) -> ApiError:
        return ConnectTransport(f"Unable to connect to [{self.config.alias}]", caused_by=cause)
