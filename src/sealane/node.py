"""The composition root: which parts make a node, how they are joined, and in which order they start and stop."""

import gc
import ipaddress
import logging
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from sealane.clock import RandomIds, SystemClock
from sealane.cluster.documents import Documents
from sealane.cluster.identity import DataFolder
from sealane.cluster.indices import IndexService
from sealane.cluster.nodes import LocalNode
from sealane.cluster.serial import Serial
from sealane.cluster.settings_service import ClusterSettings
from sealane.cluster.sqlite_store import SqliteStateStore
from sealane.engine.embedded import search as searcher
from sealane.engine.embedded.engine import EmbeddedEngine
from sealane.errors import IOFailure
from sealane.inbound import register_handlers
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.model.task import TaskRegistry
from sealane.query import decode, parse_query
from sealane.remote import REMOTE_RULES, REMOTE_SETTINGS, RemoteClusters
from sealane.rest import msearch, search
from sealane.rest.app import Limits, RestApp
from sealane.rest.routes import standard_routes
from sealane.rest.server import HttpServer
from sealane.rest.services import Build, Services
from sealane.search.coordinator import SearchService
from sealane.search.defaults import SettingsDefaults
from sealane.search.local import LocalCluster
from sealane.security.rules import authorize
from sealane.settings import EMPTY, Registry, Settings
from sealane.settings import node_settings as keys
from sealane.settings.file import node_settings, parse_overrides, read_file
from sealane.transport import AsyncioNetwork, TaskScope, TransportService

_log = logging.getLogger("sealane.node")

OPENSEARCH_NUMBER = "2.19.4"
"""The version shown with `http.face: opensearch`, unless a setting says another."""

GC_ALLOCATIONS = 50_000
"""Objects made, less those freed, before the garbage collector looks at the young ones; Python's own is 700."""

SWITCH_INTERVAL_S = 0.0005
"""How long a thread may keep the interpreter while another waits. tantivy gives it up at every call, so with Python's
5 ms each call of a bulk would wait that long beside a busy loop (docs/benchmarks.md has the figures)."""


class StartError(Exception):
    """The node may not start as it is configured. The message says what to change."""


def registry() -> Registry:
    """Every setting a node knows, and the rules between them."""
    return Registry((*keys.NODE_SETTINGS, *REMOTE_SETTINGS), REMOTE_RULES)


def load_settings(config: Path | None, overrides: Sequence[str]) -> Settings:
    """The node's settings from its file and the command line, judged. Raises ApiError, StartError."""
    given = parse_overrides(overrides)
    file = _config_file(config, given)
    settings = node_settings(EMPTY if file is None else read_file(file), given, os.environ.get)
    registry().validate(settings)
    if keys.SECURITY_ENABLED.get(settings):
        raise StartError(
            "xpack.security.enabled is [true], but this version has no security yet: set it to false, and keep the "
            "node on loopback addresses"
        )
    if keys.REMOTE_CLUSTER_SERVER_ENABLED.get(settings):
        raise StartError("remote_cluster_server.enabled needs security, which this version has not")
    for setting in (keys.HTTP_HOST, keys.TRANSPORT_HOST):
        for host in setting.get(settings):
            _require_loopback(setting.key, _resolved(host))
    return settings


def _config_file(config: Path | None, given: Settings) -> Path | None:
    """The file named, else `sealane.yml` in the folder that `path.conf` names or in the user's own, if it is there."""
    if config is not None:
        return config
    if keys.PATH_CONF.is_set(given):
        return Path(keys.PATH_CONF.get(given)) / "sealane.yml"
    usual = Path("~/.config/sealane/sealane.yml").expanduser()
    return usual if usual.exists() else None


