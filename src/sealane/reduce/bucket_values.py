"""Values that pipelines read: a path from a bucket, or from aggregations side by side, to one number."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite, nan
from typing import Any, NamedTuple, Protocol

from sealane.errors import IllegalArgument
from sealane.model.buckets_path import flat_path, is_bucket_key
from sealane.model.dsl import Agg, HdrPercentilesAgg, PercentilesAgg, SeriesAgg, SeriesKind
from sealane.model.dsl.pipeline_aggs import GapPolicy
from sealane.reduce.fixed_buckets import in_shown_order
from sealane.reduce.kinds import Json, NoNumber, NotNumeric, Show, kind_of, type_name
from sealane.reduce.metric_states import BoundsPartial, CentroidPartial
from sealane.reduce.number_format import java_double
from sealane.reduce.partial import AggPartial, BucketsPartial, TopHitsPartial


class Bucket(Protocol):
    """What buckets of all kinds have; most have a `key` too."""

    count: int
    aggs: "dict[str, AggPartial] | None"


class Metric(NamedTuple):
    """A path's end at a metric itself."""

    spec: Agg
    partial: AggPartial


class _Other(NamedTuple):
    """A path's end at what is no number, by the reference's name for it."""

    name: str


class _Nowhere(Exception):
    """A path that leads to nothing in this bucket."""


_MUST = (
    "buckets_path must reference either a number value or a single value numeric metric aggregation"
)


def bucket_value(spec: Agg, bucket: Bucket, path: str, gaps: GapPolicy) -> float | None:
    """The number at a path from a bucket of `spec`, NaN where the policy skips it; None where nothing is there.

    Raises IllegalArgument where the path leads to something else.
    """
    return value_at(spec, bucket, flat_path(path), gaps)


def value_at(spec: Agg, bucket: Bucket, parts: tuple[str, ...], gaps: GapPolicy) -> float | None:
    """`bucket_value` of a path in its parts."""
    try:
        found = _in_bucket(spec, bucket, parts)
    except _Nowhere:
        return None
    value = found if isinstance(found, float) else _number(spec, found, parts)
    if parts == ("_count",):
        return value
    if gaps == "keep_values":
        return value if isfinite(value) else nan
    if bucket.count == 0 or not isfinite(value):
        return 0.0 if gaps == "insert_zeros" else nan
    return value


def metric_in(spec: Agg, bucket: Bucket, path: str) -> Metric | None:
    """The metric at a path from a bucket; None where there is none."""
    try:
        found = _in_bucket(spec, bucket, flat_path(path))
    except _Nowhere:
        return None
    return found if isinstance(found, Metric) else None


def _number(spec: Agg, found: "Metric | _Other", parts: tuple[str, ...]) -> float:
    if isinstance(found, _Other):
        at = parts[0] if parts else spec.name
        raise IllegalArgument(f"{_MUST}, got: [{found.name}] at aggregation [{at}]")
    number = kind_of(found.spec).number
    assert number is not None
    try:
        return number(found.spec, found.partial, "" if _is_single(found) else parts[-1])
    except NotNumeric:
        spec = found.spec
        if isinstance(spec, PercentilesAgg | HdrPercentilesAgg) and len(spec.points) == 1:
            return number(spec, found.partial, str(spec.points[0]))
        raise IllegalArgument(
            f"{_MUST}, but [{parts[0]}] contains multiple values. Please specify which to use."
        ) from None
    except NoNumber as problem:
        raise problem.error(str(problem)) from None


def _is_single(found: Metric) -> bool:
    """Whether a metric has one value, which needs no name."""
    number = kind_of(found.spec).number
    assert number is not None
    try:
        number(found.spec, found.partial, "")
    except NoNumber:
        return False
    return True


def _in_bucket(spec: Agg, bucket: Bucket, parts: tuple[str, ...]) -> "float | Metric | _Other":
    if not parts:
        return _Other("Bucket")
    head, rest = parts[0], parts[1:]
    if head == "_count":
        if rest:
            raise _Nowhere
        return float(bucket.count)
    if head == "_key":
        if rest:
            raise _Nowhere
        return _key(spec, bucket)
    sub = next((each for each in spec.subs if each.name == head), None)
    partial = (bucket.aggs or {}).get(head)
    if sub is None or partial is None:
        raise _Nowhere
    return _in_aggregation(sub, partial, rest)


_KEYS = {
    "DateHistogramAgg": "ZonedDateTime",
    "AutoDateHistogramAgg": "ZonedDateTime",
    "GeoGridAgg": "GeoPoint",
    "IpPrefixAgg": "BytesRef",
}
"""What keys are to the reference that are no numbers, though a partial may hold them as such."""


def _key(spec: Agg, bucket: Bucket) -> "float | _Other":
    key = getattr(bucket, "key", None)
    if type(spec).__name__ in _KEYS:
        return _Other(_KEYS[type(spec).__name__])
    if isinstance(key, int | float) and not isinstance(key, bool):
        return float(key)
    return _Other("String")


