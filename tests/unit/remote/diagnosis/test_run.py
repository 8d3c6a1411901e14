"""How a test goes about it: bounded in time and number, in the order of a connection, in virtual time."""

import asyncio
import ssl
from collections.abc import Sequence

from sealane.errors import IllegalArgument, NodeDisconnected, UnknownHost
from sealane.model.node import Address, NodeInfo
from sealane.remote.config import ConfiguredAddress, ProxyConfig, SniffConfig
from sealane.remote.diagnosis import Cause, Plan, Report, StepRecord, Target, Tools, diagnose
from sealane.remote.diagnosis.run import AT_ONCE_MAX, NODES_MAX, SEEDS_MAX
from sealane.remote.protocols import NodeConnection
from sealane.testing.simulation import in_virtual_time
from sealane.transport import UNWATCHED, ConnectionProfile, Step, Watch
from sealane.transport.gate import LinkSecurity
from tests.unit.remote.fakes import EU, US, FakeConnection, FakeDialer, FakeNode, cluster_of, node

STEP_S = 5.0
A, B, C = node("a", 9300), node("b", 9301), node("c", 9302)


class WatchedFakes(FakeDialer):
    """Tells its steps, and takes its time where it is told to."""

    def __init__(self, *nodes: FakeNode) -> None:
        super().__init__(*nodes)
        self.names: dict[str, list[str]] = {}
        self.slow_s: dict[Address, float] = {}
        self.under_way = 0
        self.under_way_max = 0
        self.server_names: list[str | None] = []

    async def resolve(self, address: Address, *, timeout_s: float) -> list[Address]:
        await asyncio.sleep(0.001)
        if address.host.endswith(".invalid"):
            raise IllegalArgument(
                f"unknown host [{address.host}]", caused_by=UnknownHost(address.host)
            )
        return [Address(ip, address.port) for ip in self.names.get(address.host, [address.host])]

    async def connect(  # type: ignore[override]
        self,
        address: Address,
        profile: ConnectionProfile,
        *,
        tls: ssl.SSLContext | None = None,
        server_name: str | None = None,
        node_name: str = "",
        watch: Watch = UNWATCHED,
        security: LinkSecurity | None = None,
    ) -> FakeConnection:
        self.server_names.append(server_name)
        self.under_way += 1
        self.under_way_max = max(self.under_way_max, self.under_way)
        try:
            watch.begin(Step.TCP)
            await asyncio.sleep(self.slow_s.get(address, 0.002))
            made = await super().connect(address, profile)
            watch.begin(Step.HANDSHAKE)
            watch.begin(Step.NAME)
            return made
        finally:
            self.under_way -= 1


async def listed(connection: NodeConnection) -> list[NodeInfo]:
    assert isinstance(connection, FakeConnection)
    owner = connection.owner
    if owner.list_hangs:
        await asyncio.sleep(3600)
    if owner.list_error is not None:
        raise owner.list_error
    return list(owner.listed)


def sniff(*infos: NodeInfo | str, proxy: str | None = None) -> SniffConfig:
    def configured(text: str) -> ConfiguredAddress:
        host, _, port = text.rpartition(":")
        return ConfiguredAddress(text, Address(host, int(port)))

    texts = [each if isinstance(each, str) else str(each.address) for each in infos]
    return SniffConfig(
        seeds=tuple(map(configured, texts)),
        node_connections=3,
        proxy=configured(proxy) if proxy else None,
    )


async def outcome(
    dialer: WatchedFakes,
    reach: SniffConfig | ProxyConfig,
    steps: list[tuple[str, StepRecord]] | None = None,
) -> Report:
    def on_step(target: Target, record: StepRecord) -> None:
        if steps is not None:
            steps.append((target.entry.text, record))

    plan = Plan(alias="eu", reach=reach, timeout_s=STEP_S)
    report = await diagnose(plan, Tools(dialer=dialer, list_nodes=listed), on_step)
    assert dialer.open_connections == [], "a test closes what it opens"
    return report


def causes(report: Report) -> list[Cause | None]:
    return [each.failure.advice.cause if each.failure else None for each in report.targets]


@in_virtual_time
async def test_steps_are_told_as_they_end_with_their_time() -> None:
    dialer = WatchedFakes(*cluster_of(A))
    told: list[tuple[str, StepRecord]] = []
    report = await outcome(dialer, sniff(A), told)
    assert report.ok
    assert [str(record.step) for _, record in told[:6]] == [
        "resolve",
        "tcp",
        "handshake",
        "name",
        "version",
        "nodes",
    ]
    assert [record.nanos for _, record in told[:2]] == [1_000_000, 2_000_000]
    assert [record for _, record in told[:6]] == list(report.targets[0].steps)


@in_virtual_time
async def test_seeds_do_not_wait_for_each_other() -> None:
    dialer = WatchedFakes(*cluster_of(A, B))
    dialer.by_address[A.address].silent = True
    report = await outcome(dialer, sniff(A, B))
    assert causes(report)[:2] == [Cause.CONNECT_TIMEOUT, None]
    assert report.ok
    assert report.nanos < 3 * STEP_S * 1e9


