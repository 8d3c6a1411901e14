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


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Operations in order of seq_no, with the state they were read under."""

    operations: Sequence[Operation]
    state: ShardState


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexStats:
    """`docs` and `deleted` as of the last refresh; sizes in bytes on disk."""

    docs: int
    deleted: int
    store_bytes: int
    shards: tuple[ShardState, ...]


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
    ) -> None:
        """Applies operations under their own seq_no, term and version. One already applied changes nothing."""

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
        self, index_uuid: str, shard: int, from_seq_no: int, *, max_count: int, max_bytes: int
    ) -> Changes:
        """Operations from `from_seq_no` on, at least one if there is one.

        Raises ResourceNotFound when the log has been trimmed past `from_seq_no`.
        """


class Engine(Reader, Writer, OperationLog, Protocol):
    """All three. What an engine lacks is missing from `capabilities`, and the method raises IllegalArgument."""

    capabilities: frozenset[Capability]
