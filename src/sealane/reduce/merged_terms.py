"""Sorted lists of terms, of shards or of clusters, into one."""

import heapq
from collections.abc import Iterable, Sequence
from itertools import groupby, islice


def merge_terms(lists: Iterable[Sequence[str]], size: int) -> tuple[str, ...]:
    """The first `size` distinct terms of lists that are ascending by their UTF-8 bytes."""
    return tuple(
        islice(
            (term for term, _ in groupby(heapq.merge(*lists, key=_order))),
            size,
        )
    )


def _order(term: str) -> bytes:
    return term.encode("utf-8", "surrogatepass")
