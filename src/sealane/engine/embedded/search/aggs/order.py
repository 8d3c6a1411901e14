"""The value of a bucket that a terms aggregation orders by: a metric of a child, found by its path."""

from sealane.errors import IllegalArgument, InvalidAggregationPath
from sealane.model import dsl
from sealane.reduce.partial import (
    AggPartial,
    BucketsPartial,
    CardinalityPartial,
    MetricPartial,
)


def order_value(path: str, aggs: dict[str, AggPartial], specs: tuple[dsl.Agg, ...]) -> float:
    """NaN where there is no value. `path` is `metric`, `stats.avg`, or `filter>metric`."""
    head, _, rest = path.partition(">")
    if rest:
        spec = _spec(head, path, specs)
        partial = aggs[head]
        if not isinstance(partial, BucketsPartial) or len(partial.buckets) != 1:
            raise _invalid(path)
        bucket = partial.buckets[0]
        if rest == "_count":
            return float(bucket.count)
        return order_value(rest, bucket.aggs or {}, spec.subs)
    name, _, member = head.partition(".")
    if not member and head.endswith("]") and "[" in head:
        name, _, member = head[:-1].partition("[")
    spec = _spec(name, path, specs)
    partial = aggs[name]
    if isinstance(partial, BucketsPartial) and member in ("", "_count", "doc_count"):
        return float(sum(each.count for each in partial.buckets))
    if isinstance(partial, CardinalityPartial):
        # numpy costs memory: only an order by a cardinality loads it
        from sealane.reduce.hll import cardinality_of

        return float(cardinality_of(partial))
    if isinstance(partial, MetricPartial) and isinstance(spec, dsl.MetricAgg):
        return metric_value(partial, member or spec.kind.value, path)
    raise _invalid(path)


def metric_value(partial: MetricPartial, member: str, path: str) -> float:
    count = partial.count
    match member:
        case "count" | "value_count":
            return float(count)
        case "value" | "sum":
            return partial.sum
        case "avg":
            return partial.sum / count if count else float("nan")
        case "min":
            return partial.min if partial.min is not None else float("inf")
        case "max":
            return partial.max if partial.max is not None else float("-inf")
        case "sum_of_squares":
            return partial.sum_of_squares
        case "variance" | "variance_population" | "std_deviation" | "std_deviation_population":
            if not count:
                return float("nan")
            mean = partial.sum / count
            variance = max(0.0, partial.sum_of_squares / count - mean * mean)
            return variance**0.5 if member.startswith("std") else variance
    raise _invalid(path)


def _spec(name: str, path: str, specs: tuple[dsl.Agg, ...]) -> dsl.Agg:
    for spec in specs:
        if spec.name == name:
            return spec
    raise _invalid(path)


def check_path(path: str, specs: tuple[dsl.Agg, ...]) -> None:
    """Raises InvalidAggregationPath where a path does not lead to one value."""
    head, _, rest = path.partition(">")
    name = head.partition(".")[0].partition("[")[0]
    found = [each for each in specs if each.name == name]
    if not found:
        raise _invalid(
            path,
            f"The provided aggregation [{name}] either does not exist, or is a pipeline "
            "aggregation and cannot be used to sort the buckets.",
        )
    spec = found[0]
    single = isinstance(spec, (dsl.FilterAgg, dsl.MissingAgg, dsl.GlobalAgg))
    if rest and single:
        if rest != "_count":
            check_path(rest, spec.subs)
        return
    if rest or not (single or isinstance(spec, (dsl.MetricAgg, dsl.CardinalityAgg))):
        raise _invalid(path, _NOT_SINGLE)


_NOT_SINGLE = (
    "Buckets can only be sorted on a sub-aggregator path that is built out of zero or more "
    "single-bucket aggregations within the path and a final single-bucket or a metrics "
    "aggregation at the path end."
)


def _invalid(path: str, problem: str = _NOT_SINGLE) -> InvalidAggregationPath:
    return InvalidAggregationPath(
        f"Invalid aggregation order path [{path}]. {problem}",
        caused_by=IllegalArgument(problem),
    )
