"""Remote clusters follow the settings: what is connected, rebuilt, updated and removed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from sealane.errors import (
    ApiError,
    ConnectTransport,
    IllegalArgument,
    IllegalState,
    NodeDisconnected,
    NoSeedNodeLeft,
    NoSuchRemoteCluster,
    Rejected,
)
from sealane.model.node import Address
from sealane.model.task import TaskRegistry
from sealane.remote import Backoff, Change, RemoteClusters
from sealane.settings import Settings, Value
from tests.unit.remote.fakes import (
    EU,
    US,
    FakeDialer,
    FakeNode,
    FakeSettings,
    address_text,
    cluster_of,
    context,
    node,
    refused,
)
from tests.unit.remote.virtual_time import in_virtual_time, settle


class FixedClock:
    def now_ms(self) -> int:
        return 1_700_000_000_000


A, B, C, D = (node(name, 9300 + n) for n, name in enumerate("abcd"))


def sniff(*seeds: str, alias: str = "eu", **more: Value) -> Settings:
    keys: dict[str, Value] = {"seeds": seeds or (address_text(A),), **more}
    return Settings({f"cluster.remote.{alias}.{k.replace('__', '.')}": v for k, v in keys.items()})


def proxy(address: str = "10.0.0.1:9300", **more: Value) -> Settings:
    keys: dict[str, Value] = {"mode": "proxy", "proxy_address": address, **more}
    return Settings({f"cluster.remote.eu.{k}": v for k, v in keys.items()})


@asynccontextmanager
async def remotes(
    dialer: FakeDialer,
    settings: Settings | FakeSettings,
    *,
    roles: tuple[str, ...] = ("data", "remote_cluster_client"),
    chance: Callable[[], float] = lambda: 1.0,
) -> AsyncIterator[RemoteClusters]:
    """Pauses are the whole of the backoff: 1, 2, 4 ... 60 seconds."""
    source = FakeSettings(settings) if isinstance(settings, Settings) else settings
    made = RemoteClusters(
        source,
        node_name="local",
        roles=roles,
        dialer=dialer,
        tasks=TaskRegistry("local"),
        clock=FixedClock(),
        chance=chance,
        backoff=Backoff(),
    )
    try:
        yield made
    finally:
        await made.close()
        assert not dialer.open_connections, "closing leaves nothing open"
        assert not source.subscribers


def connected(made: RemoteClusters, alias: str = "eu") -> list[str]:
    nodes = made.describe(verbose=True)[alias]["nodes"]
    assert isinstance(nodes, list)
    return sorted(each["name"] for each in nodes)


async def failure(
    made: RemoteClusters, alias: str = "eu", *, deadline: float | None = None
) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await made.cluster(alias).connection(context(deadline=deadline))
    return caught.value


# -- sniff mode ------------------------------------------------------------------------------------


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
async def test_foreign_seed_is_a_gateway_without_a_list() -> None:
    """A node of another product is connected to as it is."""
    seed = FakeNode(A, family="elasticsearch", list_error=IllegalArgument("never asked"))
    async with remotes(FakeDialer(seed), sniff()) as made:
        await settle(100)
        assert connected(made) == ["a"]


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


# -- background reconnects -------------------------------------------------------------------------


@in_virtual_time
async def test_remote_comes_back_without_a_request() -> None:
    """C-57: within the backoff, which doubles from one second to sixty."""
    nodes = cluster_of(A)
    dialer = FakeDialer(*nodes)
    nodes[0].error = refused(A.address)
    async with remotes(dialer, sniff()) as made:
        await settle(300)
        gaps = [round(after - before, 6) for before, after in pairwise(dialer.dialled_at)]
        assert gaps == [1, 2, 4, 8, 16, 32, 60, 60, 60]
        nodes[0].error = None
        await settle(60)
        assert made.describe()["eu"]["connected"] is True


@in_virtual_time
async def test_nothing_is_dialled_once_full() -> None:
    dialer = FakeDialer(*cluster_of(A, B, C))
    async with remotes(dialer, sniff()) as made:
        await settle()
        dialled = len(dialer.dialled)
        await settle(3600)
        assert len(dialer.dialled) == dialled
        assert made.statistics()["eu"].next_attempt_in_s is None


@in_virtual_time
async def test_connection_that_keeps_breaking_is_paused() -> None:
    """Accepted and cut at once, again and again, is not dialled without a pause."""
    nodes = cluster_of(A)
    dialer = FakeDialer(*nodes)
    async with remotes(dialer, sniff(node_connections="1")):
        for _ in range(200):
            await asyncio.sleep(0.01)
            for connection in dialer.open_connections:
                connection.break_off()
        assert len(dialer.dialled) < 20


@in_virtual_time
async def test_fault_in_a_round() -> None:
    """What nobody foresaw is shown, fails those who wait, and is tried again."""

    class Broken(FakeDialer):
        faulty = True

        async def connect(self, *args, **kwargs):  # type: ignore[no-untyped-def]
            if self.faulty:
                raise ZeroDivisionError("odd")
            return await super().connect(*args, **kwargs)

    dialer = Broken(*cluster_of(A))
    async with remotes(dialer, sniff(skip_unavailable="false")) as made:
        error = await failure(made)
        assert error.reason == (
            "connect round of remote cluster [eu] broke: ZeroDivisionError('odd')"
        )
        dialer.faulty = False
        await settle(5)
        assert connected(made) == ["a"]


@in_virtual_time
async def test_round_without_end() -> None:
    """P25: whatever hangs, a round has a deadline, and leaves nothing open."""

    seed = cluster_of(A)[0]
    seed.list_hangs = True
    dialer = FakeDialer(seed)
    async with remotes(dialer, sniff()) as made:
        await settle(3600)
        assert made.describe()["eu"]["connected"] is False
        assert len(dialer.open_connections) <= 1
        entry = made.describe(verbose=True)["eu"]["last_error"]
        assert isinstance(entry, dict)
        assert entry["reason"].endswith("connect round of remote cluster [eu] gave up after [300s]")


@in_virtual_time
async def test_concurrent_requests_share_one_round() -> None:
    """C-58."""
    dialer = FakeDialer()
    async with remotes(dialer, sniff(skip_unavailable="false")) as made:
        await settle(0.5)
        before = len(dialer.dialled)
        async with asyncio.TaskGroup() as group:
            failed = [group.create_task(failure(made)) for _ in range(50)]
        assert len(dialer.dialled) == before + 1
        assert {each.result().reason for each in failed} == {refused(A.address).reason}


@in_virtual_time
async def test_too_many_waiters() -> None:
    """C-59: the 1001st is rejected with 429, the others get the round's result."""
    silent = FakeNode(A, silent=True)
    async with remotes(FakeDialer(silent), sniff(skip_unavailable="false")) as made:
        async with asyncio.TaskGroup() as group:
            failed = [group.create_task(failure(made)) for _ in range(1001)]
        errors = [each.result() for each in failed]
        rejected = [each for each in errors if isinstance(each, Rejected)]
        assert [(each.status, each.reason) for each in rejected] == [
            (429, "connect listener queue is full")
        ]
        assert made.statistics()["eu"].waiting == 0


