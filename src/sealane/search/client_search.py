"""A search as its client asked for it, before it is split up by cluster."""

from dataclasses import dataclass, field

from sealane.model.dsl import SearchBody
from sealane.model.search import IndicesOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSearch:
    """A search as the client asked for it. `expressions` as typed, aliases included; empty means all local indices."""

    expressions: tuple[str, ...]
    body: SearchBody
    options: IndicesOptions = field(default_factory=IndicesOptions)
    preference: str | None = None
    routing: tuple[str, ...] = ()
    allow_partial_results: bool | None = None
    request_cache: bool | None = None
    batched_reduce_size: int = 512
    minimize_roundtrips: bool = True
    """Whether each cluster reduces its own shards, in one round trip; else all shards are asked as of one cluster."""
    pre_filter_shard_size: int | None = None
    refine_terms: bool = False
    """Whether returned terms are counted once more, exactly; see `refine`."""
    scroll_ms: int | None = None
    """How long a scroll is kept for its next page; None where this is no scroll."""
