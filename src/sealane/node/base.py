"""What every node has, whatever it holds: its folder and name, its tasks, the transport, and the way to remotes and
to HTTP clients.
"""

import socket
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack

from sealane.clock import RandomIds, SystemClock
from sealane.cluster.fellow_nodes import FELLOW_CHANNELS, FellowNodes
from sealane.cluster.fellows import Fellows
from sealane.cluster.identity import DataFolder
from sealane.cluster.node_reports import NodeReport
from sealane.cluster.nodes import ClusterNodes
from sealane.cluster.published import Member
from sealane.errors import IOFailure
from sealane.inbound import (
    register_foreign_handlers,
    register_report_handler,
    register_task_handlers,
)
from sealane.inbound.cluster import register_relay_handlers
from sealane.inbound.secure_settings import register_reload_handler
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.model.security import Secret
from sealane.model.task import TaskRegistry
from sealane.node.audit_log import open_audit
from sealane.node.config import config_folder, connection_profile, published, registry
from sealane.node.hosts import bind_hosts, ports_to_try, preferred, publish_host
from sealane.node.keystore import secure_reload
from sealane.node.tls import NodeTls
from sealane.remote import Pins, RemoteClusters
from sealane.remote.credentials import RemoteSecurity
from sealane.remote.diagnosis import ConnectionTests, Tools
from sealane.remote.protocols import SettingsSource
from sealane.remote.registry import CLIENT_ROLE
from sealane.remote.server_settings import BIND_HOST as REMOTE_BIND_HOST
from sealane.remote.server_settings import PUBLISH_HOST as REMOTE_PUBLISH_HOST
from sealane.remote.server_settings import PUBLISH_PORT as REMOTE_PUBLISH_PORT
from sealane.remote.transport.identity import IdentityRequest
from sealane.remote.transport.nodes import NodesRequest
from sealane.rest.app import Limits, RestApp
from sealane.rest.audited_changes import with_audit
from sealane.rest.gate import Gate
from sealane.rest.http_connections import HttpLimits
from sealane.rest.router import Route
from sealane.rest.server import HttpServer, address_of, bind_http
from sealane.rest.services import Build
from sealane.search.async_search import AsyncLimits, AsyncSearches
from sealane.search.coordinator import SearchService
from sealane.security.rules import Authorize, allow_all
from sealane.settings import Settings
from sealane.settings import node_settings as keys
from sealane.settings.audit_settings import AUDIT_ENABLED, wanted_events
from sealane.settings.discovery_settings import (
    HTTP_PUBLISH_HOST,
    HTTP_PUBLISH_PORT,
    TRANSPORT_PUBLISH_HOST,
    TRANSPORT_PUBLISH_PORT,
)
from sealane.settings.secure_settings import SecureSettings
from sealane.settings.tcp_settings import TRANSPORT_TCP
from sealane.transport import AsyncioNetwork, TaskScope, TransportService
from sealane.transport.gate import Profile
from sealane.wire.families.protocol import Membership as ForeignMembership

OPENSEARCH_NUMBER = "2.19.4"
"""The version shown with `http.face: opensearch`, unless a setting says another."""


