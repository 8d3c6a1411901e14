"""What real nodes tell of remotes: `_resolve/cluster`, `_cluster/stats`, `_nodes/stats`, `_remote/info?nodes=_all`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sealane.testing.process import NodeProcess, register

NOWHERE = "127.0.0.1:1"
DEAD = {"connected": False, "skip_unavailable": True}
DEAD_HARD = {"connected": False, "skip_unavailable": False}


class World:
    """`here` has the remotes `there`, `dead` and `dead_hard`, and a gateway node; each cluster has the index `i`."""

    def __init__(self, folder: Path) -> None:
        self.there = NodeProcess("there", folder / "there")
        self.here = NodeProcess("here", folder / "here")
        self._folder = folder
        self.gateway: NodeProcess

    def start(self) -> None:
        for node in (self.there, self.here):
            node.start()
            node.call("PUT", "/i/_doc/1?refresh", {"n": 1})
        register(self.here, self.there)
        for alias, skip in (("dead", "true"), ("dead_hard", "false")):
            keys = {"seeds": NOWHERE, "skip_unavailable": skip}
            flat = {f"cluster.remote.{alias}.{key}": value for key, value in keys.items()}
            self.here.call("PUT", "/_cluster/settings", {"persistent": flat})
        settings = {
            "node.name": "gateway",
            "node.roles": "remote_cluster_client",
            "discovery.seed_hosts": self.here.transport,
        }
        self.gateway = NodeProcess("here", self._folder / "gateway", **settings)
        self.gateway.start()

    def stop(self) -> None:
        for node in (self.gateway, self.here, self.there):
            node.stop()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("apis"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(params=["here", "gateway"])
def asked(world: World, request: pytest.FixtureRequest) -> NodeProcess:
    """Whichever node of the cluster is asked."""
    node: NodeProcess = getattr(world, request.param)
    return node


def found(*, skip: bool) -> dict[str, Any]:
    return {
        "connected": True,
        "skip_unavailable": skip,
        "matching_indices": True,
        "version": {
            "number": "8.19.0",
            "build_flavor": "default",
            "minimum_wire_compatibility_version": "7.17.0",
            "minimum_index_compatibility_version": "7.0.0",
        },
    }


def test_every_cluster_says_whether_it_has_the_index(asked: NodeProcess) -> None:
    """S-124, C-83: the dead ones do not hold it up, whatever their skip_unavailable."""
    assert asked.call("GET", "/_resolve/cluster/i,*:i?timeout=30s") == {
        "(local)": found(skip=False),
        "there": found(skip=True),
        "dead": DEAD,
        "dead_hard": DEAD_HARD,
    }


def test_without_names_only_remotes_are_listed(asked: NodeProcess) -> None:
    """C-84."""
    answer = asked.call("GET", "/_resolve/cluster")
    assert set(answer) == {"there", "dead", "dead_hard"}
    assert "matching_indices" not in answer["there"]
    assert answer["dead_hard"] == DEAD_HARD


def test_what_resolving_refuses(asked: NodeProcess) -> None:
    """C-85, C-86, C-80."""
    options = asked.request("GET", "/_resolve/cluster?expand_wildcards=all")
    assert options.status == 400
    assert options.body["error"]["reason"].startswith("No index options are allowed")
    unknown = asked.request("GET", "/_resolve/cluster/nope:x")
    assert unknown.status == 404
    assert unknown.body["error"]["type"] == "no_such_remote_cluster_exception"
    assert asked.request("POST", "/_resolve/cluster").status == 405


def test_a_remotes_error_is_told_in_its_entry(asked: NodeProcess) -> None:
    answer = asked.call("GET", "/_resolve/cluster/i,there:nope")
    assert answer["(local)"] == found(skip=False)
    assert answer["there"] == {
        "connected": True,
        "skip_unavailable": True,
        "error": "no such index [nope]",
    }


def test_cluster_stats_lists_remotes(asked: NodeProcess) -> None:
    """C-87."""
    answer = asked.call("GET", "/_cluster/stats?include_remotes=true")
    assert answer["_nodes"] == {"total": 2, "successful": 2, "failed": 0}
    assert answer["nodes"]["count"]["remote_cluster_client"] == 2
    assert answer["indices"]["count"] == 1
    clusters = answer["ccs"]["clusters"]
    assert set(clusters) == {"there", "dead", "dead_hard"}
    there = clusters["there"]
    assert (there["status"], there["version"], there["nodes_count"]) == ("yellow", ["8.19.0"], 1)
    assert (there["indices_count"], there["shards_count"]) == (1, 1)
    assert there["mem_total_in_bytes"] > 0
    for alias in ("dead", "dead_hard"):
        assert clusters[alias]["cluster_uuid"] == clusters[alias]["status"] == "unavailable"


def test_searches_of_all_nodes_are_counted_together(world: World) -> None:
    """S-128."""

    def counts() -> Any:
        return world.here.call("GET", "/_cluster/stats")["ccs"]["_search"]

    before = counts()
    for node in (world.here, world.gateway):
        node.call("GET", "/i,there:i/_search")
    after = counts()
    assert after["total"] == before["total"] + 2
    was = before["clusters"].get("there", {"total": 0})
    assert after["clusters"]["there"]["total"] == was["total"] + 2


def test_each_node_shows_its_sockets_and_loops(asked: NodeProcess) -> None:
    answer = asked.call("GET", "/_nodes/stats")
    assert answer["_nodes"] == {"total": 2, "successful": 2, "failed": 0}
    for node in answer["nodes"].values():
        assert node["transport"]["total_outbound_connections"] >= 6
        assert node["transport"]["rx_size_in_bytes"] > 0
        assert node["process"]["open_file_descriptors"] > 0
        loops = node["remote_clusters"]
        assert (loops["there"]["connected"], loops["there"]["last_error"]) == (True, None)
        assert loops["dead"]["connected"] is False
        assert loops["dead"]["consecutive_misses"] > 0
        assert loops["dead"]["last_error"]["address"] == NOWHERE
    named = {node["name"]: node for node in answer["nodes"].values()}
    assert named["here-1"]["indices"]["docs"]["count"] == 1
    assert named["gateway"]["indices"]["docs"]["count"] == 0


def test_remote_info_of_every_node(asked: NodeProcess) -> None:
    own = asked.call("GET", "/_remote/info")
    answer = asked.call("GET", "/_remote/info?nodes=_all")
    assert {node["name"] for node in answer["nodes"].values()} == {"here-1", "gateway"}
    for node in answer["nodes"].values():
        assert {alias: set(entry) for alias, entry in node["remotes"].items()} == {
            alias: set(entry) for alias, entry in own.items()
        }
        assert node["remotes"]["there"]["connected"] is True
        assert node["remotes"]["dead"]["connected"] is False
