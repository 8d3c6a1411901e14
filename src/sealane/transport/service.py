"""The transport of one node: who it listens for, whom it connects to, and the totals of both."""

import asyncio
import itertools
import ssl

import sealane
from sealane.clock import Clock
from sealane.errors import ConnectTransport
from sealane.model.node import Address
from sealane.model.task import TaskRegistry
from sealane.transport.admission import Admission
from sealane.transport.channel import OutboundChannel
from sealane.transport.connection import NodeConnection
from sealane.transport.connector import Connector
from sealane.transport.dialler import Dialler, Target
from sealane.transport.dispatcher import Dispatcher, ForeignHandler, Handler, Local
from sealane.transport.gate import PLAIN, InboundGate, LinkSecurity, Profile
from sealane.transport.inbound import InboundChannel
from sealane.transport.limits import ConnectionProfile, TransportLimits
from sealane.transport.network import Listener, Network, ReceiverFactory
from sealane.transport.statistics import Counters, TransportStatistics
from sealane.transport.tasks import TaskScope
from sealane.transport.tls import TlsReceiver
from sealane.transport.tls_failures import TlsFailure
from sealane.transport.tls_files import ContextSource
from sealane.transport.watch import UNWATCHED, Watch
from sealane.wire.handshake import ACTIONS

_CLOSE_LINGER_S = 1.0
"""What peers get at the end to take what was written."""


