"""Asynchronous searches in a cluster of several nodes: each may be asked on any of them."""

from pathlib import Path

from tests.integration.cluster.nodes import joining, started


async def test_any_node_answers_for_a_search_that_another_one_keeps(tmp_path: Path) -> None:
    async with (
        started(tmp_path / "d") as d,
        started(tmp_path / "g", **joining(d)) as g,
    ):
        await g.wait_names("d", "g")
        await d.call("PUT", "/i/_doc/1?refresh=true", {"n": 1})
        for keeper, other in ((g, d), (d, g)):
            kept = await keeper.call("POST", "/i/_async_search?keep_on_completion=true", {})
            id = kept["id"]
            assert len(kept["response"]["hits"]["hits"]) == 1
            again = await other.call("GET", f"/_async_search/{id}?filter_path=response.hits.total")
            assert again == {"response": {"hits": {"total": {"value": 1, "relation": "eq"}}}}
            status = await other.call("GET", f"/_async_search/status/{id}")
            assert status["completion_status"] == 200
            assert await other.call("DELETE", f"/_async_search/{id}") == {"acknowledged": True}
            for node in (keeper, other):
                gone = await node.request("GET", f"/_async_search/{id}")
                assert (gone.status, gone.body["error"]["reason"]) == (404, id)


async def test_a_cancel_reaches_the_node_that_is_meant(tmp_path: Path) -> None:
    """By the task's id from any node, and by actions on all of them."""
    async with (
        started(tmp_path / "d") as d,
        started(tmp_path / "g", **joining(d)) as g,
    ):
        await g.wait_names("d", "g")
        unknown = await g.call("POST", f"/_tasks/{d.id}:999999/_cancel")
        (failure,) = unknown["node_failures"]
        assert failure["node_id"] == d.id
        assert failure["caused_by"]["reason"] == f"task [{d.id}:999999] is not found"
        nobody = await g.call("POST", "/_tasks/foo:1/_cancel")
        assert nobody["node_failures"][0]["caused_by"] == {
            "type": "no_such_node_exception",
            "reason": "No such node [foo]",
            "node_id": "foo",
        }
        assert await g.call("POST", "/_tasks/_cancel?actions=nothing*") == {"nodes": {}}
        refused = await g.request("POST", f"/_tasks/{d.id}:1/_cancel?nodes=d")
        assert refused.body["error"]["reason"] == (
            "Validation Failed: 1: task id cannot be used together with node ids;"
        )
        malformed = await g.request("POST", "/_tasks/_cancel?parent_task_id=zz")
        assert malformed.body["error"]["reason"] == "malformed task id zz"
