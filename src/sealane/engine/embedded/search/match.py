"""Queries whose text is analysed, on one field: match, match_phrase and the two with a prefix at their end.

What is written as `..._on` here works on a mapped field with `TextOptions`, for the queries on several fields
(`multi_match`) and those with a syntax (`query_string`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import tantivy
from tantivy import Occur

from sealane.engine.embedded.analyzers import KEYWORD, STANDARD, Analyzer, analyzer_named
from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.exact import exact_phrase
from sealane.engine.embedded.search.fielddata import check_searchable, check_takes
from sealane.engine.embedded.search.leaves import (
    compile_term,
    sparse_correction,
    term_on,
    text_term,
)
from sealane.engine.embedded.search.minimum import minimum_should_match
from sealane.engine.embedded.search.multi_terms import fuzzy_on, prefix_on, textual
from sealane.engine.embedded.search.phrase_prefix import phrase_prefix
from sealane.engine.embedded.search.rewrites import MAX_CLAUSES, rewrite_of
from sealane.engine.embedded.search.scope import EVERYTHING, NOTHING, Compiled, Scope, scoring
from sealane.engine.mapping import Field, FieldType
from sealane.errors import ApiError, IllegalArgument, TooManyBooleanClauses
from sealane.model import dsl


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOptions:
    """How text is looked for in a field. `analyzer` None is the field's own."""

    operator: Literal["or", "and"] = "or"
    minimum_should_match: str | None = None
    analyzer: Analyzer | None = None
    fuzzing: dsl.Fuzzing | None = None
    zero_terms: Literal["none", "all"] = "none"
    lenient: bool = False
    slop: int = 0
    max_expansions: int = 50


OnField = Callable[[Field, dsl.Scalar, TextOptions, Scope], Compiled]


def named_analyzer(
    name: str | None, query: str, scope: Scope, *, member: str = "analyzer"
) -> Analyzer | None:
    """Raises QueryShardError for an analyzer that does not exist."""
    if name is None:
        return None
    found = analyzer_named(name)
    if found is None:
        raise scope.shard_error(f"[{query}] {member} [{name}] not found")
    return found


def check_rewrite(name: str | None, scope: Scope) -> None:
    try:
        rewrite_of(name)
    except ApiError as error:
        raise scope.failed(error) from None


def compile_match(query: dsl.Match, scope: Scope) -> Compiled:
    analyzer = named_analyzer(query.analyzer, "match", scope)
    if query.fuzzy_rewrite is not None:
        check_rewrite(query.fuzzy_rewrite, scope)
    mapped = scope.mapped(query.field)
    if mapped is None:
        if query.fuzzing is not None:
            textual(query.field, "fuzzy", scope)
        return _metadata_term(query.field, query.query, scope)
    options = TextOptions(
        operator=query.operator,
        minimum_should_match=query.minimum_should_match,
        analyzer=analyzer,
        fuzzing=query.fuzzing,
        zero_terms=query.zero_terms_query,
        lenient=query.lenient,
    )
    return words_on(mapped, query.query, options, scope)


def compile_phrase(query: dsl.MatchPhrase, scope: Scope) -> Compiled:
    analyzer = named_analyzer(query.analyzer, "match_phrase", scope)
    mapped = scope.mapped(query.field)
    if mapped is None:
        return _metadata_term(query.field, query.query, scope)
    options = TextOptions(analyzer=analyzer, zero_terms=query.zero_terms_query, slop=query.slop)
    return phrase_on(mapped, query.query, options, scope)


def compile_phrase_prefix(query: dsl.MatchPhrasePrefix, scope: Scope) -> Compiled:
    options = TextOptions(
        analyzer=named_analyzer(query.analyzer, "match_phrase_prefix", scope),
        zero_terms=query.zero_terms_query,
        slop=query.slop,
        max_expansions=query.max_expansions,
    )
    mapped = scope.mapped(query.field)
    if mapped is None:
        return _metadata_term(query.field, query.query, scope)
    return phrase_prefix_on(mapped, query.query, options, scope)


