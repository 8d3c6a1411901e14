"""What every engine offers: Reader, Writer and OperationLog.

An index is N shards. A shard is a history of operations, numbered by seq_no without holes, and what can be searched of
them. Names of indices, aliases and clusters are not known here: an index is its uuid.

Every method may be cancelled; a cancelled write has either happened as a whole or not at all.
`testing/engine_contract.py` is the contract that each implementation passes.
"""

from collections.abc import Callable, Sequence
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from sealane.engine.mapping import Mapping
from sealane.errors import ApiError
from sealane.model.document import Document, Operation, WriteOp, WriteResult
from sealane.model.dsl import Query, SearchBody
from sealane.model.replication import Ancestor, HistoryMark, Lease
from sealane.model.security import FieldLimits
from sealane.model.task import Context
from sealane.reduce.partial import Hit, Partial, SortValue


class Capability(StrEnum):
    """What an engine may lack."""

    OPERATION_LOG = "operation_log"
    REPLICA_WRITES = "replica_writes"
    READER_CONTEXTS = "reader_contexts"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexConfig:
    """What an engine must know of an index. `settings` are its flat, effective index settings."""

    uuid: str
    shards: int
    mapping: Mapping
    settings: MappingABC[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardSearch:
    """One search of one shard: always from 0, `size` hits at most, aggregations as partials.

    `index_name` is put into each hit (it already carries the alias). `filter` is and-ed to the query without
    scoring: those of aliases. `documents` and `fields` are what may be seen at all: documents that the query matches,
    which may look at every field, and fields that are not hidden. None hides nothing.
    """

    index_name: str
    body: SearchBody
    size: int
    now_ms: int
    filter: Query | None = None
    documents: Query | None = None
    fields: FieldLimits | None = None
    reader: str | None = None
    """A reader context from open_reader; None searches the last refresh."""
    request_cache: bool | None = None
    shard_index: int = 0
    """The shard's place among all that the search asks, of `shard_count`: for `_shard_doc` and slices."""
    shard_count: int = 1
    scroll: bool = False
    """Whether `size` is one page of many."""
    query_only: bool = False
    """Hits come bare: `doc`, score and sort values, for `Reader.fetch` of those that win."""
    skip: int = 0
    """So many of the first hits are found, and left out of the answer: no other shard's come between them."""


class FoundDoc(NamedTuple):
    """A document that a query phase found: what its hit said of it."""

    doc: int
    score: float | None
    group: SortValue = None


class TermsWanted(NamedTuple):
    """Terms of `field` that begin with `prefix` and follow `after`; `size` at most."""

    field: str
    prefix: str = ""
    after: str | None = None
    size: int = 10
    case_insensitive: bool = False


class MappingSink(Protocol):
    """Where an engine makes mapping changes durable before the first operation that needs them."""

    async def extend_mapping(self, index_uuid: str, update: MappingABC[str, Any]) -> Mapping:
        """Merges `update` (`{"properties": ...}`) and returns the whole mapping once it is durable.

        Raises IllegalArgument where it conflicts, or where the index has too many fields.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardState:
    """`checkpoint` is the highest seq_no up to which every operation is present; -1 when empty."""

    history_uuid: str
    primary_term: int
    max_seq_no: int
    checkpoint: int
    ancestors: tuple[Ancestor, ...] = ()
    """The histories that this one continues, the newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Operations in order of seq_no without holes, none above the checkpoint, with the state they were read under."""

    operations: Sequence[Operation]
    state: ShardState


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveDocuments:
    """Documents as the operations that made them, ascending by seq_no (`wall_ms` 0).

    No other live document has a number from the wanted one up to `up_to`. `total_docs` are all live ones.
    """

    operations: Sequence[Operation]
    up_to: int
    total_docs: int
    state: ShardState


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack:
    """How a shard returns to what its history was at `to_seq_no`, under the name `history_uuid`.

    `documents` are those of the ids touched since, as they were then; an id of `touched` that is not among them had no
    document.
    """

    to_seq_no: int
    history_uuid: str
    ancestors: tuple[Ancestor, ...]
    touched: Sequence[str]
    documents: Sequence[Operation]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexStats:
    """`docs` and `deleted` as of the last refresh; sizes in bytes on disk."""

    docs: int
    deleted: int
    store_bytes: int
    shards: tuple[ShardState, ...]
    sizes: tuple[tuple[int, int, int], ...] = ()
    """By shard: documents, deleted ones, bytes. Empty where an engine cannot tell."""


class Reader(Protocol):
    async def search(
        self, index_uuid: str, shard: int, request: ShardSearch, ctx: Context
    ) -> Partial:
        """Query and fetch in one. Raises ApiError when this shard cannot answer: its mapping may not fit; TimeoutError
        once the context's deadline has passed, TaskCancelled.
        """

    async def fetch(
        self,
        index_uuid: str,
        shard: int,
        request: ShardSearch,
        docs: Sequence[FoundDoc],
        ctx: Context,
    ) -> list[Hit]:
        """The whole hits of documents that a `query_only` search found, in their order, without their sort values.

        `request` is that search, with the reader it was made on: a document's number means nothing elsewhere. Raises
        SearchContextMissing, and as `search` does.
        """

    async def can_match(self, index_uuid: str, shard: int, request: ShardSearch) -> bool:
        """False where it is certain, and cheap to tell, that the search's query matches nothing in this shard."""

    async def terms(self, index_uuid: str, shard: int, wanted: TermsWanted) -> list[str]:
        """The first terms of a keyword or address field that are wanted, ascending.

        Documents that have been deleted may have left some that no document has.
        """

    async def get(
        self, index_uuid: str, doc_id: str, *, routing: str | None = None, realtime: bool = True
    ) -> Document | None:
        """The live document, or None. Realtime sees writes not yet refreshed."""

    async def open_reader(
        self,
        index_uuid: str,
        shard: int,
        *,
        keep_alive_s: float = 300.0,
        on_close: Callable[[str], None] | None = None,
    ) -> str:
        """Pins the shard's present view; returns the id for `ShardSearch.reader`.

        It is closed by close_reader, with its index, or when it has not been used for `keep_alive_s`; `on_close` is
        told the id then. Raises Rejected when there are too many.
        """

    async def keep_reader(self, reader: str, keep_alive_s: float) -> None:
        """From now on it may idle for so long. Raises SearchContextMissing."""

    async def close_reader(self, reader: str) -> bool:
        """False when there was none (any more)."""

    @property
    def open_readers(self) -> int:
        """Reader contexts that are open now."""

    async def stats(self, index_uuid: str) -> IndexStats: ...


class Writer(Protocol):
    async def open_index(self, config: IndexConfig, *, new: bool = False) -> None:
        """Opens the index and recovers what was acknowledged; a `new` one is made.

        Raises IllegalState where an index that is not new has lost its files, or part of them: it is not replaced by
        an empty one. Until it is opened, whatever is asked of it raises NoShardAvailable with that cause.
        """

    async def update_config(self, config: IndexConfig) -> None:
        """Takes a new mapping or new settings."""

    async def close_index(self, index_uuid: str) -> None: ...

    async def delete_index(self, index_uuid: str) -> None:
        """Removes it and its files. An unknown one is no error."""

    async def bulk(
        self, index_uuid: str, operations: Sequence[WriteOp], ctx: Context
    ) -> list[WriteResult | ApiError]:
        """Applies as primary, in order: assigns seq_no and version. One outcome each, durable when this returns.

        A bad document is its own ApiError and does not keep the others out. `index`, `shard` and `index_uuid` in
        errors are the caller's to add.
        """

    async def apply_replica(
        self, index_uuid: str, shard: int, operations: Sequence[Operation]
    ) -> ShardState:
        """Applies operations under their own seq_no, term and version. One already applied changes nothing.

        All of them, with the checkpoint, are durable when it returns, or none is.
        """

    async def apply_copied(
        self,
        index_uuid: str,
        shard: int,
        operations: Sequence[Operation],
        *,
        up_to: int,
        mark: HistoryMark | None = None,
    ) -> ShardState:
        """Applies live documents of another shard, ascending by seq_no and all above the checkpoint; then the
        checkpoint is `up_to`: what is missing below it is known to be superseded. As durable as apply_replica. Raises
        IllegalArgument where they are not so.

        The operation log begins behind `up_to` from then on: `changes` from before raises ResourceNotFound. `mark` is
        the operation `up_to` where it is known by itself; the log knows it then as one that it has removed.
        """

    async def adopt_history(
        self,
        index_uuid: str,
        shard: int,
        history_uuid: str,
        *,
        ancestors: Sequence[Ancestor] = (),
    ) -> None:
        """The shard's operations are a prefix of that history. Durable when it returns."""

    async def begin_history(self, index_uuid: str) -> tuple[ShardState, ...]:
        """Each shard goes on under a new history uuid and a higher primary term, and remembers up to where it is the
        same as the one before. Raises IllegalState where a shard has holes.
        """

    async def roll_back(self, index_uuid: str, shard: int, back: RollBack) -> ShardState:
        """Undoes all operations above `back.to_seq_no`. Happens as a whole, whatever the moment of a crash.

        Raises IllegalState where that is above the checkpoint, or where the log no longer holds all that is above it.
        """

    async def hold_reads(self, index_uuid: str, reason: ApiError | None) -> None:
        """From then on searches and gets of the index raise NoShardAvailable with that cause; None lifts it. What is
        written, copied and read from the log goes on. Forgotten when the index is closed.
        """

    async def refresh(self, index_uuid: str) -> None:
        """Makes all that was acknowledged before the call searchable."""

    async def wait_for_refresh(self, index_uuid: str) -> None:
        """Returns once all that was acknowledged before the call is searchable.

        The index's interval decides when, also where nobody searches; too many who wait force it.
        """

    async def close(self) -> None:
        """Commits and closes every index."""


class OperationLog(Protocol):
    async def shard_state(self, index_uuid: str, shard: int) -> ShardState: ...

    async def changes(
        self,
        index_uuid: str,
        shard: int,
        from_seq_no: int,
        *,
        max_count: int,
        max_bytes: int,
        previous: HistoryMark | None = None,
    ) -> Changes:
        """Operations from `from_seq_no` on, at least one if there is one at or below the checkpoint.

        Raises ResourceNotFound when the log has been trimmed past `from_seq_no`; its metadata then has
        `es.requested_operations_missing`, the numbers. Raises HistoryDiverged where `previous` is not this shard's
        operation of that number, as `mark` tells it; one that has no mark here is believed.
        """

    async def mark(self, index_uuid: str, shard: int, seq_no: int) -> HistoryMark | None:
        """The operation of that number, from the one below the log's floor on; None where there is none, where it is
        gone, or where it came as a copy.
        """

    async def wait_for_checkpoint(
        self, index_uuid: str, shard: int, seq_no: int, *, timeout_s: float
    ) -> ShardState:
        """Returns once the checkpoint is `seq_no` or higher, or the time is over. Raises IndexNotFound as soon as the
        index is closed or deleted. Costs nothing while it waits.
        """

    async def live_documents(
        self,
        index_uuid: str,
        shard: int,
        from_seq_no: int,
        to_seq_no: int,
        *,
        max_count: int,
        max_bytes: int,
    ) -> LiveDocuments:
        """The live documents with numbers in [from_seq_no, to_seq_no], the lowest first, of a view that covers all up
        to `to_seq_no`. At least one if there is one.
        """

    async def touched_since(self, index_uuid: str, shard: int, seq_no: int) -> list[str]:
        """The ids of all operations above `seq_no`, each once. Raises ResourceNotFound as `changes` does."""

    async def add_lease(
        self, index_uuid: str, shard: int, lease_id: str, retaining_seq_no: int, source: str
    ) -> Lease:
        """From then on operations from `retaining_seq_no` on are kept, for as long as
        `index.soft_deletes.retention_lease.period` after the last renewal. Durable when it returns; the others too.

        `NO_OPERATIONS` keeps all there still are. Raises LeaseAlreadyExists.
        """

    async def renew_lease(
        self, index_uuid: str, shard: int, lease_id: str, retaining_seq_no: int, source: str
    ) -> Lease:
        """Raises LeaseNotFound; LeaseInvalid for a lower number than it retains."""

    async def remove_lease(self, index_uuid: str, shard: int, lease_id: str) -> None:
        """Raises LeaseNotFound."""

    async def leases(self, index_uuid: str, shard: int) -> tuple[Lease, ...]:
        """Those that have not expired, by id."""

    async def log_floor(self, index_uuid: str, shard: int) -> int:
        """The lowest number that `changes` answers from."""


class Engine(Reader, Writer, OperationLog, Protocol):
    """All three. What an engine lacks is missing from `capabilities`, and the method raises IllegalArgument."""

    capabilities: frozenset[Capability]
