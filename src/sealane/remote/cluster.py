"""One registered remote cluster: its configuration in force, and a connection to it for whoever
asks.
"""

import asyncio
from enum import StrEnum

from sealane.errors import ApiError, ConnectTransport, Rejected
from sealane.model.node import ClusterIdentity, NodeInfo
from sealane.model.task import Context
from sealane.remote.breaker import Breaker, BreakerStatistics
from sealane.remote.config import NodeConfig, RemoteConfig
from sealane.remote.gateways import Peer
from sealane.remote.in_flight import InFlight
from sealane.remote.link import Link, Surroundings
from sealane.remote.protocols import NodeConnection
from sealane.remote.relayed import NodeRoute, RelayedRoute
from sealane.remote.traffic import Background, Traffic, UnderWay
from sealane.remote.upkeep import UpkeepStatistics

NEEDED_WAIT_S = 10.0
"""How long a request that cannot do without the cluster waits for a connect round. A round may take
longer, for a firewall that drops packets costs a connect timeout; it goes on without the request.
"""
FIRST_ROUND_WAIT_S = 5.0
"""How long a request that could do without the cluster waits for the first round after a
configuration.
"""
REPLICATING_MAX = 5_000
"""Requests of followers to one remote: each shard of one has a dozen at most, and most wait for operations to come."""


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
        self._breaker = Breaker(config.alias)
        self.traffic = Traffic()
        """Since it was registered."""
        self._link = Link(config, node, around, on_gain=self._reconnected)
        self._in_flight = InFlight(config.alias)
        self._replicating = InFlight(config.alias, what="a replication request", setting="")

    def apply(self, config: RemoteConfig) -> Change:
        """Takes a new configuration, reconnecting where the old connections do not serve it. Never
        blocks.
        """
        before, self.config = self.config, config
        if config.connection_key() != before.connection_key():
            self._link.close()
            self._breaker.reset()
            self._link = Link(config, self._node, self._around, on_gain=self._reconnected)
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

    @property
    def expected(self) -> ClusterIdentity:
        """What every connection is checked against: the name and uuid known so far, empty where
        anything will do."""
        return self._link.identity.expected

    @property
    def last_peer(self) -> Peer | None:
        """What the node connected last is, once there was one."""
        return self._link.gateways.last_peer

    @property
    def key_expires_ms(self) -> int | None:
        """When the key ends by which it is reached, as the node has told that was connected last."""
        return self._link.gateways.key_expires_ms

    def statistics(self) -> UpkeepStatistics:
        return self._link.upkeep.statistics()

    def request(self, *, guarded: bool = True) -> UnderWay:
        """The place of one request, held as long as it is under way: `with cluster.request(): ...`.

        Raises RemoteUnavailable while the remote is not asked because it keeps failing, unless the request is not
        `guarded`; Rejected where it has as many under way as it may.
        """
        config, breaker = self.config, self._breaker
        now = asyncio.get_running_loop().time()
        if guarded:
            breaker.check(now)
        try:
            place = self._in_flight.enter(config.max_in_flight_requests)
        except Rejected:
            breaker.given_up(now)
            raise
        limit, pause_s = config.breaker_failures, config.breaker_pause_s
        return UnderWay(place, self.traffic, breaker, limit, pause_s)

    def replicating(self) -> Background:
        """The place of one request of a follower, as `request` gives one. Most wait at the remote for what comes next,
        so they leave ordinary requests their places, and their times say nothing of how quick the remote is.

        Raises Rejected above the limit.
        """
        place = self._replicating.enter(REPLICATING_MAX)
        config = self.config
        limit, pause_s = config.breaker_failures, config.breaker_pause_s
        return Background(place, self.traffic, self._breaker, limit, pause_s)

    def search_deadline(self, ctx: Context) -> float | None:
        """The loop time until which a search may take there: the context's, or that of `search_timeout`."""
        limit_s = self.config.search_timeout_s
        if limit_s is None:
            return ctx.deadline
        return _sooner(asyncio.get_running_loop().time() + limit_s, ctx.deadline)

    @property
    def breaker(self) -> BreakerStatistics:
        return self._breaker.statistics(asyncio.get_running_loop().time())

    def _reconnected(self) -> None:
        self._breaker.reconnected(asyncio.get_running_loop().time())

    @property
    def requests_in_flight(self) -> int:
        return len(self._in_flight)

    async def wait_first_round(self) -> None:
        """Returns once it is connected, or its first connect round has failed."""
        if not len(self._link.gateways) and not self._link.upkeep.first_round_ended:
            try:
                await self._link.upkeep.wait_round()
            except ApiError:
                return  # the loop has logged why, and `_remote/info` shows it

    async def connection(self, ctx: Context, *, may_wait: bool = True) -> NodeConnection:
        """The connection whose turn it is.

        With none open, a remote that may be skipped fails at once and a round is begun for the next
        request; only the first round after a configuration is waited for, some seconds at most. Any
        other remote is waited for until the round ends, ten seconds have passed or the context's
        deadline, unless the caller may not wait: then it is treated as one that may be skipped.
        Raises the error of the round, or of the one before where that one still runs;
        ConnectTransport, Rejected.
        """
        link = self._link
        connection = link.gateways.pick()
        if connection is not None:
            return connection
        if may_wait and not self.config.skip_unavailable:
            patience = asyncio.get_running_loop().time() + NEEDED_WAIT_S
            await self._wait_round(link, _sooner(patience, ctx.deadline), as_unreachable=False)
        elif not link.upkeep.first_round_ended:
            patience = link.upkeep.began_at + FIRST_ROUND_WAIT_S
            await self._wait_round(link, _sooner(patience, ctx.deadline), as_unreachable=True)
        else:
            link.upkeep.kick()
        connection = link.gateways.pick()
        if connection is None:
            raise self._unreachable(link.upkeep.failure or link.upkeep.failure_so_far())
        return connection

    async def route_to(self, node: NodeInfo, ctx: Context) -> NodeRoute:
        """A way to that node of the remote: its own connection where it is a gateway, else through the
        gateway whose turn it is, which in proxy mode is always so. Raises as `connection` does.
        """
        for connection in self._link.gateways.connections:
            if connection.is_open and connection.node.ephemeral_id == node.ephemeral_id:
                return connection
        return RelayedRoute(node, await self.connection(ctx))

    async def _wait_round(self, link: Link, deadline: float, *, as_unreachable: bool) -> None:
        """Raises the round's error, as it is or as the cause of one that names the remote."""
        try:
            async with asyncio.timeout_at(deadline):
                await link.upkeep.wait_round()
        except TimeoutError:
            before = link.upkeep.failure
            if before is not None and not as_unreachable:
                raise ApiError.from_wire(before.to_wire()) from None
            raise self._unreachable(link.upkeep.failure_so_far()) from None
        except ApiError as error:
            if as_unreachable:
                raise self._unreachable(error) from error
            raise

    def _unreachable(self, cause: ApiError | None) -> ApiError:
        return ConnectTransport(f"Unable to connect to [{self.config.alias}]", caused_by=cause)


def _sooner(time: float, deadline: float | None) -> float:
    return time if deadline is None else min(time, deadline)
