"""What other clusters see of a cluster of several nodes, and how its nodes reach them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sealane.clock import SystemClock
from sealane.errors import ActionNotFound, IllegalArgument, NodeNotConnected
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.model.task import Context, TaskRegistry
from sealane.remote import RemoteClusters
from sealane.remote.cluster import RemoteCluster
from sealane.remote.relayed import NodeRoute
from sealane.settings import Settings, Value
from sealane.transport import AsyncioNetwork, TransportService
from sealane.wire.families.sealane import NODES, decode_nodes
from tests.integration.cluster.nodes import RunningNode, joining, started, until
from tests.unit.remote.fakes import FakeSettings


async def _info(node: RunningNode) -> dict[str, Any]:
    found: dict[str, Any] = (await node.call("GET", "/_remote/info?verbose=true"))["one"]
    return found


async def _register(node: RunningNode, *seeds: RunningNode, **more: Any) -> None:
    keys = {"seeds": [seed.transport for seed in seeds], **more}
    flat = {f"cluster.remote.one.{key}": value for key, value in keys.items()}
    await node.call("PUT", "/_cluster/settings", {"persistent": flat})


async def test_a_dedicated_master_as_seed_is_asked_and_not_counted(tmp_path: Path) -> None:
    """C-48: its list is used."""
    async with (
        started(tmp_path / "d", node__roles=("master",)) as d,
        started(tmp_path / "g", **joining(d)),
        started(tmp_path / "other", cluster__name="other") as other,
    ):
        await _register(other, d, node_connections=5)
        await until(lambda: _has_gateways(other, {"g"}))


async def test_a_cluster_of_a_dedicated_master_alone_has_no_gateway(tmp_path: Path) -> None:
    """C-49: and says so."""
    async with (
        started(tmp_path / "d", node__roles=("master",)) as d,
        started(tmp_path / "other", cluster__name="other") as other,
    ):
        await _register(other, d, skip_unavailable=False)
        answer = await other.request("GET", "/one:things/_search")
        assert answer.status == 500
        assert "Unable to open any connections to remote cluster [one]" in answer.text


async def test_a_joined_node_tells_that_a_remote_is_its_own_cluster(tmp_path: Path) -> None:
    """Its connection test knows the cluster that it joined only after it was made."""
    async with started(tmp_path / "d") as d, started(tmp_path / "g", **joining(d)) as g:
        report = await g.call("POST", "/_remote/_test", {"seeds": [d.transport]})
        assert any(
            "this is the cluster that the test runs in" in each for each in report["warnings"]
        )


async def _has_gateways(node: RunningNode, names: set[str]) -> bool:
    return {each["name"] for each in (await _info(node))["nodes"]} == names


async def test_every_node_of_a_cluster_reaches_remotes_by_itself(tmp_path: Path) -> None:
    async with (
        started(tmp_path / "far", cluster__name="far") as far,
        started(tmp_path / "d") as d,
        started(tmp_path / "g", **joining(d)) as g,
    ):
        await far.call("PUT", "/things/_doc/1?refresh=true", {"a": 1})
        await d.call("PUT", "/things/_doc/2?refresh=true", {"a": 2})
        remote = {"cluster.remote.far.seeds": [far.transport]}
        await d.call("PUT", "/_cluster/settings", {"persistent": remote})
        found = await g.call("POST", "/things,far:things/_search", {"sort": ["a"]})
        assert [hit["_index"] for hit in found["hits"]["hits"]] == ["far:things", "things"]
        assert found["_clusters"]["successful"] == 2
        by_node = (await d.call("GET", "/_remote/info?nodes=_all"))["nodes"]
        assert {each["name"] for each in by_node.values()} == {"d", "g"}
        assert all(each["remotes"]["far"]["connected"] for each in by_node.values())


async def test_a_search_on_a_joined_node_with_its_data_node_gone_skips_nothing_silently(
    tmp_path: Path,
) -> None:
    async with (
        started(tmp_path / "far", cluster__name="far") as far,
        started(tmp_path / "d") as d,
        started(tmp_path / "g", **joining(d)) as g,
    ):
        await far.call("PUT", "/things/_doc/1?refresh=true", {"a": 1})
        remote = {"cluster.remote.far.seeds": [far.transport]}
        await g.call("PUT", "/_cluster/settings", {"persistent": remote})
        await d.node.close()
        alone = await g.call("POST", "/far:things/_search", {})
        assert alone["hits"]["total"]["value"] == 1
        both = await g.request("POST", "/things,far:things/_search", {})
        assert both.status == 502


@asynccontextmanager
async def asker(
    *seeds: RunningNode, **settings: Any
) -> AsyncIterator[tuple[RemoteCluster, Context]]:
    """A node of another cluster, of which only the parts that reach the cluster `one` are there."""
    tasks, clock = TaskRegistry("asker"), SystemClock()
    me = NodeInfo(id="a", ephemeral_id="a", name="asker", address=Address("127.0.0.1", 1))
    transport = TransportService(
        local=lambda: (me, ClusterIdentity(name="asker", uuid="asker")),
        network=AsyncioNetwork(),
        tasks=tasks,
        clock=clock,
    )
    keys: dict[str, Value] = {"seeds": tuple(seed.transport for seed in seeds), **settings}
    flat = {f"cluster.remote.one.{key}": value for key, value in keys.items()}
    remotes = RemoteClusters(
        FakeSettings(Settings(flat)),
        node_name="asker",
        roles=("remote_cluster_client",),
        dialer=transport,
        tasks=tasks,
        clock=clock,
    )
    try:
        with tasks.start("test", start_ms=0) as task:
            yield remotes.cluster("one"), Context(task=task)
    finally:
        await remotes.close()
        await transport.close()


async def _nodes(route: NodeRoute, ctx: Context) -> dict[str, NodeInfo]:
    return {node.name: node for node in decode_nodes(await route.request(NODES, b"", ctx))}


async def test_a_node_that_is_no_gateway_is_asked_through_one(tmp_path: Path) -> None:
    """C-70: as `internal:transport/proxy/...`; its answer and its errors come back."""
    async with (
        started(tmp_path / "d") as d,
        started(tmp_path / "g", **joining(d)) as g,
        asker(g, node_connections="1") as (cluster, ctx),
    ):
        gateway = await cluster.connection(ctx)
        nodes = await _nodes(gateway, ctx)
        direct = await cluster.route_to(nodes[gateway.node.name], ctx)
        assert direct is gateway
        (other,) = {"d", "g"} - {gateway.node.name}
        relayed = await cluster.route_to(nodes[other], ctx)
        assert relayed.node == nodes[other]
        assert set(await _nodes(relayed, ctx)) == {"d", "g"}
        with pytest.raises(IllegalArgument, match="expected no bytes"):
            await relayed.request(NODES, b"x", ctx)
        with pytest.raises(ActionNotFound):
            await relayed.request("internal:secret", b"", ctx)


async def test_a_node_that_a_gateway_does_not_know_is_not_dialled(tmp_path: Path) -> None:
    async with started(tmp_path / "d") as d, asker(d) as (cluster, ctx):
        stranger = NodeInfo(id="s", ephemeral_id="s", name="s", address=Address("127.0.0.1", 1))
        route = await cluster.route_to(stranger, ctx)
        with pytest.raises(NodeNotConnected, match="Node not connected"):
            await route.request(NODES, b"", ctx)
