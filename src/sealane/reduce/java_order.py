"""The order in which the reference leaves what compares as equal: that of its hash tables and heaps.

Pure arithmetic over keys, so that equal scores are listed as there.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from sealane.model.java_hash import text_hash

_T = TypeVar("_T")
_FIRST_TABLE = 16


def table_order(keys: Sequence[str]) -> list[int]:
    """The places of the keys in the order in which a hash table that they were put into goes through them."""
    width = _FIRST_TABLE
    # It grows when one is put in after it was too full.
    while len(keys) - 1 > width * 3 // 4:
        width *= 2
    slots = []
    for key in keys:
        spread = text_hash(key)
        slots.append((spread ^ spread >> 16) & (width - 1))
    return sorted(range(len(keys)), key=slots.__getitem__)


def largest(items: Iterable[_T], size: int, score: Callable[[_T], float]) -> list[_T]:
    """The `size` items with the highest scores, from the highest: as they come out of a heap that keeps so many."""
    heap: _Heap[_T] = _Heap(score)
    if size <= 0:
        return []
    for item in items:
        if len(heap) < size:
            heap.add(item)
        elif score(heap.least()) < score(item):
            heap.replace_least(item)
    found = [heap.pop() for _ in range(len(heap))]
    found.reverse()
    return found


class _Heap(Generic[_T]):
    """The least item on top; its first place is 1."""

    def __init__(self, score: Callable[[_T], float]) -> None:
        self._items: list[_T] = []
        self._score = score

    def __len__(self) -> int:
        return len(self._items)

    def least(self) -> _T:
        return self._items[0]

    def add(self, item: _T) -> None:
        items, score = self._items, self._score(item)
        items.append(item)
        at = len(items)
        while (above := at >> 1) and score < self._score(items[above - 1]):
            items[at - 1] = items[above - 1]
            at = above
        items[at - 1] = item

    def replace_least(self, item: _T) -> None:
        self._items[0] = item
        self._sink()

    def pop(self) -> _T:
        items = self._items
        top, last = items[0], items.pop()
        if items:
            items[0] = last
            self._sink()
        return top

    def _sink(self) -> None:
        items, size = self._items, len(self._items)
        item = items[0]
        score, at = self._score(item), 1
        while (below := self._lesser(at << 1, size)) and self._score(items[below - 1]) < score:
            items[at - 1] = items[below - 1]
            at = below
        items[at - 1] = item

    def _lesser(self, first: int, size: int) -> int:
        """The place of the lesser of two items side by side; 0 where there is none."""
        if first > size:
            return 0
        second = first + 1
        if second <= size and self._score(self._items[second - 1]) < self._score(
            self._items[first - 1]
        ):
            return second
        return first
