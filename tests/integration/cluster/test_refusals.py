"""Nodes that may not start, or may not join, as they are configured: each is told why."""

from pathlib import Path
from typing import Any

import pytest

from sealane.node import StartError, load_settings
from tests.integration.cluster.nodes import RunningNode, joining, started, until

QUICK = {"discovery.initial_state_timeout": "10ms"}


async def _reason(node: RunningNode) -> str:
    stats = await node.call("GET", "/_nodes/_local/stats/discovery")
    following: dict[str, Any] = stats["nodes"][node.id]["discovery"]["following"]
    error = following.get("last_error", {"reason": ""})
    assert not following["joined"]
    return str(error["reason"])


async def test_another_clusters_name(tmp_path: Path) -> None:
    async with (
        started(tmp_path / "d") as d,
        started(tmp_path / "g", **{**joining(d), **QUICK, "cluster.name": "two"}) as g,
    ):
        await until(lambda: _told(g))
        assert await _reason(g) == (
            f"seed [{d.transport}] is of cluster [one], this node of [two]: set [cluster.name] to the same on both"
        )
        assert await d.names() == {"d"}


async def test_the_cluster_that_a_folder_belongs_to_is_kept(tmp_path: Path) -> None:
    async with started(tmp_path / "d1") as first, started(tmp_path / "g", **joining(first)):
        pass
    async with (
        started(tmp_path / "d2") as second,
        started(tmp_path / "g", **{**joining(second), **QUICK}) as g,
    ):
        await until(lambda: _told(g))
        reason = await _reason(g)
        assert f"with uuid [{second.cluster_uuid}]" in reason
        assert f"with uuid [{first.cluster_uuid}]" in reason
        assert "empty data folder" in reason
        assert (await g.call("GET", "/"))["cluster_uuid"] == first.cluster_uuid


async def _told(node: RunningNode) -> bool:
    return bool(await _reason(node))


async def test_a_seed_that_is_the_node_itself_is_passed_over(tmp_path: Path) -> None:
    async with started(tmp_path / "d") as d:
        joined = joining(d)
        async with started(tmp_path / "g", **joined) as g:
            own = g.transport
            port = own.rpartition(":")[2]
        joined["discovery.seed_hosts"] = (own, d.transport)
        async with started(tmp_path / "g", **joined, transport__port=port):
            assert await d.names() == {"d", "g"}


async def test_two_nodes_with_data_do_not_form_a_cluster(tmp_path: Path) -> None:
    async with started(tmp_path / "d1") as first:
        with pytest.raises(StartError, match="a cluster has one node with data"):
            async with started(tmp_path / "d2", discovery__seed_hosts=(first.transport,)):
                pass


async def test_a_node_with_data_may_name_its_own_nodes(tmp_path: Path) -> None:
    async with started(tmp_path / "d") as d:
        port = d.transport.rpartition(":")[2]
        async with started(tmp_path / "g", **joining(d)) as g:
            await d.node.close()
            seeds = (d.transport, g.transport, "127.0.0.1:1")
            async with started(
                tmp_path / "d", transport__port=port, discovery__seed_hosts=seeds
            ) as again:
                await again.wait_names("d", "g")


async def test_a_folder_with_data_is_no_folder_for_a_node_without(tmp_path: Path) -> None:
    async with started(tmp_path / "d") as d:
        async with started(tmp_path / "was", cluster__name="one"):
            pass
        with pytest.raises(StartError, match="holds the data of a cluster"):
            async with started(tmp_path / "was", **joining(d)):
                pass


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["node.roles=ingest"], "discovery.seed_hosts names no node to join"),
        (
            ["node.roles=ingest", "discovery.seed_hosts=h:1", "discovery.type=single-node"],
            "leave discovery.type out",
        ),
    ],
)
def test_settings_that_make_no_node(overrides: list[str], told: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty.yml"
    empty.write_text("{}")
    with pytest.raises(StartError, match=told):
        load_settings(empty, overrides)


def test_settings_of_a_usual_first_node_are_accepted(tmp_path: Path) -> None:
    empty = tmp_path / "empty.yml"
    empty.write_text("{}")
    load_settings(empty, ["discovery.type=single-node"])
    load_settings(empty, ["cluster.initial_master_nodes=a,b", "discovery.seed_hosts=127.0.0.1"])
