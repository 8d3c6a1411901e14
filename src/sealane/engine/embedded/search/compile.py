"""Queries of the DSL, compiled to tantivy's against one view.

Here are the compound queries; `leaves` has what looks at one field, `match` what is analysed. Scores are those of the
reference: its similarity is BM25 times (k1 + 1), which is what tantivy computes.
"""

import tantivy
from tantivy import Occur

from sealane.engine.embedded.search import combine, leaves, match, more, multi_match
from sealane.engine.embedded.search.existence import compile_exists
from sealane.engine.embedded.search.minimum import minimum_should_match
from sealane.engine.embedded.search.ranges import compile_range
from sealane.engine.embedded.search.scope import EVERYTHING, NOTHING, Compiled, Scope, scoring
from sealane.errors import ApiError, IllegalArgument
from sealane.model import dsl
from sealane.model.dsl.geo import GeoBoundingBox, GeoDistance, GeoPolygon
from sealane.model.dsl.joined import Nested
from sealane.model.dsl.scored import DistanceFeature, FunctionScore

MAX_DEPTH = 64
_BOOST_MAX = 3.4028235677973366e38
"""What is greater is infinite in 32 bits."""
_REWRITTEN = (dsl.Bool, dsl.Boosting, FunctionScore)


def compile_query(query: dsl.Query, scope: Scope) -> Compiled:
    """Raises QueryShardError, or ParseError for a date that cannot be read in a range."""
    if scope.depth >= MAX_DEPTH:
        raise scope.failed(
            IllegalArgument(f"The nested depth of the query exceeds the limit of [{MAX_DEPTH}]")
        )
    scope.depth += 1
    try:
        compiled = _compile(query, scope)
    except ApiError:
        if not isinstance(query, _REWRITTEN) or not _matches_nothing(query, scope):
            raise
        compiled = NOTHING
    finally:
        scope.depth -= 1
    if query.name is not None:
        scope.named.append((query.name, compiled.query))
    return compiled


def _matches_nothing(query: dsl.Query, scope: Scope) -> bool:
    """Whether the reference rewrites the query before it builds its parts, and so never meets what is wrong there."""
    from sealane.engine.embedded.search.can_match import matches_nothing

    return matches_nothing(query, scope)


def _compile(query: dsl.Query, scope: Scope) -> Compiled:
    compiled: Compiled
    match query:
        case dsl.MatchAll():
            compiled = EVERYTHING
        case dsl.MatchNone():
            compiled = NOTHING
        case dsl.Bool():
            compiled = _bool(query, scope)
        case dsl.DisMax():
            inner = [compile_query(each, scope) for each in query.queries]
            compiled = multi_match.best_of(inner, query.tie_breaker)
            compiled = combine.best_of(compiled, inner, query.tie_breaker, scope)
        case dsl.Match():
            compiled = match.compile_match(query, scope)
        case dsl.MatchPhrase():
            compiled = match.compile_phrase(query, scope)
        case dsl.MultiMatch():
            compiled = multi_match.compile_multi(query, scope)
        case Nested():
            from sealane.engine.embedded.search.nested import compile_nested

            compiled = compile_nested(query, scope, compile_query)
        case GeoBoundingBox() | GeoDistance() | GeoPolygon():
            from sealane.engine.embedded.search.geo import compile_geo

            compiled = compile_geo(query, scope)
        case DistanceFeature():
            from sealane.engine.embedded.search.scored_feature import compile_distance_feature

            compiled = compile_distance_feature(query, scope)
        case FunctionScore():
            from sealane.engine.embedded.search.scored_functions import compile_function_score

            return compile_function_score(query, scope, compile_query).boosted(query.boost)
        case dsl.Term():
            compiled = leaves.compile_term(query, scope)
        case dsl.Terms():
            compiled = leaves.compile_terms(query, scope)
        case dsl.Range():
            compiled = compile_range(query, scope)
        case dsl.Exists():
            compiled = compile_exists(query.field, scope)
        case dsl.Ids():
            compiled = leaves.compile_ids(query, scope)
        case _:
            compiled = more.compile_other(query, scope, compile_query)
    if query.boost > _BOOST_MAX and compiled is not NOTHING:
        raise scope.failed(IllegalArgument("boost must be a positive float, got Infinity"))
    return compiled.boosted(query.boost)


def _bool(query: dsl.Bool, scope: Scope) -> Compiled:
    # In the reference's order: the first mistake is the one that is told.
    must = [compile_query(each, scope) for each in query.must]
    must_not = [compile_query(each, scope) for each in query.must_not]
    should = [compile_query(each, scope) for each in query.should]
    filters = [compile_query(each, scope) for each in query.filter]
    if not (must or filters or should or must_not):
        return EVERYTHING
    required = _required_shoulds(query, len(should))
    if required > len(should):
        return NOTHING
    clauses = [(Occur.Must, scoring(each)) for each in must]
    clauses += [(Occur.Must, tantivy.Query.const_score_query(each.query, 0.0)) for each in filters]
    if not clauses and not should:
        clauses.append((Occur.Must, tantivy.Query.const_score_query(EVERYTHING.query, 0.0)))
    clauses += [(Occur.Should, scoring(each)) for each in should]
    clauses += [(Occur.MustNot, each.query) for each in must_not]
    if not should:
        score = _sum([each.constant for each in must])
        both_kinds = must + filters
        span = both_kinds[0].span if len(clauses) == 1 and both_kinds else None
        compiled = Compiled(tantivy.Query.boolean_query(clauses), score, span)
        return combine.sum_of(compiled, must, (), scope)
    alone = len(should) == 1 and not must and not filters
    compiled = Compiled(
        tantivy.Query.boolean_query(clauses, required), should[0].constant if alone else None
    )
    return combine.sum_of(compiled, must, should, scope)


def _required_shoulds(query: dsl.Bool, shoulds: int) -> int:
    default = 0 if query.must or query.filter or not shoulds else 1
    if query.minimum_should_match is None:
        return default
    return max(default, minimum_should_match(query.minimum_should_match, shoulds))


def _sum(scores: list[float | None]) -> float | None:
    total = 0.0
    for score in scores:
        if score is None:
            return None
        total += score
    return total
