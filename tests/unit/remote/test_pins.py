"""Which cluster an alias may lead to: named in the settings, remembered across starts."""

import logging

import pytest

from sealane.cluster.store import MemoryStateStore
from sealane.errors import IOFailure
from sealane.remote import Change, MemoryPins, StoredPins
from sealane.settings import Settings
from sealane.testing.simulation import in_virtual_time, settle
from sealane.transport import TaskScope
from tests.unit.remote.fakes import EU, US, FakeDialer, address_text, cluster_of
from tests.unit.remote.registries import A, B, connected, failure, proxy, remotes, sniff

ANOTHER_UUID = (
    "handshake with [{a}{id-a}{eph-a}{10.0.0.1}{10.0.0.1:9300}] failed: remote cluster uuid [uuid-us] "
    "does not match expected remote cluster uuid [uuid-eu]; to accept the new cluster, remove the remote and "
    "add it again, or change its addresses"
)


@in_virtual_time
async def test_cluster_behind_a_recycled_address_is_refused_after_a_restart() -> None:
    """P18: the uuid is what counts; the name may have been changed."""
    pins = MemoryPins()
    settings = sniff(skip_unavailable="false")
    async with remotes(FakeDialer(*cluster_of(A)), settings, pins=pins) as made:
        await settle()
        assert connected(made) == ["a"]
    async with remotes(FakeDialer(*cluster_of(A, identity=US)), settings, pins=pins) as made:
        error = await failure(made)
        assert (error.status, error.reason) == (500, ANOTHER_UUID)


@in_virtual_time
async def test_renamed_cluster_is_the_same_after_a_restart() -> None:
    pins = MemoryPins()
    renamed = type(EU)(name="europe", uuid=EU.uuid)
    for identity in (EU, renamed):
        dialer = FakeDialer(*cluster_of(A, identity=identity))
        async with remotes(dialer, sniff(), pins=pins) as made:
            await settle()
            assert connected(made) == ["a"]


@in_virtual_time
async def test_another_cluster_is_accepted_once_the_remote_was_removed() -> None:
    nodes = cluster_of(A)
    async with remotes(FakeDialer(*nodes), sniff()) as made:
        await settle()
        nodes[0].cluster = US
        made.apply(sniff(node_connections="2"))
        await settle()
        assert made.describe()["eu"]["connected"] is False
        made.apply(Settings())
        made.apply(sniff(node_connections="2"))
        await settle()
        assert made.describe(verbose=True)["eu"]["cluster_uuid"] == "uuid-us"


@in_virtual_time
async def test_pins_wait_for_settings_that_come_later() -> None:
    """A node that joins its cluster hears of the aliases after it has begun with its file alone."""
    pins = MemoryPins()
    async with remotes(FakeDialer(*cluster_of(A)), sniff(), pins=pins):
        await settle()
    strangers = FakeDialer(*cluster_of(A, identity=US))
    async with remotes(strangers, Settings(), pins=pins) as made:
        made.apply(sniff())
        await settle()
        assert made.describe()["eu"]["connected"] is False


@in_virtual_time
async def test_pins_of_aliases_removed_while_the_node_was_down_go_with_the_next_removal() -> None:
    pins = MemoryPins()
    pins.pin("gone", "10.0.0.9:9300", "uuid-us")
    pins.pin("later", "10.0.0.8:9300", "uuid-us")
    async with remotes(FakeDialer(*cluster_of(A)), sniff(), pins=pins) as made:
        await settle()
        assert pins.uuid("gone", "10.0.0.9:9300") == "uuid-us"
        made.apply(sniff().merged({"cluster.remote.later.seeds": ("10.0.0.8:9300",)}))
        assert pins.uuid("later", "10.0.0.8:9300") == "uuid-us"
        made.apply(Settings({"cluster.remote.later.seeds": ("10.0.0.8:9300",)}))
        assert pins.uuid("gone", "10.0.0.9:9300") == ""
        assert pins.uuid("later", "10.0.0.8:9300") == "uuid-us"


