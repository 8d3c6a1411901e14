"""Searching one shard: queries to tantivy, hits, aggregations as partials, caches.

The entry points are `search_shard` and `cached`. A `ShardView` is all they see of the shard.
Synchronous: they run in the engine's pool.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

import tantivy

from sealane.engine.base import FoundDoc, ShardSearch
from sealane.engine.embedded.index_files import mapped_errors
from sealane.engine.embedded.search.aggs import aggregate
from sealane.engine.embedded.search.bare import bare_hits, rows_of
from sealane.engine.embedded.search.cache import RequestCache
from sealane.engine.embedded.search.can_match import can_match
from sealane.engine.embedded.search.collapse import check_after, collect_groups, group_key
from sealane.engine.embedded.search.collect import (
    Plan,
    collect,
    restricted,
    total_of,
    tracked,
)
from sealane.engine.embedded.search.compile import compile_query
from sealane.engine.embedded.search.fetch import fetch
from sealane.engine.embedded.search.limited import (
    check_supported,
    check_visible,
    limited,
    visible_documents,
)
from sealane.engine.embedded.search.now import uses_now
from sealane.engine.embedded.search.profile import Timing, profile_of
from sealane.engine.embedded.search.rank import Row
from sealane.engine.embedded.search.rescore import rescored, rescorers, window_of
from sealane.engine.embedded.search.same import same
from sealane.engine.embedded.search.scope import (
    EVERYTHING,
    NOTHING,
    Compiled,
    Scope,
    all_of,
    both,
)
from sealane.engine.embedded.search.slices import slice_query
from sealane.engine.embedded.search.sorting import after_values, sort_keys
from sealane.engine.embedded.search.state import ViewState, state_of
from sealane.engine.embedded.search.suggest import suggest
from sealane.engine.embedded.search.term_list import list_terms
from sealane.engine.embedded.view import SEQ_NO, ShardView
from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.reduce.partial import AggPartial, Hit, Partial, ShardCounts

__all__ = [
    "RequestCache",
    "cached",
    "can_match",
    "fetch_docs",
    "list_terms",
    "request_cache",
    "search_shard",
]

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
    check_supported(request)
    state = state_of(limited(view, request.fields))
    body = request.body
    if body.suggest_only:
        return _suggestions_only(state, request)
    timing = Timing() if body.profile else None
    plan = _plan(state, request) if timing is None else _compile(state, request)
    _check_window(view, request)
    check()
    if timing is not None:
        timing.mark("plan")
    rows, max_score = _rows(plan, request, check)
    if plan.early is not None:
        rows = rows[: plan.early]
    if request.skip:
        rows = rows[request.skip :]
    total = None
    if body.track_total_hits != dsl.TRACK_NONE:
        total = tracked(total_of(plan), body.track_total_hits)
    check()
    if timing is not None:
        timing.mark("collect")
    hits: list[Hit] = bare_hits(rows, plan) if request.query_only else fetch(rows, plan, request)
    if timing is not None:
        timing.mark("fetch")
    aggs = None
    if body.aggs:
        check()
        aggs = _aggregate(plan, request, check)
        if timing is not None:
            timing.mark("aggregate")
    return Partial(
        hits=hits,
        total=total,
        max_score=max_score,
        shards=ShardCounts(total=1, successful=1),
        aggs=aggs,
        sort_types=[key.type for key in plan.keys] if not plan.by_score and hits else None,
        terminated_early=None if not body.terminate_after else plan.early is not None,
        suggest=suggest(request, plan.scope) if body.suggest else None,
        profile=None if timing is None else [profile_of(plan, request, timing, len(hits))],
    )


def _suggestions_only(state: ViewState, request: ShardSearch) -> Partial:
    """No query runs, and so nothing is found."""
    scope = Scope(state, request.index_name, request.now_ms)
    return Partial(
        hits=[],
        total=tracked(0, request.body.track_total_hits),
        max_score=None,
        shards=ShardCounts(total=1, successful=1),
        suggest=suggest(request, scope),
    )


def fetch_docs(view: ShardView, request: ShardSearch, docs: Sequence[FoundDoc]) -> list[Hit]:
    """The fetch phase by itself: the hits of documents that a `query_only` search of this view found, in their order.

    What a hit is sorted by is left out: the search has told it.
    """
    with mapped_errors():
        plan = _plan(state_of(limited(view, request.fields)), request)
        rows = rows_of(docs, plan, request)
        if plan.scope.visible is not None:
            check_visible([row.seq_no for row in rows], plan.scope)
        hits = fetch(rows, plan, request)
    for hit in hits:
        hit.sort = None
    return hits


def _rows(
    plan: Plan, request: ShardSearch, check: Callable[[], None]
) -> tuple[list[Row], float | None]:
    if request.size <= 0:
        return [], None
    track_scores = request.body.track_scores
    limit = max(request.size, window_of(plan.rescorers)) if plan.rescorers else request.size
    if plan.group is not None:
        rows, best = collect_groups(plan, plan.group, limit, check, track_scores=track_scores)
    else:
        rows, best = collect(plan, limit, track_scores=track_scores)
    if plan.rescorers and rows:
        check()
        rows = rescored(rows, plan.rescorers, plan.scope)[: request.size]
        best = rows[0].score
    return rows, best


def _aggregate(
    plan: Plan, request: ShardSearch, check: Callable[[], None]
) -> dict[str, AggPartial]:
    # A scope of its own: the plan's is shared by all who run it, and collects the names of its queries.
    scope = Scope(plan.scope.state, request.index_name, request.now_ms, wraps_errors=False)
    scope.visible = plan.scope.visible
    everything = EVERYTHING.query
    if request.filter is not None:
        everything = compile_query(request.filter, _unnamed(scope)).query
    if scope.visible is not None:
        everything = all_of(everything, scope.visible)
    return aggregate(
        request.body.aggs,
        plan.aggs,
        everything,
        scope,
        check,
        score=plan.hits.constant,
        asked=request.body,
        named=plan.named,
    )


def _check_window(view: ShardView, request: ShardSearch) -> None:
    if request.size > view.max_result_window:
        if request.scroll:
            raise IllegalArgument(
                "Batch size is too large, size must be less than or equal to: "
                f"[{view.max_result_window}] but was [{request.size}]. Scroll batch sizes cost as much "
                "memory as result windows so they are controlled by the [index.max_result_window] "
                "index level setting."
            )
        raise IllegalArgument(
            "Result window is too large, from + size must be less than or equal to: "
            f"[{view.max_result_window}] but was [{request.size}]. See the scroll api for a more "
            "efficient way to request large data sets. This limit can be set by changing the "
            "[index.max_result_window] index level setting."
        )


def _cache_key(view: ShardView, request: ShardSearch) -> Hashable | None:
    if (
        request.size > 0
        or request.request_cache is False
        or request.body.profile
        or uses_now(request)
    ):
        return None
    return (
        view.index_uuid,
        view.shard,
        view.generation,
        request.index_name,
        request.body.raw,
        same(request.filter),
        same(request.documents),
        request.fields,
        request.shard_index,
        request.shard_count,
    )


def _plan(state: ViewState, request: ShardSearch) -> Plan:
    key = (
        request.index_name,
        request.body.raw,
        same(request.filter),
        same(request.documents),
        request.now_ms if uses_now(request) else None,
        request.shard_index,
        request.shard_count,
    )
    return state.remember(key, lambda: _compile(state, request))


def _compile(state: ViewState, request: ShardSearch) -> Plan:
    body = request.body
    scope = Scope(state, request.index_name, request.now_ms, size=body.size)
    scope.restriction = request.filter
    scope.visible = visible_documents(request, scope)
    query = compile_query(body.query, scope)
    if request.filter is not None:
        query = _filtered(query, compile_query(request.filter, _unnamed(scope)))
    if scope.visible is not None:
        query = _filtered(query, Compiled(scope.visible))
    if body.slice is not None:
        query = _filtered(query, slice_query(body.slice, request, scope))
    hits = query
    if body.post_filter is not None:
        hits = _filtered(query, compile_query(body.post_filter, scope))
    keys = sort_keys(body.sort, scope, request.shard_index)
    after = None
    if body.search_after is not None:
        check_after(body)
        after = after_values(body.search_after, keys, scope)
    plan = Plan(hits, query.query, keys, after, scope, scope.named)
    try:
        plan.group = group_key(body, scope)
    except IllegalArgument:
        if body.aggs:
            _aggregate(
                plan, request, lambda: None
            )  # their mistakes are told first, as in the reference
        raise
    plan.rescorers = rescorers(body, scope, state.view.max_rescore_window)
    if body.min_score is not None:
        _apply_min_score(plan, body.min_score)
    if body.terminate_after:
        _apply_terminate_after(plan, body.terminate_after)
    return plan


def _unnamed(scope: Scope) -> Scope:
    """For the filter of an alias, which names no queries."""
    return Scope(scope.state, scope.index_name, scope.now_ms, visible=scope.visible)


def _filtered(query: Compiled, restriction: Compiled) -> Compiled:
    if restriction is EVERYTHING:
        return query
    return Compiled(both(query.query, restriction.query), query.constant, scorer=query.scorer)


def _apply_min_score(plan: Plan, least: float) -> None:
    """Only documents that score at least this much, for hits, total and aggregations alike."""
    aggregated = Compiled(plan.aggs, plan.hits.constant, scorer=plan.hits.scorer)
    plan.aggs = _scored_at_least(aggregated, least, plan.scope).query
    plan.hits = _scored_at_least(plan.hits, least, plan.scope)


def _scored_at_least(query: Compiled, least: float, scope: Scope) -> Compiled:
    if query.constant is not None:
        return query if query.constant >= least else NOTHING
    if query.scorer is not None:
        from sealane.engine.embedded.search.scored import at_least

        return at_least(query, least, scope)
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
    # With nested objects, all documents are those that are none: a query like another.
    everything = plan.hits is EVERYTHING and not plan.scope.state.view.mapping.nested
    total = total_of(plan)
    searcher = plan.scope.state.view.searcher
    first = searcher.search(plan.hits.query, limit, False, SEQ_NO, 0, tantivy.Order.Asc).hits
    numbers = [int(number or 0) for number, _ in first]
    plan.hits = replace(
        plan.hits, query=restricted(plan.hits.query, numbers, plan.scope), span=None
    )
    plan.aggs = restricted(plan.aggs, numbers, plan.scope)
    # The reference counts what it does not have to look at, such as all documents.
    plan.total = total if everything else limit
    plan.early = limit
