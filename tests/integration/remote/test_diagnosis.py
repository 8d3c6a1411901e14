"""The connection test over real sockets: each cause is told apart, and nothing stays open."""

import asyncio
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sealane.clock import SystemClock
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.model.task import TaskRegistry
from sealane.remote.address import parse_address
from sealane.remote.diagnosis import Cause
from sealane.transport import AsyncioNetwork, TransportService
from tests.integration.remote.clusters import remotes, until
from tests.integration.remote.diagnosing import (
    FAR,
    OTHER,
    SHORT_S,
    cluster,
    failed,
    outcome,
    proxy,
    replace,
    sniff,
    steps,
    transport,
)
from tests.integration.remote.listeners import (
    banner,
    black_hole,
    closed_port,
    hang_up,
    http,
    listening,
    old_node,
    patient_http,
    silent,
)

# -- a remote that works -----------------------------------------------------------------------------


async def test_a_cluster_that_connects() -> None:
    async with cluster("a", "b") as nodes:
        report = await outcome(sniff(str(nodes[0].info.address)))
    assert report.ok
    assert steps(report) == [
        (name, True) for name in ("resolve", "tcp", "handshake", "name", "version", "nodes")
    ]
    assert [each.address for each in report.targets[1:]] == [str(n.info.address) for n in nodes]
    assert [(each.node.name, each.eligible, each.reachable) for each in report.nodes] == [
        ("a", True, True),
        ("b", True, True),
    ]
    assert report.summary.startswith("[far] connects to cluster [far] (Sealane")
    assert report.summary.endswith("1 of 1 seeds answer, 2 of 2 nodes can be gateways")
    assert report.warnings == ()


async def test_a_proxy_that_connects() -> None:
    """Publish addresses are never dialled in this mode."""
    async with cluster("a", "b") as nodes:
        report = await outcome(proxy(str(nodes[1].info.address)))
        assert nodes[0].door.accepted == 0
    assert report.ok
    assert [each.role for each in report.targets] == ["proxy"]
    assert report.nodes == ()


async def test_every_seed_is_tested() -> None:
    """One dead seed of two is told, and does not keep the remote from connecting."""
    dead = closed_port()
    async with cluster("a") as (node,):
        report = await outcome(sniff(str(node.info.address), dead))
    assert report.ok
    assert "1 of 2 seeds answer" in report.summary
    assert f"nothing listens on [{dead}]" in report.summary


async def test_each_address_behind_a_name_is_tried() -> None:
    class TwoAddresses(AsyncioNetwork):
        async def resolve(self, host: str, port: int) -> list[Address]:
            hosts = ["127.0.0.2", "127.0.0.1"] if host == "db.example" else [host]
            return [Address(each, port) for each in hosts]

    async with cluster("a") as (node,), transport(TwoAddresses()) as service:
        report = await outcome(proxy(f"db.example:{node.info.address.port}"), through=service)
    assert report.ok
    dead, alive = report.targets
    assert (str(dead.dialled), dead.ok) == (f"127.0.0.2:{node.info.address.port}", False)
    assert (alive.ok, alive.addresses) == (True, dead.addresses)
    assert [str(each.step) for each in dead.steps] == ["resolve", "tcp"]


async def test_the_local_cluster_as_its_own_remote_is_a_warning() -> None:
    async with cluster("a") as (node,):
        report = await outcome(sniff(str(node.info.address)), local=FAR)
    assert report.ok
    assert "this is the cluster that the test runs in" in report.warnings[0]


# -- nobody answers ----------------------------------------------------------------------------------


async def test_a_name_that_does_not_resolve() -> None:
    cause, sentence = await failed(sniff("nohost.invalid:9300"))
    assert cause is Cause.UNKNOWN_HOST
    assert "the host name of [nohost.invalid:9300] does not resolve" in sentence


async def test_a_refused_port() -> None:
    address = closed_port()
    report = await outcome(sniff(address))
    assert report.failure is not None
    assert report.failure.advice.cause is Cause.CONNECTION_REFUSED
    assert report.summary.startswith(f"nothing listens on [{address}]; check that the node runs")
    assert steps(report) == [("resolve", True), ("tcp", False)]


async def test_a_black_hole() -> None:
    with black_hole() as address:
        cause, sentence = await failed(sniff(address), timeout_s=SHORT_S)
    assert cause is Cause.CONNECT_TIMEOUT
    assert sentence.startswith(f"[{address}] did not answer within [50ms]; open the port")


