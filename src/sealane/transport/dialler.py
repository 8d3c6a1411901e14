"""Opening the sockets of a connection: addresses, one timeout for all of them, and TLS on each.

Each attempt either returns open channels or closes all it opened. What is said on them first is the
connector's, which also asks here what a port speaks that did not answer as it should.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sealane.errors import ConnectTransport, IllegalArgument
from sealane.model.node import Address
from sealane.transport import faults
from sealane.transport.channel import OutboundChannel
from sealane.transport.gate import OutgoingHeaders
from sealane.transport.limits import ConnectionProfile, TransportLimits
from sealane.transport.network import Network
from sealane.transport.probe import Dial, answers_ping, unchecked_context
from sealane.transport.tasks import run_together
from sealane.transport.tls import TlsReceiver
from sealane.transport.tls_failures import TlsFailure, TlsProblem
from sealane.transport.watch import UNWATCHED, Step, Watch


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
    outgoing: OutgoingHeaders | None = None
    """What goes with each request."""
    by_key: bool = False
    """Whether the second handshake is that of the port for keys."""

    @property
    def server_hostname(self) -> str:
        return self.server_name or self.address.host


class Dialler:
    """`on_begin` hears of every channel that is open, `on_end` of every one that is gone, whether or
    not it became part of a connection. A question what listens somewhere takes `probe_after_s` at
    most."""

    def __init__(
        self,
        network: Network,
        limits: TransportLimits,
        *,
        on_begin: Callable[[OutboundChannel], None],
        on_end: Callable[[OutboundChannel], None],
        probe_after_s: float,
    ) -> None:
        self._network = network
        self._limits = limits
        self._on_begin = on_begin
        self._on_end = on_end
        self.probe_after_s = probe_after_s

    async def open(self, target: Target) -> tuple[Address, list[OutboundChannel]]:
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
        except (ValueError, TypeError) as wrong:  # the second for one with a zero in it
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

    # -- what listens there ------------------------------------------------------------------------

    async def _look_closer(self, address: Address, failure: TlsFailure) -> TlsFailure:
        """A port without TLS and a proxy that knows no such server name both just close."""
        if failure.problem is not TlsProblem.CLOSED:
            return failure
        if not await self.learns(answers_ping, self.plain(address)):
            return failure
        text = "TLS is not enabled on that port, but it is for this connection"
        plain = TlsFailure(TlsProblem.REMOTE_IS_PLAIN, text, group=failure.group)
        plain.__cause__ = failure
        return plain

    def plain(self, address: Address) -> Dial:
        async def dial(inner: asyncio.BufferedProtocol) -> None:
            await self._network.dial(address, lambda: inner)

        return dial

    def unchecked(self, target: Target, address: Address) -> Dial:
        """In TLS with whoever it is: nothing is told that way."""

        async def dial(inner: asyncio.BufferedProtocol) -> None:
            tls = unchecked_context()
            await self._dial_tls(address, inner, tls, target.server_hostname)

        return dial

    async def learns(self, answers: Callable[[Dial], Awaitable[bool]], dial: Dial) -> bool:
        """Asks what listens there, for a moment."""
        try:
            async with asyncio.timeout(self.probe_after_s):
                return await answers(dial)
        except TimeoutError:
            return False

    def dial_as(self, target: Target, address: Address) -> Dial:
        """As the target is dialled, in TLS or not."""

        async def dial(inner: asyncio.BufferedProtocol) -> None:
            if target.tls is None:
                await self._network.dial(address, lambda: inner)
            else:
                await self._dial_tls(address, inner, target.tls, target.server_hostname)

        return dial
