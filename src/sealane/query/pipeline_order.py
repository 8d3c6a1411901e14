"""Where pipeline aggregations may stand, what they may read, and in which order they run.

All faults of a request are gathered and answered together, as the reference validates a request.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sealane.model import dsl
from sealane.model.buckets_path import BadPath, PathElement, parse_path
from sealane.model.dsl import SeriesKind

_SPECIAL = ("_count", "_key")
_SINGLE_BUCKETS = frozenset(
    (
        "FilterAgg",
        "MissingAgg",
        "GlobalAgg",
        "NestedAgg",
        "ReverseNestedAgg",
        "SamplerAgg",
        "DiversifiedSamplerAgg",
        "RandomSamplerAgg",
    )
)
_METRICS: tuple[type[dsl.Agg], ...] = (
    dsl.MetricAgg,
    dsl.CardinalityAgg,
    dsl.PercentilesAgg,
    dsl.HdrPercentilesAgg,
    dsl.SketchAgg,
    dsl.WeightedAvgAgg,
    dsl.TTestAgg,
    dsl.MatrixStatsAgg,
    dsl.StringStatsAgg,
    dsl.GeoBoundsAgg,
    dsl.GeoCentroidAgg,
    dsl.RateAgg,
    dsl.TopMetricsAgg,
    dsl.TopHitsAgg,
)
_SEQUENTIAL = "must have a histogram, date_histogram or auto_date_histogram as parent"
_NEEDS_NO_ORDER = (SeriesKind.NORMALIZE,)


def ordered_pipelines(
    specs: tuple[dsl.Agg, ...],
) -> tuple[tuple[dsl.Agg, ...], Sequence[str]]:
    """The tree with the pipelines of each level last, each after those it reads; and why some cannot be run."""
    if not dsl.has_pipelines(specs):
        return specs, ()
    problems: list[str] = []
    return _level(specs, None, problems), problems


class _Unresolved(Exception):
    """A path that leads nowhere, or in a circle."""


def _level(
    specs: tuple[dsl.Agg, ...], parent: dsl.Agg | None, problems: list[str]
) -> tuple[dsl.Agg, ...]:
    plain = [spec for spec in specs if not spec.is_pipeline]
    pipelines = [spec for spec in specs if isinstance(spec, dsl.PipelineAgg)]
    try:
        pipelines = _resolved(plain, pipelines)
    except _Unresolved as problem:
        problems.append(str(problem))
    else:
        for spec in pipelines:
            problems += _faults(spec, plain, parent)
    below = [replace(spec, subs=_level(spec.subs, spec, problems)) for spec in plain]
    return (*below, *(_completed(spec, below) for spec in pipelines))


def _completed(spec: dsl.PipelineAgg, plain: Sequence[dsl.Agg]) -> dsl.PipelineAgg:
    """A moving_percentiles with the percentiles that it reads."""
    if not isinstance(spec, dsl.MovingPercentilesAgg):
        return spec
    found = next((each for each in plain if each.name == spec.path), None)
    if isinstance(found, dsl.PercentilesAgg | dsl.HdrPercentilesAgg):
        return replace(spec, of=found)
    return spec


# -- order -------------------------------------------------------------------------------------------------------


def _resolved(plain: Sequence[dsl.Agg], pipelines: list[dsl.PipelineAgg]) -> list[dsl.PipelineAgg]:
    """The pipelines of one level, each after those it reads. Raises _Unresolved."""
    by_name = {spec.name: spec for spec in pipelines}
    aggregations = {spec.name: spec for spec in plain}
    ordered: list[dsl.PipelineAgg] = []
    done: set[str] = set()
    waiting: set[str] = set()

    def visit(spec: dsl.PipelineAgg) -> None:
        if spec.name in waiting:
            raise _Unresolved(f"Cyclical dependency found with pipeline aggregator [{spec.name}]")
        if spec.name in done:
            return
        waiting.add(spec.name)
        for _, path in spec.paths:
            if path in _SPECIAL:
                continue
            elements = _elements(path)
            first = elements[0].name
            if first in aggregations:
                _follow(aggregations[first], elements, path)
            elif first in by_name:
                visit(by_name[first])
            else:
                raise _Unresolved(f"No aggregation found for path [{path}]")
        waiting.remove(spec.name)
        done.add(spec.name)
        ordered.append(spec)

    for spec in pipelines:
        visit(spec)
    return ordered


def _elements(path: str) -> tuple[PathElement, ...]:
    try:
        return parse_path(path)
    except BadPath as problem:
        raise _Unresolved(str(problem)) from None


def _follow(spec: dsl.Agg, elements: tuple[PathElement, ...], path: str) -> None:
    last = len(elements) - 1
    for at, element in enumerate(elements[1:], 1):
        if at == last and (element.name == "_count" or element.name.lower() == "_key"):
            continue
        found = [
            sub
            for sub in spec.subs
            if sub.name == element.name and (at == last or not sub.is_pipeline)
        ]
        if not found:
            raise _Unresolved(f"No aggregation [{element.name}] found for path [{path}]")
        spec = found[0]


# -- rules of each kind ------------------------------------------------------------------------------------------


def _faults(
    spec: dsl.PipelineAgg, siblings: Sequence[dsl.Agg], parent: dsl.Agg | None
) -> list[str]:
    if isinstance(spec, dsl.BucketMetricAgg):
        return _sibling_faults(spec, siblings)
    if isinstance(spec, dsl.SeriesAgg):
        faults = []
        if len(spec.paths) != 1:
            faults.append(f"buckets_path must contain a single entry for aggregation [{spec.name}]")
        if spec.kind in _NEEDS_NO_ORDER:
            return faults + _parent_faults(spec.kind.value, spec, parent)
        return faults + _order_faults(spec.kind.value, spec, parent)
    if isinstance(spec, dsl.MovingPercentilesAgg):
        return _order_faults("moving_percentiles", spec, parent)
    if isinstance(spec, dsl.BucketSortAgg):
        faults = []
        if not spec.sort and spec.size is None and not spec.from_:
            faults.append(
                f"[{spec.name}] is configured to perform nothing. Please set either of "
                "[sort, size, from] to use bucket_sort"
            )
        return faults + _parent_faults("bucket_sort", spec, parent)
    assert isinstance(spec, dsl.BucketScriptAgg)
    return _parent_faults("bucket_selector" if spec.selects else "bucket_script", spec, parent)


def _parent_faults(kind: str, spec: dsl.Agg, parent: dsl.Agg | None) -> list[str]:
    if parent is not None:
        if not _is_single(parent):
            return []
        return [
            f"{kind} aggregation [{spec.name}] must be declared inside of a multi-bucket aggregation"
        ]
    return [f"{kind} aggregation [{spec.name}] must be declared inside of another aggregation"]


def _order_faults(kind: str, spec: dsl.Agg, parent: dsl.Agg | None) -> list[str]:
    """Of those that go from bucket to bucket: the buckets around them must have an order without gaps."""
    if parent is None:
        return _parent_faults(kind, spec, parent)
    if isinstance(parent, dsl.HistogramAgg | dsl.DateHistogramAgg):
        if parent.min_doc_count == 0 or kind == "serial_diff":
            return []
        return [
            f"parent histogram of {kind} aggregation [{spec.name}] must have min_doc_count of 0"
        ]
    if type(parent).__name__ == "AutoDateHistogramAgg":
        return []
    return [f"{kind} aggregation [{spec.name}] {_SEQUENTIAL}"]


def _sibling_faults(spec: dsl.BucketMetricAgg, siblings: Sequence[dsl.Agg]) -> list[str]:
    elements = parse_path(spec.path)
    at = 0
    current = _find(siblings, elements[at].name)
    while (
        current is not None
        and at + 1 < len(elements)
        and (
            (_is_many(current) and elements[at].has_bucket_key)
            or (_is_single(current) and current.subs)
        )
    ):
        at += 1
        current = _find(current.subs, elements[at].name)
    if current is None:
        # What is missing at the first step is shown by the path as it is written, further down by its parts.
        shown = spec.path if at == 0 else f"[{', '.join(_flat(elements))}]"
        return [f"buckets_path aggregation does not exist for aggregation [{spec.name}]: {shown}"]
    if _is_many(current):
        return []
    return [
        "Unable to find unqualified multi-bucket aggregation in buckets_path. Path must include a "
        f"multi-bucket aggregation for aggregation [{spec.name}] found :{_class_of(current)} for "
        f"buckets path: {spec.path}"
    ]


def _flat(elements: Sequence[PathElement]) -> Iterator[str]:
    for element in elements:
        yield element.name
        if element.key is not None:
            yield element.key


def _find(specs: Sequence[dsl.Agg], name: str) -> dsl.Agg | None:
    return next((spec for spec in specs if spec.name == name and not spec.is_pipeline), None)


def _is_single(spec: dsl.Agg) -> bool:
    return type(spec).__name__ in _SINGLE_BUCKETS


def _is_many(spec: dsl.Agg) -> bool:
    # The reference does not know how many buckets a composite has.
    return not isinstance(spec, (*_METRICS, dsl.CompositeAgg)) and not _is_single(spec)


_CLASSES: Mapping[str, str] = {
    "CompositeAgg": "bucket.composite.Composite",
    "FilterAgg": "bucket.filter.Filter",
    "MissingAgg": "bucket.missing.Missing",
    "GlobalAgg": "bucket.global.Global",
    "NestedAgg": "bucket.nested.Nested",
    "ReverseNestedAgg": "bucket.nested.ReverseNested",
    "SamplerAgg": "bucket.sampler.Sampler",
    "RandomSamplerAgg": "bucket.sampler.random.RandomSampler",
}


def _class_of(spec: dsl.Agg) -> str:
    """The reference's class behind an aggregation that has no buckets to walk through."""
    name = type(spec).__name__
    if name in _CLASSES:
        return f"org.elasticsearch.search.aggregations.{_CLASSES[name]}AggregationBuilder"
    stem = name.removesuffix("Agg").removeprefix("Hdr")
    if isinstance(spec, dsl.MetricAgg | dsl.SketchAgg):
        stem = "".join(part.capitalize() for part in spec.kind.value.split("_"))
    elif isinstance(spec, dsl.PercentilesAgg | dsl.HdrPercentilesAgg) and spec.ranks:
        stem = "PercentileRanks"
    return f"org.elasticsearch.search.aggregations.metrics.{stem}AggregationBuilder"