async def test_no_file_descriptors_left() -> None:
    address = closed_port()
    async with transport() as service:
        with no_descriptors():
            cause, sentence = await failed(sniff(address), through=service)
    assert cause is Cause.OUT_OF_FILE_DESCRIPTORS
    assert "limit of open files" in sentence


@contextmanager
def no_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# -- somebody else answers ---------------------------------------------------------------------------


async def test_an_http_port() -> None:
    """C-94's other side: the sentence names the usual transport port."""
    async with listening(http) as server:
        report = await outcome(sniff(server.address))
    assert report.failure is not None
    assert report.failure.advice.cause is Cause.HTTP_PORT
    assert "use the transport port of that node, usually 9300" in report.summary
    assert steps(report)[-1] == ("handshake", False)


async def test_an_http_port_that_waits_for_a_request() -> None:
    async with listening(patient_http) as server, transport(probe_after_s=0.01) as service:
        cause, _ = await failed(sniff(server.address), through=service)
    assert cause is Cause.HTTP_PORT


@pytest.mark.parametrize(
    ("greeting", "shown"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "SSH-2.0-OpenSSH_9.6"),
        (b"220 mail.example ESMTP\r\n", "220 mail.example ESMTP"),
        (b"J\x00\x00\x00\x0a8.0.36\x00", "J\\x00\\x00\\x00"),
    ],
)
async def test_another_service(greeting: bytes, shown: str) -> None:
    """Its first bytes are shown."""
    async with listening(banner(greeting)) as server:
        cause, sentence = await failed(sniff(server.address))
    assert cause is Cause.NOT_A_TRANSPORT_PORT
    assert f"it says [{shown}]" in sentence


async def test_a_silent_peer() -> None:
    async with listening(silent) as server:
        cause, sentence = await failed(sniff(server.address), timeout_s=SHORT_S)
    assert cause is Cause.HANDSHAKE_TIMEOUT
    assert "did not answer the handshake within [50ms]" in sentence


async def test_a_peer_that_hangs_up() -> None:
    async with listening(hang_up) as server:
        report = await outcome(sniff(server.address))
    assert report.failure is not None
    assert report.failure.advice.cause is Cause.CLOSED_DURING_HANDSHAKE
    assert steps(report) == [("resolve", True), ("tcp", True), ("handshake", False)]


async def test_a_version_out_of_range() -> None:
    """Both versions and the accepted range are told."""
    async with listening(old_node(8_080_099)) as server:
        report = await outcome(sniff(server.address))
    assert report.failure is not None
    assert report.failure.advice.cause is Cause.VERSION_INCOMPATIBLE
    assert "remote speaks Elasticsearch 8.8.0, this node accepts Elasticsearch" in report.summary
    assert "at byte" not in report.summary
    assert "Elasticsearch 8.19 to 9.x, OpenSearch 2.19 to 3.x" in report.summary
    assert steps(report)[-2:] == [("handshake", True), ("version", False)]


# -- the wrong cluster, the wrong node -----------------------------------------------------------------


async def test_another_cluster_than_the_pinned_one() -> None:
    async with cluster("a", identity=OTHER) as (node,):
        report = await outcome(sniff(str(node.info.address)), expected=FAR)
    assert report.failure is not None
    assert report.failure.advice.cause is Cause.WRONG_CLUSTER
    assert "[other]" in report.summary
    assert "[far]" in report.summary
    assert steps(report)[-1] == ("name", False)


async def test_a_cluster_of_the_same_name_with_another_uuid() -> None:
    impostor = ClusterIdentity(name="far", uuid="uuid-new")
    async with cluster("a", identity=impostor) as (node,):
        cause, sentence = await failed(sniff(str(node.info.address)), expected=FAR)
    assert cause is Cause.WRONG_CLUSTER
    assert "[uuid-new]" in sentence


async def test_seeds_of_two_clusters() -> None:
    """Though either would connect: which one is searched would be chance."""
    async with cluster("a") as (one,), cluster("b", identity=OTHER) as (other,):
        report = await outcome(sniff(str(one.info.address), str(other.info.address)))
    assert [target.ok for target in report.targets[:2]] == [True, False]
    assert report.failure is not None
    assert report.failure.advice.cause is Cause.WRONG_CLUSTER