def _in_aggregation(
    spec: Agg, partial: AggPartial, parts: tuple[str, ...]
) -> "float | Metric | _Other":
    kind = kind_of(spec)
    buckets: Sequence[Bucket] | None = getattr(partial, "buckets", None)
    if kind.is_single_bucket and buckets:
        if not parts:
            return _Other(_class_of(spec, partial))
        if parts[0] != "_count" and parts[0] not in (buckets[0].aggs or {}):
            raise IllegalArgument(f"Cannot find an aggregation named [{parts[0]}] in [{spec.name}]")
        return _in_bucket(spec, buckets[0], parts)
    if buckets is None:
        return _in_metric(spec, partial, parts)
    if not parts:
        return _Other(_class_of(spec, partial))
    if parts[0] == "_bucket_count":
        return float(len(buckets))
    if not is_bucket_key(parts[0]):
        # The reference gathers what the path leads to in each bucket.
        for each in buckets:
            _in_bucket(spec, each, parts)
        return _Other("Object[]")
    found = bucket_of(spec, partial, parts[0])
    if found is None:
        raise _Nowhere
    return _in_bucket(spec, found, parts[1:])


def _in_metric(spec: Agg, partial: AggPartial, parts: tuple[str, ...]) -> "float | Metric | _Other":
    number = kind_of(spec).number
    if isinstance(partial, BoundsPartial | CentroidPartial) and len(parts) == 1:
        return _of_place(spec, partial, parts[0])
    if isinstance(partial, TopHitsPartial) and parts and len(partial.inner.hits) > 1:
        raise IllegalArgument(
            f"property paths for top_hits [{spec.name}] require configuring it with size to 1"
        )
    if number is None:
        if not parts:
            return _Other(_class_of(spec, partial))
    elif not parts:
        return Metric(spec, partial)
    elif len(parts) == 1:
        single = _is_single(Metric(spec, partial))
        if not single or parts[0] in ("value", _normalized(spec)):
            try:
                return number(spec, partial, "" if single else parts[0])
            except NoNumber as problem:
                raise problem.error(str(problem)) from None
    raise IllegalArgument(f"path not supported for [{spec.name}]: [{', '.join(parts)}]")


def _normalized(spec: Agg) -> str:
    """The second value of a derivative; of the others, the only one."""
    derived = isinstance(spec, SeriesAgg) and spec.kind is SeriesKind.DERIVATIVE
    return "normalized_value" if derived else "value"


def _of_place(spec: Agg, partial: BoundsPartial | CentroidPartial, member: str) -> "float | _Other":
    if isinstance(partial, BoundsPartial):
        edges = {
            "top": partial.top,
            "left": min(partial.east_left, partial.west_left),
            "bottom": partial.bottom,
            "right": max(partial.east_right, partial.west_right),
        }
        if member not in edges:
            raise IllegalArgument(f"Found unknown path element [{member}] in [{spec.name}]")
        return edges[member]
    if member == "count":
        return float(partial.count)
    if member not in ("value", "lat", "lon"):
        raise IllegalArgument(f"Found unknown path element [{member}] in [{spec.name}]")
    if not partial.count:
        raise IllegalArgument(_MUST)
    if member == "value":
        return _Other("GeoPoint")
    return partial.lat if member == "lat" else partial.lon


# -- buckets by their keys ---------------------------------------------------------------------------------------


def bucket_of(spec: Agg, partial: AggPartial, quoted: str) -> Bucket | None:
    """The bucket whose key, as text, stands in quotes."""
    buckets: Sequence[Bucket] = getattr(partial, "buckets", ())
    for text, bucket in zip(key_texts(spec, partial), buckets, strict=True):
        if text == quoted[1:-1]:
            return bucket
    return None


def key_texts(spec: Agg, partial: AggPartial) -> list[str]:
    """The keys of all buckets, in the partial's order, as the answer shows them as text."""
    if isinstance(partial, BucketsPartial) and partial.places is None:
        ordered = in_shown_order(spec, partial)
        if ordered.places is not None:
            texts = dict(zip(ordered.places, _shown_keys(spec, ordered), strict=True))
            return [texts[at] for at in range(len(partial.buckets))]
    return _shown_keys(spec, partial)


def _shown_keys(spec: Agg, partial: AggPartial) -> list[str]:
    body: Json = {}
    bare = replace(spec, subs=())
    kind_of(bare).render(body, bare, partial, Show(False))
    shown = body.get("buckets", [])
    if isinstance(shown, Mapping):
        return list(shown)
    return [_key_text(bucket, at) for at, bucket in enumerate(shown)]


def _key_text(bucket: Json, at: int) -> str:
    key: Any = bucket.get("key_as_string", bucket.get("key", str(at)))
    if isinstance(key, float):
        return java_double(key)
    if isinstance(key, Mapping):
        return "{" + ", ".join(f"{name}={value}" for name, value in key.items()) + "}"
    return str(key)


_CLASSES = {
    "sterms": "StringTerms",
    "lterms": "LongTerms",
    "dterms": "DoubleTerms",
    "umterms": "UnmappedTerms",
    "srareterms": "StringRareTerms",
    "lrareterms": "LongRareTerms",
    "umrareterms": "UnmappedRareTerms",
    "sigsterms": "SignificantStringTerms",
    "siglterms": "SignificantLongTerms",
    "umsigterms": "UnmappedSignificantTerms",
    "ip_range": "InternalBinaryRange",
    "geohash_grid": "InternalGeoHashGrid",
    "geotile_grid": "InternalGeoTileGrid",
    "geohex_grid": "InternalGeoHexGrid",
}


def _class_of(spec: Agg, partial: AggPartial) -> str:
    name = type_name(spec, partial)
    return _CLASSES.get(name) or "Internal" + "".join(part.capitalize() for part in name.split("_"))
