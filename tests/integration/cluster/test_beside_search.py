"""The APIs beside `_search` on a node without data: its own where remotes are asked, the data node's otherwise."""

from pathlib import Path

from tests.integration.cluster.nodes import joining, started


async def test_a_node_without_data_answers_for_its_cluster_and_its_remotes(tmp_path: Path) -> None:
    """S-34, S-36, S-37, S-38."""
    async with (
        started(tmp_path / "d") as d,
        started(tmp_path / "g", **joining(d)) as g,
        started(tmp_path / "one", cluster__name="one") as one,
    ):
        seeds = {"persistent": {"cluster.remote.one.seeds": [one.transport]}}
        await g.call("PUT", "/_cluster/settings", seeds)
        mapping = {"mappings": {"properties": {"tag": {"type": "keyword"}}}}
        for node, tag in ((d, "here"), (one, "there")):
            await node.call("PUT", "/things", mapping)
            await node.call("PUT", "/things/_doc/1?refresh", {"tag": tag})
        caps = await g.call("GET", "/things,one:things/_field_caps?fields=tag")
        assert caps["indices"] == ["one:things", "things"]
        names = await g.call("GET", "/_resolve/index/*,*:*")
        assert [each["name"] for each in names["indices"]] == ["things", "one:things"]
        terms = await g.call("POST", "/things,one:things/_terms_enum", {"field": "tag"})
        assert terms["terms"] == ["here", "there"]
        body = {"source": {"index": "one:things"}, "dest": {"index": "copy"}}
        assert (await g.call("POST", "/_reindex", body))["created"] == 1
        started_task = await g.call("POST", "/_reindex?wait_for_completion=false", body)
        ended = await g.call("GET", f"/_tasks/{started_task['task']}?wait_for_completion=true")
        assert (ended["completed"], ended["response"]["updated"]) == (True, 1)
        await g.call("PUT", "/_scripts/s", {"script": {"lang": "mustache", "source": "{}"}})
        found = await g.call("POST", "/things,one:things/_search/template", {"id": "s"})
        assert found["hits"]["total"]["value"] == 2
        refused = await g.request("POST", "/_query", {"query": "FROM things"})
        assert refused.status == 400
