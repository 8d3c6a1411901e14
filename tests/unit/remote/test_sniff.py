"""Sniff mode: which nodes become gateways, and what is said when none does."""

import msgspec
import pytest

from sealane.errors import (
    IllegalArgument,
    IllegalState,
)
from sealane.model.node import Address, NodeInfo
from sealane.model.task import TaskRegistry
from sealane.remote.config import SniffConfig
from sealane.remote.dialling import Reach
from sealane.remote.gateways import Gateways
from sealane.remote.identity import PinnedIdentity
from sealane.remote.protocols import NodeConnection
from sealane.remote.snapshot import remote_configs
from sealane.remote.sniff import SniffStrategy
from sealane.remote.transport.identity import IdentityRequest
from sealane.testing.simulation import in_virtual_time, settle
from tests.unit.remote.fakes import (
    EU,
    US,
    FakeDialer,
    FakeNode,
    address_text,
    cluster_of,
    node,
    refused,
)
from tests.unit.remote.registries import (
    A,
    B,
    C,
    D,
    FixedClock,
    connected,
    failure,
    remotes,
    sniff,
)


@in_virtual_time
async def test_sniff_connects_to_the_nodes_a_seed_names() -> None:
    """Six channels to each of up to three gateways; the seed's own connection is closed (C-54)."""
    dialer = FakeDialer(*cluster_of(A, B, C, D))
    async with remotes(dialer, sniff()) as made:
        await settle()
        assert connected(made) == ["a", "b", "c"]
        assert [each.profile.channels for each in dialer.open_connections] == [6, 6, 6]
        assert len(dialer.connections) == 4


@in_virtual_time
async def test_never_more_gateways_than_wanted() -> None:
    """C-46: `node_connections: 1` is one gateway."""
    dialer = FakeDialer(*cluster_of(A, B, C))
    async with remotes(dialer, sniff(node_connections="1")) as made:
        await settle(1000)
        assert connected(made) == ["a"]


@in_virtual_time
async def test_dedicated_masters_are_no_gateways() -> None:
    """C-47, C-48, C-50: six of seven nodes; a dedicated master is good as a seed and not counted."""
    roles = [
        ("master",),
        ("data",),
        ("data_hot", "master"),
        ("ingest", "master"),
        (),
        ("ml",),
        ("data",),
    ]
    infos = [node(f"n{n}", 9300 + n, roles=each) for n, each in enumerate(roles)]
    dialer = FakeDialer(*cluster_of(*infos))
    async with remotes(dialer, sniff(address_text(infos[0]), node_connections="10")) as made:
        await settle()
        assert connected(made) == ["n1", "n2", "n3", "n4", "n5", "n6"]


@in_virtual_time
async def test_only_dedicated_masters() -> None:
    """C-49: a 500 that names the remote."""
    dialer = FakeDialer(*cluster_of(node("m", 9300, roles=("master",))))
    async with remotes(dialer, sniff(skip_unavailable="false")) as made:
        error = await failure(made)
        assert isinstance(error, IllegalState)
        assert error.reason == "Unable to open any connections to remote cluster [eu]"
        assert error.status == 500


@in_virtual_time
async def test_gateway_attribute() -> None:
    """C-51: only `gw: true`; a value that is no boolean is a warning and the round ends."""
    infos = [
        node("yes", 9300, gw="true"),
        node("no", 9301, gw="false"),
        node("odd", 9302, gw="nope"),
        node("none", 9303),
    ]
    settings = sniff().merged({"cluster.remote.node.attr": "gw"})
    async with remotes(FakeDialer(*cluster_of(*infos)), settings) as made:
        await settle()
        assert connected(made) == ["yes"]
        assert made.describe(verbose=True)["eu"]["warnings"] == [
            "node [odd] has [nope] as attribute [gw], which is not a boolean"
        ]


@in_virtual_time
async def test_seeds_are_tried_in_order_until_one_works() -> None:
    """C-42, C-43, C-44: refused and unresolvable seeds fall through; those after the good one stay
    untouched.
    """
    dialer = FakeDialer(*cluster_of(A))
    dialer.errors[Address("nowhere.example", 9300)] = IllegalArgument(
        "unknown host [nowhere.example]"
    )
    seeds = ("nowhere.example:9300", "10.0.0.9:9300", address_text(A), "10.0.0.10:9300")
    async with remotes(dialer, sniff(*seeds)) as made:
        await settle()
        assert connected(made) == ["a"]
        assert [str(each) for each in dialer.dialled] == [*seeds[:3], address_text(A)]


