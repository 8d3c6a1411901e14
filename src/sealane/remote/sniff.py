"""Sniff mode: ask a seed for the cluster's nodes and connect to some of them.

One call of `fill` is one connect round. When to run it is `upkeep`'s business.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from sealane.errors import ApiError, IllegalState
from sealane.model.node import Address, NodeInfo
from sealane.remote.config import ConfiguredAddress, SniffConfig
from sealane.remote.dialling import (
    GATEWAY_CHANNELS,
    SINGLE_CHANNEL,
    Reach,
    distinct,
    each_outcome,
)
from sealane.remote.eligible import (
    address_warning,
    attribute_warning,
    is_gateway,
    version_warning,
)
from sealane.remote.identity import check_node
from sealane.remote.kept_errors import bounded
from sealane.remote.protocols import NodeConnection

_REMEMBERED_MAX = 4
"""Addresses of former gateways that are tried when no seed answers."""
_DIALS_MAX = 100
"""Of listed nodes that one round dials; the next round goes on behind them. Whoever answers as a seed
decides what is listed: it must not have this node call thousands of addresses in a row."""
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
        self._remembered: list[ConfiguredAddress] = []
        self._failed_rounds = 0
        self._unreached: dict[str, int] = {}
        """When nodes, by ephemeral id, were dialled without success. Others are tried before them, and
        the one that has waited longest is the first of them."""
        self._dialled = 0
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
        return len(self._config.seeds) + len(self._remembered) + 2

    async def fill(self) -> None:
        """One round: live gateways first, for they know their cluster best; then the seeds in
        order, then nodes that were gateways before: seeds must not be a single point of failure.

        Returns with at least one gateway connected. Raises the last seed's error where there is
        none.
        """
        if await self._fill_from_gateways():
            return
        last = await self._fill_from(self._config.seeds)
        if last is None or len(self._reach.gateways):
            return
        self._failed_rounds += 1
        seed = self.last_address
        known = {configured.address for configured in self._config.seeds}
        more = [each for each in self._remembered if each.address not in known]
        if more and await self._fill_from(more) is None:
            return
        self.last_address = seed
        raise last

    async def _fill_from(self, seeds: Sequence[ConfiguredAddress]) -> ApiError | None:
        """Tries one after the other until one succeeds; else returns the last one's error."""
        last: ApiError | None = None
        for seed in seeds:
            self.last_address = str(seed)
            try:
                await self._fill_from_seed(seed)
            except ApiError as error:
                last = error
                _log.debug(
                    "seed failed: alias=%s seed=%s error=%s", self._reach.alias, seed, error.reason
                )
            else:
                return None
        return last

    async def _fill_from_gateways(self) -> bool:
        """Connects to more of the nodes that a live gateway names. False when none could tell."""
        for gateway in self._reach.gateways.connections:
            try:
                await self._connect(await self._list_nodes(gateway), gateway)
            except ApiError as error:
                _log.debug("gateway failed: alias=%s error=%s", self._reach.alias, error.reason)
            else:
                return True
        return False

    async def _fill_from_seed(self, seed: ConfiguredAddress) -> None:
        """Raises IllegalState when no gateway is connected after it."""
        target = self._config.proxy or seed
        # Another address of the same name next time: the first may take connections and be no node.
        connection = await self._reach.dial(
            target.address, channels=SINGLE_CHANNEL, turn=self._failed_rounds
        )
        try:
            self._reach.identity.check(connection.cluster, connection.node)
            nodes = await self._candidates(connection)
        finally:
            connection.close()
        failures = await self._connect(nodes, connection)
        if not len(self._reach.gateways):
            raise IllegalState(
                f"Unable to open any connections to remote cluster [{self._reach.alias}]",
                suppressed=distinct(failures),
            )

    async def _candidates(self, seed: NodeConnection) -> list[NodeInfo]:
        """The seed's own node first, then the others it names.

        A seed that may be a gateway itself is enough when the list cannot be had, unless this side comes with a key:
        only the list says where nodes answer those.
        """
        own = seed.node
        try:
            listed = await self._list_nodes(seed)
        except ApiError:
            if seed.by_key or not is_gateway(own, self._attribute):
                raise
            return [own]
        if seed.by_key:
            return sorted(listed, key=lambda node: node.ephemeral_id != own.ephemeral_id)
        return [own, *(node for node in listed if node.ephemeral_id != own.ephemeral_id)]

    async def _connect(self, nodes: Sequence[NodeInfo], teller: NodeConnection) -> list[ApiError]:
        """Opens gateways to eligible nodes, as many at once as are missing, until full. Returns
        what failed.
        """
        family, unsafe = teller.family, self._unsafe(nodes, teller)
        connected = {node.ephemeral_id for node in self._reach.gateways.nodes}
        waiting = [
            node
            for node in nodes
            if node.ephemeral_id not in connected
            and is_gateway(node, self._attribute)
            and version_warning(node, family) is None
            and node.ephemeral_id not in unsafe
        ]
        waiting.sort(key=lambda node: self._unreached.get(node.ephemeral_id, 0))
        waiting = waiting[:_DIALS_MAX]
        odd = ((attribute_warning(n, self._attribute), version_warning(n, family)) for n in nodes)
        self.warnings = [text for each in odd for text in each if text] + [*unsafe.values()]
        failures: list[ApiError] = []
        while waiting and self.missing:
            batch, waiting = waiting[: self.missing], waiting[self.missing :]
            failures += await each_outcome([partial(self._open, node) for node in batch])
        listed = {node.ephemeral_id for node in nodes}
        self._unreached = {node: when for node, when in self._unreached.items() if node in listed}
        self.warnings += [error.reason for error in distinct(failures)]
        self.warnings = bounded(self.warnings)
        return failures

    def _unsafe(self, nodes: Sequence[NodeInfo], teller: NodeConnection) -> dict[str, str]:
        """By ephemeral id: why nodes are not dialled that `teller` names. All are where one proxy leads to them,
        or where no key is shown to anybody."""
        if self._config.proxy is not None or not teller.by_key:
            return {}
        warnings = {node.ephemeral_id: address_warning(node, teller.address) for node in nodes}
        return {node: text for node, text in warnings.items() if text is not None}

    async def _open(self, node: NodeInfo) -> None:
        address = self._config.proxy.address if self._config.proxy else node.address
        self._dialled += 1
        self._unreached[node.ephemeral_id] = self._dialled
        connection = await self._reach.dial(address, channels=GATEWAY_CHANNELS, node_name=node.name)
        self._reach.keep(connection, partial(self._check, node))
        self._unreached.pop(node.ephemeral_id, None)
        self._remember(address)

    def _remember(self, address: Address) -> None:
        fresh = ConfiguredAddress(str(address), address)
        others = [each for each in self._remembered if each != fresh]
        self._remembered = [fresh, *others][:_REMEMBERED_MAX]

    def _check(self, expected: NodeInfo, connection: NodeConnection) -> None:
        check_node(expected, connection.node)
        self._reach.identity.check(connection.cluster, connection.node)