# -- requests --------------------------------------------------------------------------------------


@in_virtual_time
async def test_request_right_after_the_settings() -> None:
    """A remote that may be skipped is waited for while its first round runs."""
    async with remotes(FakeDialer(*cluster_of(A)), sniff()) as made:
        connection = await made.cluster("eu").connection(context())
        assert connection.node == A


@in_virtual_time
async def test_first_round_is_not_waited_for_without_end() -> None:
    """Five seconds after the configuration requests fail at once."""
    silent = FakeNode(A, silent=True)
    async with remotes(FakeDialer(silent), sniff()) as made:
        loop = asyncio.get_running_loop()
        error = await failure(made)
        assert (loop.time(), error.reason) == (5.0, "Unable to connect to [eu]")
        await failure(made)
        assert loop.time() == 5.0, "the next one does not wait again"


@in_virtual_time
async def test_first_round_is_not_waited_for_beyond_the_deadline() -> None:
    silent = FakeNode(A, silent=True)
    async with remotes(FakeDialer(silent), sniff()) as made:
        await failure(made, deadline=1.0)
        assert asyncio.get_running_loop().time() == 1.0


@in_virtual_time
async def test_skippable_remote_fails_at_once_and_is_tried_in_the_background() -> None:
    """C-73, C-74: the reason names the alias, its cause the address; the next request finds it
    back.
    """
    nodes = cluster_of(A)
    nodes[0].error = refused(A.address)
    async with remotes(FakeDialer(*nodes), sniff()) as made:
        loop = asyncio.get_running_loop()
        await settle(20)
        nodes[0].error = None
        asked_at = loop.time()
        error = await failure(made)
        assert loop.time() == asked_at
        assert isinstance(error, ConnectTransport)
        assert error.reason == "Unable to connect to [eu]"
        assert error.caused_by is not None
        assert error.caused_by.reason == "[][10.0.0.1:9300] connect_exception"
        await settle()
        assert (await made.cluster("eu").connection(context())).node == A
        assert loop.time() == asked_at


