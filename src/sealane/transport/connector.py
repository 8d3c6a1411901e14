"""Opening a connection: addresses, sockets, both handshakes, and a clear word about whatever is at
the other end.

Each attempt either returns a connection or closes all it opened. Trying again, and other seeds, are
the caller's.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sealane.errors import ApiError, ConnectTransport, IllegalArgument, NodeDisconnected
from sealane.model.node import Address
from sealane.transport import faults
from sealane.transport.channel import OutboundChannel
from sealane.transport.connection import NodeConnection
from sealane.transport.limits import ConnectionProfile, TransportLimits
from sealane.transport.network import Network
from sealane.transport.probe import answers_http
from sealane.transport.tasks import TaskScope, run_together
from sealane.transport.tls import TlsFailure, TlsReceiver
from sealane.wire.errors import HttpResponseReceived, RemoteProtocolError, TlsReceived
from sealane.wire.families.discovery import NodeHello
from sealane.wire.frame import Frame
from sealane.wire.handshake import FORMS, Form, Handshake

_log = logging.getLogger(__name__)

_PROBE_AFTER_S = 1.0
"""An HTTP server that waits for the end of a request line says nothing to our first frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What to connect to. `name` is how error texts call the node, empty for one that is not known
    yet."""

    address: Address
    profile: ConnectionProfile
    tls: ssl.SSLContext | None
    server_name: str | None
    name: str

    @property
    def server_hostname(self) -> str:
        return self.server_name or self.address.host


class _Refused(Exception):  # never leaves this module
    """The peer closed the connection instead of answering the first frame: perhaps it speaks
    another form."""


class Connector:
    """Opens connections. `on_end` hears of every channel that is gone, whether or not it became
    part of one."""

    def __init__(
        self,
        network: Network,
        limits: TransportLimits,
        request_ids: Iterator[int],
        *,
        on_begin: Callable[[OutboundChannel], None],
        on_end: Callable[[OutboundChannel], None],
        probe_after_s: float = _PROBE_AFTER_S,
    ) -> None:
        self._network = network
        self._limits = limits
        self._request_ids = request_ids
        self._on_begin = on_begin
        self._on_end = on_end
        self._probe_after_s = probe_after_s

    async def connect(self, target: Target) -> NodeConnection:
        """Raises ConnectTransport, IllegalArgument for an unknown host."""
        for form in FORMS:
            try:
                return await self._connect_in_form(target, form)
            except _Refused:
                _log.debug("[%s] closed on a handshake of the form [%s]", target.address, form)
        cause = ApiError("handshake failed because connection reset")
        cause.es_type = "transport_exception"
        raise ConnectTransport(
            f"[{target.name}][{target.address}] general node connection failure", caused_by=cause
        )

    async def _connect_in_form(self, target: Target, form: Form) -> NodeConnection:
        address, channels = await self._open(target)
        try:
            return await self._shake_hands(target, address, channels, form)
        except BaseException:
            for channel in channels:
                channel.drop_pending()
                channel.abort()
            raise

    # -- sockets -----------------------------------------------------------------------------------

    async def _open(self, target: Target) -> tuple[Address, list[OutboundChannel]]:
        """All channels of the profile to the first address that takes them, within one connect
        timeout."""
        timeout_s = target.profile.connect_timeout_s
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        first_error: ConnectTransport | None = None
        addresses = await self._resolve(target, deadline)
        host = "" if addresses[0].host == target.address.host else target.address.host
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            # A black hole must not use up the time of the addresses behind it.
            now = loop.time()
            try:
                async with asyncio.timeout_at(now + (deadline - now) / left):
                    return address, await self._dial_all(target, address)
            except TimeoutError as failure:
                # The system's own timeout carries an error number.
                if failure.errno is None:
                    error = faults.connect_timeout(target.name, address, timeout_s)
                else:
                    error = faults.connect_failed(target.name, host, address, failure)
            except TlsFailure as failure:
                error = faults.general_failure(target.name, address, str(failure))
            except OSError as failure:
                error = faults.connect_failed(target.name, host, address, failure)
            first_error = first_error or error
        assert first_error is not None
        raise first_error

    async def _resolve(self, target: Target, deadline: float) -> list[Address]:
        host, port = target.address.host, target.address.port
        if not 0 <= port <= 65535:
            raise IllegalArgument(f"port out of range:{port}")
        try:
            async with asyncio.timeout_at(deadline):
                found = await self._network.resolve(host, port)
        except TimeoutError:
            timeout_s = target.profile.connect_timeout_s
            raise faults.connect_timeout(target.name, target.address, timeout_s) from None
        except (OSError, UnicodeError):
            raise faults.unknown_host(host) from None
        # The reference's runtime prefers IPv4 too.
        return sorted(found, key=lambda address: ":" in address.host)

    async def _dial_all(self, target: Target, address: Address) -> list[OutboundChannel]:
        opened: list[OutboundChannel] = []
        try:
            await run_together(
                [self._dial(target, address, opened) for _ in range(target.profile.channels)]
            )
        except BaseException:
            for channel in opened:
                channel.abort()
            raise
        return opened

    async def _dial(self, target: Target, address: Address, opened: list[OutboundChannel]) -> None:
        channel = OutboundChannel(self._limits, self._on_end)
        if target.tls is None:
            await self._network.dial(address, lambda: channel)
        else:
            await self._dial_tls(address, channel, target.tls, target.server_hostname)
        self._on_begin(channel)
        opened.append(channel)

    async def _dial_tls(
        self,
        address: Address,
        inner: asyncio.BufferedProtocol,
        tls: ssl.SSLContext,
        server_hostname: str,
    ) -> None:
        ready: asyncio.Future[TlsFailure | None] = asyncio.get_running_loop().create_future()

        def report(failure: TlsFailure | None) -> None:
            if not ready.done():
                ready.set_result(failure)

        try:
            layer = TlsReceiver(
                inner, tls, server_side=False, server_name=server_hostname, ready=report
            )
        except ValueError as wrong:
            raise TlsFailure(f"invalid server_name [{server_hostname}]: {wrong}") from wrong
        await self._network.dial(address, lambda: layer)
        try:
            failure = await ready
        except BaseException:
            layer.abort()
            raise
        if failure is not None:
            raise failure

    # -- handshakes --------------------------------------------------------------------------------

    async def _shake_hands(
        self, target: Target, address: Address, channels: list[OutboundChannel], form: Form
    ) -> NodeConnection:
        timeout_s = target.profile.connect_timeout_s
        handshake = Handshake(form)
        request_id = next(self._request_ids)
        try:
            async with asyncio.timeout(timeout_s):
                answer = self._ask(channels[0], request_id, handshake.tcp_request(request_id))
                await self._await_or_probe(answer, target, address)
                handshake.receive_tcp_response(
                    await self._take(answer, channels[0], target, address)
                )
            async with asyncio.timeout(timeout_s):
                try:
                    peer = await self._introduce(target, address, channels, handshake)
                except _Refused:
                    text = "the connection was closed during the handshake"
                    raise faults.general_failure(target.name, address, text) from None
        except TimeoutError:
            raise faults.handshake_timeout(target.name, address, timeout_s) from None
        except RemoteProtocolError as wrong:
            raise faults.general_failure(target.name, address, wrong.reason) from wrong
        except ConnectTransport:
            raise
        except ApiError as refusal:
            raise ConnectTransport(
                f"[{target.name}][{address}] general node connection failure", caused_by=refusal
            ) from refusal
        if not all(channel.is_open for channel in channels):
            raise ConnectTransport(f"[{target.name}][{address}] a channel closed while connecting")
        return NodeConnection(
            channels=channels,
            address=address,
            family=handshake.family,
            peer=peer,
            profile=target.profile,
            limits=self._limits,
            request_ids=self._request_ids,
        )

    async def _introduce(
        self,
        target: Target,
        address: Address,
        channels: list[OutboundChannel],
        handshake: Handshake,
    ) -> NodeHello:
        """Asks on the second channel who is there. To a Sealane node every channel says first that
        it belongs to one."""
        answers = []
        if handshake.family == "sealane":
            for channel in channels[1:]:
                request_id = next(self._request_ids)
                data = handshake.channel_request(request_id)
                answers.append((channel, self._ask(channel, request_id, data)))
        second = channels[1 % len(channels)]
        request_id = next(self._request_ids)
        node_answer = self._ask(second, request_id, handshake.node_request(request_id))
        for channel, answer in answers:
            handshake.receive_channel_response(await self._take(answer, channel, target, address))
        return handshake.receive_node_response(
            await self._take(node_answer, second, target, address)
        )

    def _ask(
        self, channel: OutboundChannel, request_id: int, data: bytes
    ) -> "asyncio.Future[Frame]":
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        if channel.is_open:
            channel.pending[request_id] = answer
            channel.send(data)
        else:
            answer.set_exception(NodeDisconnected("connection closed"))
        return answer

    async def _take(
        self,
        answer: "asyncio.Future[Frame]",
        channel: OutboundChannel,
        target: Target,
        address: Address,
    ) -> Frame:
        """The answer. If the channel ended instead: what its last bytes were, or _Refused if there
        were none."""
        try:
            return await answer
        except NodeDisconnected:
            wrong = channel.closed_by
            if isinstance(wrong, HttpResponseReceived):
                raise faults.http_port(target.name, address) from None
            if isinstance(wrong, TlsReceived):
                text = (
                    "the remote speaks TLS on this port but TLS is not enabled for this connection"
                )
                raise faults.general_failure(target.name, address, text) from None
            if wrong is not None:
                raise wrong from None
            if isinstance(channel.lost_by, TlsFailure):
                text = str(channel.lost_by)
                raise faults.general_failure(target.name, address, text) from None
            raise _Refused from None

    async def _await_or_probe(
        self, answer: "asyncio.Future[Frame]", target: Target, address: Address
    ) -> None:
        """Returns when the answer is there; raises at once if a silent peer turns out to be an HTTP
        server."""
        await asyncio.wait({answer}, timeout=self._probe_after_s)
        if answer.done():
            return
        async with TaskScope(f"probe of {address}") as scope:
            probe = scope.start(self._is_http(target, address))
            either: set[asyncio.Future[Any]] = {answer, probe}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done() and probe.result():
                raise faults.http_port(target.name, address)
            await asyncio.wait({answer})

    async def _is_http(self, target: Target, address: Address) -> bool:
        async def dial(inner: asyncio.BufferedProtocol) -> None:
            if target.tls is None:
                await self._network.dial(address, lambda: inner)
            else:
                await self._dial_tls(address, inner, target.tls, target.server_hostname)

        return await answers_http(dial)
