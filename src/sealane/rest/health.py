"""Health of indices and of the cluster, as `_cluster/health` and the `_cat` tables show it.

A primary is on this node and started, unless its index could not be opened or is a follower that is still being copied:
nothing can be searched there yet. A replica has nowhere to go while there is one data node.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sealane.cluster.views import IndexView
from sealane.model.node import NodeInfo

COLORS = ("green", "yellow", "red")


@dataclass(frozen=True, slots=True)
class IndexHealth:
    """`lost` is an index whose files could not be opened, `copying` a follower that is not whole yet."""

    name: str
    shards: int
    replicas: int
    lost: bool = False
    copying: bool = False

    @property
    def active(self) -> int:
        return 0 if self.lost or self.copying else self.shards

    @property
    def initializing(self) -> int:
        return self.shards - self.active - self.unassigned_primaries

    @property
    def unassigned_primaries(self) -> int:
        return self.shards if self.lost else 0

    @property
    def unassigned(self) -> int:
        return self.shards * self.replicas + self.unassigned_primaries

    @property
    def status(self) -> str:
        if self.lost:
            return "red"
        return "yellow" if self.replicas or self.copying else "green"

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "number_of_shards": self.shards,
            "number_of_replicas": self.replicas,
            "active_primary_shards": self.active,
            "active_shards": self.active,
            "relocating_shards": 0,
            "initializing_shards": self.initializing,
            "unassigned_shards": self.unassigned,
            "unassigned_primary_shards": self.unassigned_primaries,
        }

    def shard_list(self) -> dict[str, Any]:
        return {
            str(shard): {
                "status": self.status,
                "primary_active": self.active > 0,
                "active_shards": self.active // self.shards,
                "relocating_shards": 0,
                "initializing_shards": self.initializing // self.shards,
                "unassigned_shards": self.replicas + self.lost,
                "unassigned_primary_shards": int(self.lost),
            }
            for shard in range(self.shards)
        }


@dataclass(frozen=True, slots=True)
class Health:
    indices: tuple[IndexHealth, ...]
    nodes: int
    data_nodes: int

    @property
    def status(self) -> str:
        return max((index.status for index in self.indices), key=COLORS.index, default="green")

    @property
    def active(self) -> int:
        return sum(index.active for index in self.indices)

    @property
    def initializing(self) -> int:
        return sum(index.initializing for index in self.indices)

    @property
    def unassigned(self) -> int:
        return sum(index.unassigned for index in self.indices)

    @property
    def unassigned_primaries(self) -> int:
        return sum(index.unassigned_primaries for index in self.indices)

    @property
    def total(self) -> int:
        return self.active + self.initializing + self.unassigned

    @property
    def active_percent(self) -> float:
        """Of the cluster's shards; 100 where there are none."""
        total = self.total
        return 100.0 * self.active / total if total else 100.0

    def to_json(self, cluster_name: str, status: str, *, timed_out: bool) -> dict[str, Any]:
        return {
            "cluster_name": cluster_name,
            "status": status,
            "timed_out": timed_out,
            "number_of_nodes": self.nodes,
            "number_of_data_nodes": self.data_nodes,
            "active_primary_shards": self.active,
            "active_shards": self.active,
            "relocating_shards": 0,
            "initializing_shards": self.initializing,
            "unassigned_shards": self.unassigned,
            "unassigned_primary_shards": self.unassigned_primaries,
            "delayed_unassigned_shards": 0,
            "number_of_pending_tasks": 0,
            "number_of_in_flight_fetch": 0,
            "task_max_waiting_in_queue_millis": 0,
            "active_shards_percent_as_number": self.active_percent,
        }


def health_of(
    indices: Iterable[IndexView], nodes: Sequence[NodeInfo], unopened: Collection[str] = ()
) -> Health:
    """Closed indices count as well: their shards stay assigned. `unopened` are uuids of those that could not be."""
    return Health(
        tuple(index_health(index, unopened) for index in indices),
        len(nodes),
        sum(is_data_node(node) for node in nodes),
    )


def index_health(index: IndexView, unopened: Collection[str]) -> IndexHealth:
    lost, following = index.uuid in unopened, index.metadata.following
    copying = not lost and following is not None and following.is_copying
    return IndexHealth(index.name, index.shards, index.replicas, lost, copying)


def is_data_node(node: NodeInfo) -> bool:
    return any(role == "data" or role.startswith("data_") for role in node.roles)
