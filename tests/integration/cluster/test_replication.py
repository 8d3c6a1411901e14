"""Replication asked for on a node without data, and on one where it is switched off."""

from pathlib import Path

from tests.integration.cluster.nodes import joining, started, until


async def test_a_gateway_passes_everything_on(tmp_path: Path) -> None:
    """The follower is where the data is; made, looked at, refused to writers and promoted through the other node."""
    async with (
        started(tmp_path / "l", cluster__name="leading") as leader,
        started(tmp_path / "d") as d,
        started(tmp_path / "g", **joining(d)) as g,
    ):
        seeds = {"persistent": {"cluster.remote.eu.seeds": [leader.transport]}}
        await g.call("PUT", "/_cluster/settings", seeds)
        await leader.call("PUT", "/orders/_doc/1", {"n": 1})
        led = {"remote_cluster": "eu", "leader_index": "orders"}
        started_there = await g.call("PUT", "/copy/_ccr/follow?wait_for_active_shards=1", led)
        assert started_there["index_following_started"] is True
        await leader.call("PUT", "/orders/_doc/2", {"n": 2})

        async def is_there() -> bool:
            return (await g.request("GET", "/copy/_doc/2")).status == 200

        await until(is_there)
        (info,) = (await g.call("GET", "/_all/_ccr/info"))["follower_indices"]
        assert (info["follower_index"], info["status"]) == ("copy", "active")
        assert (await g.call("GET", "/copy/_ccr/verify"))["equal"] is True
        refused = await g.request("PUT", "/copy/_doc/3", {"n": 3})
        assert (refused.status, refused.body["error"]["type"]) == (403, "status_exception")
        await g.call("POST", "/copy/_ccr/promote")
        assert (await g.call("PUT", "/copy/_doc/3", {"n": 3}))["_seq_no"] == 2
        assert (await d.call("GET", "/_all/_ccr/info"))["follower_indices"] == []


async def test_switched_off(tmp_path: Path) -> None:
    """None of its paths is known."""
    async with started(tmp_path / "d", xpack__ccr__enabled="false") as node:
        for method, target in (("GET", "/copy/_ccr/info"), ("PUT", "/copy/_ccr/follow")):
            answer = await node.request(method, target)
            assert answer.status == 400
            assert answer.body["error"] == (
                f"no handler found for uri [{target}] and method [{method}]"
            )
