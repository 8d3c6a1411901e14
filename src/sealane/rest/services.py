"""What the handlers need of the node, as they see it. The composition root hands in the real ones."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sealane.clock import Clock
from sealane.cluster.documents import Documents
from sealane.cluster.fellows import Fellows
from sealane.cluster.opened import ShardReport
from sealane.cluster.published import Member, PublishedState
from sealane.cluster.resolve import ResolvedIndex
from sealane.cluster.views import IndexView
from sealane.model.clusters import ProductVersion
from sealane.model.node import ClusterIdentity, NodeInfo
from sealane.model.search import IndicesOptions
from sealane.model.task import TaskRegistry
from sealane.rest.load import NodeLoad, machine_load
from sealane.search.cluster_stats import IndexSizes
from sealane.search.remote_tasks import NO_REMOTES, RemoteTasks
from sealane.settings import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasAction:
    """One entry of `_aliases`: `add`, `remove` or `remove_index`, on index expressions and alias names."""

    kind: str
    indices: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    filter: Mapping[str, Any] | None = None
    index_routing: str | None = None
    search_routing: str | None = None
    is_write_index: bool | None = None
    is_hidden: bool | None = None
    must_exist: bool | None = None


class IndexAdmin(Protocol):
    """The indices of this cluster. Expressions are names, aliases, patterns; none means all."""

    def find(
        self,
        expressions: Sequence[str],
        options: IndicesOptions,
        *,
        forbid_closed: bool = False,
    ) -> Sequence[IndexView]:
        """Raises IndexNotFound, InvalidIndexName; IndexClosed where closed ones are forbidden."""

    def resolve(
        self, expressions: Sequence[str], options: IndicesOptions, now_ms: int
    ) -> Sequence[ResolvedIndex]:
        """As a search takes names: with the aliases and filters that they were reached by. Raises as `find`."""

    async def create(self, name: str, body: Mapping[str, Any]) -> str:
        """`body` may hold `settings`, `mappings`, `aliases`. Returns the index's name."""

    def check_destructive(self, expressions: Sequence[str], none: str) -> None:
        """Raises what is wrong with names of indices to delete, open or close, whoever asks."""

    async def delete(self, expressions: Sequence[str], options: IndicesOptions) -> None: ...

    async def set_open(
        self, expressions: Sequence[str], open: bool, options: IndicesOptions
    ) -> Sequence[str]:
        """Opens or closes indices. Returns the names of those that were not so already."""

    async def put_mapping(
        self, expressions: Sequence[str], mapping: Mapping[str, Any], options: IndicesOptions
    ) -> None: ...

    async def put_settings(
        self,
        expressions: Sequence[str],
        changes: Mapping[str, Value | None],
        options: IndicesOptions,
        *,
        preserve_existing: bool = False,
    ) -> None: ...

    async def update_aliases(self, actions: Sequence[AliasAction]) -> None: ...

    async def refresh(self, index: IndexView) -> None: ...

    async def sizes(self, index: IndexView) -> IndexSizes: ...

    async def shard_reports(self, index: IndexView) -> Sequence[ShardReport]: ...

    def default_settings(self, index: IndexView) -> Mapping[str, Value]:
        """What is in force without having been set."""


class SettingsAdmin(Protocol):
    """The cluster-wide settings, in the shapes of `_cluster/settings`."""

    def view(self, *, flat: bool = False, include_defaults: bool = False) -> dict[str, Any]: ...

    async def update(self, body: Any, *, flat: bool = False) -> dict[str, Any]:
        """Raises what the registry says."""


class RemoteInfo(Protocol):
    def describe(self, *, verbose: bool = False) -> Mapping[str, Mapping[str, Any]]:
        """Each remote by its alias, in the shape of `_remote/info`; `verbose` adds our own members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What `GET /` says about the version; a setting decides the number."""

    number: str
    flavor: str = "default"
    type: str = "tar"
    hash: str = "unknown"
    date: str = "1970-01-01T00:00:00.000Z"
    lucene_version: str = "9.12.2"
    minimum_wire: str = "7.17.0"
    minimum_index: str = "7.0.0"
    distribution: str | None = None
    """Set where the node answers as another product than Elasticsearch."""

    @property
    def product(self) -> ProductVersion:
        """What other clusters are told of it."""
        return ProductVersion(self.number, self.flavor, self.minimum_wire, self.minimum_index)


class ClusterView(Protocol):
    """Who we are and who is with us."""

    @property
    def identity(self) -> ClusterIdentity: ...
    @property
    def local_node(self) -> NodeInfo: ...
    @property
    def master_id(self) -> str: ...
    def nodes(self) -> Sequence[NodeInfo]: ...
    def http_address(self, node_id: str) -> str: ...
    def members(self) -> Sequence[Member]: ...
    @property
    def state(self) -> PublishedState | None:
        """What the master published last; None before that."""


class TaskRecords(Protocol):
    """What this node knows of tasks beyond that they run: those that tell how far they are, and leave a result."""

    def status(self, number: int) -> dict[str, Any] | None:
        """How far a running task is."""

    def ended(self, number: int) -> dict[str, Any] | None:
        """What `_tasks/{id}` shows of a task that has ended; None where nothing was kept."""

    async def wait(self, number: int, timeout_s: float) -> None:
        """Until the task has ended; at once where it is not known. Raises TimedOut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeServices:
    """What every node has, whether it holds data or not."""

    remotes: RemoteInfo
    cluster: ClusterView
    fellows: Fellows
    tasks: TaskRegistry
    clock: Clock
    build: Build
    max_content_length: int
    transport_tls: bool = False
    """Whether what nodes of the cluster say to each other is encrypted."""
    load: Callable[[], NodeLoad] = machine_load
    task_records: TaskRecords | None = None
    remote_tasks: RemoteTasks = field(default_factory=lambda: RemoteTasks(NO_REMOTES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Services(NodeServices):
    """What the node that holds the data has besides."""

    documents: Documents
    indices: IndexAdmin
    settings: SettingsAdmin
    unopened: Callable[[], Collection[str]] = tuple
    """Uuids of indices that the engine could not open; their health is red."""
