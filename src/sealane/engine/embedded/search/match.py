"""Queries whose text is analysed: match, match_phrase, multi_match."""

from collections.abc import Callable

import tantivy
from tantivy import Occur

from sealane.engine.embedded import analysis
from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.exact import exact_phrase
from sealane.engine.embedded.search.fielddata import check_searchable
from sealane.engine.embedded.search.leaves import (
    compile_term,
    sparse_correction,
    term_on,
    text_term,
)
from sealane.engine.embedded.search.minimum import minimum_should_match
from sealane.engine.embedded.search.scope import EVERYTHING, NOTHING, Compiled, Scope, scoring
from sealane.engine.mapping import Field, FieldType
from sealane.errors import ApiError
from sealane.model import dsl
from sealane.model.patterns import pattern

MAX_FIELDS = 1024


def compile_match(query: dsl.Match, scope: Scope) -> Compiled:
    mapped = scope.mapped(query.field)
    if mapped is None:
        return _metadata_term(query.field, query.query, scope)
    return _words(mapped, query, scope)


def _metadata_term(path: str, value: dsl.Scalar, scope: Scope) -> Compiled:
    return compile_term(dsl.Term(field=path, value=value), scope)


def _words(mapped: Field, query: "dsl.Match | dsl.MultiMatch", scope: Scope) -> Compiled:
    """The match of one field, as `match` and most of `multi_match` have it."""
    if mapped.type is not FieldType.TEXT:
        return _value(mapped, query.query, query.lenient, scope)
    try:
        check_searchable(mapped)
    except ApiError as error:
        raise scope.failed(error) from None
    words = analysis.tokens(values.text_of(query.query))
    if not words:
        return EVERYTHING if query.zero_terms_query == "all" else NOTHING
    terms = [text_term(mapped, word, scope) for word in words]
    if len(terms) == 1:
        return terms[0]
    if query.operator == "and":
        return Compiled(
            tantivy.Query.boolean_query([(Occur.Must, each.query) for each in terms]), None
        )
    required = 1
    if query.minimum_should_match is not None:
        try:
            required = max(1, minimum_should_match(query.minimum_should_match, len(terms)))
        except ApiError as error:
            raise scope.failed(error) from None
    if required > len(terms):
        return NOTHING
    return Compiled(
        tantivy.Query.boolean_query([(Occur.Should, each.query) for each in terms], required), None
    )


def _value(mapped: Field, value: dsl.Scalar, lenient: bool, scope: Scope) -> Compiled:
    try:
        return term_on(mapped, value, scope)
    except ApiError as error:
        if lenient:
            return NOTHING
        raise scope.failed(error) from None


def compile_phrase(query: dsl.MatchPhrase, scope: Scope) -> Compiled:
    mapped = scope.mapped(query.field)
    if mapped is None:
        return _metadata_term(query.field, query.query, scope)
    return _phrase(mapped, query.query, query.slop, query.zero_terms_query, scope)


def _phrase(mapped: Field, value: dsl.Scalar, slop: int, zero_terms: str, scope: Scope) -> Compiled:
    if mapped.type is not FieldType.TEXT:
        return _value(mapped, value, False, scope)
    try:
        check_searchable(mapped)
    except ApiError as error:
        raise scope.failed(error) from None
    words = analysis.tokens(values.text_of(value))
    if not words:
        return EVERYTHING if zero_terms == "all" else NOTHING
    if len(words) == 1:
        return text_term(mapped, words[0], scope)
    if not scope.has_column(mapped.path):
        return NOTHING
    if slop or not scope.state.has_all(mapped.path):
        exact = exact_phrase(mapped.path, words, slop, scope)
        if exact is not None:
            return exact
    query = tantivy.Query.phrase_query(scope.schema, mapped.path, list(words), slop)
    return Compiled(query, None).boosted(sparse_correction(mapped.path, words, scope))


# -- multi_match -------------------------------------------------------------------------------------------------


def compile_multi(query: dsl.MultiMatch, scope: Scope) -> Compiled:
    fields = _expand(query, scope)
    if not fields:
        return NOTHING
    if query.type is dsl.MultiMatchType.CROSS_FIELDS:
        return _cross_fields(fields, query, scope)
    each: Callable[[Field], Compiled]
    if query.type is dsl.MultiMatchType.PHRASE:

        def each(mapped: Field) -> Compiled:
            return _phrase(mapped, query.query, query.slop, query.zero_terms_query, scope)
    else:

        def each(mapped: Field) -> Compiled:
            return _words(mapped, query, scope)

    found = [each(mapped).boosted(boost) for mapped, boost in fields]
    tie = 1.0 if query.type is dsl.MultiMatchType.MOST_FIELDS else 0.0
    return best_of(found, query.tie_breaker if query.tie_breaker is not None else tie)


def best_of(queries: list[Compiled], tie_breaker: float) -> Compiled:
    """Any of the queries; the best score, and the others' by `tie_breaker`."""
    alive = [each for each in queries if each is not NOTHING]
    if not alive:
        return NOTHING
    if len(alive) == 1:
        return alive[0]
    return Compiled(
        tantivy.Query.disjunction_max_query([scoring(each) for each in alive], tie_breaker), None
    )


def _cross_fields(
    fields: list[tuple[Field, float]], query: dsl.MultiMatch, scope: Scope
) -> Compiled:
    """Each word may be found in any of the text fields; the best of them scores.

    The reference blends the statistics of the fields; here each field keeps its own.
    """
    tie = query.tie_breaker if query.tie_breaker is not None else 0.0
    text = [(mapped, boost) for mapped, boost in fields if mapped.type is FieldType.TEXT]
    others = [
        _words(mapped, query, scope).boosted(boost)
        for mapped, boost in fields
        if mapped.type is not FieldType.TEXT
    ]
    words = analysis.tokens(values.text_of(query.query)) if text else []
    if text and not words:
        others.append(EVERYTHING if query.zero_terms_query == "all" else NOTHING)
    if words:
        per_word = [
            best_of([text_term(m, word, scope).boosted(boost) for m, boost in text], tie).query
            for word in words
        ]
        if query.operator == "and":
            required = len(per_word)
        else:
            spec = query.minimum_should_match
            required = 1 if spec is None else max(1, minimum_should_match(spec, len(per_word)))
        if required <= len(per_word):
            clauses = [(Occur.Should, each) for each in per_word]
            others.append(Compiled(tantivy.Query.boolean_query(clauses, required), None))
    return best_of(others, tie)


def _expand(query: dsl.MultiMatch, scope: Scope) -> list[tuple[Field, float]]:
    """The mapped fields a multi_match names, each with its boost; boosts of repeated fields multiply."""
    boosts: dict[str, float] = {}
    for name, boost in query.fields or (("*", 1.0),):
        if "*" not in name:
            boosts[name] = boosts.get(name, 1.0) * boost
            continue
        wanted = pattern(name)
        for path in scope.state.view.mapping.fields:
            if wanted.fullmatch(path):
                boosts[path] = boosts.get(path, 1.0) * boost
    found = [(scope.mapped(path), boost) for path, boost in boosts.items()]
    fields = [(mapped, boost) for mapped, boost in found if mapped is not None]
    if len(fields) > MAX_FIELDS:
        raise scope.shard_error(
            f"field expansion matches too many fields, limit: {MAX_FIELDS}, got: {len(fields)}"
        )
    return fields
