"""Aggregations as plain data: what every one has, metrics and buckets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Literal

from sealane.model.dsl.queries import Query
from sealane.model.dsl.scalar import Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Agg:
    """Base of all aggregations. `subs` are in the order of the request, but for pipelines, which come last."""

    is_pipeline: ClassVar[bool] = False

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


def effective_shard_size(size: int, shard_size: int | None, order: Sequence[BucketOrder]) -> int:
    """Buckets of terms that a shard returns, where `size` are asked for in this order."""
    if shard_size is None:
        return size if order[0].path in ("_key", "_term") else int(size * 1.5 + 10)
    return max(size, shard_size)


@dataclass(frozen=True, slots=True)
class TermPartition:
    """One of `of` partitions of all keys, which are numbered from 0."""

    number: int
    of: int


TermRule = tuple[Scalar, ...] | str | TermPartition
"""What `include` and `exclude` say: exact values, a regular expression, or (`include` only) a partition."""


@dataclass(frozen=True, slots=True)
class ValueType:
    """What a request takes a field's values for. `description` is the reference's."""

    key_type: str
    description: str


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
    include: TermRule | None = None
    exclude: TermRule | None = None
    format: str | None = None
    show_term_doc_count_error: bool = False
    value_type: ValueType | None = None
    execution_hint: str | None = None

    def effective_shard_size(self) -> int:
        """Buckets a shard returns: `size * 1.5 + 10` unless asked otherwise, never below `size`.

        By their keys, the first `size` of each shard are enough.
        """
        return effective_shard_size(self.size, self.shard_size, self.order)


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
    """`filled` says that the request has a value for documents without one: then none is missing."""

    field: str
    filled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalAgg(Agg):
    """Ignores the query; only at the top level."""
