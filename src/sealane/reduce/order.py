"""Orders buckets: by count, by key, by the value of a metric below them."""

from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from math import inf, isnan, nan, sqrt
from typing import Any, Protocol, TypeVar

from sealane.errors import IllegalArgument
from sealane.model.dsl import (
    Agg,
    BucketOrder,
    CardinalityAgg,
    DateHistogramAgg,
    FilterAgg,
    FiltersAgg,
    GlobalAgg,
    HistogramAgg,
    MetricAgg,
    MetricKind,
    MissingAgg,
    RangeAgg,
    TermsAgg,
)
from sealane.reduce.hll import cardinality_of
from sealane.reduce.partial import (
    AggPartial,
    BucketsPartial,
    CardinalityPartial,
    MetricPartial,
    TermsPartial,
)


class Bucket(Protocol):
    key: Any
    count: int
    aggs: "dict[str, AggPartial] | None"


_B = TypeVar("_B", bound=Bucket)


def sort_buckets(
    buckets: list[_B],
    orders: Iterable[BucketOrder],
    subs: tuple[Agg, ...],
    key_type: str | None = None,
) -> None:
    """In place, stable: what no order tells apart stays as it was. NaN is last either way.

    `key_type` says how keys compare: ips by their bytes, the others as they are.
    """
    for order in reversed(list(orders)):
        key, descending = _key(order, subs, key_type)
        buckets.sort(key=key, reverse=descending)


def ip_bytes(text: str) -> bytes:
    """The 16 bytes by which addresses sort."""
    address = ip_address(text)
    return bytes(10) + b"\xff\xff" + address.packed if address.version == 4 else address.packed


def _key(
    order: BucketOrder, subs: tuple[Agg, ...], key_type: str | None
) -> tuple[Callable[[Any], Any], bool]:
    if order.path == "_count":
        return (lambda bucket: bucket.count), not order.ascending
    if order.path == "_key" and key_type == "ip":
        return (lambda bucket: ip_bytes(bucket.key)), not order.ascending
    if order.path == "_key":
        return (lambda bucket: bucket.key), not order.ascending
    sign = 1 if order.ascending else -1

    def value(bucket: Bucket) -> tuple[bool, float]:
        number = metric_at(subs, bucket.aggs or {}, order.path)
        return (True, 0.0) if isnan(number) else (False, sign * number)

    return value, False


def metric_at(subs: tuple[Agg, ...], tree: Mapping[str, AggPartial], path: str) -> float:
    """The number at a path such as `price`, `stats.avg` or `sold>stats.max`, raw: NaN or infinite when empty.

    Raises IllegalArgument where the path leads to none, or to more than one.
    """
    try:
        return _metric_at(subs, tree, path)
    except _NoNumber as problem:
        reason = str(problem)
        raise IllegalArgument(
            f"Invalid aggregation order path [{path}]. {reason}", caused_by=IllegalArgument(reason)
        ) from None


class _NoNumber(Exception):
    """Why a path does not lead to one number."""


def _metric_at(subs: tuple[Agg, ...], tree: Mapping[str, AggPartial], path: str) -> float:
    head, _, rest = path.partition(">")
    name, dot, member = head.rpartition(".") if "." in head else (head, "", "")
    if not dot and head.endswith("]"):
        name, _, member = head[:-1].partition("[")
    spec = next((sub for sub in subs if sub.name == head), None)
    if spec is None:
        spec = next((sub for sub in subs if sub.name == name), None)
    else:
        name, member = head, ""
    if spec is None or name not in tree:
        raise _NoNumber(f"Cannot find aggregation named [{name}]")
    partial = tree[name]
    if isinstance(spec, FilterAgg | MissingAgg | GlobalAgg) and isinstance(partial, BucketsPartial):
        return _single_bucket(spec, partial, member, rest)
    if isinstance(partial, CardinalityPartial | MetricPartial):
        if rest:
            raise _NoNumber(f"Metrics aggregations cannot have sub-aggregations (at [>{rest}]")
        return _metric(spec, partial, member)
    kind = type_name(spec, partial)
    if rest:
        below = rest.partition(">")[0]
        raise _NoNumber(f"Can't sort by a descendant of a [{kind}] aggregation [{below}]")
    raise _NoNumber(f"Can't sort a [{kind}] aggregation [{name}]")


