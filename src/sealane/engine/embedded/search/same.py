"""Queries as parts of the keys of what is kept: the same object is the same query, and nothing else is.

Equal is too little: to Python `true`, `1` and `1.0` are equal, to a keyword field they are three values. Whoever may
see what one of them finds would be shown what another found. Those who make these queries keep what they have read, so
the same text is the same object as a rule; where it is not, nothing but time is lost.
"""

from sealane.model.dsl import Query


class _Same:
    __slots__ = ("_query",)

    def __init__(self, query: Query) -> None:
        self._query = query

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self._query is other._query

    def __hash__(self) -> int:
        return id(self._query)


def same(query: Query | None) -> _Same | None:
    """A key that is equal for the same object only. It keeps the query, so that none can take its place."""
    return None if query is None else _Same(query)
