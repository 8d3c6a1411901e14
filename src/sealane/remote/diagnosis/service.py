"""The connection tests of a node: of a registered remote, or of settings that are not saved yet.

A test has connections of its own; those of the remote go on undisturbed. Only a few tests run at
once.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from sealane.errors import IllegalArgument, NoSuchRemoteCluster, Rejected
from sealane.model.node import ClusterIdentity
from sealane.remote.config import Mode, RemoteConfig
from sealane.remote.diagnosis.advice import Circumstances, advice
from sealane.remote.diagnosis.report import Failure, Report
from sealane.remote.diagnosis.run import Plan, Tools, diagnose
from sealane.remote.protocols import SettingsSource
from sealane.remote.snapshot import node_config, remote_configs
from sealane.settings import Registry, Settings, flatten
from sealane.transport.gate import LinkSecurity

TESTS_AT_ONCE_MAX = 4
_UNSAVED = "test"
"""The alias that unsaved settings are judged under; error texts show it."""


class Pinned(Protocol):
    @property
    def expected(self) -> ClusterIdentity:
        """Name and uuid, each empty where any will do."""


class Remotes(Protocol):
    def cluster(self, alias: str) -> Pinned:
        """Raises NoSuchRemoteCluster."""

    def link_security(self, alias: str) -> LinkSecurity | None:
        """How its connections are secured; None as those of the node's own transport. Raises IllegalArgument where a
        key is wanted and there is none."""

    def key_hint(self, alias: str | None) -> str:
        """What may be wrong with the keys of this node, for an alias without one; for settings that are not saved
        yet, None."""


class ConnectionTests:
    """Each call runs one test. A node without the role for remote clusters opens no connection: its
    reports say so (`is_client`)."""

    def __init__(
        self,
        source: SettingsSource,
        registry: Registry,
        *,
        remotes: Remotes,
        tools: Tools,
        node_name: str,
        is_client: bool,
    ) -> None:
        self._source = source
        self._registry = registry
        self._remotes = remotes
        self._tools = tools
        self._node_name = node_name
        self._is_client = is_client
        self._running = 0

    async def of_alias(self, alias: str, timeout_s: float) -> Report:
        """Of an enabled remote. Raises NoSuchRemoteCluster, Rejected when too many run."""
        settings = self._source.current
        config = remote_configs(settings).get(alias)
        if config is None:
            raise NoSuchRemoteCluster(alias)
        if not self._is_client:
            return self._without_role(alias, config.mode)
        expected = self._remotes.cluster(alias).expected
        try:
            self._remotes.link_security(alias)
        except IllegalArgument as error:
            return self._failed(alias, config.mode, error)
        return await self._run(config, settings, alias, timeout_s, expected)

    async def of_settings(self, body: Mapping[str, Any], timeout_s: float) -> Report:
        """Of the keys that would stand under `cluster.remote.<alias>`. Raises IllegalArgument as the
        settings do, Rejected when too many run."""
        config, settings = self._judged(body)
        if not self._is_client:
            return self._without_role(None, config.mode)
        expected = ClusterIdentity(name=config.cluster_name, uuid="")
        return await self._run(config, settings, None, timeout_s, expected)

    def _judged(self, body: Mapping[str, Any]) -> tuple[RemoteConfig, Settings]:
        prefix = f"cluster.remote.{_UNSAVED}."
        before = self._source.current.filtered(lambda key: not key.startswith(prefix))
        changes = {prefix + key: value for key, value in flatten(body).items() if value is not None}
        after = before.merged(Settings(changes))
        self._registry.validate_update(changes, before, after, kind="persistent")
        config = remote_configs(after).get(_UNSAVED)
        if config is None:
            raise IllegalArgument(
                "nothing to test: set [seeds], or [mode] to [proxy] and [proxy_address]"
            )
        return config, after

    async def _run(
        self,
        config: RemoteConfig,
        settings: Settings,
        alias: str | None,
        timeout_s: float,
        expected: ClusterIdentity,
    ) -> Report:
        if self._running >= TESTS_AT_ONCE_MAX:
            raise Rejected(f"[{TESTS_AT_ONCE_MAX}] connection tests are running on this node")
        plan = Plan(
            alias=alias,
            reach=config.reach,
            timeout_s=timeout_s,
            gateway_attribute=node_config(settings).gateway_attribute,
            expected=expected,
            security=None if alias is None else self._remotes.link_security(alias),
            key_hint=self._remotes.key_hint(alias),
        )
        self._running += 1
        try:
            return await diagnose(plan, self._tools)
        finally:
            self._running -= 1

    def _without_role(self, alias: str | None, mode: Mode) -> Report:
        return self._failed(
            alias,
            mode,
            IllegalArgument(
                f"node [{self._node_name}] does not have the [remote_cluster_client] role"
            ),
        )

    def _failed(self, alias: str | None, mode: Mode, error: IllegalArgument) -> Report:
        """Of a test that had not to open anything."""
        told = advice(error, None, Circumstances(address="", alias=alias or ""))
        return Report(
            alias=alias,
            mode=mode,
            nanos=0,
            summary=str(told),
            failure=Failure(error=error, advice=told),
            peer=None,
            targets=(),
        )
