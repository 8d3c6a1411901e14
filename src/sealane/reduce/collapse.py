"""`collapse` over several parts: of hits with the same value, the best alone."""

from collections.abc import Iterable, Iterator

from sealane.reduce.partial import Hit


def best_of_each(hits: Iterable[Hit]) -> Iterator[Hit]:
    """The first hit of each group, in order. Whole and broken numbers are not the same value."""
    seen: set[tuple[type, object]] = set()
    for hit in hits:
        key = (type(hit.group), hit.group)
        if key not in seen:
            seen.add(key)
            yield hit
