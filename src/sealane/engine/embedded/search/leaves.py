"""Queries for exact values of one field: terms and ids."""

import math
from collections.abc import Sequence

import tantivy

from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.exact import exact_term, plain_score
from sealane.engine.embedded.search.fielddata import check_searchable, check_takes
from sealane.engine.embedded.search.index_field import on_index
from sealane.engine.embedded.search.patterns import fold
from sealane.engine.embedded.search.ranges import span_on
from sealane.engine.embedded.search.scope import (
    EVERYTHING,
    NOTHING,
    Compiled,
    Scope,
    any_of,
    constant,
)
from sealane.engine.embedded.view import ID
from sealane.engine.mapping import Field, FieldType
from sealane.engine.mapping.more_values import scaled_float_from
from sealane.errors import ApiError, IllegalArgument
from sealane.model import dsl
from sealane.model.ip_addresses import ip_block

MAX_TERMS = 65_536
_TEXTUAL = (FieldType.TEXT, FieldType.KEYWORD)


def compile_term(query: dsl.Term, scope: Scope) -> Compiled:
    if query.field == "_id":
        return _ids((values.text_of(query.value),), scope)
    if query.field == "_index":
        text = values.text_of(query.value)
        return on_index(text, scope, ignore_case=query.case_insensitive)
    mapped = scope.mapped(query.field)
    if mapped is None:
        return NOTHING
    try:
        return term_on(mapped, query.value, scope, ignore_case=query.case_insensitive)
    except ApiError as error:
        raise scope.failed(error) from None


def term_on(
    mapped: Field, value: dsl.Scalar, scope: Scope, *, ignore_case: bool = False
) -> Compiled:
    """One value of a field, unanalysed. Raises the error of a value that does not fit, not yet wrapped."""
    check_takes(mapped, "term")
    check_searchable(mapped)
    if mapped.type in _TEXTUAL:
        text = values.text_of(value)
        if ignore_case:
            return _pattern(mapped, fold(text), scope)
        found = text_term(mapped, text, scope)
        # Without an index the reference looks into the column, where nothing tells how rare a value is.
        return found if mapped.index or found is NOTHING else constant(found.query)
    if ignore_case:
        raise scope.shard_error(
            f"[{mapped.path}] field which is of type [{mapped.type.value}], "
            "does not support case insensitive term queries"
        )
    exact = exact_value(mapped, value, scope)
    if exact is None or not scope.has_column(mapped.path):
        return NOTHING
    if isinstance(exact, tuple):
        return span_on(mapped, exact, scope)
    if mapped.type is FieldType.BOOLEAN and mapped.index:
        # The reference indexes booleans as terms, which score; its numbers are points, which do not.
        return _plain_term(mapped.path, exact, scope)
    return constant(tantivy.Query.term_query(scope.schema, mapped.path, exact))


def exact_value(
    mapped: Field, value: dsl.Scalar, scope: Scope
) -> "str | int | float | tuple[int, int] | tuple[str, str] | None":
    """What a document's column must hold to have this value; a pair is a range, None is never."""
    if mapped.type.is_integral:
        return values.whole_or_none(value, mapped.type)
    if mapped.type is FieldType.SCALED_FLOAT:
        return scaled_float_from(values.floating(value, mapped.type), mapped.scaling_factor)
    if mapped.type.is_floating:
        return values.floating(value, mapped.type)
    if mapped.type is FieldType.BOOLEAN:
        return values.boolean(value)
    if mapped.type.is_date:
        low, high = (
            values.date(value, mapped, scope.now_ms, round_up=up, fmt=None, zone=None)
            for up in (False, True)
        )
        return low if low == high else (low, high)
    text = values.text_of(value)
    if mapped.type is FieldType.IP:
        if "/" in text:
            first, last = ip_block(text)
            return values.ip_hex(first), values.ip_hex(last)
        return values.ip_column(text)
    return text


