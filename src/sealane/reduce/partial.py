"""Partial answers: what a shard gives its cluster and a cluster its coordinator. Closed under merge.

They cross the wire between Sealane nodes as msgpack arrays in the order of the fields; a field may only be appended.
"""

from typing import Any, NamedTuple

import msgspec

Key = str | int | float | bool
SortValue = str | int | float | bool | None


class Hit(msgspec.Struct, array_like=True):
    """One hit. `index` is the concrete name, already carrying `alias:` when another cluster asked.

    `sort` holds comparable values: numbers, milliseconds for dates, text for keywords and ips, None for missing text.
    `fields` are what `fields` and `docvalue_fields` asked for; `ignored_values` (`ignored_field_values` of the answer)
    what they left out of it. `id` is empty where the request wants none. `source` is the document's
    JSON, never decoded on its way; None where the request left it out.
    """

    index: str
    id: str
    score: float | None
    source: bytes | None = None
    sort: list[SortValue] | None = None
    shard: int = 0
    index_uuid: str = ""
    routing: str | None = None
    version: int | None = None
    seq_no: int | None = None
    primary_term: int | None = None
    ignored: list[str] | None = None
    matched: list[str] | None = None
    fields: dict[str, list[Any]] | None = None
    ignored_values: dict[str, list[Any]] | None = None


class TotalHits(msgspec.Struct, array_like=True):
    """`exact` False means at least `value`."""

    value: int
    exact: bool = True


class ShardFailure(msgspec.Struct, array_like=True):
    """`error` is ApiError.to_wire(); `shard` -1 and `index` None when the whole cluster failed."""

    shard: int
    index: str | None
    error: dict[str, Any]
    node: str | None = None


class ShardCounts(msgspec.Struct, array_like=True):
    total: int = 0
    successful: int = 0
    skipped: int = 0
    failed: int = 0


# -- aggregations ------------------------------------------------------------------------------------------------
# A partial does not repeat the request: whoever merges has the Agg it answers. What only the source knows (the type
# of the keys, the format of a date field) is here.


class MetricPartial(msgspec.Struct, array_like=True, tag="m"):
    """State of every MetricKind. `min`/`max` are None when nothing was counted. `value_type` is the field's type."""

    count: int
    sum: float
    min: float | None
    max: float | None
    sum_of_squares: float = 0.0
    value_type: str = "double"
    format: str | None = None


class CardinalityPartial(msgspec.Struct, array_like=True, tag="c"):
    """HyperLogLog++ state: 32-bit encoded hashes while few (`sparse`), 2^precision registers after that.

    Both are the raw bytes of arrays: little-endian uint32, and uint8.
    """

    precision: int
    sparse: bytes | None = None
    registers: bytes | None = None


class TermBucket(msgspec.Struct, array_like=True):
    """`error` is this bucket's doc_count_error_upper_bound so far."""

    key: Key
    count: int
    aggs: "dict[str, AggPartial] | None" = None
    error: int = 0


class TermsPartial(msgspec.Struct, array_like=True, tag="t"):
    """`other` counts documents outside the returned buckets.

    `error` bounds what each source may have kept to itself of one term: None as a shard answers, which leaves it to
    the merge to tell; -1 where no bound is known.

    `key_type` is the field's type (`keyword`, `long`, `double`, `boolean`, `date`, `ip`), None when unmapped.
    Boolean keys are 0 and 1, dates are milliseconds, ips are text.
    """

    buckets: list[TermBucket]
    other: int = 0
    error: int | None = None
    key_type: str | None = None
    format: str | None = None


class HistogramBucket(msgspec.Struct, array_like=True):
    """`key` is the bucket's lower bound; milliseconds for a date_histogram."""

    key: float | int
    count: int
    aggs: "dict[str, AggPartial] | None" = None


class HistogramPartial(msgspec.Struct, array_like=True, tag="h"):
    """Non-empty buckets, ascending by key. `format` is the date field's own, None for numbers and when unmapped."""

    buckets: list[HistogramBucket]
    format: str | None = None


class CountBucket(msgspec.Struct, array_like=True):
    count: int
    aggs: "dict[str, AggPartial] | None" = None


class BucketsPartial(msgspec.Struct, array_like=True, tag="b"):
    """Buckets that the request fixes, in its order: range, filters (other bucket last), filter, missing, global.

    `bounds` are the resolved (from, to) of a range or date_range; None for the others.
    """

    buckets: list[CountBucket]
    bounds: list[tuple[float | None, float | None]] | None = None
    format: str | None = None


AggPartial = MetricPartial | CardinalityPartial | TermsPartial | HistogramPartial | BucketsPartial


class Partial(msgspec.Struct, array_like=True):
    """The answer of one shard, of one cluster, or of all: the same type, merged upwards.

    `sort_types` are the types behind `Hit.sort` (`long`, `double`, `date`, `keyword`, `ip`, `boolean`, `score`), None
    when there is no hit to tell them. A partial is shared between caches: nobody changes one that was handed on.
    """

    hits: list[Hit]
    total: TotalHits | None
    max_score: float | None
    shards: ShardCounts
    aggs: dict[str, AggPartial] | None = None
    failures: list[ShardFailure] = []
    sort_types: list[str] | None = None
    timed_out: bool = False
    terminated_early: bool | None = None
    reduce_phases: int = 1
    final: bool = False


class ClusterAnswer(NamedTuple):
    """What one cluster answered, and how long it took by its own clock. Equal questions have equal partials."""

    partial: Partial
    took_ms: int
