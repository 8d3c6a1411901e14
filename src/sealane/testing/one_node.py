"""A cluster of one node, which is its master, as its state says it."""

from sealane.cluster.nodes import ClusterNodes
from sealane.cluster.published import Member, PublishedState
from sealane.model.node import ClusterIdentity, NodeInfo


def cluster_of(name: str, node: NodeInfo) -> ClusterNodes:
    member = Member(node=node, http="in-process:9200")
    state = PublishedState(
        cluster_name=name,
        cluster_uuid=name,
        master_id=node.id,
        term=node.ephemeral_id,
        version=1,
        state_uuid=name,
        members=(member,),
    )
    identity = ClusterIdentity(name=name, uuid=name)
    return ClusterNodes(identity=lambda: identity, local=lambda: member, state=lambda: state)