@in_virtual_time
async def test_first_gateway_is_used_before_the_round_ends() -> None:
    """Another node that does not answer holds up no request."""
    nodes = [*cluster_of(A), FakeNode(B, silent=True)]
    nodes[0].listed = [A, B]
    async with remotes(FakeDialer(*nodes), sniff(skip_unavailable="false")) as made:
        assert (await made.cluster("eu").connection(context())).node == A
        assert asyncio.get_running_loop().time() == 0.0
        assert made.statistics()["eu"].running


@in_virtual_time
async def test_nodes_that_did_not_answer_are_tried_last() -> None:
    """So that a round's deadline does not keep it from ever reaching the others."""
    nodes = cluster_of(A, B, C)
    nodes[1].silent = True
    dialer = FakeDialer(*nodes)
    async with remotes(dialer, sniff(node_connections="2")) as made:
        await settle(31)
        assert connected(made) == ["a", "c"]
        nodes[2].go_down()
        nodes[2].error = None
        await settle()
        assert dialer.dialled[-1] == C.address
        assert connected(made) == ["a", "c"]


@in_virtual_time
async def test_needed_remote_is_waited_for() -> None:
    """`skip_unavailable: false` begins a round at once and uses what it opens."""
    nodes = cluster_of(A)
    nodes[0].error = refused(A.address)
    async with remotes(FakeDialer(*nodes), sniff(skip_unavailable="false")) as made:
        await settle(20)
        nodes[0].error = None
        assert (await made.cluster("eu").connection(context())).node == A


@in_virtual_time
async def test_needed_remote_is_waited_for_until_the_deadline() -> None:
    silent = FakeNode(A, silent=True)
    async with remotes(FakeDialer(silent), sniff(skip_unavailable="false")) as made:
        loop = asyncio.get_running_loop()
        error = await failure(made, deadline=2.0)
        assert (loop.time(), error.reason) == (2.0, "Unable to connect to [eu]")


@in_virtual_time
async def test_gateways_take_turns() -> None:
    async with remotes(FakeDialer(*cluster_of(A, B, C)), sniff()) as made:
        await settle()
        names = [(await made.cluster("eu").connection(context())).node.name for _ in range(6)]
        assert sorted(names[:3]) == ["a", "b", "c"]
        assert names[:3] == names[3:]


@in_virtual_time
async def test_unknown_alias() -> None:
    """C-71."""
    async with remotes(FakeDialer(), sniff()) as made:
        for call in (made.client, made.skip_unavailable):
            with pytest.raises(NoSuchRemoteCluster, match=r"no such remote cluster: \[nope\]"):
                call("nope")


