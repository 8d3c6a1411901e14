"""What clusters tell each other about themselves: their product, their size, and whether names mean anything there."""

from dataclasses import dataclass, field

import msgspec

from sealane.model.search import IndicesOptions


class ProductVersion(msgspec.Struct, frozen=True, array_like=True):
    """A release, and the oldest ones whose nodes and indices it still takes. What is not known is empty."""

    number: str
    build_flavor: str = ""
    minimum_wire: str = ""
    minimum_index: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveClusterRequest:
    """Whether `expressions`, without an alias, lead to an index there. None asks only whether anybody is there."""

    expressions: tuple[str, ...] | None
    options: IndicesOptions = field(default_factory=IndicesOptions)


class ClusterMatch(msgspec.Struct, frozen=True, array_like=True):
    """One cluster's answer. `matches` is None where no expression was sent.

    `unasked` says why the cluster, though it is connected, could not be asked; then there is no more than its version.
    """

    matches: bool | None
    version: ProductVersion
    unasked: str | None = None


class ClusterStats(msgspec.Struct, frozen=True, array_like=True):
    """What one cluster tells another of its size. `versions` are those of its nodes, each once; sizes are bytes."""

    cluster_uuid: str
    status: str
    versions: tuple[str, ...]
    nodes: int
    shards: int
    indices: int
    indices_bytes: int
    memory_bytes: int
    """Of the machines that the nodes run on."""
    heap_max_bytes: int = 0
    """None of a product without a heap of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteTraits:
    """How a remote is configured, as `_cluster/stats` shows it; the texts are the settings' own."""

    mode: str
    skip_unavailable: bool
    compress: str