class Node:
    """One node. `start` brings it up as a whole or not at all; `close` takes it down from any state."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._http = Address("", 0)
        self._transport = Address("", 0)
        self._identity = ClusterIdentity(name=keys.CLUSTER_NAME.get(settings), uuid="")
        self._info: NodeInfo | None = None

    async def start(self) -> None:
        """Raises ApiError for state that cannot be read and addresses that cannot be bound."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        settings, stack = self._settings, self._stack
        clock, ids = SystemClock(), RandomIds()
        executor = ThreadPoolExecutor(keys.ENGINE_THREADS.get(settings), "sealane-engine")
        stack.callback(executor.shutdown)
        folder = DataFolder.open(Path(keys.PATH_DATA.get(settings)), ids)
        stack.callback(folder.close)
        store = await SqliteStateStore.open(folder.path / "state.sqlite", executor)
        stack.push_async_callback(store.close)
        self._identity = await folder.cluster(store, self._identity.name, ids)
        serial = Serial()
        cluster_settings = ClusterSettings(
            store=store, registry=registry(), node=settings, serial=serial
        )
        await cluster_settings.load()
        indices = IndexService(
            store=store,
            settings=cluster_settings,
            serial=serial,
            clock=clock,
            ids=ids,
            check_filter=lambda raw: parse_query(decode(raw)),
        )
        await indices.load()
        engine = EmbeddedEngine(
            folder.path / "indices",
            clock=clock,
            ids=ids,
            mappings=indices,
            searcher=searcher,
            executor=executor,
        )
        stack.push_async_callback(engine.close)
        await stack.enter_async_context(serial)  # changes under way end before the engine closes
        await engine.remove_orphans(indices.known_uuids())
        background = await stack.enter_async_context(TaskScope("node"))
        background.start(engine.run(), name="refresh")
        await indices.start(engine)
        background.start(indices.opened.reopen_failed(), name="reopen")

        node_id = folder.ids.node_id
        tasks = TaskRegistry(node_id)
        transport = TransportService(
            local=lambda: (self.info, self._identity),
            network=AsyncioNetwork(),
            tasks=tasks,
            clock=clock,
        )
        stack.push_async_callback(transport.close)
        defaults = SettingsDefaults(cluster_settings)
        local = LocalCluster(
            indices=indices,
            reader=engine,
            node_id=node_id,
            defaults=defaults,
        )
        register_handlers(transport, local=local, nodes=lambda: [self.info], authorize=authorize)
        self._transport = await _listen(transport, settings)
        self._info = _node_info(settings, folder, self._transport)

        remotes = RemoteClusters(
            cluster_settings,
            node_name=self.info.name,
            roles=self.info.roles,
            dialer=transport,
            tasks=tasks,
            clock=clock,
        )
        stack.push_async_callback(remotes.close)

        searches = SearchService(
            local=local,
            remotes=remotes,
            max_buckets=defaults.max_buckets,
        )
        max_content_length = keys.HTTP_MAX_CONTENT_LENGTH.get(settings)
        services = Services(
            documents=Documents(indices, engine, engine),
            indices=indices,
            settings=cluster_settings,
            remotes=remotes,
            cluster=LocalNode(
                identity=self._identity, node=self.info, http=lambda: self._http, clock=clock
            ),
            tasks=tasks,
            clock=clock,
            build=_build(settings),
            max_content_length=max_content_length,
            unopened=lambda: tuple(indices.opened.failed),
        )
        app = RestApp(
            [*search.routes(searches), *msearch.routes(searches), *standard_routes(services)],
            tasks=tasks,
            clock=clock,
            limits=Limits(max_content_length=max_content_length),
            product_header=keys.HTTP_FACE.get(settings) is keys.Face.ELASTICSEARCH,
        )
        await stack.enter_async_context(app)
        http = await stack.enter_async_context(HttpServer(app))
        self._http = await http.start(_host(settings, keys.HTTP_HOST), keys.HTTP_PORT.get(settings))
        _settle_memory()
        _log.info("started node [%s] of cluster [%s]", self.info.name, self._identity.name)

    @property
    def info(self) -> NodeInfo:
        """Who this node is; known once it listens."""
        assert self._info is not None, "the node has not started"
        return self._info

    def ready_line(self) -> Mapping[str, Any]:
        """What `sealane start` prints when the node is ready: who it is and where it listens."""
        return {
            "event": "ready",
            "cluster_name": self._identity.name,
            "cluster_uuid": self._identity.uuid,
            "node_name": self.info.name,
            "node_id": self.info.id,
            "http": str(self._http),
            "transport": str(self._transport),
            "pid": os.getpid(),
            "security": False,
        }

    async def close(self) -> None:
        """Stops in the opposite order: no new requests, then the engine's commit, then the folder's lock."""
        await self._stack.aclose()


def _settle_memory() -> None:
    """What the start made stays: the garbage collector leaves it out, and comes less often.

    A bulk of 1,000 documents makes tens of thousands of objects and hardly a cycle: 5 us a document saved.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS, 10, 10)


async def _listen(transport: TransportService, settings: Settings) -> Address:
    host, port = _host(settings, keys.TRANSPORT_HOST), keys.TRANSPORT_PORT.get(settings)
    try:
        return await transport.listen(host, port)
    except OSError as error:
        address = Address(host, port)
        raise IOFailure(f"cannot listen for transport on [{address}]: {error.strerror}") from error


def _node_info(settings: Settings, folder: DataFolder, address: Address) -> NodeInfo:
    name = keys.NODE_NAME.get(settings) if keys.NODE_NAME.is_set(settings) else socket.gethostname()
    return NodeInfo(
        id=folder.ids.node_id,
        ephemeral_id=folder.ids.ephemeral_id,
        name=name,
        address=address,
        roles=keys.NODE_ROLES.get(settings),
        attributes={
            each: keys.NODE_ATTR.get(settings, each) for each in keys.NODE_ATTR.namespaces(settings)
        },
        version=keys.VERSION_NUMBER.get(settings),
    )


def _build(settings: Settings) -> Build:
    """What `GET /` says we are: by default the release whose behaviour is ours."""
    if keys.HTTP_FACE.get(settings) is keys.Face.ELASTICSEARCH:
        return Build(number=keys.VERSION_NUMBER.get(settings))
    shown = keys.VERSION_NUMBER.is_set(settings)
    number = keys.VERSION_NUMBER.get(settings) if shown else OPENSEARCH_NUMBER
    return Build(number=number, distribution="opensearch")


def _host(settings: Settings, setting: Any) -> str:
    hosts: tuple[str, ...] = setting.get(settings)
    return _resolved(hosts[0]) if hosts else "127.0.0.1"


def _resolved(host: str) -> str:
    return {"_local_": "127.0.0.1", "_local:ipv4_": "127.0.0.1", "_local:ipv6_": "::1"}.get(
        host, host
    )


def _require_loopback(key: str, host: str) -> None:
    """Design rule: without security a node is reachable from its own machine only."""
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None)}
    except OSError as error:
        raise StartError(f"[{key}]: cannot resolve [{host}]: {error.strerror}") from error
    if not all(ipaddress.ip_address(str(each)).is_loopback for each in found):
        raise StartError(
            f"[{key}]: [{host}] is not a loopback address, and without security a node listens on those only"
        )
