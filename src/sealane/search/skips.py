"""When a search first looks which shards can hold a match at all, and what their answers then are. Pure.

The rules are the reference's: with more shards than `pre_filter_shard_size`, which is 128, or 1 where the search sorts
by a field; and only where finding no match would say all there is to say.
"""

from sealane.model.dsl import MatchAll, SearchBody, TermsAgg
from sealane.model.dsl.aggs import GlobalAgg

DEFAULT_PRE_FILTER = 128


def can_skip(body: SearchBody) -> bool:
    """Whether a shard without a match has nothing to add: not where suggestions or aggregations visit all documents."""
    if body.suggest or type(body.query) is MatchAll:
        return False
    return not any(
        isinstance(each, GlobalAgg) or (isinstance(each, TermsAgg) and each.min_doc_count == 0)
        for each in body.aggs
    )


def filters_first(body: SearchBody, shards: int, limit: int | None) -> bool:
    """Whether so many shards are looked through before they are searched. `limit` is `pre_filter_shard_size`."""
    if limit is None:
        limit = 1 if _sorts_by_field(body) else DEFAULT_PRE_FILTER
    return shards > limit and can_skip(body)


def needs_one(body: SearchBody) -> bool:
    """Whether one shard at least is searched, for the shape of what it answers."""
    return bool(body.aggs)


def _sorts_by_field(body: SearchBody) -> bool:
    first = body.sort[0] if body.sort else None
    return first is not None and first.field != "_score" and first.geo is None
