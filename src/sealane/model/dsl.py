"""The query DSL as plain data: what `query` parses, `engine` executes and `reduce` merges by.

Every node is immutable and hashable where its values are, so a parsed body may be cached and shared between requests.
`now` in date math stays text: it is resolved when the request runs, from the context's `start_ms`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Scalar = str | int | float | bool
"""A JSON scalar as the client wrote it; the mapping decides what it means."""

# -- queries -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Base of all queries. `boost` multiplies the score."""

    boost: float = 1.0
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchAll(Query):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchNone(Query):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Match(Query):
    field: str
    query: Scalar
    operator: Literal["or", "and"] = "or"
    minimum_should_match: str | None = None
    zero_terms_query: Literal["none", "all"] = "none"
    lenient: bool = False


class MultiMatchType(StrEnum):
    BEST_FIELDS = "best_fields"
    MOST_FIELDS = "most_fields"
    CROSS_FIELDS = "cross_fields"
    PHRASE = "phrase"


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiMatch(Query):
    fields: tuple[tuple[str, float], ...]
    """Field names (wildcards allowed) with their boosts; empty means every eligible field, leniently."""
    query: Scalar
    type: MultiMatchType = MultiMatchType.BEST_FIELDS
    operator: Literal["or", "and"] = "or"
    minimum_should_match: str | None = None
    tie_breaker: float | None = None
    zero_terms_query: Literal["none", "all"] = "none"
    lenient: bool = False
    slop: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchPhrase(Query):
    field: str
    query: Scalar
    slop: int = 0
    zero_terms_query: Literal["none", "all"] = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term(Query):
    field: str
    value: Scalar
    case_insensitive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms(Query):
    field: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range(Query):
    """An absent bound is None. Bounds may be date math on date fields."""

    field: str
    gte: Scalar | None = None
    gt: Scalar | None = None
    lte: Scalar | None = None
    lt: Scalar | None = None
    format: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exists(Query):
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids(Query):
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix(Query):
    field: str
    value: str
    case_insensitive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bool(Query):
    must: tuple[Query, ...] = ()
    filter: tuple[Query, ...] = ()
    should: tuple[Query, ...] = ()
    must_not: tuple[Query, ...] = ()
    minimum_should_match: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisMax(Query):
    """Any of the queries; the best of them scores, the others by `tie_breaker`."""

    queries: tuple[Query, ...]
    tie_breaker: float = 0.0


# -- aggregations ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Agg:
    """Base of all aggregations. `subs` are in the order of the request."""

    name: str
    meta: Mapping[str, Any] | None = None
    subs: "tuple[Agg, ...]" = ()


class MetricKind(StrEnum):
    AVG = "avg"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    STATS = "stats"
    EXTENDED_STATS = "extended_stats"
    VALUE_COUNT = "value_count"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricAgg(Agg):
    """A number (or a few) per bucket, from one field. `sigma` belongs to extended_stats."""

    kind: MetricKind
    field: str
    missing: Scalar | None = None
    format: str | None = None
    sigma: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CardinalityAgg(Agg):
    field: str
    missing: Scalar | None = None
    precision_threshold: int = 3000


@dataclass(frozen=True, slots=True)
class BucketOrder:
    """One key of a bucket order: `_count`, `_key`, or the path of a metric (`stats.avg`)."""

    path: str
    ascending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsAgg(Agg):
    field: str
    size: int = 10
    shard_size: int | None = None
    min_doc_count: int = 1
    shard_min_doc_count: int = 0
    order: tuple[BucketOrder, ...] = (BucketOrder("_count", False), BucketOrder("_key", True))
    """Always ends with a `_key` order, the tie-breaker."""
    missing: Scalar | None = None
    include: "tuple[Scalar, ...] | str | None" = None
    """A regular expression, or the exact values to keep."""
    exclude: "tuple[Scalar, ...] | str | None" = None
    format: str | None = None
    show_term_doc_count_error: bool = False

    def effective_shard_size(self) -> int:
        """Buckets a shard returns: `size * 1.5 + 10` unless asked otherwise, never below `size`."""
        wanted = self.shard_size if self.shard_size is not None else int(self.size * 1.5 + 10)
        return max(self.size, wanted)


@dataclass(frozen=True, slots=True)
class Bounds:
    """`extended_bounds` or `hard_bounds`. Dates may be text (date math, resolved when the request runs)."""

    min: Scalar | None = None
    max: Scalar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistogramAgg(Agg):
    field: str
    interval: float
    offset: float = 0.0
    min_doc_count: int = 0
    extended_bounds: Bounds | None = None
    hard_bounds: Bounds | None = None
    order: tuple[BucketOrder, ...] = (BucketOrder("_key", True),)
    keyed: bool = False
    missing: Scalar | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DateHistogramAgg(Agg):
    """Exactly one of `calendar_interval` (a unit: `month`) and `fixed_interval_ms` is set."""

    field: str
    calendar_interval: (
        Literal["second", "minute", "hour", "day", "week", "month", "quarter", "year"] | None
    ) = None
    fixed_interval_ms: int | None = None
    offset_ms: int = 0
    time_zone: str = "UTC"
    """IANA name or `+hh:mm`."""
    min_doc_count: int = 0
    extended_bounds: Bounds | None = None
    hard_bounds: Bounds | None = None
    order: tuple[BucketOrder, ...] = (BucketOrder("_key", True),)
    keyed: bool = False
    missing: Scalar | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class RangeBucketSpec:
    """One range: `from_` inclusive, `to` exclusive; None is open. For dates, text or epoch millis."""

    from_: Scalar | None = None
    to: Scalar | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeAgg(Agg):
    """`range` and, with `date` set, `date_range`. Buckets are in the order of the answer: by from, then to."""

    field: str
    ranges: tuple[RangeBucketSpec, ...]
    date: bool = False
    keyed: bool = False
    missing: Scalar | None = None
    format: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterAgg(Agg):
    filter: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class FiltersAgg(Agg):
    """`keys` is None when the filters came as an array (anonymous buckets)."""

    filters: tuple[Query, ...]
    keys: tuple[str, ...] | None
    other_bucket_key: str | None = None
    """Set when documents that match no filter get a bucket of their own."""
    keyed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingAgg(Agg):
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalAgg(Agg):
    """Ignores the query; only at the top level."""


# -- the rest of a search body -----------------------------------------------------------------------------------


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