@in_virtual_time
async def test_silent_first_seed_costs_one_connect_timeout() -> None:
    """C-45."""
    silent = FakeNode(node("silent", 9999), silent=True)
    dialer = FakeDialer(silent, *cluster_of(A))
    async with remotes(dialer, sniff(address_text(silent.info), address_text(A))) as made:
        await settle(29.9)
        assert connected(made) == []
        await settle(0.2)
        assert connected(made) == ["a"]


@in_virtual_time
async def test_error_shown_is_the_last_seeds() -> None:
    """C-72: a refused remote that must not be skipped is a 502 with the address and the cause."""
    async with remotes(
        FakeDialer(), sniff("10.0.0.8:1", "10.0.0.9:1", skip_unavailable="false")
    ) as made:
        error = await failure(made)
        assert (error.es_type, error.status) == ("connect_transport_exception", 502)
        assert error.reason == "[][10.0.0.9:1] connect_exception"


@in_virtual_time
async def test_seed_of_another_cluster() -> None:
    """C-52: refused by name once a cluster is pinned, and by uuid where the name is the same."""
    seed, other = cluster_of(A), cluster_of(B, identity=US)
    dialer = FakeDialer(*seed, *other)
    async with remotes(
        dialer, sniff(address_text(A), address_text(B), skip_unavailable="false")
    ) as made:
        await settle()
        seed[0].go_down()
        error = await failure(made)
        assert isinstance(error, IllegalState)
        assert error.reason == (
            "handshake with [{b}{id-b}{eph-b}{10.0.0.1}{10.0.0.1:9301}] failed: remote cluster name "
            "[us] does not match expected remote cluster name [eu]"
        )
        other[0].cluster = EU.__class__(name="eu", uuid="another")
        error = await failure(made)
        assert "remote cluster uuid [another] does not match" in error.reason
        assert not dialer.open_connections


@in_virtual_time
async def test_publish_address_answered_by_another_node() -> None:
    """C-53: the node is skipped and the round goes on."""
    stale = node("stale", B.address.port)
    nodes = cluster_of(A, B)
    nodes[0].listed = [A, stale]
    async with remotes(FakeDialer(*nodes), sniff()) as made:
        await settle()
        assert connected(made) == ["a"]
        (warning,) = made.describe(verbose=True)["eu"]["warnings"]  # type: ignore[misc,attr-defined]
        assert warning.startswith(
            "[stale][10.0.0.1:9301] unexpected remote node: expected [{stale}"
        )


@in_virtual_time
async def test_unreachable_publish_address_is_told() -> None:
    """The causes are beside the reason: usually a remote behind NAT."""
    seed = FakeNode(node("m", 9300, roles=("master",)), listed=[B])
    async with remotes(FakeDialer(seed), sniff(skip_unavailable="false")) as made:
        error = await failure(made)
        assert error.reason == "Unable to open any connections to remote cluster [eu]"
        assert [each.reason for each in error.suppressed] == [refused(B.address).reason]


@in_virtual_time
async def test_proxy_setting_is_dialled_for_every_node() -> None:
    """`cluster.remote.eu.proxy` takes all sniff connections; who answers is still checked."""
    door = FakeNode(A, listed=[A, B])
    door_address = Address("door", 1)
    dialer = FakeDialer()
    dialer.by_address[door_address] = door
    async with remotes(dialer, sniff(proxy="door:1")) as made:
        await settle()
        assert set(dialer.dialled) == {door_address}
        assert connected(made) == ["a"]


@in_virtual_time
async def test_seed_that_cannot_list_is_its_own_gateway() -> None:
    nodes = cluster_of(A, B)
    nodes[0].list_error = IllegalArgument("no")
    async with remotes(FakeDialer(*nodes), sniff()) as made:
        await settle()
        assert connected(made) == ["a"]


@in_virtual_time
async def test_transient_connection_of_a_failed_round_is_closed() -> None:
    """C-54."""
    master = FakeNode(node("m", 9300, roles=("master",)), list_error=IllegalArgument("no"))
    dialer = FakeDialer(master)
    async with remotes(dialer, sniff()):
        await settle()
        assert dialer.connections
        assert not dialer.open_connections


