"""The JSON of a search's answer. `_source` goes in as the bytes it came as."""

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

from sealane.errors import ApiError
from sealane.model.date_nanos import nanos_text
from sealane.model.dates import format_date
from sealane.model.dsl import SearchBody
from sealane.reduce import IdentityMemo, render_aggs
from sealane.reduce.partial import (
    Hit,
    InnerHits,
    NestedPlace,
    Partial,
    ShardCounts,
    ShardFailure,
    SortValue,
)
from sealane.rest.profile_response import render_profile
from sealane.rest.suggest_response import render_suggestions
from sealane.search.expression import SHOWN_LOCAL
from sealane.search.outcome import ClusterOutcome, Clusters, SearchOutcome

_FLOAT = struct.Struct("<f")
_REMEMBERED_BYTES_MAX = 65_536
_rendered: IdentityMemo[bytes] = IdentityMemo(256)


def render_search(
    outcome: SearchOutcome,
    body: SearchBody,
    *,
    typed_keys: bool = False,
    total_as_int: bool = False,
) -> dict[str, Any]:
    """The answer's members in the reference's order. The values hold orjson.Fragment."""
    answer = outcome.answer
    body = outcome.body or body
    shown: dict[str, Any] = {}
    if outcome.scroll_id is not None:
        shown["_scroll_id"] = outcome.scroll_id
    if outcome.pit_id is not None:
        shown["pit_id"] = outcome.pit_id
    shown["took"] = outcome.took_ms
    shown["timed_out"] = answer.timed_out
    if answer.terminated_early is not None:
        shown["terminated_early"] = answer.terminated_early
    if outcome.reduce_phases != 1:
        shown["num_reduce_phases"] = outcome.reduce_phases
    shown["_shards"] = render_shards(answer.shards, answer.failures)
    if outcome.clusters is not None:
        shown["_clusters"] = render_clusters(outcome.clusters)
    formats = [key.format for key in body.sort]
    shown["hits"] = _render_hits(answer, formats, total_as_int=total_as_int)
    if answer.aggs is not None and body.aggs:
        shown["aggregations"] = _render_aggs(
            answer, body, typed_keys=typed_keys, total_as_int=total_as_int
        )
    if answer.suggest:
        shown["suggest"] = render_suggestions(
            answer.suggest,
            typed_keys=typed_keys,
            score=shortest_float,
            hit=lambda hit: _render_hit(hit, (), ()),
        )
    if answer.profile is not None:
        shown["profile"] = render_profile(answer.profile)
    return shown


def _render_aggs(
    answer: Partial, body: SearchBody, *, typed_keys: bool, total_as_int: bool
) -> orjson.Fragment:
    """Aggregations as JSON. Those of an answer without hits are remembered: its caches hand it out again and again."""
    key = (answer, body, typed_keys, total_as_int)
    rendered = _rendered.get(key)
    if rendered is None:
        assert answer.aggs is not None
        rendered = orjson.dumps(
            render_aggs(
                body.aggs,
                answer.aggs,
                typed_keys=typed_keys,
                hits=lambda inner: _render_inner(inner, total_as_int=total_as_int),
            )
        )
        if not answer.hits and len(rendered) <= _REMEMBERED_BYTES_MAX:
            _rendered.put(key, rendered)
    return orjson.Fragment(rendered)


def render_shards(counts: ShardCounts, failures: Iterable[ShardFailure]) -> dict[str, Any]:
    """`_shards`, with one failure shown for each index and reason."""
    shown: dict[str, Any] = {
        "total": counts.total,
        "successful": counts.successful,
        "skipped": counts.skipped,
        "failed": counts.failed,
    }
    distinct: dict[tuple[str | None, str, str], ShardFailure] = {}
    for each in failures:
        distinct.setdefault((each.index, each.error["type"], each.error["reason"]), each)
    if distinct:
        shown["failures"] = [_render_failure(each) for each in distinct.values()]
    return shown


def _render_failure(failure: ShardFailure) -> dict[str, Any]:
    shown: dict[str, Any] = {"shard": failure.shard, "index": failure.index}
    if failure.node is not None:
        shown["node"] = failure.node
    shown["reason"] = ApiError.from_wire(failure.error).to_cause()
    return shown


def render_clusters(clusters: Clusters) -> dict[str, Any]:
    """`_clusters`: counters that add up to the total, and each cluster's details."""
    counts = clusters.count()
    shown: dict[str, Any] = {"total": clusters.total}
    for status in ("successful", "skipped", "running", "partial", "failed"):
        shown[status] = counts.get(status, 0)  # type: ignore[call-overload]  # a StrEnum is its text
    if clusters.details:
        shown["details"] = {
            each.alias or SHOWN_LOCAL: _render_cluster(each) for each in clusters.details
        }
    return shown


