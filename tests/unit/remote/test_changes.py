"""Remote clusters follow the settings: what is rebuilt, updated and removed."""

import asyncio
import logging

import pytest

from sealane.errors import (
    ConnectTransport,
    NodeDisconnected,
)
from sealane.remote import Change
from sealane.settings import Settings, Value
from sealane.testing.simulation import in_virtual_time, settle
from tests.unit.remote.fakes import (
    US,
    FakeDialer,
    FakeNode,
    FakeSettings,
    address_text,
    cluster_of,
    context,
)
from tests.unit.remote.registries import A, B, D, connected, failure, proxy, remotes, sniff


@in_virtual_time
async def test_settings_are_followed() -> None:
    """An alias appears, changes and goes with the settings in force."""
    source = FakeSettings(Settings())
    async with remotes(FakeDialer(*cluster_of(A)), source) as made:
        assert made.aliases() == []
        source.change(sniff())
        assert made.aliases() == ["eu"]
        await settle()
        assert made.describe()["eu"]["connected"] is True
        source.change(sniff(skip_unavailable="false"))
        assert made.skip_unavailable("eu") is False
        source.change(Settings())
        assert made.aliases() == []


@in_virtual_time
async def test_skip_unavailable_changes_in_place() -> None:
    """C-36: no socket is touched."""
    dialer = FakeDialer(*cluster_of(A))
    async with remotes(dialer, sniff()) as made:
        await settle()
        before = dialer.open_connections
        assert made.apply(sniff(skip_unavailable="false")) == {"eu": Change.UPDATED}
        assert made.skip_unavailable("eu") is False
        await settle()
        assert dialer.open_connections == before


@in_virtual_time
async def test_rebuild_keeps_skip_unavailable() -> None:
    """C-37: what is in force is what is set, whatever was rebuilt."""
    async with remotes(FakeDialer(*cluster_of(A)), sniff(skip_unavailable="false")) as made:
        await settle()
        change = made.apply(sniff(skip_unavailable="false", transport__ping_schedule="5s"))
        assert change == {"eu": Change.RECONNECTED}
        assert made.skip_unavailable("eu") is False
        assert made.describe()["eu"]["skip_unavailable"] is False


@in_virtual_time
async def test_seeds_in_another_order() -> None:
    """C-38: nothing reconnects, and info shows the new order."""
    dialer = FakeDialer(*cluster_of(A, B))
    one, two = address_text(A), address_text(B)
    async with remotes(dialer, sniff(one, two)) as made:
        await settle()
        before = dialer.open_connections
        assert made.apply(sniff(two, one)) == {"eu": Change.UPDATED}
        await settle()
        assert dialer.open_connections == before
        assert made.describe()["eu"]["seeds"] == [two, one]


@in_virtual_time
async def test_new_seed_pins_anew() -> None:
    """C-39: old sockets are closed and another cluster may answer."""
    dialer = FakeDialer(*cluster_of(A), *cluster_of(B, identity=US))
    async with remotes(dialer, sniff(address_text(A))) as made:
        await settle()
        old = dialer.open_connections
        assert made.apply(sniff(address_text(B))) == {"eu": Change.RECONNECTED}
        assert not any(each.is_open for each in old)
        await settle()
        assert connected(made) == ["b"]
        assert made.describe(verbose=True)["eu"]["cluster_name"] == "us"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"mode": "sniff"}, Change.UNCHANGED),
        ({"node_connections": "3"}, Change.UNCHANGED),
        ({"node_connections": "2"}, Change.RECONNECTED),
        ({"proxy": "10.0.0.1:9300"}, Change.RECONNECTED),
        ({"transport__compress": "true"}, Change.RECONNECTED),
        ({"transport__compression_scheme": "deflate"}, Change.RECONNECTED),
        ({"transport__ping_schedule": "5s"}, Change.RECONNECTED),
        ({"transport__compress": "INDEXING_DATA"}, Change.UNCHANGED),
        ({"cluster_name": "eu"}, Change.RECONNECTED),
        ({"skip_unavailable": "false"}, Change.UPDATED),
        ({"skip_unavailable": "true"}, Change.UNCHANGED),
        ({"max_in_flight_requests": "5"}, Change.UPDATED),
    ],
    ids=str,
)
def test_what_a_sniff_key_changes(changed: dict[str, Value], expected: Change) -> None:
    @in_virtual_time
    async def check() -> None:
        async with remotes(FakeDialer(*cluster_of(A)), sniff()) as made:
            await settle()
            assert made.apply(sniff(**changed)) == {"eu": expected}

    check()


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (proxy(), Change.UNCHANGED),
        (proxy("10.0.0.1:9301"), Change.RECONNECTED),
        (proxy(proxy_socket_connections="2"), Change.RECONNECTED),
        (proxy(server_name="x"), Change.RECONNECTED),
        (proxy(skip_unavailable="false"), Change.UPDATED),
        (sniff(), Change.RECONNECTED),
    ],
    ids=["same", "address", "sockets", "server name", "skip", "mode"],
)
def test_what_a_proxy_key_changes(after: Settings, expected: Change) -> None:
    @in_virtual_time
    async def check() -> None:
        async with remotes(FakeDialer(*cluster_of(A)), proxy()) as made:
            await settle()
            assert made.apply(after) == {"eu": expected}

    check()


