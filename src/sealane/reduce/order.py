"""Orders buckets: by count, by key, by the value of a metric below them."""

from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from math import inf, isnan, nan, sqrt
from typing import Any, Protocol, TypeVar

from sealane.errors import IllegalArgument
from sealane.model.dsl import Agg, BucketOrder, CardinalityAgg, MetricAgg, MetricKind
from sealane.reduce.hll import cardinality_of
from sealane.reduce.partial import (
    AggPartial,
    BucketsPartial,
    CardinalityPartial,
    MetricPartial,
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
    """The number at a path such as `price`, `stats.avg` or `sold>stats.max`, raw: NaN or infinite when empty."""
    head, _, rest = path.partition(">")
    name, dot, member = head.partition(".")
    if not dot and head.endswith("]"):
        name, _, member = head[:-1].partition("[")
    spec = next((sub for sub in subs if sub.name == head), None)
    if spec is None:
        spec = next((sub for sub in subs if sub.name == name), None)
    else:
        name, member = head, ""
    if spec is None or name not in tree:
        raise IllegalArgument(
            f"Invalid aggregation order path [{path}]. Cannot find aggregation named [{name}]"
        )
    partial = tree[name]
    if isinstance(partial, BucketsPartial):
        bucket = partial.buckets[0]
        if rest:
            return metric_at(spec.subs, bucket.aggs or {}, rest)
        return float(bucket.count)
    if isinstance(partial, CardinalityPartial) and isinstance(spec, CardinalityAgg):
        return float(cardinality_of(partial))
    if isinstance(partial, MetricPartial) and isinstance(spec, MetricAgg):
        return metric_value(partial, member or spec.kind, spec.sigma)
    raise IllegalArgument(f"Invalid aggregation order path [{path}]. Can't sort by [{name}]")


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
