"""The remote clusters of this node, kept in step with the settings.

All that is known of a remote is derived from the settings snapshot in force; nothing survives from
an earlier one but the connections that still serve it. `search` sees this as its `Remotes`.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from sealane.clock import Clock
from sealane.errors import IllegalArgument, NoSuchRemoteCluster
from sealane.model.backoff import Backoff
from sealane.model.clusters import RemoteTraits
from sealane.model.task import TaskRegistry
from sealane.remote.cluster import Change, RemoteCluster
from sealane.remote.config import Model, NodeConfig, RemoteConfig
from sealane.remote.credentials import NoCredentials, RemoteSecurity
from sealane.remote.info import remote_info
from sealane.remote.link import Surroundings
from sealane.remote.pins import MemoryPins, Pins
from sealane.remote.protocols import Dialer, SettingsSource
from sealane.remote.snapshot import node_config, remote_configs
from sealane.remote.transport.client import RemoteClusterClient
from sealane.remote.transport.identity import IdentityRequest
from sealane.remote.transport.nodes import NodesRequest
from sealane.remote.upkeep import UpkeepStatistics
from sealane.settings import Settings
from sealane.settings.secure_settings import unused_credentials
from sealane.transport.gate import LinkSecurity
from sealane.transport.tasks import TaskScope, run_together

CLIENT_ROLE = "remote_cluster_client"
_NODE_SETTING_NAMES = frozenset({"node", "connections_per_cluster", "initial_connect_timeout"})
_log = logging.getLogger("sealane.remote")
_deprecations = logging.getLogger("sealane.deprecation")


class RemoteClusters:
    """Connects to every enabled remote when made (inside a running loop), follows the settings, and
    owns all connections until `close`.

    A node without the role `remote_cluster_client` follows the settings too but opens no
    connection.
    """

    def __init__(
        self,
        source: SettingsSource,
        *,
        node_name: str,
        roles: Sequence[str],
        dialer: Dialer,
        tasks: TaskRegistry,
        clock: Clock,
        chance: Callable[[], float] = random.random,
        backoff: Backoff = Backoff(),  # noqa: B008 - immutable
        pins: Pins | None = None,
        origin: Callable[[str], str | None] = lambda key: None,
        security: RemoteSecurity | None = None,
    ) -> None:
        """`pins` None keeps them in memory only; `origin` says which scope a setting in force comes
        from; without `security` no remote is reached by a key.
        """
        self._source = source
        self._security = security or RemoteSecurity(NoCredentials(), None)
        self._node_name = node_name
        self._is_client = CLIENT_ROLE in roles
        self._scope = TaskScope("remote clusters")
        self._node: NodeConfig = node_config(source.current)
        self._around = Surroundings(
            dialer=dialer,
            list_nodes=NodesRequest(tasks, clock),
            identify=IdentityRequest(tasks, clock),
            scope=self._scope,
            clock=clock,
            chance=chance,
            backoff=backoff,
            pins=MemoryPins() if pins is None else pins,
            origin=origin,
            security=self._security,
        )
        self._closed = False
        self._warned_of: frozenset[str] = frozenset()
        self._clusters: dict[str, RemoteCluster] = {}
        self._clients: dict[str, RemoteClusterClient] = {}
        self.apply(source.current)
        self._unsubscribe = source.subscribe(self._follow)
        self._security.source.on_change(self._keys_changed)

    def apply(self, settings: Settings) -> dict[str, Change]:
        """Takes the settings now in force (all scopes merged, validated). Never blocks; connects in
        the background.

        Returns what it did, by alias.
        """
        if not self._is_client:
            return {}
        wanted = {
            alias: self._with_model(config) for alias, config in remote_configs(settings).items()
        }
        changes: dict[str, Change] = {}
        for alias in [alias for alias in self._clusters if alias not in wanted]:
            self._clusters.pop(alias).close()
            del self._clients[alias]
            changes[alias] = Change.DISCONNECTED
        if changes:
            # Not before one is removed: a node that joins its cluster hears of most aliases late.
            self._around.pins.keep_only(wanted)
        for alias, config in wanted.items():
            cluster = self._clusters.get(alias)
            if cluster is None:
                cluster = self._clusters[alias] = RemoteCluster(config, self._node, self._around)
                self._clients[alias] = RemoteClusterClient(alias, cluster)
                changes[alias] = Change.CONNECTED
                self._warn_of_name(alias)
            else:
                changes[alias] = cluster.apply(config)
        for alias, change in changes.items():
            if change is not Change.UNCHANGED:
                _log.info("remote cluster connection [%s] updated: %s", alias, change)
            if change in (Change.CONNECTED, Change.RECONNECTED):
                self._warn_of_model(alias)
        self._warn_of_keys()
        return changes

    def _warn_of_model(self, alias: str) -> None:
        """Of a remote that is reached by certificate, once for each configuration."""
        by_key = self._clusters[alias].config.model is Model.API_KEY
        if self._node.security_model == Model.CERTIFICATE and not by_key:
            _deprecations.warning(
                "the remote cluster connection to [%s] is using the certificate-based security model, which is "
                "deprecated; migrate it to the API key-based security model: see docs/migrate-to-api-keys.md",
                alias,
            )

    def _warn_of_keys(self) -> None:
        """Once of each key that is for no remote cluster: most often one of the two names is misspelt."""
        unused = self.unused_keys()
        for alias in unused.keys() - self._warned_of:
            _log.warning("%s", unused[alias])
        self._warned_of = frozenset(unused)

    async def wait_first_rounds(self) -> None:
        """Returns once each remote is connected or its first connect round has failed, at the latest
        after `cluster.remote.initial_connect_timeout`. Who is not connected then is logged, and
        tried on in the background.
        """
        waited_s = self._node.initial_connect_timeout.seconds
        clusters = list(self._clusters.values())
        try:
            async with asyncio.timeout(waited_s):
                await run_together([cluster.wait_first_round() for cluster in clusters])
        except TimeoutError:
            pass
        missing = [alias for alias, cluster in self._clusters.items() if not cluster.nodes]
        if missing:
            _log.warning(
                "remote clusters not connected at the start, going on without them: %s",
                ", ".join(f"[{alias}]" for alias in missing),
            )

    def aliases(self) -> Sequence[str]:
        """All that are enabled, by name. Raises IllegalArgument on a node without the role."""
        self._check_role("the remote cluster client role enabled")
        return sorted(self._clusters)

    def client(self, alias: str) -> RemoteClusterClient:
        """Raises NoSuchRemoteCluster; IllegalArgument on a node without the role."""
        self._check_role("the remote cluster client role enabled")
        client = self._clients.get(alias)
        if client is None:
            raise NoSuchRemoteCluster(alias)
        return client

    def cluster(self, alias: str) -> RemoteCluster:
        """The registered remote itself, for other requests than a search. Raises
        NoSuchRemoteCluster.
        """
        cluster = self._clusters.get(alias)
        if cluster is None:
            raise NoSuchRemoteCluster(alias)
        return cluster

    def skip_unavailable(self, alias: str) -> bool:
        """The setting in force now. Raises NoSuchRemoteCluster."""
        return self.cluster(alias).config.skip_unavailable

    def traits(self, alias: str) -> RemoteTraits:
        """Raises NoSuchRemoteCluster."""
        config = self.cluster(alias).config
        return RemoteTraits(
            mode=config.mode.value,
            skip_unavailable=config.skip_unavailable,
            compress=config.link.compress.value,
        )

    def describe(self, *, verbose: bool = False) -> dict[str, dict[str, object]]:
        """Each remote by its alias, in the shape of `_remote/info`. Opens no connection.

        Raises IllegalArgument on a node without the role.
        """
        self._check_role(f"the [{CLIENT_ROLE}] role")
        unused, now_ms = self.unused_keys() if verbose else {}, self._around.clock.now_ms()
        return {
            alias: remote_info(
                cluster,
                self._node,
                self._around.origin,
                verbose=verbose,
                now_ms=now_ms,
                unused_keys=unused,
            )
            for alias, cluster in sorted(self._clusters.items())
        }

    def link_security(self, alias: str) -> LinkSecurity | None:
        """How the connections of an alias are secured; None as those of the node's own transport. Raises
        NoSuchRemoteCluster; IllegalArgument where a key is wanted and there is none.
        """
        return self._security.link(alias, self.cluster(alias).config.model)

    def key_hint(self, alias: str | None) -> str:
        """What may be wrong with the keys of this node, for an alias without one; empty where nothing is."""
        by_key = alias is not None and self.cluster(alias).config.key_digest is not None
        return "" if by_key else "; ".join(self.unused_keys().values())

    def unused_keys(self) -> dict[str, str]:
        """By alias: a warning for each key of the keystore that is for no remote cluster."""
        return unused_credentials(self._security.source.aliases(), frozenset(self._clusters))

    def statistics(self) -> dict[str, UpkeepStatistics]:
        """The state of each remote's connect loop."""
        return {alias: cluster.statistics() for alias, cluster in self._clusters.items()}

    async def close(self) -> None:
        """Closes all connections; requests in flight fail with NodeDisconnected."""
        self._closed = True
        self._unsubscribe()
        for cluster in self._clusters.values():
            cluster.close()
        self._clusters.clear()
        self._clients.clear()
        await self._scope.close()

    def _follow(self, old: Settings, new: Settings) -> None:
        self.apply(new)

    def _with_model(self, config: RemoteConfig) -> RemoteConfig:
        """A configuration as the keystore completes it."""
        security = self._security
        model = security.model(config.alias, config.wanted_model)
        return replace(config, model=model, key_digest=security.digest(config.alias))

    def _keys_changed(self, aliases: frozenset[str]) -> None:
        """The keystore was read again: the connections of the aliases that it is about are made anew."""
        if not self._closed:
            self.apply(self._source.current)

    def _check_role(self, what: str) -> None:
        if not self._is_client:
            raise IllegalArgument(f"node [{self._node_name}] does not have {what}")

    def _warn_of_name(self, alias: str) -> None:
        if alias in _NODE_SETTING_NAMES:
            _log.warning("remote cluster alias is also a setting's name: alias=%s", alias)
