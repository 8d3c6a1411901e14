"""Sniff mode: ask a seed for the cluster's nodes and connect to some of them.

One call of `fill` is one connect round. When to run it is `upkeep`'s business.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from sealane.errors import ApiError, ConnectTransport, IllegalState
from sealane.model.node import NodeInfo
from sealane.remote.config import ConfiguredAddress, SniffConfig
from sealane.remote.dialling import (
    GATEWAY_CHANNELS,
    SINGLE_CHANNEL,
    Reach,
    distinct,
    each_outcome,
)
from sealane.remote.eligible import attribute_warning, is_gateway
from sealane.remote.identity import describe
from sealane.remote.protocols import NATIVE_FAMILY, NodeConnection

_log = logging.getLogger("sealane.remote")

ListNodes = Callable[[NodeConnection], Awaitable[list[NodeInfo]]]
"""Asks a node for the nodes of its cluster."""


class SniffStrategy:
    """Connect rounds of one remote in sniff mode."""

    def __init__(
        self,
        config: SniffConfig,
        reach: Reach,
        list_nodes: ListNodes,
        *,
        gateway_attribute: str | None,
    ) -> None:
        self._config = config
        self._reach = reach
        self._list_nodes = list_nodes
        self._attribute = gateway_attribute
        self._unreached: set[str] = set()
        """Ephemeral ids of nodes whose last dial did not succeed; others are tried before them."""
        self.last_address = ""
        """The seed tried last."""
        self.warnings: list[str] = []
        """What was odd about the nodes seen last."""

    @property
    def missing(self) -> int:
        """How many gateways are still wanted."""
        return max(0, self._config.node_connections - len(self._reach.gateways))

    @property
    def dials(self) -> int:
        """How many connects in a row a round may need, for its deadline."""
        return len(self._config.seeds) + 2

    async def fill(self) -> None:
        """One round: live gateways first, for they know their cluster best; then the seeds in
        order.

        Returns with at least one gateway connected. Raises the last seed's error where there is
        none.
        """
        if await self._fill_from_gateways():
            return
        last: ApiError | None = None
        for seed in self._config.seeds:
            self.last_address = str(seed)
            try:
                await self._fill_from_seed(seed)
            except ApiError as error:
                last = error
                _log.debug(
                    "seed failed: alias=%s seed=%s error=%s", self._reach.alias, seed, error.reason
                )
            else:
                return
        if last is not None and not len(self._reach.gateways):
            raise last

    async def _fill_from_gateways(self) -> bool:
        """Connects to more of the nodes that a live gateway names. False when none could tell."""
        for gateway in self._reach.gateways.connections:
            if gateway.family != NATIVE_FAMILY:
                return True
            try:
                await self._connect(await self._list_nodes(gateway))
            except ApiError as error:
                _log.debug("gateway failed: alias=%s error=%s", self._reach.alias, error.reason)
            else:
                return True
        return False

    async def _fill_from_seed(self, seed: ConfiguredAddress) -> None:
        """Raises IllegalState when no gateway is connected after it."""
        target = self._config.proxy or seed
        connection = await self._reach.dial(target.address, channels=SINGLE_CHANNEL)
        try:
            self._reach.identity.check(connection.cluster, connection.node)
            nodes = await self._candidates(connection)
        finally:
            connection.close()
        failures = await self._connect(nodes)
        if not len(self._reach.gateways):
            raise IllegalState(
                f"Unable to open any connections to remote cluster [{self._reach.alias}]",
                suppressed=distinct(failures),
            )

    async def _candidates(self, seed: NodeConnection) -> list[NodeInfo]:
        """The seed's own node first, then the others it names.

        A seed that may be a gateway itself is enough when the list cannot be had.
        """
        own = seed.node
        if seed.family != NATIVE_FAMILY:
            return [own]
        try:
            listed = await self._list_nodes(seed)
        except ApiError:
            if not is_gateway(own, self._attribute):
                raise
            return [own]
        return [own, *(node for node in listed if node.ephemeral_id != own.ephemeral_id)]

    async def _connect(self, nodes: Sequence[NodeInfo]) -> list[ApiError]:
        """Opens gateways to eligible nodes, as many at once as are missing, until full. Returns
        what failed.
        """
        connected = {node.ephemeral_id for node in self._reach.gateways.nodes}
        waiting = [
            node
            for node in nodes
            if node.ephemeral_id not in connected and is_gateway(node, self._attribute)
        ]
        waiting.sort(key=lambda node: node.ephemeral_id in self._unreached)
        self.warnings = [text for n in nodes if (text := attribute_warning(n, self._attribute))]
        failures: list[ApiError] = []
        while waiting and self.missing:
            batch, waiting = waiting[: self.missing], waiting[self.missing :]
            failures += await each_outcome([partial(self._open, node) for node in batch])
        self._unreached &= {node.ephemeral_id for node in nodes}
        self.warnings += [error.reason for error in distinct(failures)]
        return failures

    async def _open(self, node: NodeInfo) -> None:
        address = self._config.proxy.address if self._config.proxy else node.address
        self._unreached.add(node.ephemeral_id)
        connection = await self._reach.dial(address, channels=GATEWAY_CHANNELS, node_name=node.name)
        self._reach.keep(connection, partial(self._check, node))
        self._unreached.discard(node.ephemeral_id)

    def _check(self, expected: NodeInfo, connection: NodeConnection) -> None:
        found = connection.node
        if found.ephemeral_id != expected.ephemeral_id:
            raise ConnectTransport(
                f"[{expected.name}][{expected.address}] unexpected remote node: expected "
                f"[{describe(expected)}] but found [{describe(found)}]; check that each node of the remote "
                "cluster publishes an address that leads to it"
            )
        self._reach.identity.check(connection.cluster, found)