def text_term(mapped: Field, text: str, scope: Scope) -> Compiled:
    """One term of a text or keyword field, with the reference's score."""
    path = mapped.path
    if not scope.has_column(path) or not text:
        return NOTHING if text or not scope.has_column(path) else _plain_term(path, text, scope)
    return (
        _plain_term(path, text, scope)
        if mapped.type is FieldType.KEYWORD
        else _word(path, text, scope)
    )


def _word(path: str, text: str, scope: Scope) -> Compiled:
    if not scope.state.has_all(path):
        exact = exact_term(path, text, scope)
        if exact is not None:
            return exact
    query = tantivy.Query.term_query(scope.schema, path, text, "freq")
    return Compiled(query, None).boosted(sparse_correction(path, (text,), scope))


def sparse_correction(path: str, words: Sequence[str], scope: Scope) -> float:
    """The reference counts only documents that have the field; tantivy counts all of them.

    What this gives for their frequency is exact, for the length of the field only in documents of average length.
    """
    state = scope.state
    if state.has_all(path):
        return 1.0
    having, total = state.having_tokens(path), state.num_docs
    if having >= total or having == 0:
        return 1.0
    frequencies = [min(state.view.searcher.doc_freq(path, word), having) for word in words]
    ours = sum(_idf(each, total) for each in frequencies)
    theirs = sum(_idf(each, having) for each in frequencies)
    return theirs / ours * (1 + 1.2 * (0.25 + 0.75 * total / having)) / 2.2


def _idf(frequency: int, docs: int) -> float:
    return math.log(1 + (docs - frequency + 0.5) / (frequency + 0.5))


def _plain_term(path: str, text: str | float, scope: Scope) -> Compiled:
    """A term of a field without frequencies and norms: every document scores the same."""
    query = tantivy.Query.term_query(scope.schema, path, text, "basic")
    frequency = scope.state.view.searcher.doc_freq(path, text)
    if frequency == 0:
        return NOTHING
    column = scope.state.column(path)
    docs = max(column.docs, frequency)
    return constant(query, plain_score(_idf(frequency, docs), max(column.values, docs) / docs))


def compile_terms(query: dsl.Terms, scope: Scope) -> Compiled:
    if len(query.values) > MAX_TERMS:
        raise scope.failed(
            IllegalArgument(
                f"The number of terms [{len(query.values)}] used in the Terms Query request has "
                f"exceeded the allowed maximum of [{MAX_TERMS}]. This maximum can be set by "
                "changing the [index.max_terms_count] index level setting."
            )
        )
    if query.field == "_id":
        return _ids(tuple(values.text_of(each) for each in query.values), scope)
    if query.field == "_index":
        named = [on_index(values.text_of(each), scope) for each in query.values]
        return EVERYTHING if EVERYTHING in named else NOTHING
    mapped = scope.mapped(query.field)
    if mapped is None or not query.values:
        return NOTHING
    try:
        check_takes(mapped, "term")
        check_searchable(mapped)
        exact = [exact_value(mapped, each, scope) for each in query.values]
    except ApiError as error:
        raise scope.failed(error) from None
    if not scope.has_column(mapped.path):
        return NOTHING
    single = [each for each in exact if each is not None and not isinstance(each, tuple)]
    spans = [span_on(mapped, each, scope).query for each in exact if isinstance(each, tuple)]
    if single:
        spans.append(tantivy.Query.term_set_query(scope.schema, mapped.path, single))
    if not spans:
        return NOTHING
    return constant(spans[0] if len(spans) == 1 else any_of(spans))


def _ids(ids: tuple[str, ...], scope: Scope) -> Compiled:
    if not ids:
        return NOTHING
    return constant(tantivy.Query.term_set_query(scope.schema, ID, list(ids)))


def compile_ids(query: dsl.Ids, scope: Scope) -> Compiled:
    return _ids(query.values, scope)


def _pattern(mapped: Field, regex: str, scope: Scope) -> Compiled:
    if not scope.has_column(mapped.path):
        return NOTHING
    return constant(tantivy.Query.regex_query(scope.schema, mapped.path, regex))