def compile_bool_prefix(query: dsl.MatchBoolPrefix, scope: Scope) -> Compiled:
    options = TextOptions(
        analyzer=named_analyzer(query.analyzer, "match_bool_prefix", scope),
        operator=query.operator,
        minimum_should_match=query.minimum_should_match,
        fuzzing=query.fuzzing,
    )
    mapped = scope.mapped(query.field)
    if mapped is None:
        if query.fuzzing is not None:
            textual(query.field, "fuzzy", scope)
        return _metadata_term(query.field, query.query, scope)
    return bool_prefix_on(mapped, query.query, options, scope)


def _metadata_term(path: str, value: dsl.Scalar, scope: Scope) -> Compiled:
    return compile_term(dsl.Term(field=path, value=value), scope)


def analysed(mapped: Field, value: dsl.Scalar, analyzer: Analyzer | None) -> list[tuple[int, str]]:
    """The terms of a text, each with its position, as the field's analyzer or another one has them."""
    if analyzer is None:
        analyzer = STANDARD if mapped.type is FieldType.TEXT else KEYWORD
    return analyzer.terms(values.text_of(value))


def words_on(mapped: Field, value: dsl.Scalar, options: TextOptions, scope: Scope) -> Compiled:
    """The match of one field, as `match` and most of `multi_match` have it."""
    whole = mapped.type is not FieldType.TEXT and options.analyzer in (None, KEYWORD)
    if whole:
        return word_on(mapped, value, options, scope)
    _check(mapped, scope)
    words = [word for _, word in analysed(mapped, value, options.analyzer)]
    if not words:
        return EVERYTHING if options.zero_terms == "all" else NOTHING
    _check_count(words, scope)
    return combined([word_on(mapped, word, options, scope) for word in words], options, scope)


def combined(clauses: list[Compiled], options: TextOptions, scope: Scope) -> Compiled:
    """All of the clauses, any of them, or as many as must match."""
    if len(clauses) == 1:
        return clauses[0]
    if options.operator == "and" and options.minimum_should_match is None:
        return Compiled(
            tantivy.Query.boolean_query([(Occur.Must, scoring(each)) for each in clauses]), None
        )
    required = required_of(options, len(clauses), scope)
    if required > len(clauses):
        return NOTHING
    return Compiled(
        tantivy.Query.boolean_query([(Occur.Should, scoring(each)) for each in clauses], required),
        None,
    )


def required_of(options: TextOptions, clauses: int, scope: Scope) -> int:
    """How many of several words must match; more than there are where none can do."""
    must = options.operator == "and"
    if options.minimum_should_match is None:
        return clauses if must else 1
    try:
        # Words that all must match are no optional ones, of which any number would be too many.
        required = minimum_should_match(options.minimum_should_match, 0 if must else clauses)
    except ApiError as error:
        raise scope.failed(error) from None
    if must:
        return clauses + 1 if required > 0 else clauses
    return max(1, required)


def _check_count(words: list[str], scope: Scope) -> None:
    if len(words) > MAX_CLAUSES:
        raise scope.failed(TooManyBooleanClauses(MAX_CLAUSES))


def _check(mapped: Field, scope: Scope) -> None:
    try:
        check_searchable(mapped)
    except ApiError as error:
        raise scope.failed(error) from None


def word_on(mapped: Field, value: dsl.Scalar, options: TextOptions, scope: Scope) -> Compiled:
    """One word, or one value of a field that is no text; near spellings too, where those are wanted."""
    try:
        if options.fuzzing is not None:
            textual(mapped.path, "fuzzy", scope)
            return fuzzy_on(mapped, values.text_of(value), options.fuzzing, scope)
        if mapped.type is FieldType.TEXT:
            return text_term(mapped, values.text_of(value), scope)
        check_takes(mapped, "match")
        return term_on(mapped, value, scope)
    except ApiError as error:
        if options.lenient:
            return NOTHING
        raise scope.failed(error) from None


