"""Opening a connection: both handshakes on the sockets that the dialler opens, and a clear word about
whatever is at the other end.

Each attempt either returns a connection or closes all it opened. Trying again, and other seeds, are
the caller's.
"""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

from sealane.errors import ApiError, ConnectTransport, NodeDisconnected, SecurityError
from sealane.model.node import Address
from sealane.model.security import SYSTEM
from sealane.transport import faults
from sealane.transport.channel import OutboundChannel
from sealane.transport.connection import NodeConnection
from sealane.transport.dialler import Dialler, Target
from sealane.transport.limits import TransportLimits
from sealane.transport.pacing import Pacing
from sealane.transport.probe import answers_http, answers_tls
from sealane.transport.tasks import TaskScope
from sealane.transport.tls_failures import TlsFailure, TlsProblem
from sealane.transport.watch import Step
from sealane.wire.errors import HttpResponseReceived, RemoteProtocolError, TlsReceived
from sealane.wire.families.discovery import KEY_HANDSHAKE, NODE_HANDSHAKE
from sealane.wire.families.known import FOREIGN
from sealane.wire.families.protocol import ForeignWire, NodeHello
from sealane.wire.frame import Frame
from sealane.wire.handshake import Handshake

_log = logging.getLogger(__name__)


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
    """Opens connections, in turns."""

    def __init__(
        self, dialler: Dialler, limits: TransportLimits, request_ids: Iterator[int]
    ) -> None:
        self._dialler = dialler
        self._limits = limits
        self._request_ids = request_ids
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
        dialler = self._dialler
        if target.tls is None and await dialler.learns(answers_tls, dialler.plain(address)):
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
            address, channels = await self._dialler.open(target)
        try:
            return await self._shake_hands(target, address, channels, form)
        except BaseException:
            for channel in channels:
                channel.drop_pending()
                channel.abort()
            raise

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
            if refusal.es_type == SecurityError.es_type:
                raise  # who was not let in is told so, as the reference does
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
            outgoing=target.outgoing,
            by_key=target.by_key,
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
        action = KEY_HANDSHAKE if target.by_key else NODE_HANDSHAKE
        # The key goes to whom TLS has shown to be the right one, and to nobody before.
        family, outgoing = handshake.wire.name, target.outgoing
        headers = () if outgoing is None else outgoing.headers(action, SYSTEM, family)
        question = handshake.node_request(request_id, action, headers)
        node_answer = self._ask(second, request_id, question)
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
        # An HTTP server that waits for the end of a request line says nothing to a first frame.
        await asyncio.wait({answer}, timeout=self._dialler.probe_after_s)
        if answer.done():
            return
        async with TaskScope(f"probe of {address}") as scope:
            probe = scope.start(self._is_http(target, address))
            either: set[asyncio.Future[Any]] = {answer, probe}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done() and probe.result():
                raise faults.http_port(target.name, address)
            await asyncio.wait({answer})

    async def _tls_port(self, target: Target, address: Address) -> ConnectTransport:
        """The error for a port that speaks TLS to a caller that does not: HTTPS ports do so too."""
        if await self._dialler.learns(answers_http, self._dialler.unchecked(target, address)):
            return faults.https_port(target.name, address)
        return _tls_expected(target, address)

    async def _is_http(self, target: Target, address: Address) -> bool:
        return await answers_http(self._dialler.dial_as(target, address))
