"""What Elasticsearch 8.19.0 answered to these searches of 60 documents; `recorded.json` has documents and answers."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from sealane.engine.embedded.view import ShardView
from sealane.errors import ApiError
from sealane.model import dsl
from sealane.query import parse_search_body
from sealane.reduce.hll import cardinality_of
from sealane.reduce.merge import merge
from sealane.reduce.partial import Partial
from tests.unit.engine.search.shards import NOW_MS, search, shard

_RECORDED = json.loads((Path(__file__).parent / "recorded.json").read_bytes())


def _name(case: list[Any]) -> str:
    return json.dumps({k: v for k, v in case[0].items() if k not in ("size",)})[:120]


@pytest.fixture(scope="module", params=[1, 5], ids=["one segment", "five segments"])
def view(request: pytest.FixtureRequest) -> ShardView:
    return shard(_RECORDED["docs"], commits=request.param)


@pytest.mark.parametrize("case", _RECORDED["searches"], ids=_name)
def test_answers_a_search_as_recorded(view: ShardView, case: list[Any]) -> None:
    body, expected = case
    assert _equal(_answer(view, body), expected)


@pytest.mark.parametrize("case", _RECORDED["aggs"], ids=_name)
def test_aggregates_as_recorded(view: ShardView, case: list[Any]) -> None:
    body, expected = case
    try:
        partial = search(view, body)
    except ApiError as error:
        assert _error(error) == expected  # noqa: PT017 - recorded answers may be errors
        return
    parsed = parse_search_body(json.dumps(body).encode())
    merged = merge(parsed, [partial], from_=0, size=0, final=True, now_ms=NOW_MS)
    assert merged.aggs is not None
    assert _equal({"x": _rendered(parsed.aggs[0], merged.aggs["x"])}, expected)


def _answer(view: ShardView, body: dict[str, Any]) -> dict[str, Any]:
    try:
        partial = search(view, body)
    except ApiError as error:
        return _error(error)
    return _hits(partial)


def _error(error: ApiError) -> dict[str, Any]:
    cause = error.to_cause()
    return {"error": {k: v for k, v in cause.items() if k not in ("index", "index_uuid")}}


def _hits(partial: Partial) -> dict[str, Any]:
    total = partial.total
    return {
        "hits": [
            [hit.id, hit.score, hit.sort and [_shown(value) for value in hit.sort]]
            for hit in partial.hits
        ],
        "total": total and [total.value, "eq" if total.exact else "gte"],
        "max": partial.max_score,
    }


def _shown(value: Any) -> Any:
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _equal(ours: Any, theirs: Any) -> bool:
    """Numbers to five digits: the reference prints scores as 32-bit floats."""
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, (int, float)) and isinstance(theirs, (int, float)):
        return math.isclose(ours, theirs, rel_tol=1e-5, abs_tol=1e-5)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_equal(ours[k], theirs[k]) for k in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_equal, ours, theirs))
    return bool(ours == theirs)


def _rendered(spec: dsl.Agg, part: Any) -> dict[str, Any]:
    """An aggregation's answer without its `_as_string` members and derived statistics."""

    def inner(bucket: Any) -> dict[str, Any]:
        return {each.name: _rendered(each, bucket.aggs[each.name]) for each in spec.subs}

    match spec:
        case dsl.MetricAgg():
            return _metric(spec, part)
        case dsl.CardinalityAgg():
            return {"value": cardinality_of(part)}
        case dsl.TermsAgg():
            return {
                "doc_count_error_upper_bound": part.error,
                "sum_other_doc_count": part.other,
                "buckets": [{"key": b.key, "doc_count": b.count, **inner(b)} for b in part.buckets],
            }
        case dsl.HistogramAgg() | dsl.DateHistogramAgg():
            return {
                "buckets": [{"key": b.key, "doc_count": b.count, **inner(b)} for b in part.buckets]
            }
        case dsl.RangeAgg():
            return {
                "buckets": [
                    {k: v for k, v in (("from", low), ("to", high)) if v is not None}
                    | {"doc_count": b.count, **inner(b)}
                    for b, (low, high) in zip(part.buckets, part.bounds, strict=True)
                ]
            }
        case dsl.FiltersAgg():
            buckets = [{"doc_count": b.count, **inner(b)} for b in part.buckets]
            if spec.keys is None:
                return {"buckets": buckets}
            names = [*spec.keys, spec.other_bucket_key]
            return {"buckets": dict(zip(names, buckets, strict=False))}
    return {"doc_count": part.buckets[0].count, **inner(part.buckets[0])}


def _metric(spec: dsl.MetricAgg, part: Any) -> dict[str, Any]:
    average = part.sum / part.count if part.count else None
    values = {
        "avg": average,
        "sum": part.sum,
        "min": part.min,
        "max": part.max,
        "value_count": part.count,
    }
    if spec.kind.value in values:
        return {"value": values[spec.kind.value]}
    stats = {"count": part.count, "min": part.min, "max": part.max, "avg": average, "sum": part.sum}
    if spec.kind is dsl.MetricKind.EXTENDED_STATS:
        stats["sum_of_squares"] = part.sum_of_squares
    return stats
