"""Simulated TCP does what programs see of the real one."""

import asyncio
import errno
import random
from collections.abc import Awaitable, Callable

import pytest

from sealane.model.node import Address
from sealane.testing.simulation import SimulatedLoop, SimulatedNetwork, Trace, settle, simulate
from sealane.testing.simulation.link import KEEP_IDLE_S, Link
from sealane.testing.simulation.network import Name
from sealane.testing.simulation.path import State
from sealane.testing.simulation.way import WINDOW_BYTES

FAR = Address("10.0.0.2", 9300)


class Peer(asyncio.BufferedProtocol):
    """Notes what happens to it, with the time."""

    def __init__(self) -> None:
        self.link: Link
        self.received = b""
        self.reads = 0
        self.events: list[str] = []
        self.lost_by: Exception | None = None
        self.keeps_half = False
        self._view = memoryview(bytearray(1 << 16))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, Link)
        self.link = transport
        self.events.append("made")

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        self.reads += 1
        self.received += bytes(self._view[:nbytes])

    def eof_received(self) -> bool:
        self.events.append("eof")
        return self.keeps_half

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append("lost")
        self.lost_by = exc

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")


class Net:
    """Two hosts. `far` holds what the far one has accepted."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self.network = SimulatedNetwork(loop, random.Random(7), Trace(loop.time))
        self.near = self.network.host("10.0.0.1")
        self.host = self.network.host(FAR.host)
        self.accepted: list[Peer] = []

    async def listen(self) -> None:
        await self.host.listen(FAR.host, FAR.port, self._accept)

    def _accept(self) -> Peer:
        self.accepted.append(Peer())
        return self.accepted[-1]

    async def pair(self) -> tuple[Peer, Peer]:
        await self.listen()
        near = await self.near.dial(FAR, Peer)
        await settle(1)
        return near, self.accepted[0]

    def both(self, state: State) -> None:
        self.network.turn("10.0.0.1", FAR.host, state)
        self.network.turn(FAR.host, "10.0.0.1", state)


def on_network(test: Callable[[Net], Awaitable[None]]) -> Callable[[], None]:
    def run() -> None:
        loop = SimulatedLoop()

        async def main() -> None:
            await test(Net(loop))

        simulate(main(), loop=loop)

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@on_network
async def test_bytes_arrive_in_order_whatever_the_pieces(net: Net) -> None:
    near, far = await net.pair()
    near.link.shredded = True
    sent = b"".join(b"%d," % n for n in range(5000))
    for start in range(0, len(sent), 777):
        near.link.write(sent[start : start + 777])
    assert far.received == b""
    await settle(30)
    assert far.received == sent
    assert far.reads > len(sent) // 777


@on_network
async def test_a_close_sends_what_was_written_then_the_end(net: Net) -> None:
    near, far = await net.pair()
    near.link.write(b"x" * (WINDOW_BYTES * 3))
    near.link.close()
    near.link.write(b"too late")
    await settle(30)
    assert len(far.received) == WINDOW_BYTES * 3
    assert far.events == ["made", "eof", "lost"]
    assert (near.lost_by, far.lost_by) == (None, None)
    assert not net.network.links


@on_network
async def test_an_abort_drops_what_the_kernel_had_not_taken(net: Net) -> None:
    near, far = await net.pair()
    near.link.write(b"x" * (WINDOW_BYTES * 3))
    near.link.abort()
    await settle(30)
    assert len(far.received) == WINDOW_BYTES
    assert near.events[-1] == "lost"


@on_network
async def test_half_a_connection_can_be_closed(net: Net) -> None:
    near, far = await net.pair()
    far.keeps_half = True
    near.link.write_eof()
    await settle(1)
    assert far.events == ["made", "eof"]
    far.link.write(b"still here")
    await settle(1)
    assert near.received == b"still here"
    with pytest.raises(RuntimeError, match="write_eof"):
        near.link.write(b"no")
    far.link.close()
    await settle(1)
    assert not net.network.links


@on_network
async def test_bytes_for_a_closed_socket_are_answered_with_a_reset(net: Net) -> None:
    near, far = await net.pair()
    far.keeps_half = True
    near.link.close()
    await settle(1)
    assert far.events == ["made", "eof"]
    far.link.write(b"anybody there?")
    await settle(1)
    assert isinstance(far.lost_by, ConnectionResetError)


@on_network
async def test_a_socket_closed_with_unread_bytes_resets_its_peer(net: Net) -> None:
    near, far = await net.pair()
    near.link.pause_reading()
    far.link.write(b"unread")
    await settle(1)
    near.link.close()
    await settle(1)
    assert isinstance(far.lost_by, ConnectionResetError)


@on_network
async def test_a_slow_reader_makes_the_writer_pause(net: Net) -> None:
    near, far = await net.pair()
    far.link.pause_reading()
    near.link.set_write_buffer_limits(high=1000)
    near.link.write(b"x" * WINDOW_BYTES)
    await settle(1)
    assert near.events == ["made"]
    near.link.write(b"y" * 1001)
    assert near.events == ["made", "pause"]
    assert near.link.get_write_buffer_size() == 1001
    await settle(100)
    assert far.received == b""
    far.link.resume_reading()
    await settle(10)
    assert near.events == ["made", "pause", "resume"]
    assert len(far.received) == WINDOW_BYTES + 1001


@on_network
async def test_a_black_hole_keeps_bytes_until_it_clears(net: Net) -> None:
    near, far = await net.pair()
    net.both(State.DARK)
    near.link.write(b"one")
    await settle(100)
    near.link.write(b"two")
    assert far.received == b""
    net.both(State.UP)
    await settle(61)
    assert far.received == b"onetwo"
    assert near.events == far.events == ["made"]


@on_network
async def test_a_black_hole_without_end_times_out(net: Net) -> None:
    near, far = await net.pair()
    net.both(State.DARK)
    near.link.write(b"one")
    await settle(1000)
    assert isinstance(near.lost_by, TimeoutError)
    assert far.events == ["made"]
    await settle(2000)
    assert isinstance(far.lost_by, TimeoutError), "keep-alive gives up as well"


@on_network
async def test_half_open_loses_one_direction_only(net: Net) -> None:
    near, far = await net.pair()
    net.network.turn("10.0.0.1", FAR.host, State.DARK)
    near.link.write(b"lost")
    far.link.write(b"arrives")
    await settle(10)
    assert (near.received, far.received) == (b"arrives", b"")


@on_network
async def test_a_link_that_is_down_resets_whoever_writes(net: Net) -> None:
    near, far = await net.pair()
    net.both(State.DOWN)
    await settle(1)
    assert near.events == ["made"]
    near.link.write(b"x")
    await settle(1)
    assert isinstance(near.lost_by, ConnectionResetError)
    assert far.events == ["made"]
    with pytest.raises(OSError, match="refused"):
        await net.near.dial(FAR, Peer)


@on_network
async def test_power_loss_is_silent_and_learnt_from_the_next_word(net: Net) -> None:
    near, far = await net.pair()
    net.host.lose_power(answers=False)
    await settle(10)
    assert far.events == ["made", "lost"]
    assert near.events == ["made"]
    net.host.return_power()
    near.link.write(b"hello?")
    await settle(10)
    assert isinstance(near.lost_by, ConnectionResetError)


@on_network
async def test_keep_alive_finds_a_peer_that_went_without_a_word(net: Net) -> None:
    near, _ = await net.pair()
    net.host.lose_power(answers=False)
    net.host.return_power()
    await settle(KEEP_IDLE_S + 1)
    assert isinstance(near.lost_by, ConnectionResetError)


@on_network
async def test_a_killed_program_says_goodbye(net: Net) -> None:
    near, _ = await net.pair()
    net.host.kill()
    await settle(1)
    assert near.events == ["made", "eof", "lost"]
    with pytest.raises(ConnectionRefusedError):
        await net.near.dial(FAR, Peer)


@on_network
async def test_dials_into_a_black_hole_wait_for_it(net: Net) -> None:
    await net.listen()
    loop = asyncio.get_running_loop()
    net.both(State.DARK)
    loop.call_later(10, net.both, State.UP)
    await net.near.dial(FAR, Peer)
    assert loop.time() == pytest.approx(15, abs=0.5), "SYNs go out at 0, 1, 3, 7 and 15 seconds"
    net.both(State.DARK)
    with pytest.raises(TimeoutError) as caught:
        await net.near.dial(FAR, Peer)
    assert caught.value.errno == errno.ETIMEDOUT


@on_network
async def test_a_cancelled_dial_leaves_nothing(net: Net) -> None:
    await net.listen()
    loop = asyncio.get_running_loop()
    for wait_s in (0.0, 0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.2):
        dialling = loop.create_task(net.near.dial(FAR, Peer))
        await asyncio.sleep(wait_s)
        if not dialling.done():
            dialling.cancel()
            await asyncio.wait({dialling})
        else:
            dialling.result().link.close()
        await settle(10)
        assert not net.network.links
        assert net.near.descriptors == net.host.descriptors == 0


@on_network
async def test_without_descriptors_a_dial_fails_and_an_accept_waits(net: Net) -> None:
    await net.listen()
    net.near.descriptors_max = 0
    with pytest.raises(OSError, match="Too many open files") as caught:
        await net.near.dial(FAR, Peer)
    assert caught.value.errno == errno.EMFILE
    net.near.descriptors_max = 10
    net.host.descriptors_max = 0
    near = await net.near.dial(FAR, Peer)
    near.link.write(b"early")
    await settle(5)
    assert net.accepted == []
    net.host.descriptors_max = 1
    await settle(5)
    assert net.accepted[0].received == b"early"


@on_network
async def test_a_frozen_program_accepts_and_reads_later(net: Net) -> None:
    near, far = await net.pair()
    net.host.freeze()
    near.link.write(b"x")
    other = await net.near.dial(FAR, Peer)
    await settle(10)
    assert far.received == b""
    assert other.events == ["made"]
    assert len(net.accepted) == 1
    net.host.thaw()
    await settle(1)
    assert far.received == b"x"
    assert len(net.accepted) == 2


@on_network
async def test_names_have_addresses_fail_or_hang(net: Net) -> None:
    net.network.names["a"] = name = Name("10.0.0.2", "10.0.0.3")
    assert await net.near.resolve("a", 1) == [Address("10.0.0.2", 1), Address("10.0.0.3", 1)]
    assert await net.near.resolve("10.0.0.9", 1) == [Address("10.0.0.9", 1)]
    name.fails = True
    with pytest.raises(OSError, match="not known"):
        await net.near.resolve("a", 1)
    with pytest.raises(OSError, match="not known"):
        await net.near.resolve("b", 1)
    name.fails, name.hangs = False, True
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3600):
            await net.near.resolve("a", 1)