@in_virtual_time
@pytest.mark.parametrize("family", ["elasticsearch", "opensearch"])
async def test_real_servers_are_asked_in_their_own_way(family: str) -> None:
    nodes = cluster_of(A, B, C, D)
    for each in nodes:
        each.family = family
    async with remotes(FakeDialer(*nodes), sniff()) as made:
        await settle(100)
        assert connected(made) == ["a", "b", "c"]


@in_virtual_time
async def test_foreign_seed_is_a_gateway_without_a_list() -> None:
    """A node of another product that cannot tell the others is connected to as it is."""
    seed = FakeNode(A, family="elasticsearch", list_error=IllegalArgument("no"))
    async with remotes(FakeDialer(seed), sniff()) as made:
        await settle(100)
        assert connected(made) == ["a"]


@in_virtual_time
async def test_nodes_of_releases_that_are_not_spoken_with() -> None:
    """A cluster in the middle of an upgrade: the new nodes are used, the old ones named."""
    seed, other = cluster_of(A, B)
    seed.family = other.family = "elasticsearch"
    old = msgspec.structs.replace(B, version="8.18.0")
    dialer = FakeDialer(seed, other)
    gateways = Gateways(on_gain=lambda: None, on_loss=lambda: None)
    config = remote_configs(sniff())["eu"]
    assert isinstance(config.reach, SniffConfig)

    async def listed(connection: NodeConnection) -> list[NodeInfo]:
        return [A, old]

    reach = Reach(
        alias="eu",
        link=config.link,
        dialer=dialer,
        identify=IdentityRequest(TaskRegistry("local"), FixedClock()),
        gateways=gateways,
        identity=PinnedIdentity(),
    )
    strategy = SniffStrategy(config.reach, reach, listed, gateway_attribute=None)
    await strategy.fill()
    assert [each.name for each in gateways.nodes] == ["a"]
    assert B.address not in dialer.dialled
    assert strategy.warnings == [
        "node [b] has version [8.18.0], this node speaks with [8.19] to [9.x]"
    ]


@in_virtual_time
async def test_losing_a_gateway_brings_a_replacement() -> None:
    """C-55: at once and without a request."""
    nodes = cluster_of(A, B, C, D)
    async with remotes(FakeDialer(*nodes), sniff()) as made:
        await settle()
        nodes[1].go_down()
        await settle()
        assert connected(made) == ["a", "c", "d"]


@in_virtual_time
async def test_refill_without_the_seed() -> None:
    """C-56: the seed and a gateway are gone; a live gateway knows the others."""
    nodes = cluster_of(A, B, C, D)
    async with remotes(FakeDialer(*nodes), sniff()) as made:
        await settle()
        nodes[0].go_down()
        nodes[1].go_down()
        await settle()
        assert connected(made) == ["c", "d"]


@in_virtual_time
async def test_former_gateways_are_tried_when_no_seed_answers() -> None:
    """P23: all connections break, and the only seed stays away; the error, while there is one, is
    the seed's.
    """
    nodes = cluster_of(A, B, C)
    async with remotes(FakeDialer(*nodes), sniff()) as made:
        await settle()
        for each in nodes:
            each.go_down()
        await settle(20)
        last = made.describe(verbose=True)["eu"]["last_error"]
        assert isinstance(last, dict)
        assert (last["seed"], last["reason"]) == ("10.0.0.1:9300", refused(A.address).reason)
        nodes[1].error = None
        await settle(61)
        assert connected(made) == ["b"]


@in_virtual_time
async def test_former_gateways_of_another_cluster_are_refused() -> None:
    """Their addresses may belong to somebody else by now."""
    nodes = cluster_of(A, B)
    async with remotes(FakeDialer(*nodes), sniff()) as made:
        await settle()
        for each in nodes:
            each.go_down()
        nodes[1].cluster = US
        nodes[1].error = None
        await settle(200)
        assert connected(made) == []


@in_virtual_time
async def test_remote_grows() -> None:
    """A node that joins is found through a live gateway, without a request and without dialling the
    seed.
    """
    nodes = cluster_of(A)
    dialer = FakeDialer(*nodes, FakeNode(B))
    async with remotes(dialer, sniff()) as made:
        await settle()
        nodes[0].listed = [A, B]
        dialled = len(dialer.dialled)
        await settle(61)
        assert connected(made) == ["a", "b"]
        assert dialer.dialled[dialled:] == [B.address]
