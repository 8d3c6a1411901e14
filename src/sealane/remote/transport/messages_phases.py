"""A search in phases, as clusters speak of it: which shards there are, what each of them finds, the documents that win,
and the reader contexts that stay open between these steps.

One message is for all shards of a cluster. As in `messages`, a field may only be appended, with a default. The same
objects are handed to the local cluster as they are.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from sealane.reduce.partial import Hit, Partial, SortValue
from sealane.remote.transport.messages import decode

ErrorData = dict[str, Any]
"""ApiError.to_wire()."""


class ShardTarget(msgspec.Struct, frozen=True, array_like=True):
    """One shard to ask. `index` is the concrete name without an alias, `number` the shard's place among all that the
    search asks over all clusters. `filters` are those of the index aliases it was reached by, `reached` the names that
    led to it, as in ResolvedIndex.
    """

    index: str
    uuid: str
    shard: int
    number: int = 0
    filters: tuple[bytes, ...] | None = None
    context: str | None = None
    """An open reader context; None asks the shard as it is now."""
    reached: tuple[str, ...] = ()


# -- which shards --------------------------------------------------------------------------------------------------


class ShardsRequest(msgspec.Struct, frozen=True, array_like=True):
    """The shards that expressions lead to. `options` are the fields of IndicesOptions in their order. `skips` asks
    which of them the body's query cannot match.
    """

    indices: tuple[str, ...]
    options: tuple[bool, bool, bool, bool, bool]
    body: bytes = b"{}"
    skips: bool = False
    routing: tuple[str, ...] = ()
    preference: str | None = None


class IndexShards(msgspec.Struct, frozen=True, array_like=True):
    """The shards of one index; `skipped` are those of them that hold no match."""

    index: str
    uuid: str
    shards: tuple[int, ...]
    filters: tuple[bytes, ...] | None = None
    skipped: tuple[int, ...] = ()
    reached: tuple[str, ...] = ()


class ShardsAnswer(msgspec.Struct, frozen=True, array_like=True):
    """`node` is the id of the node that answers for all of them."""

    node: str
    indices: list[IndexShards]


# -- the query phase -----------------------------------------------------------------------------------------------


class CanMatchRequest(msgspec.Struct, frozen=True, array_like=True):
    """Which of the shards may hold a match."""

    body: bytes
    targets: list[ShardTarget]


class CanMatchAnswer(msgspec.Struct, frozen=True, array_like=True):
    """One answer a target, in their order."""

    matches: list[bool]


class QueryRequest(msgspec.Struct, frozen=True, array_like=True):
    """Asks each shard for its best `size` hits, bare, with all that is merged of them.

    `keep_ms` above zero keeps a reader context open for each shard that has hits, or for every shard with `scroll`.
    Contexts in the targets are kept for `keep_ms` more, where it is set.
    """

    body: bytes
    size: int
    targets: list[ShardTarget]
    shard_count: int = 1
    keep_ms: int = 0
    scroll: bool = False
    request_cache: bool | None = None


class ShardOutcome(msgspec.Struct, array_like=True):
    """`partial` or `error`; opening alone gives neither. `context` is the reader context that was opened and is still
    open. Hits name neither index nor shard.
    """

    partial: Partial | None = None
    error: ErrorData | None = None
    context: str | None = None


class QueryAnswer(msgspec.Struct, array_like=True):
    """One outcome a target, in their order."""

    node: str
    outcomes: list[ShardOutcome]


# -- the fetch phase -----------------------------------------------------------------------------------------------


class WantedDoc(msgspec.Struct, frozen=True, array_like=True):
    """What the query phase said of a document that won."""

    doc: int
    score: float | None = None
    group: SortValue = None


class WantedDocs(msgspec.Struct, frozen=True, array_like=True):
    """Documents of one shard. `after` are the sort values of its last one, for a scroll to go on behind."""

    target: ShardTarget
    docs: list[WantedDoc]
    after: list[SortValue] | None = None


class FetchRequest(msgspec.Struct, frozen=True, array_like=True):
    """`frees` are the contexts that nobody needs after this."""

    body: bytes
    wanted: list[WantedDocs]
    shard_count: int = 1
    frees: list[str] = []


class FetchOutcome(msgspec.Struct, array_like=True):
    """The hits of one shard in the order of the documents asked for, or what went wrong."""

    hits: list[Hit] = []
    error: ErrorData | None = None


class FetchAnswer(msgspec.Struct, array_like=True):
    outcomes: list[FetchOutcome]


# -- contexts ------------------------------------------------------------------------------------------------------


class OpenRequest(msgspec.Struct, frozen=True, array_like=True):
    """Opens a reader context for each shard, to be kept while it is used every `keep_ms`."""

    targets: list[ShardTarget]
    keep_ms: int


class OpenAnswer(msgspec.Struct, array_like=True):
    """One outcome a target: `context` or `error`."""

    node: str
    outcomes: list[ShardOutcome]


class FreeRequest(msgspec.Struct, frozen=True, array_like=True):
    """Closes reader contexts; `all_scrolls` those of every scroll besides."""

    contexts: list[str]
    all_scrolls: bool = False


class FreeAnswer(msgspec.Struct, frozen=True, array_like=True):
    """How many of them were open."""

    freed: int


class ScrollRequest(msgspec.Struct, frozen=True, array_like=True):
    """The next page of each shard of a scroll. `keep_ms` None leaves the contexts' time as it is."""

    contexts: list[str]
    keep_ms: int | None = None


