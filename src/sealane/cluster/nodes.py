"""Who is in the cluster, as one of its nodes shows it: the state published last, and itself where there is none."""

from collections.abc import Callable, Sequence

import msgspec

from sealane.cluster.published import Member, PublishedState
from sealane.model.node import ClusterIdentity, NodeInfo


class ClusterNodes:
    """A view; all that changes is asked for when it is shown."""

    def __init__(
        self,
        *,
        identity: Callable[[], ClusterIdentity],
        local: Callable[[], Member],
        state: Callable[[], PublishedState | None],
        has_master: Callable[[], bool] = lambda: True,
    ) -> None:
        """`has_master` is False while the master that published `state` cannot be reached."""
        self._identity = identity
        self._local = local
        self._state = state
        self._has_master = has_master

    @property
    def identity(self) -> ClusterIdentity:
        return self._identity()

    @property
    def local_node(self) -> NodeInfo:
        return self._local().node

    @property
    def state(self) -> PublishedState | None:
        """None before the first one."""
        return self._state()

    @property
    def master_id(self) -> str:
        """The master's node id; empty while there is none."""
        state = self._state()
        return state.master_id if state is not None and self._has_master() else ""

    def members(self) -> Sequence[Member]:
        """All, as last published; this node as it is now."""
        local, state = self._local(), self._state()
        if state is None:
            return (local,)
        others = state.members
        if all(each.node.id != local.node.id for each in others):
            return (*others, local)
        return tuple(local if each.node.id == local.node.id else each for each in others)

    def nodes(self) -> Sequence[NodeInfo]:
        return tuple(each.node for each in self.members())

    def remote_servers(self) -> Sequence[NodeInfo]:
        """The nodes that answer remote clusters with a key, each at the address where it does."""
        return tuple(
            msgspec.structs.replace(each.node, address=each.remote_cluster)
            for each in self.members()
            if each.remote_cluster is not None
        )

    def http_address(self, node_id: str) -> str:
        """`host:port` of a node's HTTP interface; empty for a node that is not here."""
        return next((each.http for each in self.members() if each.node.id == node_id), "")