def _render_cluster(cluster: ClusterOutcome) -> dict[str, Any]:
    shown: dict[str, Any] = {"status": cluster.status, "indices": cluster.indices}
    if cluster.took_ms is not None:
        shown["took"] = cluster.took_ms
    shown["timed_out"] = cluster.timed_out
    if cluster.shards is not None:
        shown["_shards"] = render_shards(cluster.shards, ())
    if cluster.failures:
        shown["failures"] = [_render_failure(each) for each in cluster.failures]
    return shown


def _render_hits(
    answer: Partial, formats: Sequence[str | None], *, total_as_int: bool
) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if total_as_int:
        shown["total"] = -1 if answer.total is None else answer.total.value
    elif answer.total is not None:
        relation = "eq" if answer.total.exact else "gte"
        shown["total"] = {"value": answer.total.value, "relation": relation}
    shown["max_score"] = None if answer.max_score is None else shortest_float(answer.max_score)
    types = answer.sort_types or ()
    shown["hits"] = [_render_hit(hit, formats, types) for hit in answer.hits]
    for hit, each in zip(answer.hits, shown["hits"], strict=True):
        if hit.inner:
            each["inner_hits"] = {
                name: {"hits": _render_inner(inner, total_as_int=total_as_int)}
                for name, inner in hit.inner.items()
            }
    return shown


def _render_inner(inner: InnerHits, *, total_as_int: bool) -> dict[str, Any]:
    """Hits within a hit, in the form of the hits of an answer."""
    answer = Partial(
        hits=inner.hits,
        total=inner.total,
        max_score=inner.max_score,
        shards=ShardCounts(),
        sort_types=inner.sort_types,
    )
    return _render_hits(answer, inner.sort_formats or (), total_as_int=total_as_int)


def _render_hit(hit: Hit, formats: Iterable[str | None], types: Iterable[str]) -> dict[str, Any]:
    shown: dict[str, Any] = {"_index": hit.index}
    if hit.explanation is not None:
        name = hit.index.rpartition(":")[2]
        shown = {"_shard": f"[{name}][{hit.shard}]", "_node": hit.node, **shown}
    if hit.id:
        shown["_id"] = hit.id
    if hit.nested is not None:
        shown["_nested"] = _render_place(hit.nested)
    if hit.version is not None:
        shown["_version"] = hit.version
    if hit.seq_no is not None:
        shown["_seq_no"] = hit.seq_no
        shown["_primary_term"] = hit.primary_term
    shown["_score"] = None if hit.score is None else shortest_float(hit.score)
    if hit.routing is not None:
        shown["_routing"] = hit.routing
    if hit.ignored:
        shown["_ignored"] = hit.ignored
    if hit.ignored_values:
        shown["ignored_field_values"] = hit.ignored_values
    if hit.source is not None:
        shown["_source"] = orjson.Fragment(hit.source)
    if hit.fields:
        shown["fields"] = hit.fields
    if hit.highlight:
        shown["highlight"] = hit.highlight
    if hit.sort is not None:
        shown["sort"] = [
            _render_sort_value(value, date_format, kind)
            for value, date_format, kind in zip(hit.sort, formats, types, strict=False)
        ]
    if hit.matched:
        shown["matched_queries"] = hit.matched
    if hit.explanation is not None:
        shown["_explanation"] = render_explanation(hit.explanation)
    return shown


def _render_place(place: NestedPlace) -> dict[str, Any]:
    shown: dict[str, Any] = {"field": place.field, "offset": place.offset}
    if place.below is not None:
        shown["_nested"] = _render_place(place.below)
    return shown


def _render_sort_value(value: SortValue, date_format: str | None, kind: str) -> Any:
    """Numbers as they are, scores as 32-bit floats, dates in the key's format; infinities as text."""
    if kind == "date" and date_format is not None and isinstance(value, int):
        return format_date(value, date_format)
    if kind == "date_nanos" and date_format is not None and isinstance(value, int):
        # What is missing has the lowest number, which is no date.
        return nanos_text(max(value, 0), date_format)
    if kind == "score" and value is not None:
        return shortest_float(float(value))
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def render_explanation(explanation: Mapping[str, Any]) -> dict[str, Any]:
    """Scores as 32-bit floats, counts as they are."""
    value = explanation["value"]
    return {
        "value": value if isinstance(value, int) else shortest_float(value),
        "description": explanation["description"],
        "details": [render_explanation(each) for each in explanation["details"]],
    }


@lru_cache(maxsize=4096)
def shortest_float(value: float) -> float:
    """The number with the fewest digits that is the same 32-bit float, as the reference prints scores."""
    single: float = _FLOAT.unpack(_FLOAT.pack(value))[0]
    for digits in range(6, 9):
        candidate = float(f"{single:.{digits}g}")
        if _FLOAT.unpack(_FLOAT.pack(candidate))[0] == single:
            return candidate
    return float(f"{single:.9g}")