class ScrollAnswer(msgspec.Struct, array_like=True):
    """One outcome a context, with its target. `body` is what the scroll asks; empty where no context is left."""

    node: str
    body: bytes
    outcomes: list[ShardOutcome]
    targets: list[ShardTarget | None]


# -- the phases ----------------------------------------------------------------------------------------------------

Q = TypeVar("Q")
A = TypeVar("A")

_encoder = msgspec.msgpack.Encoder()


class Phase(Generic[Q, A]):
    """One step of a search: the action's name between nodes, and how its request and its answer are read.

    `indices` gives the names that a request leads to, for whoever authorizes it.
    """

    def __init__(
        self,
        action: str,
        request: type[Q],
        answer: type[A],
        indices: Callable[[Q], Sequence[str]],
    ) -> None:
        self.action = action
        self.indices = indices
        self._requests: msgspec.msgpack.Decoder[Q] = msgspec.msgpack.Decoder(request)
        self._answers: msgspec.msgpack.Decoder[A] = msgspec.msgpack.Decoder(answer)

    def encode(self, message: Q | A) -> bytes:
        return _encoder.encode(message)

    def read_request(self, payload: bytes) -> Q:
        """Raises IllegalArgument."""
        return decode(self._requests, payload, self.action)

    def read_answer(self, payload: bytes) -> A:
        """Raises IllegalArgument."""
        return decode(self._answers, payload, self.action)


def _of_targets(targets: Sequence[ShardTarget]) -> Sequence[str]:
    return tuple(dict.fromkeys(each.index for each in targets))


SHARDS = Phase(
    "indices:admin/search/search_shards", ShardsRequest, ShardsAnswer, lambda asked: asked.indices
)
CAN_MATCH = Phase(
    "indices:data/read/search[can_match]",
    CanMatchRequest,
    CanMatchAnswer,
    lambda asked: _of_targets(asked.targets),
)
QUERY = Phase(
    "indices:data/read/search[phase/query]",
    QueryRequest,
    QueryAnswer,
    lambda asked: _of_targets(asked.targets),
)
FETCH = Phase(
    "indices:data/read/search[phase/fetch/id]",
    FetchRequest,
    FetchAnswer,
    lambda asked: _of_targets([each.target for each in asked.wanted]),
)
OPEN = Phase(
    "indices:data/read/open_point_in_time",
    OpenRequest,
    OpenAnswer,
    lambda asked: _of_targets(asked.targets),
)
SCROLL = Phase(
    "indices:data/read/search[phase/query+scroll]", ScrollRequest, ScrollAnswer, lambda asked: ()
)
FREE = Phase("indices:data/read/search[free_context]", FreeRequest, FreeAnswer, lambda asked: ())

PHASES: tuple[Phase[Any, Any], ...] = (SHARDS, CAN_MATCH, QUERY, FETCH, OPEN, SCROLL, FREE)
