"""Compound queries beside `bool` and `dis_max`: boosting, and terms_set with its minimum of each document's own."""

import tantivy
from tantivy import Occur

from sealane.engine.embedded.search.fielddata import check_fielddata
from sealane.engine.embedded.search.leaves import term_on
from sealane.engine.embedded.search.minimum import minimum_should_match
from sealane.engine.embedded.search.ranges import compile_range
from sealane.engine.embedded.search.scope import (
    NOTHING,
    Compiled,
    Scope,
    any_of,
    both,
    scoring,
    without,
)
from sealane.engine.mapping import Field
from sealane.errors import ApiError, IllegalArgument, IllegalState
from sealane.model import dsl


def boosting(
    positive: Compiled, negative: Compiled, negative_boost: float, scope: Scope
) -> Compiled:
    """What `positive` matches; less of its score where `negative` matches too."""
    if positive is NOTHING or negative is NOTHING:
        return positive
    if positive.scorer is not None:
        from sealane.engine.embedded.search.demoted import Demoted

        scorer = Demoted(positive, negative.query, negative_boost, scope)
        return Compiled(positive.query, None, scorer=scorer)
    score = scoring(positive)
    lowered = tantivy.Query.boost_query(both(score, negative.query), negative_boost)
    return Compiled(any_of([without(score, negative.query), lowered]), None)


def compile_terms_set(query: dsl.TermsSet, scope: Scope) -> Compiled:
    """Documents with at least so many of the terms as a field of theirs says, or as the query does."""
    if not query.values:
        return NOTHING
    mapped = scope.mapped(query.field)
    minimum = None if query.minimum_field is None else _minimum_field(query.minimum_field, scope)
    if minimum is None and query.minimum is None:
        raise scope.failed(IllegalState("No minimum should match has been specified"))
    if mapped is None:
        return NOTHING
    try:
        terms = [term_on(mapped, each, scope) for each in query.values]
        if query.minimum is not None:
            required = max(1, minimum_should_match(query.minimum, len(terms)))
            return NOTHING if required > len(terms) else _at_least(terms, required)
    except ApiError as error:
        raise scope.failed(error) from None
    assert minimum is not None
    return _as_many_as(terms, minimum, scope)


def _minimum_field(path: str, scope: Scope) -> Field:
    mapped = scope.mapped(path)
    if mapped is None:
        raise scope.shard_error(f"failed to find minimum_should_match field [{path}]")
    try:
        check_fielddata(mapped, scope.index_name)
        if not (mapped.type.is_integral or mapped.type.is_floating):
            raise IllegalArgument(
                f"the minimum_should_match field [{path}] must be a number, "
                f"but is of type [{mapped.type.value}]"
            )
    except ApiError as error:
        raise scope.failed(error) from None
    return mapped


def _at_least(terms: list[Compiled], required: int) -> Compiled:
    clauses = [(Occur.Should, scoring(each)) for each in terms]
    return Compiled(tantivy.Query.boolean_query(clauses, required), None)


def _as_many_as(terms: list[Compiled], minimum: Field, scope: Scope) -> Compiled:
    """One clause for each number that documents may ask for; a document is in one of them at most."""
    if not scope.has_column(minimum.path):
        return NOTHING
    most = scope.state.column(minimum.path).max
    if most is None:
        return NOTHING
    clauses = []
    for required in range(1, min(len(terms), max(1, int(most))) + 1):
        asked = dsl.Range(
            field=minimum.path, gte=None if required == 1 else required, lt=required + 1
        )
        these = compile_range(asked, scope)
        if these is not NOTHING:
            clauses.append(both(_at_least(terms, required).query, these.query))
    return Compiled(any_of(clauses), None) if clauses else NOTHING
