"""The TCP settings on real sockets, dialled and accepted."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sealane.settings import Settings, Value
from sealane.settings.tcp_settings import TRANSPORT_TCP
from sealane.transport import AsyncioNetwork
from tests.transport_nodes import until

TCP = socket.IPPROTO_TCP


class Receiver(asyncio.BufferedProtocol):
    def __init__(self) -> None:
        self.link: Any = None
        self.received = bytearray()
        self._buffer = bytearray(64)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.link = transport

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.received += self._buffer[:nbytes]

    def option(self, level: int, name: int) -> int:
        return int(self.link.get_extra_info("socket").getsockopt(level, name))


@asynccontextmanager
async def two_ends(**members: Value) -> AsyncIterator[tuple[Receiver, Receiver]]:
    """Of one connection: what was dialled and what was accepted."""
    settings = Settings({f"transport.tcp.{member}": value for member, value in members.items()})
    network = AsyncioNetwork(TRANSPORT_TCP.read(settings))
    accepted: list[Receiver] = []

    def accept() -> Receiver:
        accepted.append(Receiver())
        return accepted[-1]

    listener = await network.listen("127.0.0.1", 0, accept)
    dialled = await network.dial(listener.address, Receiver)
    try:
        await until(lambda: accepted and accepted[0].link is not None)
        dialled.link.write(b"hello")
        await until(lambda: accepted[0].received == b"hello")
        yield dialled, accepted[0]
    finally:
        dialled.link.abort()
        accepted[0].link.abort()
        listener.close()
        await asyncio.sleep(0)


async def test_keep_alive_is_on_by_default() -> None:
    """Within five minutes: many systems would wait two hours, and firewalls forget sooner."""
    async with two_ends() as ends:
        for end in ends:
            assert end.option(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert 0 < end.option(TCP, socket.TCP_KEEPIDLE) <= 300
            assert 0 < end.option(TCP, socket.TCP_KEEPINTVL) <= 300
            assert end.option(TCP, socket.TCP_NODELAY) == 1


async def test_what_is_set_is_set_on_both_ends() -> None:
    members = {"keep_idle": "42", "keep_interval": "7", "keep_count": "3"}
    async with two_ends(**members) as ends:
        for end in ends:
            assert end.option(TCP, socket.TCP_KEEPIDLE) == 42
            assert end.option(TCP, socket.TCP_KEEPINTVL) == 7
            assert end.option(TCP, socket.TCP_KEEPCNT) == 3


async def test_what_is_off_is_off_on_both_ends() -> None:
    async with two_ends(keep_alive="false", no_delay="false") as ends:
        for end in ends:
            assert end.option(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0
            assert end.option(TCP, socket.TCP_NODELAY) == 0


@pytest.mark.parametrize(
    ("member", "option"),
    [("send_buffer_size", socket.SO_SNDBUF), ("receive_buffer_size", socket.SO_RCVBUF)],
)
async def test_buffer_sizes(member: str, option: int) -> None:
    """Linux answers twice what it was told: the other half is for its own bookkeeping."""
    async with two_ends(**{member: "32kb"}) as ends:
        for end in ends:
            assert end.option(socket.SOL_SOCKET, option) in (32 * 1024, 64 * 1024)


@pytest.mark.parametrize("count", ["100000", "2147483647"])
async def test_what_the_system_does_not_take_is_left_out(
    count: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With a word in the log: the settings allow more than systems do."""
    async with two_ends(keep_count=count) as ends:
        for end in ends:
            assert end.option(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert f"cannot set the socket option [TCP_KEEPCNT] to [{count}]" in caplog.text


@pytest.mark.parametrize("member", ["send_buffer_size", "receive_buffer_size"])
async def test_a_buffer_larger_than_any_is_as_large_as_the_system_allows(member: str) -> None:
    async with two_ends(**{member: "4gb"}) as ends:
        assert all(end.option(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1 for end in ends)
