"""Where a search runs: on the loop when its like has been short lately, else on the executor.

A search of 60 us loses more to the change of threads (30 us, and a wait for the interpreter at each of tantivy's calls)
than it takes: run on the loop, twice as many are answered per second. A search is known by its shape, the query
without its values, and by its index; what is unknown runs on the executor, where it can hold up nobody.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from sealane.model.dsl import Agg, Query, SearchBody
from sealane.reduce import IdentityMemo

T = TypeVar("T")

SHORT_S = 0.001
"""CPU time up to which a search may hold the loop. Everybody else waits that long at most."""
_DECAY = 0.9
"""A shape's estimate is its longest search, and that is forgotten slowly."""
_SHAPES_MAX = 4_096
_BODIES_MAX = 1_024
_PAGE = 100
"""Hits are counted in pages: reading them is most of a long page's cost."""


class Placing:
    """The costs of searches by shape. Used on the loop, but for `timed`."""

    def __init__(self) -> None:
        self._costs_s: OrderedDict[Hashable, float] = OrderedDict()
        self._shapes: IdentityMemo[Hashable] = IdentityMemo(_BODIES_MAX)

    def key(self, index_uuid: str, body: SearchBody, size: int) -> Hashable:
        """What searches of the same cost have in common."""
        shape = self._shapes.get((body,))
        if shape is None:
            shape = _shape(body)
            self._shapes.put((body,), shape)
        return index_uuid, shape, size // _PAGE

    def is_short(self, key: Hashable) -> bool:
        return self._costs_s.get(key, SHORT_S + 1) <= SHORT_S

    def note(self, key: Hashable, cpu_s: float) -> None:
        """What a search of this key has cost."""
        before = self._costs_s.get(key, 0.0)
        self._costs_s[key] = max(cpu_s, before * _DECAY)
        self._costs_s.move_to_end(key)
        if len(self._costs_s) > _SHAPES_MAX:
            self._costs_s.popitem(last=False)


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """The result and the CPU seconds of this thread: waiting for others is not the work's cost."""
    started = time.thread_time()
    result = work()
    return result, time.thread_time() - started


def _shape(body: SearchBody) -> Hashable:
    return (
        _shape_of(body.query),
        _shape_of(body.post_filter),
        tuple(_shape_of(agg) for agg in body.aggs),
        tuple(key.field for key in body.sort),
        body.source.passes_whole,
    )


def _shape_of(node: Any) -> Hashable:
    """A query or aggregation without its values: its kind, its fields, the shapes below it."""
    if isinstance(node, Query | Agg):
        assert is_dataclass(node)
        members = tuple(_shape_of(getattr(node, each.name)) for each in fields(node))
        return type(node).__name__, getattr(node, "field", None), members
    if isinstance(node, tuple):
        kept = tuple(_shape_of(each) for each in node if isinstance(each, Query | Agg))
        return kept or len(node).bit_length()
    return type(node).__name__
