"""The connections that serve one connection configuration: built with it, closed with it, never
changed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sealane.clock import Clock
from sealane.model.backoff import Backoff
from sealane.remote.config import NodeConfig, RemoteConfig, SniffConfig
from sealane.remote.credentials import RemoteSecurity
from sealane.remote.dialling import Identify, Reach
from sealane.remote.gateways import Gateways
from sealane.remote.identity import PinnedIdentity
from sealane.remote.pins import Pins
from sealane.remote.protocols import Dialer
from sealane.remote.proxy import ProxyStrategy
from sealane.remote.sniff import ListNodes, SniffStrategy
from sealane.remote.upkeep import Strategy, Upkeep
from sealane.transport.tasks import TaskScope


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all remotes of a node work with. `chance` gives numbers in [0, 1) for pauses; `origin`
    says which scope of the settings a key in force comes from, None where it is not set.
    """

    dialer: Dialer
    list_nodes: ListNodes
    identify: Identify
    scope: TaskScope
    clock: Clock
    chance: Callable[[], float]
    backoff: Backoff
    pins: Pins
    origin: Callable[[str], str | None]
    security: RemoteSecurity


class Link:
    """Begins its first connect round when it is made; `close` ends it at once, rounds and requests
    included.
    """

    def __init__(
        self,
        config: RemoteConfig,
        node: NodeConfig,
        around: Surroundings,
        on_gain: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_gain` is called with each connection that is opened."""
        self._on_gain = on_gain
        self.gateways = Gateways(on_gain=self._gained, on_loss=self._lost)
        self.identity = PinnedIdentity(
            expected_name=config.cluster_name,
            known_uuid=around.pins.uuid(config.alias, config.addresses),
            on_uuid=partial(around.pins.pin, config.alias, config.addresses),
        )
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
        self._on_gain()

    def _lost(self) -> None:
        self.upkeep.lost()

    def _strategy(self, config: RemoteConfig, node: NodeConfig, around: Surroundings) -> Strategy:
        reach = Reach(
            alias=config.alias,
            link=config.link,
            dialer=around.security.dialer(config.alias, config.model, around.dialer),
            identify=around.identify,
            gateways=self.gateways,
            identity=self.identity,
        )
        if isinstance(config.reach, SniffConfig):
            return SniffStrategy(
                config.reach, reach, around.list_nodes, gateway_attribute=node.gateway_attribute
            )
        return ProxyStrategy(config.reach, reach)
