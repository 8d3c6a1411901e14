"""Proxy mode: sockets to one address."""

import pytest

from sealane.errors import (
    IllegalArgument,
    NoSeedNodeLeft,
)
from sealane.model.node import Address
from sealane.testing.simulation import in_virtual_time, settle
from tests.unit.remote.fakes import (
    US,
    FakeDialer,
    FakeNode,
    cluster_of,
    refused,
)
from tests.unit.remote.registries import A, B, failure, proxy, remotes


@in_virtual_time
async def test_proxy_opens_as_many_sockets_as_wanted() -> None:
    """C-62, C-69: exactly four, of one channel, all to the one address."""
    dialer = FakeDialer(*cluster_of(A, B))
    async with remotes(dialer, proxy(proxy_socket_connections="4")) as made:
        await settle(100)
        assert made.describe()["eu"]["num_proxy_sockets_connected"] == 4
        assert dialer.dialled == [A.address] * 4
        assert {each.channels for each in dialer.profiles} == {1}


@in_virtual_time
async def test_sockets_take_the_addresses_behind_a_name_in_turn() -> None:
    """Each begins with the next of them, in later rounds too."""
    nodes = cluster_of(A)
    dialer = FakeDialer(*nodes)
    async with remotes(dialer, proxy(proxy_socket_connections="3")):
        await settle()
        assert [profile.first_address for profile in dialer.profiles] == [0, 1, 2]
        nodes[0].open_connections[0].break_off()
        await settle()
        assert [profile.first_address for profile in dialer.profiles] == [0, 1, 2, 3]


@in_virtual_time
async def test_lost_proxy_sockets_come_back_at_once() -> None:
    """C-63."""
    nodes = cluster_of(A)
    async with remotes(FakeDialer(*nodes), proxy(proxy_socket_connections="4")) as made:
        await settle()
        for connection in nodes[0].open_connections[:2]:
            connection.break_off()
        assert made.describe()["eu"]["num_proxy_sockets_connected"] == 2
        await settle()
        assert made.describe()["eu"]["num_proxy_sockets_connected"] == 4


@pytest.mark.parametrize(
    ("address", "server_name", "sent"),
    [
        ("gate.example:9300", "", "gate.example"),
        ("gate.example:9300", "eu.example", "eu.example"),
        ("10.0.0.1:9300", "", None),
        ("[::1]:9300", "", None),
    ],
)
def test_server_name(address: str, server_name: str, sent: str | None) -> None:
    """C-64: the configured one, else the address's host where it is a name."""

    @in_virtual_time
    async def check() -> None:
        dialer = FakeDialer()
        for host in ("gate.example", "10.0.0.1", "::1"):
            dialer.by_address[Address(host, 9300)] = FakeNode(A)
        settings = proxy(address, server_name=server_name, proxy_socket_connections="1")
        async with remotes(dialer, settings):
            await settle()
            assert [each.server_name for each in dialer.connections] == [sent]

    check()


@in_virtual_time
async def test_proxy_socket_of_another_cluster() -> None:
    """C-65: closed and not counted."""
    nodes = cluster_of(A)
    dialer = FakeDialer(*nodes)
    async with remotes(dialer, proxy(proxy_socket_connections="2")) as made:
        await settle()
        nodes[0].cluster = US
        nodes[0].open_connections[0].break_off()
        await settle()
        assert made.describe()["eu"]["num_proxy_sockets_connected"] == 1
        assert len(dialer.open_connections) == 1


@in_virtual_time
async def test_proxy_with_some_sockets_is_connected() -> None:
    """C-67: one of four counts, and the rest is tried again with pauses."""
    dialer = FakeDialer(*cluster_of(A))
    dialer.accept_max = 1
    async with remotes(dialer, proxy(proxy_socket_connections="4")) as made:
        await settle()
        assert made.describe()["eu"]["connected"] is True
        assert made.describe()["eu"]["num_proxy_sockets_connected"] == 1
        assert made.statistics()["eu"].next_attempt_in_s == 1.0
        dialer.accept_max = 100
        await settle(1)
        assert made.describe()["eu"]["num_proxy_sockets_connected"] == 4


@in_virtual_time
async def test_proxy_with_nothing_open() -> None:
    """C-66, C-68: three attempts at the address, then a 500 that lists the distinct causes."""
    dialer = FakeDialer()
    settings = proxy(skip_unavailable="false", proxy_socket_connections="4")
    async with remotes(dialer, settings) as made:
        error = await failure(made)
        assert isinstance(error, NoSeedNodeLeft)
        assert error.status == 500
        assert error.reason == (
            "Unable to open any proxy connections to cluster [eu] at address [10.0.0.1:9300]"
        )
        assert [each.reason for each in error.suppressed] == [refused(A.address).reason]
        assert len(dialer.dialled) == 12
        root = error.to_body()["error"]["root_cause"][0]
        assert root["suppressed"] == [
            {"type": "connect_transport_exception", "reason": refused(A.address).reason}
        ]


@in_virtual_time
async def test_proxy_whose_name_does_not_resolve() -> None:
    """Trying again cannot help, so the cause itself is the error."""
    dialer = FakeDialer()
    dialer.errors[Address("gate.example", 1)] = IllegalArgument("unknown host [gate.example]")
    async with remotes(dialer, proxy("gate.example:1", skip_unavailable="false")) as made:
        error = await failure(made)
        assert (error.status, error.reason) == (400, "unknown host [gate.example]")