class Base:
    """The parts are made as the node needs them, and closed by `stack` in the opposite order."""

    def __init__(self, settings: Settings, folder: DataFolder, stack: AsyncExitStack) -> None:
        self.settings = settings
        self.folder = folder
        self.stack = stack
        self.clock = SystemClock()
        self.ids = RandomIds()
        self.identity = ClusterIdentity(name=keys.CLUSTER_NAME.get(settings), uuid="")
        self.node_id = folder.ids.node_id
        self.tasks = TaskRegistry(self.node_id)
        self.bound: list[Address] = []
        """Where the transport listens."""
        self.bound_http: list[Address] = []
        self.bound_remote_cluster: list[Address] = []
        """Where it answers remote clusters that come with a key."""
        self.report = NodeReport()
        """What this node says of itself, filled as its parts are made."""
        self._server: HttpServer | None = None
        self.max_content_length = keys.HTTP_MAX_CONTENT_LENGTH.get(settings)
        self.tls = NodeTls(settings, config_folder(settings), self.clock)
        self.secure = SecureSettings(settings.secrets)
        """What the keystore holds, as it was read last."""
        self.audit = open_audit(settings, self.node_id, self.clock, stack)
        self.authorize: Authorize = allow_all
        """Who may do what here; with security it is set before anything is registered."""
        self.remote_security: RemoteSecurity | None = None
        """How remotes are reached by a key; None where none is."""
        self.made_password: Secret | None = None
        """The password of `elastic` that was made up at this start, to be told once."""
        self.gate: Gate | None = None
        """Who asks over HTTP; None where everybody may."""
        self.transport = TransportService(
            local=lambda: (self.info, self.identity),
            network=AsyncioNetwork(TRANSPORT_TCP.read(settings)),
            tasks=self.tasks,
            clock=self.clock,
            client_tls=None if self.tls.transport is None else self.tls.transport.client,
        )
        self._info: NodeInfo | None = None
        self._http_sockets: list[socket.socket] = []

    @property
    def info(self) -> NodeInfo:
        """Who this node is; known once it listens."""
        assert self._info is not None, "the node has not started"
        return self._info

    @property
    def address(self) -> Address:
        """The bound address of the transport that others are told; known once it listens."""
        return preferred(self.bound)

    @property
    def http(self) -> Address:
        """The same of HTTP; known once its port is bound."""
        return preferred(self.bound_http)

    def member(self) -> Member:
        """This node as it is shown to others; without HTTP addresses before those are bound."""
        http = ""
        if self.bound_http:
            http = str(published(self.settings, self.http, HTTP_PUBLISH_HOST, HTTP_PUBLISH_PORT))
        return Member(
            node=self.info,
            http=http,
            bound_http=tuple(map(str, self.bound_http)),
            bound_transport=tuple(map(str, self.bound)),
            max_content_length=self.max_content_length,
            remote_cluster=self._remote_cluster(),
            bound_remote_cluster=tuple(map(str, self.bound_remote_cluster)),
        )

    def _remote_cluster(self) -> Address | None:
        if not self.bound_remote_cluster:
            return None
        bound, settings = preferred(self.bound_remote_cluster), self.settings
        named = REMOTE_PUBLISH_HOST.get(settings) if REMOTE_PUBLISH_HOST.is_set(settings) else ()
        number = REMOTE_PUBLISH_PORT.get(settings)
        return Address(
            publish_host(named[0] if named else bound.host), bound.port if number < 0 else number
        )

    def audit_by(self, source: SettingsSource) -> None:
        """Which events are audited follows the settings from here on."""
        self.audit.set_wanted(wanted_events(source.current))
        stop = source.subscribe(lambda old, new: self.audit.set_wanted(wanted_events(new)))
        self.stack.callback(stop)

    def fellows(self, nodes: Callable[[], Sequence[NodeInfo]]) -> FellowNodes:
        """Requests to the nodes of the cluster, which `nodes` says."""
        fellows = FellowNodes(
            local=lambda: self.info,
            nodes=nodes,
            dialer=self.transport,
            handler=self.transport.handler,
            profile=connection_profile(self.settings, channels=FELLOW_CHANNELS),
        )
        self.stack.push_async_callback(fellows.close)
        return fellows

    async def listen(self) -> None:
        """Opens the transport's ports. Handlers are registered before. Raises IOFailure, StartError."""
        self.stack.push_async_callback(self.transport.close)
        if self.tls.watch.groups:
            background = await self.stack.enter_async_context(TaskScope("certificates"))
            background.start(self.tls.watch.run(), name="certificates")
        for host in bind_hosts(self.settings, keys.TRANSPORT_HOST):
            self.bound.append(await self._listen_on(host))
        if keys.REMOTE_CLUSTER_SERVER_ENABLED.get(self.settings):
            await self._listen_for_remotes()
        publish = published(
            self.settings, self.address, TRANSPORT_PUBLISH_HOST, TRANSPORT_PUBLISH_PORT
        )
        self._info = _node_info(self.settings, self.folder, publish)

    async def _listen_for_remotes(self) -> None:
        """Opens the ports for remote clusters that come with a key."""
        tls, bound = self.tls.remote_server, self.bound_remote_cluster
        for host in bind_hosts(self.settings, REMOTE_BIND_HOST):
            (port, *_) = ports_to_try(keys.REMOTE_CLUSTER_PORT.get(self.settings), bound)
            try:
                bound.append(
                    await self.transport.listen(
                        host,
                        port,
                        tls=None if tls is None else tls.server,
                        profile=Profile.REMOTE_CLUSTER,
                    )
                )
            except OSError as error:
                raise IOFailure(
                    f"cannot listen for remote clusters on [{Address(host, port)}]: {error.strerror}"
                ) from error

    async def _listen_on(self, host: str) -> Address:
        tls, failure = self.tls.transport, None
        for port in ports_to_try(keys.TRANSPORT_PORT.get(self.settings), self.bound):
            try:
                return await self.transport.listen(
                    host, port, tls=None if tls is None else tls.server
                )
            except OSError as error:
                failure = error
                failed = Address(host, port)
        assert failure is not None
        raise IOFailure(
            f"cannot listen for transport on [{failed}]: {failure.strerror}"
        ) from failure

    def register_membership(self, cluster: ClusterNodes, fellows: Fellows) -> None:
        """What every node answers about its cluster: to real servers of other clusters, and to those that cannot reach
        one of its fellows.
        """
        register_foreign_handlers(
            self.transport,
            members=lambda: ForeignMembership(
                cluster=self.identity,
                nodes=cluster.nodes(),
                master_id=cluster.master_id or None,
            ),
            remote_servers=cluster.remote_servers,
            authorize=self.authorize,
        )
        register_relay_handlers(self.transport, fellows=fellows, authorize=self.authorize)
        register_report_handler(self.transport, report=self.report, authorize=self.authorize)
        register_reload_handler(
            self.transport,
            reload=secure_reload(config_folder(self.settings), registry(), self.secure),
            authorize=self.authorize,
        )
        register_task_handlers(
            self.transport,
            tasks=self.tasks,
            clock=self.clock,
            nodes=lambda: list(cluster.nodes()),
            fellows=fellows,
            authorize=self.authorize,
        )

    def remotes(
        self,
        source: SettingsSource,
        *,
        pins: Pins | None = None,
        origin: Callable[[str], str | None] = lambda key: None,
    ) -> RemoteClusters:
        """The remote clusters that `source` names, connected from here on."""
        remotes = RemoteClusters(
            source,
            node_name=self.info.name,
            roles=self.info.roles,
            dialer=self.transport,
            tasks=self.tasks,
            clock=self.clock,
            pins=pins,
            origin=origin,
            security=self.remote_security,
        )
        self.stack.push_async_callback(remotes.close)
        return remotes

    def async_searches(self, searches: SearchService, limits: AsyncLimits) -> AsyncSearches:
        """The asynchronous searches that clients begin on this node, ended with it."""
        made = AsyncSearches(
            searches, tasks=self.tasks, clock=self.clock, ids=self.ids, limits=limits
        )
        self.stack.push_async_callback(made.close)
        return made

    def connection_tests(self, source: SettingsSource, remotes: RemoteClusters) -> ConnectionTests:
        """The tests of `_remote/<alias>/_test`, with connections of their own."""
        return ConnectionTests(
            source,
            registry(),
            remotes=remotes,
            tools=Tools(
                dialer=self.transport,
                list_nodes=NodesRequest(self.tasks, self.clock),
                identify=IdentityRequest(self.tasks, self.clock),
                local=lambda: self.identity,
                now=time.perf_counter,
            ),
            node_name=self.info.name,
            is_client=CLIENT_ROLE in self.info.roles,
        )

    def build(self) -> Build:
        """What `GET /` says we are: by default the release whose behaviour is ours."""
        settings = self.settings
        if keys.HTTP_FACE.get(settings) is keys.Face.ELASTICSEARCH:
            return Build(number=keys.VERSION_NUMBER.get(settings))
        shown = keys.VERSION_NUMBER.is_set(settings)
        number = keys.VERSION_NUMBER.get(settings) if shown else OPENSEARCH_NUMBER
        return Build(number=number, distribution="opensearch")

    async def app(self, routes: Iterable[Route], *, elsewhere: Route | None = None) -> RestApp:
        """The REST interface, without a socket. See RestApp for `elsewhere`."""
        app = RestApp(
            with_audit(routes, self.audit) if AUDIT_ENABLED.get(self.settings) else routes,
            tasks=self.tasks,
            clock=self.clock,
            limits=Limits(max_content_length=self.max_content_length),
            product_header=keys.HTTP_FACE.get(self.settings) is keys.Face.ELASTICSEARCH,
            elsewhere=elsewhere,
            gate=self.gate,
        )
        return await self.stack.enter_async_context(app)

    def bind_http(self) -> None:
        """Takes the HTTP ports, so that others may be told; they answer from `serve` on. Raises IOFailure and
        StartError.
        """
        for host in bind_hosts(self.settings, keys.HTTP_HOST):
            listener = self._bind_on(host)
            self.stack.callback(listener.close)
            self._http_sockets.append(listener)
            self.bound_http.append(address_of(listener))

    def _bind_on(self, host: str) -> socket.socket:
        failure = None
        for port in ports_to_try(keys.HTTP_PORT.get(self.settings), self.bound_http):
            try:
                return bind_http(host, port)
            except IOFailure as error:
                failure = error
        assert failure is not None
        raise failure

    async def serve(self, app: RestApp) -> None:
        """Opens the HTTP ports."""
        assert self._http_sockets, "the HTTP ports have not been bound"
        self._server = await self.stack.enter_async_context(
            HttpServer(app, secure=self.tls.https(), limits=_http_limits(self.settings))
        )
        await self._server.serve(*self._http_sockets)
        # The first thing at the end: requests of other nodes may end while HTTP's do.
        self.stack.callback(self.transport.begin_drain)

    def http_section(self) -> dict[str, int]:
        """Of `_nodes/stats`."""
        server = self._server
        return {
            "current_open": server.connections_open if server else 0,
            "total_opened": server.connections_opened if server else 0,
        }


def _http_limits(settings: Settings) -> HttpLimits:
    return HttpLimits(
        connections_max=keys.HTTP_MAX_CONNECTIONS.get(settings),
        head_timeout_s=keys.HTTP_HEAD_TIMEOUT.get(settings).seconds,
        body_timeout_s=keys.HTTP_BODY_TIMEOUT.get(settings).seconds,
    )


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
