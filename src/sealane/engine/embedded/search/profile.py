"""Where the time of one shard's search went, in the form of the reference's profile.

Phases are measured as they run. The engine below gives no times of the queries inside a query: each of them is run
once more by itself, which is what it costs alone.
"""

from collections.abc import Sequence
from time import perf_counter_ns
from typing import Any

from sealane.engine.base import ShardSearch
from sealane.engine.embedded.search.collect import Plan
from sealane.engine.embedded.search.compile import compile_query
from sealane.engine.embedded.search.described import Described, describe
from sealane.engine.embedded.search.scope import Scope
from sealane.model import dsl
from sealane.reduce.partial import ShardProfile

_MAX_CLAUSES = 64
"""Clauses of a query that are run by themselves."""
_QUERY_PARTS = (
    "set_min_competitive_score",
    "match",
    "next_doc",
    "compute_max_score",
    "advance",
    "score",
    "shallow_advance",
    "count_weight",
)
_AGG_PARTS = (
    "reduce",
    "post_collection",
    "build_leaf_collector",
    "build_aggregation",
    "initialize",
)


class Timing:
    """Nanoseconds by phase."""

    def __init__(self) -> None:
        self.spent: dict[str, int] = {}
        self._last = perf_counter_ns()

    def mark(self, phase: str) -> None:
        """What has passed since the last mark belongs to `phase`."""
        now = perf_counter_ns()
        self.spent[phase] = self.spent.get(phase, 0) + now - self._last
        self._last = now


def profile_of(plan: Plan, request: ShardSearch, timing: Timing, hits: int) -> ShardProfile:
    """The profile of a shard; whoever asked it fills in the node."""
    body, spent = request.body, timing.spent
    scope = Scope(plan.scope.state, request.index_name, request.now_ms, size=body.size)
    scope.restriction = request.filter
    queries = _Queries(scope)
    collecting, planning = spent.get("collect", 0), spent.get("plan", 0)
    tree = queries.node(body.query, describe(body.query, scope), planning, collecting)
    collector = {
        "name": "QueryPhaseCollector",
        "reason": "search_query_phase",
        "time_in_nanos": collecting + spent.get("aggregate", 0),
        "children": [_top_hits(plan, request, collecting), *_agg_collectors(body, spent)],
    }
    parts: dict[str, Any] = {
        "searches": [{"query": [tree], "rewrite_time": planning, "collector": [collector]}],
        "aggregations": [_aggregation(each, spent.get("aggregate", 0)) for each in body.aggs],
    }
    if request.size and not request.query_only:
        parts["fetch"] = _fetch(body, spent.get("fetch", 0), hits)
    return ShardProfile("", request.index_name, plan.scope.state.view.shard, parts)


def _top_hits(plan: Plan, request: ShardSearch, nanos: int) -> dict[str, Any]:
    if not request.size:
        name, reason = "PartialHitCountCollector", "search_count"
    else:
        name = "SimpleTopScoreDocCollector" if plan.by_score else "SimpleFieldCollector"
        reason = "search_top_hits"
    return {"name": name, "reason": reason, "time_in_nanos": nanos}


def _agg_collectors(body: dsl.SearchBody, spent: dict[str, int]) -> list[dict[str, Any]]:
    if not body.aggs:
        return []
    names = ", ".join(agg.name for agg in body.aggs)
    name = f"{'Aggregator' if len(body.aggs) == 1 else 'BucketCollector'}Collector: [{names}]"
    return [{"name": name, "reason": "aggregation", "time_in_nanos": spent.get("aggregate", 0)}]


class _Queries:
    """The tree of a query, each part with its time. Few enough parts are run to time them."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._left = _MAX_CLAUSES

    def node(
        self, query: dsl.Query, described: Described, planning: int, running: int
    ) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "type": described.type,
            "description": described.text,
            "time_in_nanos": planning + running,
            "breakdown": _breakdown(planning, running),
        }
        children = [self._child(*each) for each in described.children]
        if children:
            shown["children"] = children
        return shown

    def _child(self, query: dsl.Query, described: Described) -> dict[str, Any]:
        planning = running = 0
        if self._left > 0:
            self._left -= 1
            timing = Timing()
            compiled = compile_query(query, self._scope)
            timing.mark("plan")
            self._scope.state.count(compiled.query)
            timing.mark("run")
            planning, running = timing.spent["plan"], timing.spent["run"]
        return self.node(query, described, planning, running)


def _breakdown(planning: int, running: int) -> dict[str, int]:
    shown = {"create_weight": planning, "create_weight_count": 1}
    shown.update({"build_scorer": 0, "build_scorer_count": 1})
    for part in _QUERY_PARTS:
        shown[part] = running if part == "next_doc" else 0
        shown[f"{part}_count"] = int(part == "next_doc")
    return shown


def _aggregation(agg: dsl.Agg, nanos: int) -> dict[str, Any]:
    """All aggregations run together: each is told the time of them all."""
    kind = type(agg).__name__.removesuffix("Agg")
    breakdown = {"collect": nanos, "collect_count": 1}
    for part in _AGG_PARTS:
        breakdown[part], breakdown[f"{part}_count"] = 0, 0
    shown: dict[str, Any] = {
        "type": f"{kind}Aggregator",
        "description": agg.name,
        "time_in_nanos": nanos,
        "breakdown": breakdown,
    }
    if agg.subs:
        shown["children"] = [_aggregation(each, nanos) for each in agg.subs]
    return shown


def _fetch(body: dsl.SearchBody, nanos: int, hits: int) -> dict[str, Any]:
    phases = ["StoredFieldsPhase"]
    if body.source.enabled:
        phases.insert(0, "FetchSourcePhase")
    if body.fields or body.docvalue_fields:
        phases.insert(0, "FetchFieldsPhase")
    return {
        "type": "fetch",
        "description": "",
        "time_in_nanos": nanos,
        "breakdown": {
            "load_source": 0,
            "load_source_count": hits if body.source.enabled else 0,
            "load_stored_fields": nanos,
            "load_stored_fields_count": hits,
            "next_reader": 0,
            "next_reader_count": 1,
        },
        "debug": {"stored_fields": _stored(body)},
        "children": [
            {
                "type": phase,
                "description": "",
                "time_in_nanos": 0,
                "breakdown": {"process_count": hits},
            }
            for phase in phases
        ],
    }


def _stored(body: dsl.SearchBody) -> Sequence[str]:
    return ["_id", "_routing", "_source"] if body.source.enabled else ["_id", "_routing"]
