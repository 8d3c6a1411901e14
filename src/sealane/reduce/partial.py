"""Partial answers: what a shard gives its cluster and a cluster its coordinator. Closed under merge.

They cross the wire between Sealane nodes as msgpack arrays in the order of the fields; a field may only be appended.
"""

from typing import Any, NamedTuple

import msgspec

from sealane.reduce.metric_states import MetricState

Key = str | int | float | bool
SortValue = str | int | float | bool | None


class Hit(msgspec.Struct, array_like=True):
    """One hit. `index` is the concrete name, already carrying `alias:` when another cluster asked.

    `sort` holds comparable values: numbers, milliseconds for dates, text for keywords and ips, None for missing text.
    `fields` are what `fields` and `docvalue_fields` asked for; `ignored_values` (`ignored_field_values` of the answer)
    what they left out of it. `id` is empty where the request wants none. `source` is the document's JSON, never
    decoded on its way; None where the request left it out. `group` is the value that the search collapses by, `inner`
    what `inner_hits` asked for, by name. `doc` is the document's number in its shard's reader, where the rest is still
    to be fetched. `explanation` is how it came by its score, `node` the id of the node that explained it.
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
    group: SortValue = None
    inner: "dict[str, InnerHits] | None" = None
    doc: int | None = None
    nested: "NestedPlace | None" = None
    explanation: dict[str, Any] | None = None
    node: str | None = None
    highlight: dict[str, list[str]] | None = None


class TotalHits(msgspec.Struct, array_like=True):
    """`exact` False means at least `value`."""

    value: int
    exact: bool = True


class NestedPlace(msgspec.Struct, array_like=True):
    """Where in a document a nested object is: the field, its place in that array, and on from there."""

    field: str
    offset: int
    below: "NestedPlace | None" = None


class InnerHits(msgspec.Struct, array_like=True):
    """Hits within a hit: a page of them, final. `sort_formats` are what the keys of their sort show dates in."""

    hits: list[Hit]
    total: TotalHits | None
    max_score: float | None
    sort_types: list[str] | None = None
    sort_formats: list[str | None] | None = None


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


class ShardProfile(msgspec.Struct, array_like=True):
    """Where one shard's time went. `node` is the id of the node that it is on; `parts` are as the answer shows them."""

    node: str
    index: str
    shard: int
    parts: dict[str, Any]


# -- suggestions -------------------------------------------------------------------------------------------------


class SuggestOption(msgspec.Struct, array_like=True):
    """`freq` belongs to words, `highlighted` to phrases, `hit` to completions: the document that has it."""

    text: str
    score: float
    freq: int = 0
    highlighted: str | None = None
    hit: Hit | None = None


class SuggestEntry(msgspec.Struct, array_like=True):
    """What is suggested for one part of the text; `offset` and `length` in UTF-16 units. `cutoff` as of phrases."""

    text: str
    offset: int
    length: int
    options: list[SuggestOption]
    cutoff: float = 0.0


class SuggestPartial(msgspec.Struct, array_like=True):
    """`kind` is the suggester's name: term, phrase or completion."""

    kind: str
    entries: list[SuggestEntry]


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


class PackedMetric(msgspec.Struct, array_like=True):
    """Metrics of many buckets, a column a number: int64 counts, the others float64, little-endian.

    Extremes of a bucket without values are infinite.
    """

    counts: bytes
    sums: bytes
    minima: bytes
    maxima: bytes
    squares: bytes
    value_type: str = "double"
    format: str | None = None


class PackedTerms(msgspec.Struct, array_like=True):
    """Many buckets of terms without a bucket object each: keys, and int64 counts and errors, little-endian.

    No `errors` are zeros. `metrics` are the sub-aggregations, by name; there are no others.
    """

    keys: list[Key]
    counts: bytes
    errors: bytes = b""
    metrics: dict[str, PackedMetric] = {}


