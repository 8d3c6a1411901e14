"""Nested objects as plain data: the query on them, what a hit shows of them, the aggregations in and out of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sealane.model.dsl.aggs import Agg
from sealane.model.dsl.queries import Query

if TYPE_CHECKING:
    from sealane.model.dsl.body import SearchBody

JoinMode = Literal["avg", "max", "min", "sum", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedHits:
    """The `inner_hits` of a nested query. `body` is what a search says of its hits: sort, page, source and fields."""

    name: str | None = None
    ignore_unmapped: bool = False
    body: "SearchBody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nested(Query):
    """Documents with a nested object below `path` that matches `query`; scored by all such objects."""

    path: str
    query: Query
    score_mode: JoinMode = "avg"
    ignore_unmapped: bool = False
    inner_hits: NestedHits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedSort:
    """Sorting by a value of nested objects: of those below `path` that match `filter`, `max_children` at most."""

    path: str | None = None
    filter: Query | None = None
    max_children: int | None = None
    nested: "NestedSort | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedAgg(Agg):
    """The nested objects below `path` of the documents around it."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseNestedAgg(Agg):
    """From nested objects back to those at `path` that hold them; None is the documents."""

    path: str | None = None