def phrase_on(mapped: Field, value: dsl.Scalar, options: TextOptions, scope: Scope) -> Compiled:
    """The words one after another, or nearly so."""
    if mapped.type is not FieldType.TEXT:
        try:
            check_takes(mapped, "match_phrase")
        except ApiError as error:
            raise scope.failed(error) from None
        if options.analyzer in (None, KEYWORD):
            return word_on(mapped, value, options, scope)
    _check(mapped, scope)
    terms = analysed(mapped, value, options.analyzer)
    if not terms:
        return EVERYTHING if options.zero_terms == "all" else NOTHING
    if len(terms) == 1:
        return word_on(mapped, terms[0][1], options, scope)
    if mapped.type is not FieldType.TEXT:
        if options.lenient:
            return NOTHING
        reason = (
            f"Can only use phrase queries on text fields - not on [{mapped.path}] which is of type "
            f"[{mapped.type.value}]"
        )
        raise scope.failed(IllegalArgument(reason))
    if not scope.has_column(mapped.path):
        return NOTHING
    words = [word for _, word in terms]
    placed = placed_words(terms)
    if options.slop or not scope.state.has_all(mapped.path):
        exact = exact_phrase(mapped.path, placed, options.slop, scope)
        if exact is not None:
            return exact
    query = tantivy.Query.phrase_query(scope.schema, mapped.path, list(placed), options.slop)
    return Compiled(query, None).boosted(sparse_correction(mapped.path, words, scope))


def placed_words(terms: list[tuple[int, str]]) -> list[str | tuple[int, str]]:
    """Words as tantivy takes them for a phrase; with their places where one was left out between them."""
    first = terms[0][0]
    if all(position - first == index for index, (position, _) in enumerate(terms)):
        return [word for _, word in terms]
    return [(position - first, word) for position, word in terms]


def phrase_prefix_on(
    mapped: Field, value: dsl.Scalar, options: TextOptions, scope: Scope
) -> Compiled:
    """As a phrase; of the last word only the beginning is given. Raises QueryShardError unless it is a text field."""
    if mapped.type is not FieldType.TEXT:
        if options.lenient:
            return NOTHING
        reason = (
            f"Can only use phrase prefix queries on text fields - not on [{mapped.path}] which "
            f"is of type [{mapped.type.value}]"
        )
        raise scope.failed(IllegalArgument(reason))
    _check(mapped, scope)
    terms = analysed(mapped, value, options.analyzer)
    if not terms:
        return EVERYTHING if options.zero_terms == "all" else NOTHING
    if not scope.has_column(mapped.path):
        return NOTHING
    return phrase_prefix(mapped, terms, options.slop, scope, max_expansions=options.max_expansions)


def bool_prefix_on(
    mapped: Field, value: dsl.Scalar, options: TextOptions, scope: Scope
) -> Compiled:
    """As the words; of the last one only the beginning is given."""
    is_text = mapped.type in (FieldType.TEXT, FieldType.KEYWORD)
    if not is_text and options.analyzer in (None, KEYWORD):
        return word_on(mapped, value, options, scope)
    if not is_text and options.lenient:
        return NOTHING
    _check(mapped, scope)
    clauses = bool_prefix_clauses(mapped, value, options, scope)
    if not clauses:
        return EVERYTHING if options.zero_terms == "all" else NOTHING
    return combined(clauses, options, scope)


def bool_prefix_clauses(
    mapped: Field, value: dsl.Scalar, options: TextOptions, scope: Scope
) -> list[Compiled]:
    """The words, each a clause, the last one as the beginning of words."""
    words = [word for _, word in analysed(mapped, value, options.analyzer)]
    if not words:
        return []
    _check_count(words, scope)
    clauses = [word_on(mapped, word, options, scope) for word in words[:-1]]
    textual(mapped.path, "prefix", scope)
    return [*clauses, prefix_on(mapped, words[-1], scope)]
