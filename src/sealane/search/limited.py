"""What may be seen of an index, as the engine is told it: a filter beside every query."""

from functools import lru_cache

from sealane.model.dsl import Bool, Query
from sealane.model.security import IndexLimits
from sealane.search.one_shard import any_of


def filter_of(filters: tuple[bytes, ...] | None, limits: IndexLimits | None) -> Query | None:
    """What a document must match to be there at all: any of its aliases' `filters`, and any query of each side of
    `limits`. None lets all of them be there.
    """
    if limits is None or not limits.queries:
        return any_of(filters)
    return _both(filters, limits.queries)


@lru_cache(maxsize=1024)
def _both(filters: tuple[bytes, ...] | None, sides: tuple[tuple[bytes, ...], ...]) -> Query:
    found = [any_of(each) for each in ((filters, *sides) if filters else sides)]
    return Bool(filter=tuple(each for each in found if each is not None))