class TermsPartial(msgspec.Struct, array_like=True, tag="t"):
    """`other` counts documents outside the returned buckets.

    `error` bounds what each source may have kept to itself of one term: None as a shard answers, which leaves it to
    the merge to tell; -1 where no bound is known.

    `key_type` is the field's type (`keyword`, `long`, `double`, `boolean`, `date`, `ip`), None when unmapped.
    Boolean keys are 0 and 1, dates are milliseconds, ips are text. A large partial that is not final has its buckets
    `packed`, and no others.
    """

    buckets: list[TermBucket]
    other: int = 0
    error: int | None = None
    key_type: str | None = None
    format: str | None = None
    packed: PackedTerms | None = None


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

    `bounds` are the resolved (from, to) of a range or date_range; None for the others. `format` is a date field's own;
    empty where a range is of numbers, None where the field is unmapped. `places`
    are the positions in the request of the buckets that a final answer keeps, in its order; None where it keeps all.
    """

    buckets: list[CountBucket]
    bounds: list[tuple[float | None, float | None]] | None = None
    format: str | None = None
    places: list[int] | None = None


class TupleBucket(msgspec.Struct, array_like=True):
    """A bucket with a key of several parts; None where a document has no value. `error` as a TermBucket's."""

    key: list[Key | None]
    count: int
    aggs: "dict[str, AggPartial] | None" = None
    error: int = 0


class CompositePartial(msgspec.Struct, array_like=True, tag="composite"):
    """At most `size` buckets after the request's `after`, in its order.

    `types` and `formats` are those of each source's field, None where it is unmapped.
    """

    buckets: list[TupleBucket]
    types: list[str | None]
    formats: list[str | None]


class MultiTermsPartial(msgspec.Struct, array_like=True, tag="multi_terms"):
    """As TermsPartial, with a type and a format for each part of the keys."""

    buckets: list[TupleBucket]
    other: int = 0
    error: int | None = None
    types: list[str | None] = []
    formats: list[str | None] = []


class SignificantBucket(msgspec.Struct, array_like=True):
    """`count` documents with the term were found, of `background` that have it."""

    key: Key
    count: int
    background: int
    aggs: "dict[str, AggPartial] | None" = None


class SignificantPartial(msgspec.Struct, array_like=True, tag="significant"):
    """`found` documents, compared with `background` of them. Types and formats as a TermsPartial's."""

    buckets: list[SignificantBucket]
    found: int = 0
    background: int = 0
    key_type: str | None = None
    format: str | None = None


class RareTermsPartial(msgspec.Struct, array_like=True, tag="rare_terms"):
    """Terms of few documents. `common` are those that had too many, as 64-bit hashes: little-endian, ascending."""

    buckets: list[TermBucket]
    common: bytes = b""
    key_type: str | None = None
    format: str | None = None


class AutoDatePartial(msgspec.Struct, array_like=True, tag="auto_date"):
    """Buckets under the rounding of that number in the request's list. `format` as a HistogramPartial's."""

    buckets: list[HistogramBucket]
    rounding: int = 0
    format: str | None = None


class WidthBucket(msgspec.Struct, array_like=True):
    """A cluster of values: its least, largest and mean, and how many documents."""

    min: float
    max: float
    centroid: float
    count: int
    aggs: "dict[str, AggPartial] | None" = None


class VariableWidthPartial(msgspec.Struct, array_like=True, tag="variable_width"):
    """Clusters of values, ascending by centroid."""

    buckets: list[WidthBucket]
    format: str | None = None


class TopHitsPartial(msgspec.Struct, array_like=True, tag="th"):
    """The best hits of a bucket, from its first on: a final answer leaves those before the page out."""

    inner: InnerHits


AggPartial = (
    MetricPartial
    | CardinalityPartial
    | TermsPartial
    | HistogramPartial
    | BucketsPartial
    | CompositePartial
    | MultiTermsPartial
    | SignificantPartial
    | RareTermsPartial
    | AutoDatePartial
    | VariableWidthPartial
    | MetricState
    | TopHitsPartial
)


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
    suggest: dict[str, SuggestPartial] | None = None
    profile: list[ShardProfile] | None = None


class ClusterAnswer(NamedTuple):
    """What one cluster answered, and how long it took by its own clock. Equal questions have equal partials."""

    partial: Partial
    took_ms: int