@in_virtual_time
async def test_node_without_the_role() -> None:
    """C-61: it opens nothing, takes settings without complaint, and names itself and the role."""
    dialer = FakeDialer(*cluster_of(A))
    async with remotes(dialer, sniff(), roles=("data",)) as made:
        made.apply(sniff(skip_unavailable="false"))
        await settle()
        assert not dialer.dialled
        with pytest.raises(IllegalArgument) as caught:
            made.describe()
        assert caught.value.reason == "node [local] does not have the [remote_cluster_client] role"
        for call in (made.aliases, lambda: made.client("eu")):
            with pytest.raises(IllegalArgument) as caught:
                call()
            assert caught.value.reason == (
                "node [local] does not have the remote cluster client role enabled"
            )


# -- changes of settings ---------------------------------------------------------------------------


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


# -- proxy mode ------------------------------------------------------------------------------------


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


@in_virtual_time
async def test_proxy_whose_name_does_not_resolve() -> None:
    """Trying again cannot help, so the cause itself is the error."""
    dialer = FakeDialer()
    dialer.errors[Address("gate.example", 1)] = IllegalArgument("unknown host [gate.example]")
    async with remotes(dialer, proxy("gate.example:1", skip_unavailable="false")) as made:
        error = await failure(made)
        assert (error.status, error.reason) == (400, "unknown host [gate.example]")


# -- info ------------------------------------------------------------------------------------------


@in_virtual_time
async def test_info_of_a_sniff_remote() -> None:
    """C-78, C-79, C-82: exactly these fields in this order, and nothing is dialled for it."""
    dialer = FakeDialer(*cluster_of(A, B))
    settings = sniff().merged({"cluster.remote.initial_connect_timeout": "1500ms"})
    async with remotes(dialer, settings) as made:
        await settle()
        dialled = len(dialer.dialled)
        assert list(made.describe()["eu"].items()) == [
            ("connected", True),
            ("mode", "sniff"),
            ("seeds", ["10.0.0.1:9300"]),
            ("num_nodes_connected", 2),
            ("max_connections_per_cluster", 3),
            ("initial_connect_timeout", "1.5s"),
            ("skip_unavailable", True),
        ]
        assert len(dialer.dialled) == dialled


@in_virtual_time
async def test_info_of_a_proxy_remote() -> None:
    """C-78."""
    async with remotes(FakeDialer(), proxy("[2001:db8::1]:9443")) as made:
        await settle()
        assert list(made.describe()["eu"].items()) == [
            ("connected", False),
            ("mode", "proxy"),
            ("proxy_address", "[2001:db8::1]:9443"),
            ("server_name", ""),
            ("num_proxy_sockets_connected", 0),
            ("max_proxy_socket_connections", 18),
            ("initial_connect_timeout", "30s"),
            ("skip_unavailable", True),
        ]


@in_virtual_time
async def test_info_without_remotes() -> None:
    """C-77."""
    async with remotes(FakeDialer(), Settings()) as made:
        assert await made.info() == {}


@in_virtual_time
async def test_verbose_info_of_a_connected_remote() -> None:
    async with remotes(FakeDialer(*cluster_of(A)), sniff()) as made:
        await settle()
        entry = made.describe(verbose=True)["eu"]
        assert list(entry)[: len(made.describe()["eu"])] == list(made.describe()["eu"])
        assert (entry["cluster_name"], entry["cluster_uuid"]) == ("eu", "uuid-eu")
        assert entry["remote_version"] == "8.19.0"
        assert entry["last_connected_at"] == "2023-11-14T22:13:20.000Z"
        assert entry["last_error"] is None
        assert entry["nodes"] == [
            {
                "id": "id-a",
                "name": "a",
                "transport_address": "10.0.0.1:9300",
                "version": "8.19.0",
                "connections": 1,
            }
        ]


@in_virtual_time
async def test_verbose_info_of_a_refused_remote() -> None:
    """The loop's state is visible: what failed, where, and when it is tried again."""
    async with remotes(FakeDialer(), sniff()) as made:
        await settle(0.25)
        entry = made.describe(verbose=True)["eu"]
        assert entry["last_error"] == {
            "at": "2023-11-14T22:13:20.000Z",
            "seed": "10.0.0.1:9300",
            **refused(A.address).to_cause(),
        }
        assert entry["next_attempt_in"] == "750ms"
        assert entry["cluster_name"] is None
        assert entry["nodes"] == []