@in_virtual_time
async def test_the_first_seed_says_which_cluster_it_is_though_it_is_slower() -> None:
    """As a connection pins it, which tries them in order."""
    dialer = WatchedFakes(FakeNode(A, US, listed=[A]), FakeNode(B, EU, listed=[B]))
    dialer.slow_s[A.address] = 3.0
    report = await outcome(dialer, sniff(A, B))
    assert causes(report)[:2] == [None, Cause.WRONG_CLUSTER]
    assert report.peer is not None
    assert report.peer.cluster == US


@in_virtual_time
async def test_no_more_than_a_few_are_dialled_at_once() -> None:
    infos = [node(f"n{at}", 9300 + at) for at in range(NODES_MAX + 8)]
    dialer = WatchedFakes(*cluster_of(*infos))
    report = await outcome(dialer, sniff(*infos))
    assert dialer.under_way_max == AT_ONCE_MAX
    assert len(dialer.dialled) == SEEDS_MAX + NODES_MAX
    assert report.ok
    assert report.warnings == (
        f"only the first [{SEEDS_MAX}] of [{len(infos)}] seeds were tested",
        f"only [{NODES_MAX}] of [{len(infos)}] eligible nodes were tested",
    )


@in_virtual_time
async def test_a_list_of_nodes_that_never_comes() -> None:
    """Ends with the time of a step; the seed itself can still serve."""
    dialer = WatchedFakes(*cluster_of(A, B))
    dialer.by_address[A.address].list_hangs = True
    report = await outcome(dialer, sniff(A))
    assert causes(report) == [Cause.NODES_REQUEST_FAILED, None]
    assert report.ok
    assert "no list of nodes within [5s]" in report.summary


@in_virtual_time
async def test_a_seed_that_is_lost_while_it_tells_its_nodes() -> None:
    dialer = WatchedFakes(*cluster_of(node("m", 9300, roles=("master",))))
    broken = NodeDisconnected("[m][10.0.0.1:9300][x] disconnected")
    dialer.by_address[A.address].list_error = broken
    report = await outcome(dialer, sniff(A))
    assert report.failure is not None
    assert report.failure.error is broken


@in_virtual_time
async def test_the_time_is_over() -> None:
    """What is done counts, what is not is told."""
    dialer = WatchedFakes(*cluster_of(A, B))
    dialer.slow_s[B.address] = 3600.0
    report = await outcome(dialer, sniff(A, B))
    assert report.nanos == round(6 * STEP_S * 1e9)
    assert causes(report) == [None, Cause.OUT_OF_TIME]
    assert report.failure is not None
    assert report.failure.advice.cause is Cause.OUT_OF_TIME
    assert "ask again with a larger [timeout]" in report.summary
    assert [str(each.step) for each in report.targets[0].steps][-1] == "version"


@in_virtual_time
async def test_sniffing_through_a_proxy_dials_nothing_else() -> None:
    dialer = WatchedFakes(*cluster_of(A))
    report = await outcome(dialer, sniff("10.9.9.9:1", B, proxy=str(A.address)))
    assert report.ok
    assert dialer.dialled == [A.address, A.address]


@in_virtual_time
async def test_server_names() -> None:
    """The one that is set, else the host where that is a name."""
    dialer = WatchedFakes(*cluster_of(A))
    dialer.names["db.example"] = ["10.0.0.1"]
    for text, name in (("10.0.0.1:9300", ""), ("db.example:9300", ""), ("db.example:9300", "es")):
        host = text.partition(":")[0]
        address = ConfiguredAddress(text, Address(host, 9300))
        reach = ProxyConfig(address=address, socket_connections=1, server_name=name)
        assert (await outcome(dialer, reach)).ok
    assert dialer.server_names == [None, "db.example", "es"]


@in_virtual_time
async def test_a_bad_name_does_not_end_the_test() -> None:
    """C-44's rule holds here too."""
    dialer = WatchedFakes(*cluster_of(A))
    report = await outcome(dialer, sniff("no.invalid:9300", A))
    assert causes(report) == [Cause.UNKNOWN_HOST, None, None]
    assert report.ok


@in_virtual_time
async def test_cancelling_closes_everything() -> None:
    dialer = WatchedFakes(*cluster_of(A, B))
    dialer.by_address[A.address].list_hangs = True
    plan = Plan(alias="eu", reach=sniff(A, B), timeout_s=STEP_S)
    task = asyncio.create_task(diagnose(plan, Tools(dialer=dialer, list_nodes=listed)))
    await asyncio.sleep(0.5)
    assert len(dialer.open_connections) == 2
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert dialer.open_connections == []


def names(infos: Sequence[NodeInfo]) -> list[str]:
    return [each.name for each in infos]


@in_virtual_time
async def test_nodes_named_by_several_seeds_are_tried_once() -> None:
    dialer = WatchedFakes(*cluster_of(A, B, C))
    report = await outcome(dialer, sniff(A, B))
    assert names([each.node for each in report.nodes]) == ["a", "b", "c"]
    assert len(dialer.dialled) == 2 + 3
