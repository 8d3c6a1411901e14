"""A cluster of one node, which is its master, as its state says it."""

from sealane.cluster.nodes import ClusterNodes
from sealane.cluster.published import Member, PublishedState
from sealane.inbound.actions import Handler
from sealane.model.node import ClusterIdentity, NodeInfo
from sealane.model.task import Context


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


class OneNode:
    """What a transport service would route to, by action. Implements Fellows of a cluster of one node."""

    def __init__(self, node: NodeInfo) -> None:
        self.local = node
        self.handlers: dict[str, Handler] = {}

    def register(self, action: str, handler: Handler) -> None:
        self.handlers[action] = handler

    async def ask(
        self, node: NodeInfo, action: str, payload: bytes, ctx: Context, *, timeout_s: float
    ) -> bytes:
        return await self.handlers[action](payload, ctx)
