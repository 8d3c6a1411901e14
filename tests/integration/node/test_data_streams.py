"""Data streams of real processes: kept through a kill, found over the network, driven by the official clients."""

from pathlib import Path
from typing import Any

import elasticsearch8
import elasticsearch9
import pytest

from sealane.testing.process import NodeProcess, two_clusters

TEMPLATE = {
    "index_patterns": ["logs-*"],
    "data_stream": {},
    "priority": 200,
    "template": {"mappings": {"properties": {"host": {"type": "keyword"}}}},
}


def names(node: NodeProcess, stream: str = "logs-a") -> list[str]:
    (shown,) = node.call("GET", f"/_data_stream/{stream}")["data_streams"]
    return [each["index_name"] for each in shown["indices"]]


def test_a_stream_is_whole_after_a_kill(tmp_path: Path) -> None:
    """What was acknowledged is there: template, stream, rollover and documents."""
    with NodeProcess("streams", tmp_path / "node") as node:
        node.keep_addresses()
        node.call("PUT", "/_index_template/logs", TEMPLATE)
        node.call("POST", "/logs-a/_doc", {"@timestamp": 1, "host": "a"})
        rolled = node.call("POST", "/logs-a/_rollover")
        written = node.call("POST", "/logs-a/_doc", {"@timestamp": 2, "host": "b"})
        before = names(node)
        assert before == [rolled["old_index"], rolled["new_index"]]
        assert written["_index"] == before[1]
        node.kill()
        node.start()
        assert names(node) == before
        assert node.call("GET", "/logs-a/_count")["count"] == 2
        again = node.call("POST", "/logs-a/_doc", {"@timestamp": 3})
        assert again["_index"] == before[1]
        assert node.call("GET", "/_index_template/logs")["index_templates"][0]["name"] == "logs"


@pytest.mark.parametrize("library", [elasticsearch8, elasticsearch9])
def test_the_official_clients(library: Any) -> None:
    """S-23: as a client sees it, over two clusters."""
    with two_clusters() as (europe, americas):
        with library.Elasticsearch(americas.url) as there:
            there.cluster.put_component_template(
                name="hosts", template={"mappings": TEMPLATE["template"]["mappings"]}
            )
            there.indices.put_index_template(
                name="logs",
                index_patterns=["logs-*"],
                data_stream={},
                composed_of=["hosts"],
                priority=5,
            )
            assert there.indices.exists_index_template(name="logs")
            there.indices.create_data_stream(name="logs-a")
            there.index(index="logs-a", document={"@timestamp": 1, "host": "a"}, refresh=True)
            assert there.indices.rollover(alias="logs-a")["rolled_over"]
            (shown,) = there.indices.get_data_stream(name="logs-*")["data_streams"]
            assert (shown["generation"], shown["template"]) == (2, "logs")
            stats = there.indices.data_streams_stats(name="logs-a")
            assert stats["data_streams"][0]["maximum_timestamp"] == 1
            simulated = there.indices.simulate_index_template(name="logs-b")
            assert "host" in simulated["template"]["mappings"]["properties"]
        with library.Elasticsearch(europe.url) as here:
            found = here.search(index="americas:logs-*")["hits"]["hits"]
            assert [hit["_index"] for hit in found] == [f"americas:{names(americas)[0]}"]
            resolved = here.indices.resolve_index(name="*:logs-*")
            assert [each["name"] for each in resolved["data_streams"]] == ["americas:logs-a"]
        with library.Elasticsearch(americas.url) as there:
            there.indices.delete_data_stream(name="logs-a")
            there.indices.delete_index_template(name="logs")
            there.cluster.delete_component_template(name="hosts")
            assert there.indices.get_data_stream()["data_streams"] == []
