"""Opening a connection: addresses, sockets, both handshakes, and a clear word about whatever is at
the other end.

Each attempt either returns a connection or closes all it opened. Trying again, and other seeds, are
the caller's.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sealane.errors import ApiError, ConnectTransport, IllegalArgument, NodeDisconnected
from sealane.model.node import Address
from sealane.transport import faults
from sealane.transport.channel import OutboundChannel
from sealane.transport.connection import NodeConnection
from sealane.transport.limits import ConnectionProfile, TransportLimits
from sealane.transport.network import Network
from sealane.transport.pacing import Pacing
from sealane.transport.probe import (
    Dial,
    answers_http,
    answers_ping,
    answers_tls,
    unchecked_context,
)
from sealane.transport.tasks import TaskScope, run_together
from sealane.transport.tls import TlsReceiver
from sealane.transport.tls_failures import TlsFailure, TlsProblem
from sealane.transport.watch import UNWATCHED, Step, Watch
from sealane.wire.errors import HttpResponseReceived, RemoteProtocolError, TlsReceived
from sealane.wire.families.known import FOREIGN
from sealane.wire.families.protocol import ForeignWire, NodeHello
from sealane.wire.frame import Frame
from sealane.wire.handshake import Handshake

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
    watch: Watch = UNWATCHED

    @property
    def server_hostname(self) -> str:
        return self.server_name or self.address.host


class _Refused(Exception):  # never leaves this module
    """The peer closed the connection instead of answering the first frame: perhaps it speaks
    another form."""

    def __init__(self, address: Address) -> None:
        super().__init__()
        self.address = address


class _SpeaksTls(Exception):  # never leaves this module
    """The peer answered plain bytes in TLS."""

    def __init__(self, address: Address) -> None:
        super().__init__()
        self.address = address


def _tls_expected(target: Target, address: Address) -> ConnectTransport:
    text = "the remote speaks TLS on this port but TLS is not enabled for this connection"
    return faults.tls_wanted(target.name, address, TlsFailure(TlsProblem.REMOTE_IS_TLS, text))


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
        self._pacing = Pacing()

    async def connect(self, target: Target) -> NodeConnection:
        """Raises ConnectTransport, IllegalArgument for an unknown host."""
        address = target.address
        for form in FOREIGN:
            try:
                return await self._connect_in_form(target, form)
            except _Refused as refused:
                address = refused.address
                _log.debug("[%s] closed on a handshake of the form [%s]", target.address, form.name)
            except _SpeaksTls as found:
                raise await self._tls_port(target, found.address)  # noqa: B904 - has its own cause
        if target.tls is None and await self._learns(answers_tls, self._plain(address)):
            raise await self._tls_port(target, address)
        cause = ApiError("handshake failed because connection reset")
        cause.es_type = "transport_exception"
        raise ConnectTransport(
            f"[{target.name}][{target.address}] general node connection failure",
            caused_by=cause,
            root_causes=[cause],
        )

    async def _connect_in_form(self, target: Target, form: ForeignWire) -> NodeConnection:
        async with self._pacing.turn(target.profile.channels):
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
        addresses = await self.resolve(target.name, target.address, timeout_s)
        turn = target.profile.first_address % len(addresses)
        addresses = [*addresses[turn:], *addresses[:turn]]
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
                error.__cause__ = failure
            except TlsFailure as failure:
                failure = await self._look_closer(address, failure)
                error = faults.tls_failed(target.name, address, failure)
            except OSError as failure:
                error = faults.connect_failed(target.name, host, address, failure)
                error.__cause__ = failure
            first_error = first_error or error
        assert first_error is not None
        raise first_error

    async def resolve(self, name: str, address: Address, timeout_s: float) -> list[Address]:
        """The IP addresses behind `address`, in the order in which they are tried. Raises
        IllegalArgument for an unknown host, ConnectTransport."""
        host, port = address.host, address.port
        if not 0 <= port <= 65535:
            raise IllegalArgument(f"port out of range:{port}")
        try:
            async with asyncio.timeout(timeout_s):
                found = await self._network.resolve(host, port)
        except TimeoutError:
            raise faults.connect_timeout(name, address, timeout_s) from None
        except (OSError, UnicodeError) as failure:
            raise faults.unknown_host(host) from failure
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
        target.watch.begin(Step.TCP)
        if target.tls is None:
            await self._network.dial(address, lambda: channel)
        else:
            await self._dial_tls(address, channel, target.tls, target.server_hostname, target.watch)
        self._on_begin(channel)
        opened.append(channel)

    async def _dial_tls(
        self,
        address: Address,
        inner: asyncio.BufferedProtocol,
        tls: ssl.SSLContext,
        server_hostname: str,
        watch: Watch = UNWATCHED,
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
            text = f"invalid server_name [{server_hostname}]: {wrong}"
            raise TlsFailure(TlsProblem.INVALID_NAME, text) from wrong
        await self._network.dial(address, lambda: layer)
        watch.begin(Step.TLS)
        try:
            failure = await ready
        except BaseException:
            layer.abort()
            raise
        if failure is not None:
            raise failure
        if watch is not UNWATCHED:
            watch.learn(layer.agreed())

    # -- handshakes --------------------------------------------------------------------------------

    async def _shake_hands(
        self,
        target: Target,
        address: Address,
        channels: list[OutboundChannel],
        form: ForeignWire,
    ) -> NodeConnection:
        timeout_s = target.profile.connect_timeout_s
        handshake = Handshake(form)
        request_id = next(self._request_ids)
        target.watch.begin(Step.HANDSHAKE)
        try:
            async with asyncio.timeout(timeout_s):
                answer = self._ask(channels[0], request_id, handshake.tcp_request(request_id))
                await self._await_or_probe(answer, target, address)
                handshake.receive_tcp_response(
                    await self._take(answer, channels[0], target, address)
                )
            target.watch.begin(Step.NAME)
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
            wire=handshake.wire,
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
        if handshake.wire.shakes_hands_on_every_channel:
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
            answer.exception()  # seen: another answer may fail first, and this one is not asked for
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
                raise faults.http_port(target.name, address) from wrong
            if isinstance(wrong, TlsReceived):
                raise _SpeaksTls(address) from wrong
            if wrong is not None:
                raise wrong from None
            if isinstance(channel.lost_by, TlsFailure):
                raise faults.tls_failed(target.name, address, channel.lost_by) from channel.lost_by
            raise _Refused(address) from None

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

    async def _look_closer(self, address: Address, failure: TlsFailure) -> TlsFailure:
        """A port without TLS and a proxy that knows no such server name both just close."""
        if failure.problem is not TlsProblem.CLOSED:
            return failure
        if not await self._learns(answers_ping, self._plain(address)):
            return failure
        text = "TLS is not enabled on that port, but it is for this connection"
        plain = TlsFailure(TlsProblem.REMOTE_IS_PLAIN, text, group=failure.group)
        plain.__cause__ = failure
        return plain

    async def _tls_port(self, target: Target, address: Address) -> ConnectTransport:
        """The error for a port that speaks TLS to a caller that does not: HTTPS ports do so too."""
        if await self._learns(answers_http, self._unchecked(target, address)):
            return faults.https_port(target.name, address)
        return _tls_expected(target, address)

    def _plain(self, address: Address) -> Dial:
        async def dial(inner: asyncio.BufferedProtocol) -> None:
            await self._network.dial(address, lambda: inner)

        return dial

    def _unchecked(self, target: Target, address: Address) -> Dial:
        """In TLS with whoever it is: nothing is told that way."""

        async def dial(inner: asyncio.BufferedProtocol) -> None:
            tls = unchecked_context()
            await self._dial_tls(address, inner, tls, target.server_hostname)

        return dial

    async def _learns(self, answers: Callable[[Dial], Awaitable[bool]], dial: Dial) -> bool:
        """Asks what listens there, for a moment."""
        try:
            async with asyncio.timeout(self._probe_after_s):
                return await answers(dial)
        except TimeoutError:
            return False

    async def _is_http(self, target: Target, address: Address) -> bool:
        async def dial(inner: asyncio.BufferedProtocol) -> None:
            if target.tls is None:
                await self._network.dial(address, lambda: inner)
            else:
                await self._dial_tls(address, inner, target.tls, target.server_hostname)

        return await answers_http(dial)
