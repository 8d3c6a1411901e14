"""Pipeline aggregations: run once over the final tree, from the leaves to the top.

A parent changes the buckets around it, a sibling adds an answer beside what it reads. The tree that came in stays as it
was: caches share it.
"""

from collections.abc import Mapping
from functools import cmp_to_key
from math import isnan
from typing import Any

import msgspec

from sealane.errors import IllegalArgument
from sealane.model.dsl import (
    Agg,
    BucketMetricAgg,
    BucketScriptAgg,
    BucketSortAgg,
    BucketSortKey,
    MovingPercentilesAgg,
    PipelineAgg,
    SeriesAgg,
    has_pipelines,
)
from sealane.model.expressions import BadExpression
from sealane.reduce.bucket_metrics import bucket_metric
from sealane.reduce.bucket_values import bucket_value
from sealane.reduce.fixed_buckets import in_shown_order
from sealane.reduce.kinds import Tree
from sealane.reduce.metric_states import ValuePartial
from sealane.reduce.moving_functions import MATH
from sealane.reduce.partial import AggPartial, BucketsPartial
from sealane.reduce.series import Found, moving_percentiles, series


def run_pipelines(specs: tuple[Agg, ...], tree: Tree) -> Tree:
    """The tree with the answers of its pipelines. Raises IllegalArgument where a path or a script does not fit."""
    if not has_pipelines(specs):
        return tree
    return _level(specs, tree)


def _level(specs: tuple[Agg, ...], tree: Mapping[str, AggPartial]) -> Tree:
    """Aggregations side by side: what is in them first, then the siblings among them."""
    done = {spec.name: _inside(spec, tree[spec.name]) for spec in specs if not spec.is_pipeline}
    for spec in specs:
        if isinstance(spec, BucketMetricAgg):
            done[spec.name] = bucket_metric(spec, specs, done)
    return done


def _inside(spec: Agg, partial: AggPartial) -> AggPartial:
    if not has_pipelines(spec.subs):
        return partial
    if isinstance(partial, BucketsPartial):
        partial = in_shown_order(spec, partial)
    plain = tuple(sub for sub in spec.subs if not sub.is_pipeline)
    buckets: list[Any] = [
        # A sample by a field that nobody has holds no aggregations; its pipelines find nothing to read.
        msgspec.structs.replace(bucket, aggs=_level(plain, bucket.aggs) if bucket.aggs else {})
        for bucket in getattr(partial, "buckets", ())
    ]
    everywhere = list(range(len(buckets)))
    places = everywhere
    for sub in spec.subs:
        if isinstance(sub, BucketMetricAgg):
            for bucket in buckets:
                bucket.aggs[sub.name] = bucket_metric(sub, spec.subs, bucket.aggs)
        elif isinstance(sub, PipelineAgg):
            kept = _parent(sub, spec, buckets)
            buckets, places = [buckets[at] for at in kept], [places[at] for at in kept]
    changed: dict[str, Any] = {"buckets": buckets}
    if isinstance(partial, BucketsPartial) and places != everywhere:
        before = everywhere if partial.places is None else partial.places
        changed["places"] = [before[at] for at in places]
    return msgspec.structs.replace(partial, **changed)


def _parent(spec: PipelineAgg, parent: Agg, buckets: list[Any]) -> list[int]:
    """Runs a pipeline in the buckets around it: which of them stay, in which order."""
    everything = list(range(len(buckets)))
    if isinstance(spec, BucketSortAgg):
        return _sorted(spec, parent, buckets)
    if isinstance(spec, BucketScriptAgg):
        if spec.selects:
            return [at for at in everything if _selected(spec, parent, buckets[at])]
        _put(spec, buckets, [_scripted(spec, parent, bucket) for bucket in buckets])
    elif isinstance(spec, SeriesAgg):
        _put(spec, buckets, series(spec, parent, buckets))
    elif isinstance(spec, MovingPercentilesAgg):
        _put(spec, buckets, moving_percentiles(spec, parent, buckets))
    return everything


def _put(spec: PipelineAgg, buckets: list[Any], found: Found) -> None:
    for bucket, answer in zip(buckets, found, strict=True):
        if answer is not None:
            bucket.aggs[spec.name] = answer


# -- scripts -----------------------------------------------------------------------------------------------------


def _variables(spec: BucketScriptAgg, parent: Agg, bucket: Any) -> dict[str, Any]:
    variables = dict(spec.params or {})
    for name, path in spec.paths:
        variables[name] = bucket_value(parent, bucket, path, spec.gap_policy)
    return variables


def _scripted(spec: BucketScriptAgg, parent: Agg, bucket: Any) -> ValuePartial | None:
    variables = _variables(spec, parent, bucket)
    read = [variables[name] for name, _ in spec.paths]
    if spec.gap_policy != "insert_zeros" and any(each is None or isnan(each) for each in read):
        return None
    value = _run(spec, variables)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise IllegalArgument(f"the script of [{spec.name}] must return a number, not [{value}]")
    return ValuePartial(float(value))


def _selected(spec: BucketScriptAgg, parent: Agg, bucket: Any) -> bool:
    value = _run(spec, _variables(spec, parent, bucket))
    if not isinstance(value, bool):
        raise IllegalArgument(f"the script of [{spec.name}] must return a boolean, not [{value}]")
    return value


def _run(spec: BucketScriptAgg, variables: dict[str, Any]) -> Any:
    try:
        return spec.script.value({"params": variables, **variables}, MATH)
    except BadExpression as problem:
        raise IllegalArgument(
            f"script [{spec.script.source}] of [{spec.name}] failed: {problem}"
        ) from None


# -- order -------------------------------------------------------------------------------------------------------


def _sorted(spec: BucketSortAgg, parent: Agg, buckets: list[Any]) -> list[int]:
    count = len(buckets)
    size = count if spec.size is None else spec.size
    if spec.from_ >= count:
        return []
    if not spec.sort:
        return list(range(count))[spec.from_ : spec.from_ + size]
    rows = [_row(spec, parent, bucket) for bucket in buckets]
    filled = [at for at, row in enumerate(rows) if any(value is not None for value in row)]

    def compare(left: int, right: int) -> int:
        for key, one, other in zip(spec.sort, rows[left], rows[right], strict=True):
            found = _compared(key, one, other)
            if found:
                return found
        return 0

    filled.sort(key=cmp_to_key(compare))
    return filled[spec.from_ : spec.from_ + size]


def _row(spec: BucketSortAgg, parent: Agg, bucket: Any) -> list[Any]:
    """What a bucket is sorted by; None where it has nothing for a key."""
    row: list[Any] = []
    for key in spec.sort:
        if key.path == "_key":
            row.append(getattr(bucket, "key", None))
            continue
        value = bucket_value(parent, bucket, key.path, spec.gap_policy)
        row.append(None if value is None or isnan(value) else value)
    return row


def _compared(key: BucketSortKey, one: Any, other: Any) -> int:
    """What is missing is last, whichever way the others run."""
    if one is None or other is None:
        return (one is None) - (other is None)
    if one == other:
        return 0
    return -1 if (one < other) == key.ascending else 1
