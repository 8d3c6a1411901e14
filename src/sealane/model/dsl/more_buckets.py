"""The bucket aggregations beyond the common ones: composite, several keys, significance, grids, samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sealane.model.dsl.aggs import (
    Agg,
    BucketOrder,
    RangeBucketSpec,
    TermRule,
    ValueType,
    effective_shard_size,
)
from sealane.model.dsl.queries import Query
from sealane.model.dsl.scalar import Scalar

CompositeKind = Literal["terms", "histogram", "date_histogram", "geotile_grid"]
CalendarUnit = Literal["second", "minute", "hour", "day", "week", "month", "quarter", "year"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeSource:
    """One part of a composite key. `interval` is a histogram's; None where the request left it out.

    `precision` is a geotile_grid's zoom. `missing_order` is `first`, `last` or `default`: as if null were the least.
    """

    name: str
    kind: CompositeKind
    field: str
    descending: bool = False
    missing_bucket: bool = False
    missing_order: Literal["first", "last", "default"] = "default"
    interval: float | None = None
    calendar_interval: CalendarUnit | None = None
    fixed_interval_ms: int | None = None
    offset_ms: int = 0
    time_zone: str = "UTC"
    format: str | None = None
    precision: int = 7
    bounds: tuple[float, float, float, float] | None = None
    """Of a geotile_grid: top, left, bottom, right."""

    @property
    def missing_first(self) -> bool:
        """Whether the bucket of documents without a value comes before the others, whichever way they run."""
        if self.missing_order == "default":
            return not self.descending
        return self.missing_order == "first"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeAgg(Agg):
    """`after` is the request's own object: values are checked where the types of the fields are known."""

    sources: tuple[CompositeSource, ...]
    size: int = 10
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class TermsField:
    """One part of the keys of a multi_terms aggregation."""

    field: str
    missing: Scalar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiTermsAgg(Agg):
    terms: tuple[TermsField, ...]
    size: int = 10
    shard_size: int | None = None
    min_doc_count: int = 1
    shard_min_doc_count: int = 0
    order: tuple[BucketOrder, ...] = (BucketOrder("_count", False), BucketOrder("_key", True))
    show_term_doc_count_error: bool = False

    def effective_shard_size(self) -> int:
        """As a TermsAgg's."""
        return effective_shard_size(self.size, self.shard_size, self.order)


@dataclass(frozen=True, slots=True, kw_only=True)
class RareTermsAgg(Agg):
    field: str
    max_doc_count: int = 1
    missing: Scalar | None = None
    include: TermRule | None = None
    exclude: TermRule | None = None
    format: str | None = None
    value_type: ValueType | None = None


@dataclass(frozen=True, slots=True)
class Heuristic:
    """How significant a term is; `kind` by the reference's name."""

    kind: Literal["jlh", "chi_square", "gnd", "mutual_information", "percentage"] = "jlh"
    include_negatives: bool = False
    background_is_superset: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SignificantTermsAgg(Agg):
    """`significant_terms` and, with `text` set, `significant_text`, which reads its words out of the source."""

    field: str
    size: int = 10
    shard_size: int | None = None
    min_doc_count: int = 3
    shard_min_doc_count: int = 0
    heuristic: Heuristic = Heuristic()
    background_filter: Query | None = None
    missing: Scalar | None = None
    include: TermRule | None = None
    exclude: TermRule | None = None
    format: str | None = None
    value_type: ValueType | None = None
    execution_hint: str | None = None
    text: bool = False
    source_fields: tuple[str, ...] | None = None
    filter_duplicate_text: bool = False

    def effective_shard_size(self) -> int:
        """Buckets a shard returns: twice what terms would."""
        if self.shard_size is not None:
            return max(self.size, self.shard_size)
        return 2 * int(self.size * 1.5 + 10)


@dataclass(frozen=True, slots=True)
class IpRange:
    """`from_` inclusive, `to` exclusive, as 128-bit numbers; None is open."""

    from_: int | None = None
    to: int | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IpRangeAgg(Agg):
    """Ranges in the order of the answer."""

    field: str
    ranges: tuple[IpRange, ...]
    keyed: bool = False
    missing: Scalar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IpPrefixAgg(Agg):
    """`prefix_length` is -1 where the request left it out."""

    field: str
    prefix_length: int = -1
    is_ipv6: bool = False
    append_prefix_length: bool = False
    keyed: bool = False
    min_doc_count: int = 1
    missing: Scalar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplerAgg(Agg):
    """The best `shard_size` documents of each shard; with a `field`, so many for each of its values."""

    shard_size: int = 100
    field: str | None = None
    max_docs_per_value: int = 1
    missing: Scalar | None = None
    execution_hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomSamplerAgg(Agg):
    """`seed` None is one that the answer tells. `probability` is None where the request left it out."""

    probability: float | None = None
    seed: int | None = None
    shard_seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableWidthHistogramAgg(Agg):
    field: str
    buckets: int = 10
    shard_size: int | None = None
    initial_buffer: int | None = None
    missing: Scalar | None = None

    def effective_shard_size(self) -> int:
        return self.buckets * 50 if self.shard_size is None else self.shard_size

    def effective_buffer(self) -> int:
        if self.initial_buffer is not None:
            return self.initial_buffer
        return min(10 * self.effective_shard_size(), 50_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoDateHistogramAgg(Agg):
    field: str
    buckets: int = 10
    minimum_interval: Literal["second", "minute", "hour", "day", "month", "year"] = "second"
    time_zone: str = "UTC"
    format: str | None = None
    missing: Scalar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjacencyMatrixAgg(Agg):
    """Filters in the order of their names."""

    keys: tuple[str, ...]
    filters: tuple[Query, ...]
    separator: str = "&"


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoGridAgg(Agg):
    """`kind` is `geohash_grid` or `geotile_grid`. `bounds` are top, left, bottom, right."""

    kind: Literal["geohash_grid", "geotile_grid"]
    field: str
    precision: int
    size: int = 10_000
    shard_size: int | None = None
    bounds: tuple[float, float, float, float] | None = None
    missing: Scalar | None = None

    def effective_shard_size(self) -> int:
        """As a TermsAgg's, but for a shard_size of its own."""
        wanted = int(self.size * 1.5 + 10) if self.shard_size is None else self.shard_size
        return max(self.size, wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoDistanceAgg(Agg):
    """Rings around `origin` (latitude, longitude), in the order of the answer. `unit` is in meters."""

    field: str
    origin: tuple[float, float]
    ranges: tuple[RangeBucketSpec, ...]
    unit: float = 1.0
    plane: bool = False
    keyed: bool = False
    missing: Scalar | None = None
