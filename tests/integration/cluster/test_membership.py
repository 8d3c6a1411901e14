"""Nodes that join a node with data, follow it and leave it."""

from pathlib import Path

from tests.integration.cluster.nodes import RunningNode, joining, started, until


async def test_a_node_joins_and_both_show_both(tmp_path: Path) -> None:
    async with (
        started(tmp_path / "d") as d,
        started(tmp_path / "g", **joining(d, node__attr__zone="b")) as g,
    ):
        assert g.cluster_uuid == d.cluster_uuid
        for node in (d, g):
            table = (await node.request("GET", "/_cat/nodes?h=name,master,node.role&s=name")).text
            assert [line.split() for line in table.splitlines()] == [
                ["d", "*", "dimr"],
                ["g", "-", "r"],
            ]
        for node in (d, g):
            listed = (await node.call("GET", "/_nodes"))["nodes"]
            assert listed[g.id]["http"]["publish_address"] == g.http
            assert listed[g.id]["transport_address"] == g.transport
            assert listed[g.id]["attributes"] == {"zone": "b"}
        health = await g.call("GET", "/_cluster/health")
        assert (health["number_of_nodes"], health["number_of_data_nodes"]) == (2, 1)


async def test_a_node_that_stops_is_gone_at_once(tmp_path: Path) -> None:
    async with started(tmp_path / "d") as d:
        async with started(tmp_path / "g", **joining(d)):
            assert await d.names() == {"d", "g"}
        assert await d.names() == {"d"}


async def test_members_learn_of_each_other(tmp_path: Path) -> None:
    async with started(tmp_path / "d") as d, started(tmp_path / "g1", **joining(d)) as g1:
        async with started(tmp_path / "g2", **joining(d)) as g2:
            assert await g2.names() == {"d", "g1", "g2"}
            await g1.wait_names("d", "g1", "g2")
        await g1.wait_names("d", "g1")


async def test_members_come_back_when_the_master_restarts(tmp_path: Path) -> None:
    async with started(tmp_path / "d") as d:
        port = d.transport.rpartition(":")[2]
        joined = joining(d)
        async with started(tmp_path / "g", **joined) as g:
            await d.node.close()
            lost = await g.request("GET", "/_cluster/health?master_timeout=0s")
            assert lost.status == 503
            async with started(tmp_path / "d", transport__port=port) as again:
                await again.wait_names("d", "g")
                await until(lambda: _has_master(g))


async def _has_master(node: RunningNode) -> bool:
    return (await node.request("GET", "/_cluster/health?master_timeout=0s")).status == 200


async def test_any_member_may_be_the_seed(tmp_path: Path) -> None:
    async with (
        started(tmp_path / "d") as d,
        started(tmp_path / "g1", **joining(d)) as g1,
        started(tmp_path / "g2", **joining(g1)) as g2,
    ):
        assert await g2.names() == {"d", "g1", "g2"}
        assert await d.names() == {"d", "g1", "g2"}
