"""Memories of what has been computed of the same objects: merging and rendering the cached answers of shards.

A shard's request cache hands out one and the same partial until the next refresh, so a repeated aggregation costs its
lookup and no merge. Objects are told apart by identity and kept alive as long as they are remembered; they must not
change.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from sealane.model.dsl import SearchBody
from sealane.reduce.merge import merge
from sealane.reduce.partial import AggPartial, Partial

T = TypeVar("T")

_MERGES = 128
_BUCKETS_MAX = 4_000
"""Merges of more buckets are not remembered: 128 of them would be a hundred megabytes."""


class IdentityMemo(Generic[T]):
    """A bounded map from tuples of objects, by identity; the least recently used is forgotten first."""

    def __init__(self, entries_max: int) -> None:
        self._entries_max = entries_max
        self._entries: OrderedDict[tuple[int, ...], tuple[tuple[Any, ...], T]] = OrderedDict()

    def get(self, objects: tuple[Any, ...]) -> T | None:
        key = tuple(map(id, objects))
        found = self._entries.get(key)
        if found is None:
            return None
        self._entries.move_to_end(key)
        return found[1]

    def put(self, objects: tuple[Any, ...], value: T) -> None:
        self._entries[tuple(map(id, objects))] = (objects, value)
        if len(self._entries) > self._entries_max:
            self._entries.popitem(last=False)

    def __len__(self) -> int:
        return len(self._entries)


class MergeMemo:
    """`merge`, remembering the answers of requests without hits.

    One merger's parameters other than the body and the parts must not change but for `final`, `by_cluster` and
    `max_buckets`.
    """

    def __init__(self) -> None:
        self._memos: dict[tuple[bool, bool, int], IdentityMemo[Partial]] = {}

    def merge(
        self,
        body: SearchBody,
        parts: Sequence[Partial],
        *,
        from_: int,
        size: int,
        final: bool,
        max_buckets: int,
        now_ms: int,
        by_cluster: bool = False,
    ) -> Partial:
        """See `merge`. The result may be shared: it must not be changed."""
        if size or not body.aggs or b"now" in body.raw:
            return merge(
                body,
                parts,
                from_=from_,
                size=size,
                final=final,
                max_buckets=max_buckets,
                now_ms=now_ms,
                by_cluster=by_cluster,
            )
        if len(self._memos) > 4:
            self._memos.clear()  # max_buckets was changed; what it allowed before may not be allowed now
        memo = self._memos.setdefault((final, by_cluster, max_buckets), IdentityMemo(_MERGES))
        key = (body, *parts)
        known = memo.get(key)
        if known is None:
            known = merge(
                body,
                parts,
                from_=from_,
                size=size,
                final=final,
                max_buckets=max_buckets,
                now_ms=now_ms,
                by_cluster=by_cluster,
            )
            if not any(part.aggs and is_large(part.aggs) for part in parts):
                memo.put(key, known)
        return known


def is_large(tree: Mapping[str, AggPartial]) -> bool:
    """Whether merging or showing these aggregations takes more than a few milliseconds."""
    count = 0
    waiting = [tree]
    while waiting:
        for partial in waiting.pop().values():
            packed = getattr(partial, "packed", None)
            buckets = getattr(partial, "buckets", ())
            count += 1 + len(buckets) + (0 if packed is None else len(packed.keys))
            if count > _BUCKETS_MAX:
                return True
            # All buckets have the same aggregations below them, but for those that were put into gaps.
            if buckets and (buckets[0].aggs or buckets[-1].aggs):
                waiting += [bucket.aggs for bucket in buckets if bucket.aggs]
    return False
