"""The cluster's settings on nodes that have joined it."""

from pathlib import Path

from tests.integration.cluster.nodes import RunningNode, joining, started


async def _aliases(node: RunningNode) -> list[str]:
    return sorted(await node.call("GET", "/_remote/info"))


async def test_a_change_on_any_node_is_in_force_on_all_once_it_is_acknowledged(
    tmp_path: Path,
) -> None:
    async with (
        started(tmp_path / "d") as d,
        started(tmp_path / "g1", **joining(d)) as g1,
        started(tmp_path / "g2", **joining(d)) as g2,
    ):
        remote = {"cluster.remote.other.seeds": ["127.0.0.1:1"]}
        await g1.call("PUT", "/_cluster/settings", {"persistent": remote})
        assert [await _aliases(node) for node in (d, g1, g2)] == [["other"]] * 3
        gone = {"cluster.remote.other.*": None}
        await d.call("PUT", "/_cluster/settings", {"persistent": gone})
        assert [await _aliases(node) for node in (d, g1, g2)] == [[]] * 3


async def test_a_node_that_joins_later_has_them_too(tmp_path: Path) -> None:
    async with started(tmp_path / "d") as d:
        remote = {"cluster.remote.other.seeds": ["127.0.0.1:1"]}
        await d.call("PUT", "/_cluster/settings", {"transient": remote})
        async with started(tmp_path / "g", **joining(d)) as g:
            assert await _aliases(g) == ["other"]


async def test_a_remote_of_a_nodes_own_file_is_its_own(tmp_path: Path) -> None:
    async with (
        started(tmp_path / "d") as d,
        started(tmp_path / "g", **joining(d, cluster__remote__mine__seeds="127.0.0.1:1")) as g,
    ):
        assert await _aliases(g) == ["mine"]
        assert await _aliases(d) == []


async def test_settings_that_a_nodes_file_rules_out_leave_it_as_it_was(tmp_path: Path) -> None:
    mine = {"cluster.remote.mine.mode": "proxy", "cluster.remote.mine.proxy_address": "127.0.0.1:1"}
    async with started(tmp_path / "d") as d, started(tmp_path / "g", **joining(d), **mine) as g:
        wrong = {"cluster.remote.mine.node_connections": 5, "cluster.remote.mine.seeds": ["h:1"]}
        await d.call("PUT", "/_cluster/settings", {"persistent": wrong})
        info = (await g.call("GET", "/_remote/info"))["mine"]
        assert info["mode"] == "proxy"
        stats = await g.call("GET", "/_nodes/_local/stats/discovery")
        error = stats["nodes"][g.id]["discovery"]["following"]["settings_error"]
        assert error["type"] == "illegal_argument_exception"


async def test_a_node_without_the_role_opens_no_connection(tmp_path: Path) -> None:
    async with (
        started(tmp_path / "d") as d,
        started(tmp_path / "other", cluster__name="other") as other,
        started(tmp_path / "g", **joining(d, node__roles=())) as g,
    ):
        remote = {"cluster.remote.other.seeds": [other.transport]}
        await g.call("PUT", "/_cluster/settings", {"persistent": remote})
        refused = await g.request("GET", "/_remote/info")
        assert refused.status == 400
        assert refused.body["error"]["reason"] == (
            "node [g] does not have the [remote_cluster_client] role"
        )
