"""The nodes of a cluster as each of them shows them."""

import asyncio
from pathlib import Path
from typing import Any

from sealane.transport import TaskScope
from tests.integration.cluster.nodes import RunningNode, joining, started, until


async def _table(node: RunningNode, target: str) -> list[list[str]]:
    answer = await node.request("GET", target)
    assert answer.status == 200, answer
    return [line.split() for line in answer.text.splitlines()]


async def test_tables_of_nodes(tmp_path: Path) -> None:
    async with (
        started(tmp_path / "d") as d,
        started(tmp_path / "g", **joining(d, node__roles=(), node__attr__zone="b")) as g,
    ):
        for node in (d, g):
            nodes = await _table(
                node, "/_cat/nodes?full_id=true&h=id,name,node.role,master,http&s=name"
            )
            assert nodes == [[d.id, "d", "dimr", "*", d.http], [g.id, "g", "-", "-", g.http]]
            loads = await _table(node, "/_cat/nodes?h=name,ram.percent,load_1m")
            assert [len(row) for row in loads] == [3, 3], "each says how busy it is"
            assert await _table(node, "/_cat/master?h=id,node") == [[d.id, "d"]]
            assert await _table(node, "/_cat/nodeattrs?h=node,attr,value") == [["g", "zone", "b"]]
        assert (await _table(d, "/_cat/nodes?h=id"))[0] == [d.id[:4]]


async def test_nodes_are_chosen_in_the_references_grammar(tmp_path: Path) -> None:
    async with (
        started(tmp_path / "d", node__attr__zone="a") as d,
        started(tmp_path / "g", **joining(d, node__roles=(), node__attr__zone="b")) as g,
        started(tmp_path / "r", **joining(d, node__attr__zone="b")) as r,
    ):
        await g.wait_names("d", "g", "r")

        async def chosen(expression: str) -> str:
            found = (await g.call("GET", f"/_nodes/{expression}/http"))["nodes"]
            return "".join(sorted(each["name"] for each in found.values()))

        for expression, expected in {
            "_all": "dgr",
            "_local": "g",
            "_master": "d",
            "data:true": "d",
            "data:false": "",
            "_all,data:false": "gr",
            "master:true": "d",
            "master:false,data:true": "d",
            "zone:b": "gr",
            "z*:*": "dgr",
            "zone:b,remote_cluster_client:false": "g",
            r.id: "r",
            "g,r": "gr",
            "127.*": "dgr",
            "nobody": "",
        }.items():
            assert await chosen(expression) == expected, expression


async def test_the_cluster_state_has_all_nodes_and_a_version_that_grows(tmp_path: Path) -> None:
    async with started(tmp_path / "d") as d:
        before = await d.call("GET", "/_cluster/state")
        assert list(before["nodes"]) == [d.id]
        async with started(tmp_path / "g", **joining(d)) as g:
            state: dict[str, Any] = await g.call("GET", "/_cluster/state")
            assert state["master_node"] == d.id
            assert state["version"] > before["version"]
            assert state["state_uuid"] != before["state_uuid"]
            assert state["nodes"][g.id]["name"] == "g"
            assert state["nodes"][g.id]["transport_address"] == g.transport
            assert state["nodes"][g.id]["roles"] == ["remote_cluster_client"]
            only = await g.call("GET", "/_cluster/state/master_node,nodes")
            assert sorted(only) == ["cluster_name", "cluster_uuid", "master_node", "nodes"]
            refused = await g.request("GET", "/_cluster/state/metadata")
            assert refused.status == 400
        after = await d.call("GET", "/_cluster/state/version,nodes")
        assert list(after["nodes"]) == [d.id]
        assert after["version"] > state["version"]


async def test_statistics_count_indices_where_they_are(tmp_path: Path) -> None:
    """On the node that holds them, whichever of the roles of data it has; a gateway has none."""
    async with (
        started(tmp_path / "d", node__roles=("data_hot", "master")) as d,
        started(tmp_path / "g", **joining(d)) as g,
    ):
        await d.call("PUT", "/things", {})
        for node in (d, g):
            counts = [
                (await node.call("GET", f"/_cluster/stats{chosen}"))["indices"]["count"]
                for chosen in ("", "/nodes/d", "/nodes/g")
            ]
            assert counts == [1, 1, 0]


async def test_tasks_of_all_nodes_with_their_parents(tmp_path: Path) -> None:
    async with (
        started(tmp_path / "d") as d,
        started(tmp_path / "g", **joining(d)) as g,
        TaskScope("test") as scope,
    ):
        waiting = "/_cluster/health?wait_for_nodes=9&timeout=60s"
        scope.start(g.request("GET", waiting))

        async def running() -> list[dict[str, Any]]:
            found = await d.call("GET", "/_tasks?actions=*health,*forward&group_by=none&detailed")
            tasks: list[dict[str, Any]] = found["tasks"]
            return tasks

        async def all_there() -> bool:
            return len(await running()) == 3

        await until(all_there)
        tasks = {(task["node"], task["action"]): task for task in await running()}
        asked = tasks[g.id, "internal:rest/forward"]
        received = tasks[d.id, "internal:rest/forward"]
        done = tasks[d.id, "cluster:monitor/health"]
        assert asked["description"] == waiting
        assert received["parent_task_id"] == f"{g.id}:{asked['id']}"
        assert done["parent_task_id"] == f"{d.id}:{received['id']}"
        one = await g.call("GET", f"/_tasks/{d.id}:{done['id']}")
        assert one["task"]["action"] == "cluster:monitor/health"
        here = await d.call("GET", "/_tasks?nodes=g&actions=*health,*forward")
        assert list(here["nodes"]) == [g.id]
        gone = await g.request("GET", "/_tasks/nobody:1")
        assert gone.status == 404
        await asyncio.sleep(0)
