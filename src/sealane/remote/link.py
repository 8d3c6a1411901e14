"""The connections that serve one connection configuration: built with it, closed with it, never
changed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sealane.clock import Clock
from sealane.remote.config import NodeConfig, RemoteConfig, SniffConfig
from sealane.remote.dialling import Reach
from sealane.remote.gateways import Gateways
from sealane.remote.identity import PinnedIdentity
from sealane.remote.protocols import Dialer
from sealane.remote.proxy import ProxyStrategy
from sealane.remote.schedule import Backoff
from sealane.remote.sniff import ListNodes, SniffStrategy
from sealane.remote.upkeep import Strategy, Upkeep
from sealane.transport.tasks import TaskScope


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all remotes of a node work with. `chance` gives numbers in [0, 1) for pauses."""

    dialer: Dialer
    list_nodes: ListNodes
    scope: TaskScope
    clock: Clock
    chance: Callable[[], float]
    backoff: Backoff


class Link:
    """Begins its first connect round when it is made; `close` ends it at once, rounds and requests
    included.
    """

    def __init__(self, config: RemoteConfig, node: NodeConfig, around: Surroundings) -> None:
        self.gateways = Gateways(on_gain=self._gained, on_loss=self._lost)
        self.identity = PinnedIdentity()
        self.upkeep = Upkeep(
            config.alias,
            self._strategy(config, node, around),
            connect_timeout_s=config.link.connect_timeout_s,
            backoff=around.backoff,
            clock=around.clock,
            chance=around.chance,
        )
        self._task = around.scope.start(self.upkeep.run(), name=f"remote [{config.alias}]")

    def close(self) -> None:
        self._task.cancel()
        self.upkeep.close()
        self.gateways.close()

    def _gained(self) -> None:
        self.upkeep.gained()

    def _lost(self) -> None:
        self.upkeep.lost()

    def _strategy(self, config: RemoteConfig, node: NodeConfig, around: Surroundings) -> Strategy:
        reach = Reach(
            alias=config.alias,
            link=config.link,
            dialer=around.dialer,
            gateways=self.gateways,
            identity=self.identity,
        )
        if isinstance(config.reach, SniffConfig):
            return SniffStrategy(
                config.reach, reach, around.list_nodes, gateway_attribute=node.gateway_attribute
            )
        return ProxyStrategy(config.reach, reach)
