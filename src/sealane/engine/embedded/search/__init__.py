"""Searching one shard: queries to tantivy, hits, aggregations as partials, caches.

The entry points are `search_shard` and `cached`. A `ShardView` is all they see of the shard.
Synchronous: they run in the engine's pool.
"""

from collections.abc import Callable, Hashable

import tantivy

from sealane.engine.base import ShardSearch
from sealane.engine.embedded.index_files import mapped_errors
from sealane.engine.embedded.search.aggs import aggregate
from sealane.engine.embedded.search.cache import RequestCache
from sealane.engine.embedded.search.collect import (
    Plan,
    collect,
    restricted,
    total_of,
    tracked,
)
from sealane.engine.embedded.search.compile import compile_query
from sealane.engine.embedded.search.fetch import fetch
from sealane.engine.embedded.search.now import uses_now
from sealane.engine.embedded.search.scope import (
    EVERYTHING,
    NOTHING,
    Compiled,
    Scope,
    both,
)
from sealane.engine.embedded.search.sorting import after_values, sort_keys
from sealane.engine.embedded.search.state import ViewState, state_of
from sealane.engine.embedded.view import SEQ_NO, ShardView
from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.reduce.partial import AggPartial, Hit, Partial, ShardCounts

__all__ = ["RequestCache", "cached", "request_cache", "search_shard"]

request_cache = RequestCache()
"""The cache of the process, shared by all shards."""


def cached(view: ShardView, request: ShardSearch) -> Partial | None:
    """The kept answer to a request, without touching the index; None when there is none. Not to be changed."""
    key = _cache_key(view, request)
    return None if key is None else request_cache.get(key)


def search_shard(view: ShardView, request: ShardSearch, check: Callable[[], None]) -> Partial:
    """Query and fetch of one shard. `check` raises when the search was cancelled; it is called between phases.

    Raises ApiError where the request does not fit the shard's mapping.
    """
    with mapped_errors():
        partial = _search(view, request, check)
    key = _cache_key(view, request)
    if key is not None:
        request_cache.put(key, partial)
    return partial


def _search(view: ShardView, request: ShardSearch, check: Callable[[], None]) -> Partial:
    _check_window(view, request)
    state = state_of(view)
    plan = _plan(state, request)
    check()
    body = request.body
    rows, max_score = (
        collect(plan, request.size, track_scores=body.track_scores)
        if request.size > 0
        else ([], None)
    )
    if plan.early is not None:
        rows = rows[: plan.early]
    total = None
    if body.track_total_hits != dsl.TRACK_NONE:
        total = tracked(total_of(plan), body.track_total_hits)
    check()
    hits: list[Hit] = fetch(rows, plan, request)
    aggs = None
    if body.aggs:
        check()
        aggs = _aggregate(plan, request, check)
    return Partial(
        hits=hits,
        total=total,
        max_score=max_score,
        shards=ShardCounts(total=1, successful=1),
        aggs=aggs,
        sort_types=[key.type for key in plan.keys] if not plan.by_score and hits else None,
        terminated_early=None if not body.terminate_after else plan.early is not None,
    )


def _aggregate(
    plan: Plan, request: ShardSearch, check: Callable[[], None]
) -> dict[str, AggPartial]:
    # A scope of its own: the plan's is shared by all who run it, and collects the names of its queries.
    scope = Scope(plan.scope.state, request.index_name, request.now_ms, request.fields)
    everything = EVERYTHING.query
    if request.filter is not None:
        everything = compile_query(request.filter, _unmasked(scope)).query
    return aggregate(request.body.aggs, plan.aggs, everything, scope, check)


def _check_window(view: ShardView, request: ShardSearch) -> None:
    if request.size > view.max_result_window:
        raise IllegalArgument(
            "Result window is too large, from + size must be less than or equal to: "
            f"[{view.max_result_window}] but was [{request.size}]. See the scroll api for a more "
            "efficient way to request large data sets. This limit can be set by changing the "
            "[index.max_result_window] index level setting."
        )


def _cache_key(view: ShardView, request: ShardSearch) -> Hashable | None:
    if request.size > 0 or request.request_cache is False or uses_now(request):
        return None
    return (
        view.index_uuid,
        view.shard,
        view.generation,
        request.index_name,
        request.body.raw,
        request.filter,
        request.fields,
    )


def _plan(state: ViewState, request: ShardSearch) -> Plan:
    key = (
        request.index_name,
        request.body.raw,
        request.filter,
        request.fields,
        request.now_ms if uses_now(request) else None,
    )
    return state.remember(key, lambda: _compile(state, request))


def _compile(state: ViewState, request: ShardSearch) -> Plan:
    body = request.body
    scope = Scope(state, request.index_name, request.now_ms, request.fields)
    query = compile_query(body.query, scope)
    if request.filter is not None:
        query = _filtered(query, compile_query(request.filter, _unmasked(scope)))
    hits = query
    if body.post_filter is not None:
        hits = _filtered(query, compile_query(body.post_filter, scope))
    keys = sort_keys(body.sort, scope)
    after = None
    if body.search_after is not None:
        after = after_values(body.search_after, keys, scope)
    plan = Plan(hits, query.query, keys, after, scope, scope.named)
    if body.min_score is not None:
        _apply_min_score(plan, body.min_score)
    if body.terminate_after:
        _apply_terminate_after(plan, body.terminate_after)
    return plan


def _unmasked(scope: Scope) -> Scope:
    """A security filter may look at fields that its reader may not see, and names no queries."""
    return Scope(scope.state, scope.index_name, scope.now_ms)


def _filtered(query: Compiled, restriction: Compiled) -> Compiled:
    if restriction is EVERYTHING:
        return query
    return Compiled(both(query.query, restriction.query), query.constant)


def _apply_min_score(plan: Plan, least: float) -> None:
    """Only documents that score at least this much, for hits, total and aggregations alike."""
    plan.aggs = _scored_at_least(Compiled(plan.aggs, plan.hits.constant), least, plan.scope).query
    plan.hits = _scored_at_least(plan.hits, least, plan.scope)


def _scored_at_least(query: Compiled, least: float, scope: Scope) -> Compiled:
    if query.constant is not None:
        return query if query.constant >= least else NOTHING
    total = scope.state.count(query.query)
    if total == 0:
        return NOTHING
    searcher = scope.state.view.searcher
    hits = searcher.search(query.query, total, False).hits
    addresses = [address for score, address in hits if score >= least]
    numbers = [int(n or 0) for n in searcher.fast_field_values(SEQ_NO, addresses)]
    return Compiled(restricted(query.query, numbers, scope), None)


def _apply_terminate_after(plan: Plan, limit: int) -> None:
    """Stops after the first `limit` documents, in document order."""
    if total_of(plan) <= limit:
        return
    everything = plan.hits is EVERYTHING
    total = total_of(plan)
    searcher = plan.scope.state.view.searcher
    first = searcher.search(plan.hits.query, limit, False, SEQ_NO, 0, tantivy.Order.Asc).hits
    numbers = [int(number or 0) for number, _ in first]
    plan.hits = Compiled(restricted(plan.hits.query, numbers, plan.scope), plan.hits.constant)
    plan.aggs = restricted(plan.aggs, numbers, plan.scope)
    # The reference counts what it does not have to look at, such as all documents.
    plan.total = total if everything else limit
    plan.early = limit
