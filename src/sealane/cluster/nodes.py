"""Who is in the cluster, and how it fares. A cluster has one node that holds data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sealane.clock import Clock
from sealane.cluster.metadata import ClusterMetadata
from sealane.model.node import Address, ClusterIdentity, NodeInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthFigures:
    """What `_cluster/health` counts. A replica has no second node to be on, so it is unassigned."""

    status: str
    nodes: int
    data_nodes: int
    primaries: int
    unassigned_primaries: int
    unassigned: int

    @property
    def active_percent(self) -> float:
        wanted = self.primaries + self.unassigned
        return 100.0 if wanted == 0 else 100.0 * self.primaries / wanted


class LocalNode:
    """This node, which is all of the cluster and its master."""

    def __init__(
        self,
        *,
        identity: ClusterIdentity,
        node: NodeInfo,
        http: Callable[[], Address],
        clock: Clock,
    ) -> None:
        """`http` is asked when an address is shown: it is known only once the node listens."""
        self._identity = identity
        self._node = node
        self._http = http
        self._clock = clock
        self._started_ms = clock.now_ms()

    @property
    def identity(self) -> ClusterIdentity:
        return self._identity

    @property
    def local_node(self) -> NodeInfo:
        return self._node

    @property
    def master_id(self) -> str:
        return self._node.id

    def nodes(self) -> Sequence[NodeInfo]:
        return (self._node,)

    def http_address(self, node_id: str) -> str:
        """`host:port` of a node's HTTP interface; empty for a node that is not here."""
        return str(self._http()) if node_id == self._node.id else ""

    @property
    def uptime_ms(self) -> int:
        return max(0, self._clock.now_ms() - self._started_ms)

    def health(self, metadata: ClusterMetadata, unopened: Sequence[str] = ()) -> HealthFigures:
        """`unopened` are the uuids of indices that the engine could not open."""
        broken = set(unopened)
        opened = [index for index in metadata if index.open]
        lost = sum(index.shards for index in opened if index.uuid in broken)
        primaries = sum(index.shards for index in opened) - lost
        unassigned = lost + sum(index.shards * index.replicas for index in opened)
        return HealthFigures(
            status="red" if lost else "yellow" if unassigned else "green",
            nodes=1,
            data_nodes=1,
            primaries=primaries,
            unassigned_primaries=lost,
            unassigned=unassigned,
        )
