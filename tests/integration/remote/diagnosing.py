"""Running one connection test against whatever listens, with the transport of a real node."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from sealane.clock import SystemClock
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.model.task import TaskRegistry
from sealane.remote.address import parse_address
from sealane.remote.config import ConfiguredAddress, ProxyConfig, SniffConfig
from sealane.remote.diagnosis import Cause, Plan, Report, Tools, diagnose
from sealane.remote.diagnosis.run import ANY_CLUSTER
from sealane.remote.transport.nodes import NodesRequest
from sealane.transport import AsyncioNetwork, Network, TransportService
from tests.integration.remote.clusters import RunningNode, until

FAR = ClusterIdentity(name="far", uuid="uuid-far")
OTHER = ClusterIdentity(name="other", uuid="uuid-other")
NEAR = ClusterIdentity(name="near", uuid="uuid-near")
LONG_S, SHORT_S = 20.0, 0.05


@asynccontextmanager
async def transport(
    network: Network | None = None, *, probe_after_s: float = 1.0
) -> AsyncIterator[TransportService]:
    """The side that tests."""
    info = NodeInfo(id="near", ephemeral_id="near", name="near", address=Address("127.0.0.1", 1))
    service = TransportService(
        local=lambda: (info, NEAR),
        network=network or AsyncioNetwork(),
        tasks=TaskRegistry("near"),
        clock=SystemClock(),
        probe_after_s=probe_after_s,
    )
    try:
        yield service
        # Whatever a test has opened is closed again by the test itself.
        await until(lambda: service.statistics().channels_out == 0)
    finally:
        await service.close()


def configured(text: str) -> ConfiguredAddress:
    return ConfiguredAddress(text, parse_address(text))


def sniff(*seeds: str) -> SniffConfig:
    return SniffConfig(seeds=tuple(map(configured, seeds)), node_connections=3)


def proxy(address: str, server_name: str = "") -> ProxyConfig:
    return ProxyConfig(address=configured(address), socket_connections=1, server_name=server_name)


async def outcome(
    reach: SniffConfig | ProxyConfig,
    *,
    timeout_s: float = LONG_S,
    tls: ssl.SSLContext | None = None,
    expected: ClusterIdentity = ANY_CLUSTER,
    attribute: str | None = None,
    local: ClusterIdentity = NEAR,
    through: TransportService | None = None,
) -> Report:
    plan = Plan(
        alias="far",
        reach=reach,
        timeout_s=timeout_s,
        expected=expected,
        gateway_attribute=attribute,
    )
    async with AsyncExitStack() as stack:
        service = through or await stack.enter_async_context(transport())
        tools = Tools(
            dialer=service,
            list_nodes=NodesRequest(TaskRegistry("near"), SystemClock()),
            local=None if local is None else lambda: local,
            tls=tls,
        )
        return await diagnose(plan, tools)


async def failed(reach: SniffConfig | ProxyConfig, **options: object) -> tuple[Cause, str]:
    """The cause and the sentence of a test that finds no way."""
    report = await outcome(reach, **options)  # type: ignore[arg-type]
    assert report.failure is not None, report.summary
    return report.failure.advice.cause, report.summary


def steps(report: Report, at: int = 0) -> list[tuple[str, bool]]:
    return [(str(each.step), each.ok) for each in report.targets[at].steps]


@asynccontextmanager
async def cluster(*names: str, identity: ClusterIdentity = FAR) -> AsyncIterator[list[RunningNode]]:
    """Nodes of one cluster that know each other, each at its own port."""
    peers: list[NodeInfo] = []
    async with AsyncExitStack() as stack:
        nodes = [RunningNode(name, identity, peers) for name in names]
        for node in nodes:
            await node.start()
            stack.push_async_callback(node.stop)
        yield nodes


@asynccontextmanager
async def tls_node(context: ssl.SSLContext) -> AsyncIterator[str]:
    """The address of a node that speaks TLS."""
    async with cluster("secure") as (node,):
        yield str(await node.service.listen("127.0.0.1", 0, tls=context))


def replace(node: NodeInfo, **members: object) -> NodeInfo:
    return msgspec.structs.replace(node, **members)