def _single_bucket(spec: Agg, partial: BucketsPartial, member: str, rest: str) -> float:
    bucket = partial.buckets[0]
    if rest:
        return _metric_at(spec.subs, bucket.aggs or {}, rest)
    if member and member != "doc_count":
        raise _NoNumber(
            f"Unknown value key [{member}] for single-bucket aggregation [{spec.name}]. "
            "Either use [doc_count] as key or drop the key all together."
        )
    return float(bucket.count)


def _metric(spec: Agg, partial: CardinalityPartial | MetricPartial, member: str) -> float:
    if isinstance(spec, MetricAgg) and spec.kind in _MULTI_VALUE:
        assert isinstance(partial, MetricPartial)
        if not member:
            raise _NoNumber(
                "Missing value key in [null] which refers to a multi-value metric aggregation"
            )
        kind, members = _MULTI_VALUE[spec.kind]
        if member not in members:
            raise _NoNumber(
                "No enum constant org.elasticsearch.search.aggregations.metrics."
                f"{kind}.Metrics.{member}"
            )
        return metric_value(partial, member, spec.sigma)
    if member and member != "value":
        raise _NoNumber(
            f"Unknown value key [{member}] for single-value metric aggregation [{spec.name}]. "
            "Either use [value] as key or drop the key all together"
        )
    if isinstance(partial, CardinalityPartial):
        return float(cardinality_of(partial))
    assert isinstance(spec, MetricAgg)
    return metric_value(partial, spec.kind, spec.sigma)


_STATS = frozenset(("count", "sum", "min", "max", "avg"))
_SPREAD = frozenset(
    (
        "sum_of_squares",
        *(
            f"{of}{kind}"
            for of in ("variance", "std_deviation")
            for kind in ("", "_population", "_sampling")
        ),
        *(
            f"std_{end}{kind}"
            for end in ("upper", "lower")
            for kind in ("", "_population", "_sampling")
        ),
    )
)
_MULTI_VALUE = {
    MetricKind.STATS: ("InternalStats", _STATS),
    MetricKind.EXTENDED_STATS: ("InternalExtendedStats", _STATS | _SPREAD),
}


def type_name(spec: Agg, partial: AggPartial) -> str:
    """The reference's name for the kind of answer, as `typed_keys` shows it."""
    match spec, partial:
        case MetricAgg(), _:
            return spec.kind.value
        case TermsAgg(), TermsPartial():
            if partial.key_type in ("long", "date", "boolean"):
                return "lterms"
            return "dterms" if partial.key_type == "double" else "sterms"
        case RangeAgg(), _:
            return "date_range" if spec.date else "range"
    return _NAMES[type(spec)]


_NAMES: dict[type[Agg], str] = {
    CardinalityAgg: "cardinality",
    HistogramAgg: "histogram",
    DateHistogramAgg: "date_histogram",
    FiltersAgg: "filters",
    FilterAgg: "filter",
    MissingAgg: "missing",
    GlobalAgg: "global",
}


def metric_value(partial: MetricPartial, member: str, sigma: float = 2.0) -> float:
    """One number of a metric's state, by the name it has in the answer. NaN or infinite when nothing was counted."""
    count, total = partial.count, partial.sum
    match member:
        case MetricKind.VALUE_COUNT | "count":
            return float(count)
        case "sum":
            return total
        case "avg":
            return total / count if count else nan
        case "min":
            return inf if partial.min is None else partial.min
        case "max":
            return -inf if partial.max is None else partial.max
        case "sum_of_squares":
            return partial.sum_of_squares
    variance = _variance(partial)
    match member:
        case "variance" | "variance_population":
            return variance
        case "variance_sampling":
            return _sampling_variance(partial)
        case "std_deviation" | "std_deviation_population":
            return sqrt(variance) if not isnan(variance) else nan
        case "std_deviation_sampling":
            sampling = _sampling_variance(partial)
            return sqrt(sampling) if not isnan(sampling) else nan
    edge, _, kind = member.removeprefix("std_").partition("_")
    deviation = metric_value(
        partial, "std_deviation_sampling" if kind == "sampling" else "std_deviation"
    )
    average = total / count if count else nan
    return average + (sigma if edge == "upper" else -sigma) * deviation


def _variance(partial: MetricPartial) -> float:
    if not partial.count:
        return nan
    variance = (
        partial.sum_of_squares - (partial.sum * partial.sum) / partial.count
    ) / partial.count
    return max(variance, 0.0)


def _sampling_variance(partial: MetricPartial) -> float:
    if partial.count < 2:
        return nan
    variance = (partial.sum_of_squares - (partial.sum * partial.sum) / partial.count) / (
        partial.count - 1
    )
    return max(variance, 0.0)
