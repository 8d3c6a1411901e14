"""Whether a shard can hold a match at all, told from its mapping and from the extremes of its dates alone.

The rules are those of the reference's rewriting of queries: unmapped fields, constant fields such as `_index`, and
dates outside of what the shard has. Other numbers are not looked at, as there. What is not certain counts as a match.
"""

from enum import Enum

from sealane.engine.base import ShardSearch
from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.compile import compile_query
from sealane.engine.embedded.search.limited import limited, visible_documents
from sealane.engine.embedded.search.scope import EVERYTHING, NOTHING, Scope
from sealane.engine.embedded.search.state import state_of
from sealane.engine.embedded.view import ShardView
from sealane.engine.mapping import Field, FieldType
from sealane.engine.mapping.types import METADATA_FIELDS
from sealane.errors import ApiError
from sealane.model import dsl
from sealane.model.dsl.scored import FunctionScore

_CONSTANT_FIELD = "_index"
_BY_FIELD = (dsl.Term, dsl.Terms, dsl.Range, dsl.Prefix, dsl.Wildcard, dsl.Fuzzy, dsl.Exists)
"""Queries that the reference rewrites where the field is not mapped; the others find that out later."""


class _Matches(Enum):
    NONE = "none"
    SOME = "some"
    ALL = "all"


def can_match(view: ShardView, request: ShardSearch) -> bool:
    """False where the search's query, or its filter, certainly matches no document. A mistake in it counts as a match:
    the search itself will tell.
    """
    scope = Scope(state_of(limited(view, request.fields)), request.index_name, request.now_ms)
    try:
        scope.visible = visible_documents(request, scope)
        if request.filter is not None and matches_nothing(request.filter, scope):
            return False
        return not matches_nothing(request.body.query, scope)
    except ApiError:
        return True


def matches_nothing(query: dsl.Query, scope: Scope) -> bool:
    """Whether the reference rewrites the query to one that matches no document. Raises ApiError."""
    return _rewritten(query, scope) is _Matches.NONE


def _rewritten(query: dsl.Query, scope: Scope) -> _Matches:
    match query:
        case dsl.MatchAll():
            return _Matches.ALL
        case dsl.MatchNone():
            return _Matches.NONE
        case dsl.Bool():
            return _bool(query, scope)
        case dsl.Boosting():
            return _none_or_some(_rewritten(query.positive, scope))
        case FunctionScore():
            return _none_or_some(_rewritten(query.query, scope))
        case dsl.Ids():
            return _Matches.SOME if query.values else _Matches.NONE
        case dsl.Terms() if not query.values:
            return _Matches.NONE
    field = getattr(query, "field", None)
    if field == _CONSTANT_FIELD:
        return _constant(query, scope)
    if isinstance(query, _BY_FIELD):
        return _on_field(query, field or "", scope)
    return _Matches.SOME


def _none_or_some(found: _Matches) -> _Matches:
    return found if found is _Matches.NONE else _Matches.SOME


def _bool(query: dsl.Bool, scope: Scope) -> _Matches:
    required = [_rewritten(each, scope) for each in (*query.must, *query.filter)]
    if _Matches.NONE in required:
        return _Matches.NONE
    excluded = [_rewritten(each, scope) for each in query.must_not]
    if _Matches.ALL in excluded:
        return _Matches.NONE
    optional = [_rewritten(each, scope) for each in query.should]
    if not required and optional and set(optional) == {_Matches.NONE}:
        return _Matches.NONE
    if not (required or excluded or optional):
        return _Matches.ALL
    return _Matches.SOME


def _constant(query: dsl.Query, scope: Scope) -> _Matches:
    compiled = compile_query(query, scope)
    if compiled is NOTHING:
        return _Matches.NONE
    return _Matches.ALL if compiled is EVERYTHING else _Matches.SOME


def _on_field(query: dsl.Query, field: str, scope: Scope) -> _Matches:
    if field in METADATA_FIELDS:
        return _Matches.SOME
    mapped = scope.mapped(field)
    if mapped is None:
        if isinstance(query, dsl.Exists) and _names_several(field, scope):
            return _Matches.SOME
        return _Matches.NONE
    if isinstance(query, dsl.Range) and mapped.type is FieldType.DATE:
        return _dates(query, mapped, scope)
    return _Matches.SOME


def _names_several(field: str, scope: Scope) -> bool:
    """Whether `exists` means the fields below an object, or those that a pattern names."""
    if "*" in field:
        return True
    prefix = field + "."
    return any(path.startswith(prefix) for path in scope.state.view.mapping.fields)


def _dates(query: dsl.Range, mapped: Field, scope: Scope) -> _Matches:
    if not scope.has_column(mapped.path):
        return _Matches.NONE
    extremes = _extremes(mapped.path, scope)
    if extremes is None:
        return _Matches.NONE
    least, most = extremes
    low = query.gte if query.gte is not None else query.gt
    if low is not None:
        first = _date(low, query, mapped, scope, round_up=query.gte is None)
        if first + (query.gte is None) > most:
            return _Matches.NONE
    high = query.lte if query.lte is not None else query.lt
    if high is not None:
        last = _date(high, query, mapped, scope, round_up=query.lte is not None)
        if last - (query.lte is None) < least:
            return _Matches.NONE
    return _Matches.SOME


def _extremes(path: str, scope: Scope) -> tuple[float, float] | None:
    """The least and the greatest value; None without any. Hidden documents would tell theirs by what is skipped."""
    if scope.visible is None:
        column = scope.state.column(path)
        least, most = column.min, column.max
    else:
        stats = {"a": {"stats": {"field": path}}}
        found = scope.state.view.searcher.aggregate(scope.visible, stats)["a"]
        least, most = found["min"], found["max"]
    return None if least is None or most is None else (least, most)


def _date(
    bound: dsl.Scalar, query: dsl.Range, mapped: Field, scope: Scope, *, round_up: bool
) -> int:
    return values.date(
        bound,
        mapped,
        scope.now_ms,
        round_up=round_up,
        fmt=values.range_format(query),
        zone=query.time_zone,
    )