async def test_an_unreachable_publish_address() -> None:
    """P16: the seed answers, the node's own address does not: proxy mode is the way."""
    async with cluster("a") as (node,):
        with black_hole() as address:
            seed = str(node.info.address)
            node.info = replace(node.info, address=parse_address(address))
            node._peers[:] = [node.info]
            report = await outcome(sniff(seed), timeout_s=SHORT_S * 10)
    assert [(target.role, target.ok) for target in report.targets] == [
        ("seed", True),
        ("node", False),
    ]
    assert report.failure is not None
    assert report.failure.advice.cause is Cause.PUBLISH_ADDRESS_UNREACHABLE
    assert "use proxy mode" in report.summary
    assert [each.reachable for each in report.nodes] == [False]


async def test_another_node_at_a_publish_address() -> None:
    async with cluster("a") as (node,):
        ghost = replace(node.info, ephemeral_id="eph-ghost", id="ghost", name="ghost")
        node._peers[:] = [node.info, ghost]
        report = await outcome(sniff(str(node.info.address)))
    assert report.ok, "the other node serves"
    wrong = report.targets[-1]
    assert wrong.failure is not None
    assert wrong.failure.advice.cause is Cause.UNEXPECTED_NODE
    assert "another node than the one that publishes" in report.summary


async def test_no_eligible_node() -> None:
    async with cluster("a") as (node,):
        node.info = replace(node.info, roles=("master",))
        node._peers[:] = [node.info]
        report = await outcome(sniff(str(node.info.address)))
    assert report.failure is not None
    assert report.failure.advice.cause is Cause.NO_ELIGIBLE_NODE
    assert [each.why_not for each in report.nodes] == ["a dedicated master is never a gateway"]


async def test_why_a_node_is_not_eligible_by_attribute() -> None:
    async with cluster("a", "b", "c") as nodes:
        peers = nodes[0]._peers
        peers[:] = [
            peers[0],
            replace(peers[1], attributes={"gw": "nope"}),
            replace(peers[2], attributes={"gw": "true"}),
        ]
        report = await outcome(sniff(str(nodes[0].info.address)), attribute="gw")
    assert report.ok
    assert [(each.eligible, each.why_not, each.reachable) for each in report.nodes] == [
        (False, "it has no attribute [gw], which must be [true]", None),
        (False, "its attribute [gw] is [nope], which must be [true]", None),
        (True, "", True),
    ]
    assert any("[nope]" in warning for warning in report.warnings)


async def test_a_dedicated_master_that_does_not_tell_its_nodes() -> None:
    """It shakes hands, and knows nothing else."""
    info = NodeInfo(
        id="m", ephemeral_id="m", name="m", address=Address("127.0.0.1", 1), roles=("master",)
    )
    mute = TransportService(
        local=lambda: (info, FAR),
        network=AsyncioNetwork(),
        tasks=TaskRegistry("m"),
        clock=SystemClock(),
    )
    try:
        report = await outcome(sniff(str(await mute.listen("127.0.0.1", 0))))
    finally:
        await mute.close()
    assert report.failure is not None
    assert report.failure.advice.cause is Cause.NODES_REQUEST_FAILED
    assert "No handler for action [" in report.summary
    assert steps(report)[-1] == ("nodes", False)


# -- conduct -----------------------------------------------------------------------------------------


async def test_running_connections_are_left_alone() -> None:
    """One that was closed would bring another connect round. How many it took to connect is another matter."""
    async with cluster("a", "b") as nodes, transport() as service:
        seed = str(nodes[0].info.address)
        async with remotes(seeds=(seed,), node_connections="2") as made:
            # Open sockets do not tell that: the seed's own is among them, and handshakes follow.
            await until(lambda: len(made.cluster("far").nodes) == 2)
            await until(lambda: not made.statistics()["far"].running)
            rounds = made.statistics()["far"].rounds
            report = await outcome(sniff(seed), through=service)
            assert report.ok
            await until(lambda: [node.door.open for node in nodes] == [6, 6])
            assert made.describe()["far"]["num_nodes_connected"] == 2
            assert made.statistics()["far"].rounds == rounds


async def test_cancelling_a_test_closes_what_it_opened() -> None:
    async with listening(silent) as server, transport() as service:
        async with asyncio.TaskGroup() as group:
            test = group.create_task(outcome(sniff(server.address), through=service))
            await until(lambda: server.open == 1)
            test.cancel()
        await until(lambda: server.open == 0)


async def test_the_whole_test_has_an_end() -> None:
    """A node that never tells the others is cut off, and so is a row of black holes."""
    async with listening(silent) as server:
        report = await outcome(sniff(*[server.address] * 20), timeout_s=SHORT_S)
    assert not report.ok
    assert all(not target.ok for target in report.targets)
