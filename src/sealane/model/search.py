"""One search as one cluster is asked it."""

from dataclasses import dataclass, field

from sealane.model.dsl import SearchBody


@dataclass(frozen=True, slots=True)
class IndicesOptions:
    """How names become indices; resolved once on the coordinator and sent on unchanged."""

    ignore_unavailable: bool = False
    allow_no_indices: bool = True
    expand_open: bool = True
    expand_closed: bool = False
    expand_hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """What one cluster must answer.

    `from_` and `size` override the body's: a coordinator that merges asks every cluster from 0, for from+size hits,
    and with `final_reduce` False, so that aggregations come as partials that merge.
    """

    indices: tuple[str, ...]
    """Expressions as the client wrote them, without the alias. Empty means all indices."""
    body: SearchBody
    from_: int
    size: int
    final_reduce: bool
    options: IndicesOptions = field(default_factory=IndicesOptions)
    preference: str | None = None
    routing: tuple[str, ...] = ()
    allow_partial_results: bool | None = None
    """None leaves it to each cluster's own `search.default_allow_partial_results`."""
    request_cache: bool | None = None
    batched_reduce_size: int = 512
    pre_filter_shard_size: int | None = None
    """Above how many shards those without a match are looked for first; None leaves it to the search's kind."""
