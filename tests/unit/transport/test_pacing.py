"""Opening sockets in turns."""

import asyncio

import pytest

from sealane.testing.network import MemoryNetwork
from sealane.testing.simulation import in_virtual_time, settle
from sealane.transport import ConnectionProfile
from sealane.transport.pacing import Pacing
from sealane.transport.tasks import TaskScope, run_together
from tests.transport_nodes import two_nodes


class Openings:
    """Turns of `sockets` that take `seconds`; `most` is how many sockets were held at once."""

    def __init__(self, pacing: Pacing) -> None:
        self._pacing = pacing
        self.now = self.most = 0
        self.order: list[int] = []

    async def open(self, number: int, sockets: int, seconds: float) -> None:
        async with self._pacing.turn(sockets):
            self.order.append(number)
            self.now += sockets
            self.most = max(self.most, self.now)
            await asyncio.sleep(seconds)
            self.now -= sockets


def _now() -> float:
    return asyncio.get_running_loop().time()


@in_virtual_time
async def test_no_more_are_opened_at_once_than_there_are_places() -> None:
    openings = Openings(Pacing(12, hold_s=60.0))
    await run_together([openings.open(each, 6, 1.0) for each in range(10)])
    assert openings.most == 12
    assert openings.order == list(range(10))
    assert _now() == pytest.approx(5.0)


@in_virtual_time
async def test_one_that_takes_long_gives_its_place_to_the_next() -> None:
    """A hundred black holes hold up the one behind them for a moment, not for their timeouts."""
    openings = Openings(Pacing(10, hold_s=0.05))
    async with TaskScope("test") as scope:
        for each in range(100):
            scope.start(openings.open(each, 1, 30.0))
        await settle()
        await openings.open(100, 1, 0.0)
        assert _now() == pytest.approx(0.5)


@in_virtual_time
async def test_a_connection_of_more_sockets_than_places_waits_for_all_of_them() -> None:
    openings = Openings(Pacing(4, hold_s=60.0))
    await run_together([openings.open(0, 1, 1.0), openings.open(1, 99, 1.0)])
    assert _now() == pytest.approx(2.0)


@in_virtual_time
async def test_cancelled_ones_leave_nothing_behind() -> None:
    pacing = Pacing(2, hold_s=60.0)
    openings = Openings(pacing)
    async with TaskScope("test") as scope:
        tasks = [scope.start(openings.open(each, 2, 10.0)) for each in range(5)]
        await settle(1.0)
        for task in tasks[:4]:
            task.cancel()
        await settle(0.0)
        assert openings.order[-1] == 4
        tasks[4].cancel()
        await settle(0.0)
        await openings.open(9, 2, 0.0)
        assert _now() == pytest.approx(1.0)


@in_virtual_time
async def test_one_that_is_called_and_cancelled_in_one_step_hands_its_place_on() -> None:
    pacing = Pacing(1, hold_s=60.0)
    openings = Openings(pacing)
    async with TaskScope("test") as scope:
        first = scope.start(openings.open(0, 1, 1.0))
        second = scope.start(openings.open(1, 1, 1.0))
        third = scope.start(openings.open(2, 1, 1.0))
        await settle(0.5)
        first.add_done_callback(lambda _: second.cancel())
        await asyncio.wait({first, second, third})
        assert not third.cancelled()


@in_virtual_time
async def test_connections_of_a_service_take_turns() -> None:
    """However many are asked for at once, all are opened."""
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server):

        async def connect() -> None:
            await client.transport.connect(server.address, ConnectionProfile(6))

        await run_together([connect() for _ in range(100)])
        assert client.transport.statistics().channels_out == 600