@in_virtual_time
async def test_another_cluster_is_accepted_at_other_addresses() -> None:
    """C-39."""
    dialer = FakeDialer(*cluster_of(A), *cluster_of(B, identity=US))
    async with remotes(dialer, sniff()) as made:
        await settle()
        made.apply(sniff(address_text(B)))
        await settle()
        assert connected(made) == ["b"]


@in_virtual_time
async def test_the_same_seeds_in_another_order_are_the_same_addresses() -> None:
    pins = MemoryPins()
    one, two = address_text(A), address_text(B)
    async with remotes(FakeDialer(*cluster_of(A, B)), sniff(one, two), pins=pins):
        await settle()
    strangers = FakeDialer(*cluster_of(A, B, identity=US))
    async with remotes(strangers, sniff(two, one), pins=pins) as made:
        await settle()
        assert made.describe()["eu"]["connected"] is False


@in_virtual_time
async def test_expected_cluster_name_in_sniff_mode() -> None:
    """A seed of a cluster with another name fails, the next one is tried."""
    dialer = FakeDialer(*cluster_of(A), *cluster_of(B, identity=US))
    settings = sniff(address_text(A), address_text(B), cluster_name="us")
    async with remotes(dialer, settings) as made:
        await settle()
        assert connected(made) == ["b"]
        change = made.apply(sniff(address_text(A), address_text(B), cluster_name="nobody"))
        assert change == {"eu": Change.RECONNECTED}
        error = await failure(made)
        assert error.caused_by is not None
        assert error.caused_by.reason.endswith(
            "remote cluster name [us] does not match expected remote cluster name [nobody]"
        )


@in_virtual_time
async def test_expected_cluster_name_in_proxy_mode() -> None:
    settings = proxy(cluster_name="us", skip_unavailable="false", proxy_socket_connections="2")
    dialer = FakeDialer(*cluster_of(A))
    async with remotes(dialer, settings) as made:
        error = await failure(made)
        assert [each.reason for each in error.suppressed] == [
            "[][10.0.0.1:9300] handshake failed. unexpected remote cluster name Cluster [eu]"
        ]
        assert not dialer.open_connections


async def test_pins_are_kept_in_the_store() -> None:
    store = MemoryStateStore()
    async with TaskScope("test") as scope:
        pins = StoredPins(store, scope)
        await pins.load()
        assert pins.uuid("eu", "h:1") == ""
        pins.pin("eu", "h:1", "uuid-eu")
        pins.pin("us", "h:2", "uuid-us")
        await until_written(scope)
        again = StoredPins(store, scope)
        await again.load()
        assert (again.uuid("eu", "h:1"), again.uuid("eu", "h:9")) == ("uuid-eu", "")
        again.keep_only({"us", "nobody"})
        await until_written(scope)
        third = StoredPins(store, scope)
        await third.load()
        assert (third.uuid("eu", "h:1"), third.uuid("us", "h:2")) == ("", "uuid-us")


async def test_pins_that_cannot_be_written_hold_in_memory(caplog: pytest.LogCaptureFixture) -> None:
    """A full disk is told, keeps nobody from connecting, and the next change writes them all."""

    class FullStore(MemoryStateStore):
        is_full = True

        async def compare_and_set(self, changes, expected):
            if self.is_full:
                raise IOFailure("disk full")
            return await super().compare_and_set(changes, expected)

    store = FullStore()
    async with TaskScope("test") as scope:
        pins = StoredPins(store, scope)
        with caplog.at_level(logging.WARNING):
            pins.pin("eu", "h:1", "uuid-eu")
            await until_written(scope)
        assert "disk full" in caplog.text
        assert pins.uuid("eu", "h:1") == "uuid-eu"
        store.is_full = False
        pins.pin("us", "h:2", "uuid-us")
        await until_written(scope)
        again = StoredPins(store, scope)
        await again.load()
        assert again.uuid("eu", "h:1") == "uuid-eu"


async def until_written(scope: TaskScope) -> None:
    while len(scope):
        await settle()
