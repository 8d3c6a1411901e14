"""top_hits and top_metrics: the best hits of a bucket over all sources, merged as the hits of a search are."""

from math import inf, isinf, nan
from typing import Any

from sealane.model.dates import DEFAULT_FORMAT, format_date
from sealane.model.dsl import TopHitsAgg, TopMetricsAgg
from sealane.reduce.kinds import Json, Kind, NoNumber, Reduction, Show, register
from sealane.reduce.number_format import java_double
from sealane.reduce.partial import (
    Hit,
    InnerHits,
    Partial,
    ShardCounts,
    TopHitsPartial,
    TotalHits,
)


def _merge(
    reduction: Reduction, spec: TopHitsAgg | TopMetricsAgg, partials: list[TopHitsPartial]
) -> TopHitsPartial:
    # A search's merge merges its aggregations: this module is a part of what that one imports.
    from sealane.reduce.merge import merge_hits

    body = spec.body
    parts = [_as_search(partial.inner) for partial in partials]
    first, size = (body.from_, body.size) if reduction.final else (0, body.from_ + body.size)
    inner = [partial.inner for partial in partials]
    return TopHitsPartial(
        InnerHits(
            merge_hits(body, parts, first, size),
            TotalHits(sum(each.total.value for each in inner if each.total is not None)),
            max((each.max_score for each in inner if each.max_score is not None), default=None),
            next((each.sort_types for each in inner if each.hits and each.sort_types), None),
            [key.format for key in body.sort],
        )
    )


def _as_search(inner: InnerHits) -> Partial:
    return Partial(
        hits=inner.hits,
        total=inner.total,
        max_score=inner.max_score,
        shards=ShardCounts(),
        sort_types=inner.sort_types,
    )


def _render(body: Json, spec: TopHitsAgg, partial: TopHitsPartial, show: Show) -> None:
    body["hits"] = {} if show.hits is None else show.hits(partial.inner)


register(
    TopHitsAgg,
    Kind(
        partial=TopHitsPartial,
        merge=_merge,
        render=_render,
        type_name=lambda *_: "top_hits",
    ),
)


# -- top_metrics -------------------------------------------------------------------------------------------------


def _render_metrics(body: Json, spec: TopMetricsAgg, partial: TopHitsPartial, show: Show) -> None:
    kind = (partial.inner.sort_types or ["score"])[0]
    wanted = spec.body.sort[0].format or DEFAULT_FORMAT if spec.body.sort else DEFAULT_FORMAT
    body["top"] = [
        {
            "sort": [_sort_value(hit, kind, wanted)],
            "metrics": {name: _metric(hit, name) for name in spec.metrics},
        }
        for hit in partial.inner.hits
    ]


def _sort_value(hit: Hit, kind: str, wanted: str) -> Any:
    value = hit.sort[0] if hit.sort else hit.score
    if kind == "date" and isinstance(value, int):
        return format_date(value, wanted)
    if isinstance(value, float) and isinf(value):
        return java_double(inf if value > 0 else -inf)
    return value


def _metric(hit: Hit, name: str) -> Any:
    """The first value of a field; None where the document has none."""
    values = (hit.fields or {}).get(name)
    return values[0] if values else None


def _metric_number(spec: TopMetricsAgg, partial: TopHitsPartial, member: str) -> float:
    if not member:
        raise NoNumber(
            "Missing value key in [null] which refers to a multi-value metric aggregation"
        )
    if member not in spec.metrics:
        raise NoNumber(f"unknown metric [{member}]")
    value = _metric(partial.inner.hits[0], member) if partial.inner.hits else None
    return float(value) if isinstance(value, int | float) else nan


register(
    TopMetricsAgg,
    Kind(
        partial=TopHitsPartial,
        merge=_merge,
        render=_render_metrics,
        type_name=lambda *_: "top_metrics",
        number=_metric_number,
    ),
)
