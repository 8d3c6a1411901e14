"""A search body as plain data: the query, the aggregations, and all that is asked beside them."""

from dataclasses import dataclass, field
from typing import Literal

from sealane.model.dsl.aggs import Agg
from sealane.model.dsl.collapse import Collapse
from sealane.model.dsl.geo import GeoOrigin
from sealane.model.dsl.highlight import Highlight
from sealane.model.dsl.joined import NestedSort
from sealane.model.dsl.point_in_time import PointInTime, Slice
from sealane.model.dsl.queries import MatchAll, Query
from sealane.model.dsl.rescore import Rescore
from sealane.model.dsl.retriever import Retriever
from sealane.model.dsl.scalar import Scalar
from sealane.model.dsl.suggest import Suggestion
from sealane.model.dsl.vectors import Knn


@dataclass(frozen=True, slots=True, kw_only=True)
class SortField:
    """One sort key. `_score` and `_doc` are written as fields. `missing` is `_last`, `_first` or a value."""

    field: str
    descending: bool = False
    missing: Scalar = "_last"
    mode: Literal["min", "max", "sum", "avg", "median"] | None = None
    """Which value of a multi-valued field counts; None means min ascending, max descending."""
    unmapped_type: str | None = None
    format: str | None = None
    nested: NestedSort | None = None
    geo: GeoOrigin | None = None
    """Set where the distance from these points is sorted by."""
    numeric_type: Literal["long", "double", "date", "date_nanos"] | None = None
    """What the values are taken for, whatever their field's type."""


@dataclass(frozen=True, slots=True)
class SourceFilter:
    """`enabled` False leaves `_source` out. Patterns are dotted paths with `*`."""

    enabled: bool = True
    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()

    @property
    def passes_whole(self) -> bool:
        return self.enabled and not self.includes and not self.excludes


WHOLE_SOURCE = SourceFilter()


@dataclass(frozen=True, slots=True)
class FetchField:
    """One of `fields` or `docvalue_fields`: a path or a pattern with `*`."""

    field: str
    format: str | None = None
    include_unmapped: bool = False


TRACK_ALL = 2**31 - 1
TRACK_NONE = -1
DEFAULT_TRACK_TOTAL_HITS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchBody:
    """A search body, parsed once.

    `raw` is the JSON it was parsed from (comments stripped, URL parameters folded in). It is what crosses the wire
    between Sealane nodes: the other side parses it again, to an equal value.
    """

    raw: bytes
    query: Query = field(default_factory=MatchAll)
    post_filter: Query | None = None
    aggs: tuple[Agg, ...] = ()
    sort: tuple[SortField, ...] = ()
    """Empty means by score, descending."""
    from_: int = 0
    size: int = 10
    search_after: tuple[Scalar | None, ...] | None = None
    track_total_hits: int = DEFAULT_TRACK_TOTAL_HITS
    """How far hits are counted: TRACK_ALL, TRACK_NONE, or the limit."""
    track_scores: bool = False
    source: SourceFilter = WHOLE_SOURCE
    min_score: float | None = None
    terminate_after: int = 0
    timeout_ms: int | None = None
    version: bool = False
    seq_no_primary_term: bool = False
    fields: tuple[FetchField, ...] = ()
    docvalue_fields: tuple[FetchField, ...] = ()
    ids: bool = True
    """Whether hits bring their `_id`: not with `stored_fields: _none_`."""
    collapse: Collapse | None = None
    rescore: tuple[Rescore, ...] = ()
    highlight: Highlight | None = None
    explain: bool = False
    profile: bool = False
    retriever: Retriever | None = None
    knn: tuple[Knn, ...] = ()
    """Nearest neighbours over all shards of all clusters, beside what the query finds."""
    suggest: tuple[Suggestion, ...] = ()
    suggest_only: bool = False
    """Whether nothing but suggestions is asked for: then no query runs."""
    pit: PointInTime | None = None
    slice: Slice | None = None
    lookups: bool = False
    """Whether a query names a document to take its terms from, which is to be looked up before any cluster is asked."""
    problems: tuple[str, ...] = ()
    """What is wrong with members that are right each by itself: only `parse_unvalidated` gives a body that has any."""

    @property
    def has_stages(self) -> bool:
        """Whether the search takes several, each a search of its own."""
        return bool(self.knn) or self.retriever is not None or self.has_group_hits

    @property
    def has_group_hits(self) -> bool:
        """Whether searches for the hits of each group follow."""
        return self.collapse is not None and bool(self.collapse.inner_hits)