@in_virtual_time
async def test_removing_an_alias() -> None:
    """C-41: all its connections close at once, in the middle of a round too."""
    silent = FakeNode(D, silent=True)
    nodes = cluster_of(A, B)
    nodes[0].listed = [A, B, D]
    dialer = FakeDialer(*nodes, silent)
    async with remotes(dialer, sniff()) as made:
        await settle()
        assert dialer.open_connections
        assert made.apply(Settings()) == {"eu": Change.DISCONNECTED}
        assert not dialer.open_connections
        assert made.aliases() == []
        assert made.describe() == {}
        await settle(100)
        assert not dialer.open_connections


@in_virtual_time
async def test_request_in_flight_during_a_rebuild() -> None:
    """C-40: it fails with a disconnect, and does not hang."""
    async with remotes(FakeDialer(*cluster_of(A)), sniff()) as made:
        connection = await made.cluster("eu").connection(context())
        request = asyncio.ensure_future(connection.request("action", b"", context()))
        await settle()
        made.apply(sniff(node_connections="1"))
        with pytest.raises(NodeDisconnected):
            await request


@in_virtual_time
async def test_waiter_during_a_rebuild() -> None:
    silent = FakeNode(A, silent=True)
    async with remotes(FakeDialer(silent), sniff(skip_unavailable="false")) as made:
        waiting = asyncio.ensure_future(failure(made))
        await settle()
        made.apply(sniff(skip_unavailable="false", node_connections="1"))
        assert (await waiting).reason == "[eu] connection manager is closed"


@in_virtual_time
async def test_waiter_of_a_remote_that_is_gone_before_it_began() -> None:
    async with remotes(FakeDialer(), Settings()) as made:
        made.apply(sniff(skip_unavailable="false"))
        cluster = made.cluster("eu")
        made.apply(Settings())
        with pytest.raises(ConnectTransport, match="connection manager is closed"):
            await cluster.connection(context())


@in_virtual_time
async def test_unreachable_remote_does_not_hold_up_the_settings() -> None:
    """C-33: taking ten dead remotes takes no time."""
    silent = FakeNode(A, silent=True)
    loop = asyncio.get_running_loop()
    async with remotes(FakeDialer(silent), Settings()) as made:
        keys = {f"cluster.remote.r{n}.seeds": (address_text(A),) for n in range(10)}
        changes = made.apply(Settings(keys))
        assert set(changes.values()) == {Change.CONNECTED}
        assert made.aliases() == [f"r{n}" for n in range(10)]
        assert loop.time() == 0.0


SEEDS_KEY = "cluster.remote.eu.seeds"
ROWS: list[tuple[str, Settings, Settings, Change]] = [
    ("sniff to proxy", sniff(), proxy(), Change.RECONNECTED),
    ("proxy to sniff", proxy(), sniff(), Change.RECONNECTED),
    ("the mode said that was implied", sniff(), sniff(mode="sniff"), Change.UNCHANGED),
    ("the mode in capitals", sniff(), sniff(mode="SNIFF"), Change.UNCHANGED),
    ("a seed more", sniff(), sniff(address_text(A), address_text(B)), Change.RECONNECTED),
    ("a seed twice", sniff(), sniff(address_text(A), address_text(A)), Change.RECONNECTED),
    ("a blank around a seed", sniff(), sniff(" 10.0.0.1:9300 "), Change.UNCHANGED),
    ("seeds emptied", sniff(), sniff().merged({SEEDS_KEY: ()}), Change.DISCONNECTED),
    ("address emptied", proxy(), proxy(""), Change.DISCONNECTED),
    ("removed", sniff(), Settings(), Change.DISCONNECTED),
    ("enabled", Settings(), sniff(), Change.CONNECTED),
    ("nothing", sniff(), sniff(), Change.UNCHANGED),
    ("skip, proxy", proxy(), proxy(skip_unavailable="false"), Change.UPDATED),
]


@pytest.mark.parametrize(
    ("before", "after", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_every_row_of_the_lifecycle(
    before: Settings, after: Settings, expected: Change, caplog: pytest.LogCaptureFixture
) -> None:
    """What each change does, and the line that says so; nothing is logged where nothing happens."""

    @in_virtual_time
    async def check() -> None:
        async with remotes(FakeDialer(*cluster_of(A, B)), before) as made:
            await settle()
            caplog.clear()
            assert made.apply(after) == {"eu": expected}

    with caplog.at_level(logging.INFO, "sealane.remote"):
        check()
    told = f"remote cluster connection [eu] updated: {expected}"
    assert (told in caplog.messages) is (expected is not Change.UNCHANGED)


@in_virtual_time
async def test_several_aliases_in_one_change() -> None:
    """Each gets what its own keys ask for."""
    dialer = FakeDialer(*cluster_of(A, B))
    before = sniff(alias="kept").merged(sniff(alias="changed")).merged(sniff(alias="gone"))
    after = (
        sniff(alias="kept")
        .merged(sniff(alias="changed", node_connections="1"))
        .merged(sniff(alias="new"))
    )
    async with remotes(dialer, before) as made:
        await settle()
        assert made.apply(after) == {
            "gone": Change.DISCONNECTED,
            "changed": Change.RECONNECTED,
            "kept": Change.UNCHANGED,
            "new": Change.CONNECTED,
        }
        await settle()
        assert {alias: len(connected(made, alias)) for alias in made.aliases()} == {
            "changed": 1,
            "kept": 2,
            "new": 2,
        }