class TransportService:
    """Listens, connects and answers. Its owner closes it; that closes every connection in both
    directions.

    `local` is asked at each handshake who this node is: the publish address is known only after
    listening. `client_tls` is asked for the TLS context of each attempt to connect that brings none;
    without it those are plain. A node with security sets `gate` and `security` before it listens.
    """

    def __init__(
        self,
        *,
        local: Local,
        network: Network,
        tasks: TaskRegistry,
        clock: Clock,
        limits: TransportLimits | None = None,
        client_tls: ContextSource | None = None,
        probe_after_s: float = 1.0,
    ) -> None:
        self.security = PLAIN if client_tls is None else LinkSecurity(tls=client_tls)
        """Of connections that bring none of their own."""
        limits = limits or TransportLimits()
        self._network = network
        self._scope = TaskScope("transport")
        self._admission = Admission(limits)
        self._dispatcher = Dispatcher(
            local=local,
            release=sealane.__version__,
            tasks=tasks,
            clock=clock,
            limits=limits,
            scope=self._scope,
            admission=self._admission,
        )
        self._dialler = Dialler(
            network,
            limits,
            on_begin=self._outbound_begun,
            on_end=self._outbound_ended,
            probe_after_s=probe_after_s,
        )
        self._connector = Connector(self._dialler, limits, itertools.count(1))
        self._limits = limits
        self._listeners: list[Listener] = []
        # Sets that keep their order, so that a run can be repeated.
        self._inbound: dict[InboundChannel, None] = {}
        self._outbound: dict[OutboundChannel, None] = {}
        self._connection_of: dict[OutboundChannel, NodeConnection] = {}
        self._shaking: dict[TlsReceiver, None] = {}
        self._past = Counters()
        self._closed = False
        self._drain_until: float | None = None
        self._last_gone: asyncio.Future[None] | None = None

    # -- serving -----------------------------------------------------------------------------------

    def register(self, action: str, handler: Handler) -> None:
        """From now on requests for `action` are answered by `handler(payload, context)`.

        An ApiError it raises reaches the asker as it is. It is cancelled when the asker takes the
        request back or is gone. One handler an action.
        """
        if action in self._dispatcher.handlers or action in ACTIONS:
            raise ValueError(f"action [{action}] has a handler already")
        self._dispatcher.handlers[action] = handler

    def handler(self, action: str) -> Handler | None:
        """What answers `action` here."""
        return self._dispatcher.handlers.get(action)

    def register_foreign(self, action: str, handler: ForeignHandler) -> None:
        """The same for requests of real servers: `handler(payload, context, wire)` reads and writes
        as the family of `wire` does. One handler an action, for all families that have it."""
        if action in self._dispatcher.foreign_handlers or action in ACTIONS:
            raise ValueError(f"action [{action}] has a handler already")
        self._dispatcher.foreign_handlers[action] = handler

    @property
    def gate(self) -> InboundGate | None:
        """Who may ask, of the connections that are accepted from now on; None lets everybody in."""
        return self._dispatcher.gate

    @gate.setter
    def gate(self, gate: InboundGate | None) -> None:
        self._dispatcher.gate = gate

    def limit_headers(self, profile: Profile, size: int) -> None:
        """The longest header of a request on the ports of `profile`, in bytes; a longer one closes the
        connection without an answer."""
        self._dispatcher.header_max_bytes[profile] = size
        for channel in self._inbound:
            if channel.profile is profile:
                channel.limit_headers(size)

    async def listen(
        self,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | ContextSource | None = None,
        profile: Profile = Profile.DEFAULT,
    ) -> Address:
        """Accepts connections; port 0 picks one. Returns what was bound. Raises OSError.

        A source is asked for the TLS context of each connection anew. The port for keys needs a gate.
        """
        if profile is Profile.REMOTE_CLUSTER and self.gate is None:
            raise ValueError(f"a port of the profile [{profile}] needs a gate")
        if tls is None:
            accept: ReceiverFactory = lambda: self._accept(profile)  # noqa: E731
            listener = await self._network.listen(host, port, accept)
        else:
            given = tls
            listener = await self._network.listen(
                host, port, lambda: self._accept_tls(given, profile)
            )
        self._listeners.append(listener)
        return listener.address

    def _accept(self, profile: Profile = Profile.DEFAULT) -> InboundChannel:
        return InboundChannel(self._dispatcher, self._inbound_begun, self._inbound_ended, profile)

    def _accept_tls(self, given: ssl.SSLContext | ContextSource, profile: Profile) -> TlsReceiver:
        """A TLS layer counts as a stranger until the channel inside it takes its place."""

        def begun(peer: Address) -> bool:
            if not self._admission.enter(peer, layer.abort):
                return False
            self._shaking[layer] = None
            return True

        def ready(failure: TlsFailure | None) -> None:
            if layer in self._shaking:
                del self._shaking[layer]
                self._admission.leave(layer.abort)

        layer = TlsReceiver(
            self._accept(profile),
            given if isinstance(given, ssl.SSLContext) else given(),
            server_side=True,
            begun=begun,
            ready=ready,
            handshake_timeout_s=self._limits.handshake_timeout_s,
        )
        return layer

    # -- connecting --------------------------------------------------------------------------------

    async def connect(
        self,
        address: Address,
        profile: ConnectionProfile,
        *,
        tls: ssl.SSLContext | None = None,
        server_name: str | None = None,
        node_name: str = "",
        watch: Watch = UNWATCHED,
        security: LinkSecurity | None = None,
    ) -> NodeConnection:
        """Opens `profile.channels` sockets to a node and shakes hands with it.

        Without `security` the connection has that of the node's own; `tls` overrides its TLS.
        `node_name` is how error texts call it; `watch` hears of each step. Raises ConnectTransport,
        and IllegalArgument for an unknown host; then, and when cancelled, everything that was
        opened is closed.
        """
        if self._closed:
            raise ConnectTransport(f"[{node_name}][{address}] connect handler is already closed")
        security = security or self.security
        if tls is None and security.tls is not None:
            tls = security.tls()
        target = Target(
            address=address,
            profile=profile,
            tls=tls,
            server_name=server_name,
            name=node_name,
            watch=watch,
            outgoing=security.outgoing,
            by_key=security.by_key,
        )
        connection = await self._connector.connect(target)
        if self._closed:
            connection.close()
            raise ConnectTransport(f"[{node_name}][{address}] connect handler is already closed")
        for channel in connection.channels:
            self._connection_of[channel] = connection
        return connection

    async def resolve(self, address: Address, *, timeout_s: float) -> list[Address]:
        """The IP addresses that `connect` tries, in its order. Raises what it raises."""
        return await self._dialler.resolve("", address, timeout_s)

    # -- upkeep ------------------------------------------------------------------------------------

    def _inbound_begun(self, channel: InboundChannel) -> None:
        self._inbound[channel] = None

    def _inbound_ended(self, channel: InboundChannel) -> None:
        self._inbound.pop(channel, None)
        self._past.add(channel.counters)
        self._one_gone()

    def _outbound_begun(self, channel: OutboundChannel) -> None:
        if channel.is_open:
            self._outbound[channel] = None

    def _outbound_ended(self, channel: OutboundChannel) -> None:
        self._outbound.pop(channel, None)
        self._past.add(channel.counters)
        connection = self._connection_of.pop(channel, None)
        if connection is not None:
            connection.channel_ended(channel)
        self._one_gone()

    def statistics(self) -> TransportStatistics:
        total = Counters()
        total.add(self._past)
        for channel in (*self._inbound, *self._outbound):
            total.add(channel.counters)
        return TransportStatistics(
            channels_in=len(self._inbound),
            channels_out=len(self._outbound),
            rx_bytes=total.rx_bytes,
            rx_count=total.rx_count,
            tx_bytes=total.tx_bytes,
            tx_count=total.tx_count,
        )

    def begin_drain(self) -> None:
        """Accepts no connection and begins no request from now on; those that come are told that the
        node is closed. What runs has `drain_s` to end, for which `close` waits."""
        if self._drain_until is None:
            self._drain_until = asyncio.get_running_loop().time() + self._limits.drain_s
            self._stop_accepting()

    @property
    def draining(self) -> bool:
        return self._drain_until is not None

    def _stop_accepting(self) -> None:
        self._admission.closed = True
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        for layer in list(self._shaking):
            layer.abort()

    async def close(self) -> None:
        """Stops listening, closes all connections, cancels all handlers and waits for them; after
        `begin_drain` not before the handlers had their time.

        A peer that does not take what was written to it gets a short while, then it is cut off.
        """
        self._stop_accepting()
        if self._drain_until is not None:
            await self._scope.wait_idle(self._drain_until)
        self._closed = True
        for connection in dict.fromkeys(self._connection_of.values()):
            connection.close()
        for channel in (*self._outbound, *self._inbound):
            channel.close()
        await self._scope.close()
        if not self._gone():
            self._last_gone = asyncio.get_running_loop().create_future()
            await asyncio.wait({self._last_gone}, timeout=_CLOSE_LINGER_S)
            for channel in (*self._outbound, *self._inbound):
                channel.abort()
            # The loop reports lost links one step after they are cut.
            await asyncio.sleep(0)

    def _gone(self) -> bool:
        return not (self._outbound or self._inbound)

    def _one_gone(self) -> None:
        waiting = self._last_gone
        if waiting is not None and not waiting.done() and self._gone():
            waiting.set_result(None)
