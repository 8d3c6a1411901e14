"""How long a starting node waits for its remotes."""

import asyncio
import logging

import pytest

from sealane.settings import Settings
from sealane.testing.simulation import in_virtual_time
from tests.unit.remote.fakes import FakeDialer, FakeNode, address_text, cluster_of, node
from tests.unit.remote.registries import A, B, connected, remotes, sniff

SILENT = node("silent", 9999)


@in_virtual_time
async def test_nothing_is_waited_for_without_remotes() -> None:
    async with remotes(FakeDialer(), Settings()) as made:
        await made.wait_first_rounds()
        assert asyncio.get_running_loop().time() == 0.0


@in_virtual_time
async def test_connected_remotes_cost_no_time() -> None:
    """Whoever asks next finds them."""
    async with remotes(FakeDialer(*cluster_of(A, B)), sniff()) as made:
        await made.wait_first_rounds()
        assert connected(made) == ["a", "b"]
        assert asyncio.get_running_loop().time() == 0.0


@in_virtual_time
async def test_refused_remotes_cost_no_time() -> None:
    async with remotes(FakeDialer(), sniff()) as made:
        await made.wait_first_rounds()
        assert asyncio.get_running_loop().time() == 0.0


def test_silent_remotes_are_waited_for_together(caplog: pytest.LogCaptureFixture) -> None:
    """P6: at most `initial_connect_timeout` in all, whatever their number; then the node starts
    without them, says so, and goes on trying.
    """

    @in_virtual_time
    async def check() -> None:
        settings = sniff(address_text(SILENT), alias="one")
        settings = settings.merged(sniff(address_text(SILENT), alias="two"))
        settings = settings.merged(sniff(address_text(A), alias="three"))
        settings = settings.merged({"cluster.remote.initial_connect_timeout": "10s"})
        dialer = FakeDialer(FakeNode(SILENT, silent=True), *cluster_of(A))
        async with remotes(dialer, settings) as made:
            await made.wait_first_rounds()
            assert asyncio.get_running_loop().time() == 10.0
            assert made.statistics()["one"].running

    with caplog.at_level(logging.WARNING):
        check()
    assert (
        "remote clusters not connected at the start, going on without them: [one], [two]"
        in caplog.messages
    )


@in_virtual_time
async def test_a_timeout_of_nothing_waits_for_nothing() -> None:
    settings = sniff(address_text(SILENT)).merged({"cluster.remote.initial_connect_timeout": "0s"})
    async with remotes(FakeDialer(FakeNode(SILENT, silent=True)), settings) as made:
        await made.wait_first_rounds()
        assert asyncio.get_running_loop().time() == 0.0
