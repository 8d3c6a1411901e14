"""Queries of the DSL, compiled to tantivy's against one view.

Here are the compound queries; `leaves` has what looks at one field, `match` what is analysed. Scores are those of the
reference: its similarity is BM25 times (k1 + 1), which is what tantivy computes.
"""

import tantivy
from tantivy import Occur

from sealane.engine.embedded.search import leaves, match
from sealane.engine.embedded.search.existence import compile_exists
from sealane.engine.embedded.search.minimum import minimum_should_match
from sealane.engine.embedded.search.ranges import compile_range
from sealane.engine.embedded.search.scope import EVERYTHING, NOTHING, Compiled, Scope, scoring
from sealane.errors import IllegalArgument
from sealane.model import dsl

MAX_DEPTH = 64


def compile_query(query: dsl.Query, scope: Scope) -> Compiled:
    """Raises QueryShardError, or ParseError for a date that cannot be read in a range."""
    if scope.depth >= MAX_DEPTH:
        raise scope.failed(
            IllegalArgument(f"The nested depth of the query exceeds the limit of [{MAX_DEPTH}]")
        )
    scope.depth += 1
    try:
        compiled = _compile(query, scope)
    finally:
        scope.depth -= 1
    if query.name is not None:
        scope.named.append((query.name, compiled.query))
    return compiled


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
            compiled = match.best_of(inner, query.tie_breaker)
        case dsl.Match():
            compiled = match.compile_match(query, scope)
        case dsl.MatchPhrase():
            compiled = match.compile_phrase(query, scope)
        case dsl.MultiMatch():
            compiled = match.compile_multi(query, scope)
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
        case dsl.Prefix():
            compiled = leaves.compile_prefix(query, scope)
        case _:
            raise scope.shard_error(f"no such query [{type(query).__name__}]")
    return compiled.boosted(query.boost)


def _bool(query: dsl.Bool, scope: Scope) -> Compiled:
    must = [compile_query(each, scope) for each in query.must]
    filters = [compile_query(each, scope) for each in query.filter]
    should = [compile_query(each, scope) for each in query.should]
    must_not = [compile_query(each, scope) for each in query.must_not]
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
        return Compiled(tantivy.Query.boolean_query(clauses), score, span)
    alone = len(should) == 1 and not must and not filters
    return Compiled(
        tantivy.Query.boolean_query(clauses, required), should[0].constant if alone else None
    )


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
