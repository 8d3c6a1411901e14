"""Sniffing a cluster of several nodes as an operator would see it: separate processes, in network namespaces where the
system allows them.

One cluster has a node with data and five that joined it; other clusters register it, each by its own rules.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sealane.testing.namespaces import Machine, machines
from sealane.testing.process import NodeProcess

REMOTE = "many"
GATEWAYS = {"g1": "remote_cluster_client", "g2": "", "g3": "ingest"}
"""The roles of the nodes with the attribute; none of them is an ordinary data node."""


class Clusters:
    """`nodes` of the remote cluster by name, `d` with the data; `chooser` and `plain` are clusters of one node that
    register it: the first takes only nodes with `gateway: true`, the second any."""

    def __init__(self, folder: Path, places: list[Machine], stack: ExitStack) -> None:
        self.folder = folder
        self.stack = stack
        self.places = iter(places)
        self.nodes: dict[str, NodeProcess] = {}
        # Shorter than usual, so that the test of a silent node is.
        lease = {"cluster.fault_detection.follower_check.timeout": "3s"}
        self.nodes["d"] = self.launch("d", REMOTE, **lease)
        self.chooser = self.launch("chooser", "chooser", **{"cluster.remote.node.attr": "gateway"})
        self.plain = self.launch("plain", "plain")
        seed = self.nodes["d"].wait_ready().transport
        for name, roles in GATEWAYS.items():
            self.join(name, seed, roles, {"node.attr.gateway": "true"})
        self.join("odd", seed, "ingest", {"node.attr.gateway": "nope"})
        self.join("bare", seed, "ingest", {})
        for node in (self.chooser, self.plain, *list(self.nodes.values())[1:]):
            node.wait_ready()

    def launch(self, name: str, cluster: str, **settings: str) -> NodeProcess:
        place = next(self.places)
        node = NodeProcess(
            cluster,
            self.folder / name,
            namespace=place.namespace,
            **{"node.name": name, "network.host": place.host, **settings},
        )
        node.launch()
        self.stack.callback(node.kill)
        return node

    def join(self, name: str, seed: str, roles: str, settings: dict[str, str]) -> None:
        self.nodes[name] = self.launch(
            name,
            REMOTE,
            **{"node.roles": roles, "discovery.seed_hosts": seed, **settings},
        )

    @property
    def where(self) -> str:
        namespace = self.plain.namespace
        return "network namespaces" if namespace else "addresses of this host"


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    with machines(8) as places, ExitStack() as stack:
        made = Clusters(tmp_path_factory.mktemp("sniff"), places, stack)
        print(f"the nodes run in {made.where}")
        yield made


@pytest.fixture
def registered(clusters: Clusters) -> Iterator[Callable[..., NodeProcess]]:
    """`registered(node, seed, ...)` registers the remote cluster there, for this test."""
    used: list[NodeProcess] = []

    def register(node: NodeProcess, *seeds: str, **settings: Any) -> NodeProcess:
        keys = {"seeds": [clusters.nodes[seed].transport for seed in seeds], **settings}
        flat = {f"cluster.remote.{REMOTE}.{key}": value for key, value in keys.items()}
        node.call("PUT", "/_cluster/settings", {"persistent": flat})
        used.append(node)
        return node

    yield register
    for node in used:
        node.call("PUT", "/_cluster/settings", {"persistent": {f"cluster.remote.{REMOTE}.*": None}})


def info(node: NodeProcess) -> dict[str, Any]:
    found: dict[str, Any] = node.call("GET", "/_remote/info?verbose=true")[REMOTE]
    return found


def gateways(node: NodeProcess) -> set[str]:
    return {each["name"] for each in info(node)["nodes"]}


def wait(holds: Callable[[], bool], within_s: float = 15.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_only_nodes_with_the_attribute_are_gateways(
    clusters: Clusters, registered: Callable[..., NodeProcess]
) -> None:
    """C-51, C-50: coordinating-only and ingest nodes are, the data node and one that says `nope` are not."""
    node = registered(clusters.chooser, "d", node_connections=10)
    wait(lambda: info(node)["num_nodes_connected"] == 3)
    assert gateways(node) == set(GATEWAYS)


def test_never_more_gateways_than_wanted(
    clusters: Clusters, registered: Callable[..., NodeProcess]
) -> None:
    """C-46: two of three, whatever is there besides."""
    node = registered(clusters.chooser, "d", node_connections=2)
    wait(lambda: info(node)["num_nodes_connected"] == 2)
    assert gateways(node) < set(GATEWAYS)


def test_all_that_may_be_gateways_are_when_more_are_wanted(
    clusters: Clusters, registered: Callable[..., NodeProcess]
) -> None:
    """C-47, C-50: every node of the cluster, for none of them is a dedicated master."""
    node = registered(clusters.plain, "bare", node_connections=10)
    wait(lambda: info(node)["num_nodes_connected"] == 6)
    assert gateways(node) == set(clusters.nodes)


def test_a_search_through_gateways_finds_what_the_data_node_holds(
    clusters: Clusters, registered: Callable[..., NodeProcess]
) -> None:
    clusters.nodes["g2"].call("PUT", "/things/_doc/1?refresh=true", {"a": 1})
    node = registered(clusters.chooser, "d")
    for _ in range(4):  # each gateway has its turn
        found = node.call("POST", f"/{REMOTE}:things/_search", {"query": {"term": {"a": 1}}})
        assert [hit["_index"] for hit in found["hits"]["hits"]] == [f"{REMOTE}:things"]
    resolved = node.call("GET", f"/_resolve/cluster/{REMOTE}:things")
    assert resolved[REMOTE]["matching_indices"] is True


def test_a_lost_gateway_is_replaced_without_a_request(
    clusters: Clusters, registered: Callable[..., NodeProcess]
) -> None:
    """C-55, C-56: also when the only seed is what was lost, for live gateways know their cluster."""
    node = registered(clusters.chooser, "g1", node_connections=2)
    wait(lambda: info(node)["num_nodes_connected"] == 2)
    before = gateways(node)
    assert "g1" in before
    lost = clusters.nodes["g1"]
    lost.kill()
    wait(lambda: gateways(node) == {"g2", "g3"})
    shown = clusters.nodes["d"].call("GET", "/_cat/nodes?format=json&h=name")
    wait(lambda: len(clusters.nodes["d"].call("GET", "/_cat/nodes?format=json&h=name")) == 5)
    assert {"name": "g2"} in shown
    lost.start()
    wait(lambda: len(clusters.nodes["d"].call("GET", "/_cat/nodes?format=json&h=name")) == 6)


def test_a_node_that_says_nothing_expires_and_comes_back(clusters: Clusters) -> None:
    """A stopped process keeps its connections; its lease runs out."""
    data_node, silent = clusters.nodes["d"], clusters.nodes["odd"]

    def names() -> set[str]:
        return {row["name"] for row in data_node.call("GET", "/_cat/nodes?format=json&h=name")}

    assert "odd" in names()
    silent.send_signal(signal.SIGSTOP)
    try:
        wait(lambda: "odd" not in names())
    finally:
        silent.send_signal(signal.SIGCONT)
    wait(lambda: "odd" in names())
