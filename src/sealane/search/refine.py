"""Exact counts of the terms that an answer returns: a second round that asks every shard for those keys alone.

Shards return the terms that are frequent with them, so a term's count may lack what a shard kept to itself. The second
round asks for the returned keys (`include`), which no shard cuts; sums below the buckets become exact with the counts.
Which terms are returned is settled by the first round: one that it missed stays missed.

Only terms at the top of the request are refined, and none with pipeline aggregations inside: those may drop buckets,
and would see other ones the second time.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import msgspec
import orjson

from sealane.errors import ApiError, TaskCancelled
from sealane.model.dates import DEFAULT_FORMAT, format_date, parse_date
from sealane.model.dsl import PipelineAgg, TermsAgg
from sealane.query import parse_search_body
from sealane.reduce.partial import Key, TermBucket, TermsPartial
from sealane.search.client_search import ClientSearch
from sealane.search.outcome import SearchOutcome

Search = Callable[[ClientSearch], Awaitable[SearchOutcome]]
Json = dict[str, Any]

_HITS_ONLY = (
    "_source",
    "collapse",
    "docvalue_fields",
    "explain",
    "fields",
    "from",
    "highlight",
    "post_filter",
    "profile",
    "rescore",
    "script_fields",
    "search_after",
    "sort",
    "stored_fields",
    "suggest",
    "track_scores",
)
"""Members of a body that change nothing about its aggregations."""


async def search_refined(request: ClientSearch, first: Search, second: Search) -> SearchOutcome:
    """The outcome of a search with `refine_terms`; `first` and `second` run one without.

    Where the second round reaches fewer shards than the first, or cannot be asked, the first stands as it is, with its
    error bounds. Raises what `first` raises.
    """
    outcome = await first(replace(request, refine_terms=False))
    tree = outcome.answer.aggs
    if tree is None:
        return outcome
    wanted = {
        spec.name: keys
        for spec in request.body.aggs
        if isinstance(spec, TermsAgg) and (keys := _keys_to_refine(spec, tree[spec.name]))
    }
    if not wanted:
        return outcome
    try:
        again = await second(
            replace(
                request,
                refine_terms=False,
                body=parse_search_body(_narrowed(request.body.raw, wanted)),
                scroll_ms=None,
            )
        )
    except TaskCancelled:
        raise
    except ApiError:
        return outcome
    if again.answer.aggs is None or again.answer.shards != outcome.answer.shards:
        return outcome
    refined = dict(tree)
    for name in again.answer.aggs:
        refined[name] = again.answer.aggs[name]
    for name in wanted:
        before, exact = tree[name], again.answer.aggs[name]
        assert isinstance(before, TermsPartial)
        assert isinstance(exact, TermsPartial)
        refined[name] = _exact(before, exact, set(wanted[name]))
    answer = msgspec.structs.replace(outcome.answer, aggs=refined)
    return replace(outcome, answer=answer, took_ms=outcome.took_ms + again.took_ms)


def _keys_to_refine(spec: TermsAgg, partial: Any) -> dict[Key, Any]:
    """The returned keys, and how `include` names each; none where all counts are exact, or keys cannot be named."""
    if not isinstance(partial, TermsPartial) or not (partial.error or partial.other):
        return {}
    if any(isinstance(sub, PipelineAgg) for sub in spec.subs):
        return {}
    try:
        named = {bucket.key: _named(bucket.key, partial) for bucket in partial.buckets}
    except ValueError:
        return {}
    return named if len(named) == len(partial.buckets) else {}  # the two zeros are one here


def _named(key: Key, partial: TermsPartial) -> Any:
    """Raises ValueError for a date that its field's format cannot say."""
    if partial.key_type == "boolean":
        return bool(key)
    if partial.key_type != "date":
        return key
    fmt = partial.format or DEFAULT_FORMAT
    text = format_date(float(key), fmt)
    try:
        again = parse_date(text, fmt)
    except ApiError as error:
        raise ValueError(text) from error
    if again != key:
        raise ValueError(text)
    return text


def _narrowed(raw: bytes, wanted: dict[str, dict[Key, Any]]) -> bytes:
    """The body without hits, its terms narrowed to these keys.

    Other aggregations are left out unless one of them reads its siblings.
    """
    body: Json = orjson.loads(raw)
    for name in _HITS_ONLY:
        body.pop(name, None)
    every: Json = {}
    for member in ("aggs", "aggregations"):
        every |= body.pop(member, {})
    chosen: Json = {}
    for name, agg in every.items():
        if name in wanted:
            terms = dict(agg["terms"])
            terms.pop("exclude", None)
            terms["include"] = list(wanted[name].values())
            terms["size"] = terms["shard_size"] = len(wanted[name])
            terms.pop("shard_min_doc_count", None)
            chosen[name] = {**agg, "terms": terms}
        elif _reads_siblings(agg):
            chosen[name] = agg
    if any(name not in wanted for name in chosen):
        chosen = {name: chosen.get(name, agg) for name, agg in every.items()}
    return orjson.dumps({**body, "size": 0, "track_total_hits": False, "aggs": chosen})


def _reads_siblings(agg: Json) -> bool:
    return any(isinstance(kind, dict) and "buckets_path" in kind for kind in agg.values())


def _exact(before: TermsPartial, after: TermsPartial, keys: set[Key]) -> TermsPartial:
    buckets = [
        TermBucket(bucket.key, bucket.count, bucket.aggs)
        for bucket in after.buckets
        if bucket.key in keys
    ]
    # What was seen stays as much; the rest is what the buckets do not hold.
    seen = before.other + sum(bucket.count for bucket in before.buckets)
    other = max(0, seen - sum(bucket.count for bucket in buckets))
    return TermsPartial(buckets, other, 0, before.key_type, before.format)
