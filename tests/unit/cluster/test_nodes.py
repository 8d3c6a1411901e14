"""The node as its own cluster."""

from sealane.cluster.metadata import ClusterMetadata
from sealane.cluster.nodes import LocalNode
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.settings import Settings
from tests.unit.cluster.fakes import FixedClock
from tests.unit.cluster.test_resolve import index

NODE = NodeInfo(id="n", ephemeral_id="e", name="one", address=Address("127.0.0.1", 9300))


def local(clock: FixedClock) -> LocalNode:
    return LocalNode(
        identity=ClusterIdentity(name="eu", uuid="u"),
        node=NODE,
        http=lambda: Address("::1", 9200),
        clock=clock,
    )


def test_a_node_is_its_clusters_master_and_only_member() -> None:
    clock = FixedClock()
    node = local(clock)
    clock.ms += 1500
    assert node.uptime_ms == 1500
    assert node.nodes() == (NODE,)
    assert node.master_id == "n"
    assert node.http_address("n") == "[::1]:9200"
    assert node.http_address("other") == ""


def test_health_counts_open_shards_and_their_missing_copies() -> None:
    node = local(FixedClock())
    assert node.health(ClusterMetadata()).status == "green"
    copies = index("b", 2).changed(settings=Settings({"index.number_of_replicas": "0"}))
    meta = ClusterMetadata([index("a", 3), copies, index("c", 5, open=False)])
    health = node.health(meta)
    assert (health.status, health.primaries, health.unassigned) == ("yellow", 5, 3)
    assert health.active_percent == 62.5
    lost = node.health(meta, ["u_b"])
    assert (lost.status, lost.primaries, lost.unassigned_primaries) == ("red", 3, 2)
