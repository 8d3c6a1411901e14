"""Remotes of real servers, whose handshake tells the cluster's name only: the uuid is asked for, and pinned."""

import pytest

from sealane.errors import IllegalArgument, NodeDisconnected, ReceiveTimeout
from sealane.model.node import ClusterIdentity
from sealane.remote import MemoryPins
from sealane.settings import Settings
from sealane.testing.simulation import in_virtual_time, settle
from tests.unit.remote.fakes import EU, FakeDialer, FakeNode, cluster_of
from tests.unit.remote.registries import A, B, connected, failure, proxy, remotes, sniff

OTHER = ClusterIdentity(name=EU.name, uuid="uuid-other")
FOREIGN = pytest.mark.parametrize("family", ["elasticsearch", "opensearch"])


@FOREIGN
@pytest.mark.parametrize("settings", [sniff(), proxy()], ids=["sniff", "proxy"])
@in_virtual_time
async def test_the_uuid_product_and_release_of_a_real_server_are_shown(
    family: str, settings: Settings
) -> None:
    dialer = FakeDialer(FakeNode(A, family=family, listed=[A]))
    async with remotes(dialer, settings) as made:
        await settle(100)
        shown = made.describe(verbose=True)["eu"]
    assert (shown["cluster_name"], shown["cluster_uuid"]) == ("eu", "uuid-eu")
    release = {"elasticsearch": "8.19.0", "opensearch": "2.19.4"}[family]
    assert (shown["remote_product"], shown["remote_version"]) == (family, release)


@FOREIGN
@in_virtual_time
async def test_another_real_cluster_of_the_same_name_is_refused(family: str) -> None:
    """P18 for clusters that are no Sealane: the name alone would let it pass."""
    pins = MemoryPins()
    async with remotes(FakeDialer(FakeNode(A, family=family, listed=[A])), sniff(), pins=pins):
        await settle(100)
    stranger = FakeNode(A, OTHER, family, listed=[A])
    settings = sniff(skip_unavailable="false")
    async with remotes(FakeDialer(stranger), settings, pins=pins) as made:
        error = await failure(made)
    assert "remote cluster uuid [uuid-other] does not match expected" in error.reason


@in_virtual_time
async def test_a_node_of_another_real_cluster_is_no_gateway_beside_the_first() -> None:
    nodes = cluster_of(A, B)
    nodes[0].family = nodes[1].family = "elasticsearch"
    nodes[1].cluster = OTHER
    async with remotes(FakeDialer(*nodes), sniff()) as made:
        await settle(100)
        assert connected(made) == ["a"]


@in_virtual_time
async def test_a_server_that_does_not_tell_its_uuid_is_known_by_its_name() -> None:
    for error in (IllegalArgument("no"), ReceiveTimeout("no answer"), NodeDisconnected("gone")):
        server = FakeNode(A, family="elasticsearch", list_error=error)
        async with remotes(FakeDialer(server), proxy()) as made:
            await settle(100)
            assert connected(made) == ["a"]
            shown = made.describe(verbose=True)["eu"]
            assert (shown["cluster_name"], shown["cluster_uuid"]) == ("eu", None)


@in_virtual_time
async def test_a_uuid_that_was_known_and_is_not_told_does_not_keep_a_server_out() -> None:
    pins = MemoryPins()
    async with remotes(FakeDialer(FakeNode(A, family="opensearch")), proxy(), pins=pins):
        await settle(100)
    refuses = FakeNode(A, family="opensearch", list_error=IllegalArgument("no"))
    async with remotes(FakeDialer(refuses), proxy(), pins=pins) as made:
        await settle(100)
        assert connected(made) == ["a"]


@in_virtual_time
async def test_a_node_that_has_not_joined_yet_tells_no_uuid() -> None:
    """What it has is a placeholder, which must not be pinned."""
    young = FakeNode(A, ClusterIdentity(name="eu", uuid="_na_"), "elasticsearch")
    async with remotes(FakeDialer(young), proxy()) as made:
        await settle(100)
        assert made.describe(verbose=True)["eu"]["cluster_uuid"] is None
        assert connected(made) == ["a"]
