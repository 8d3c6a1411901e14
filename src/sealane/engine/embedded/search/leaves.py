"""Queries on one field that are not analysed: terms, ranges, prefixes, existence, ids."""

import math

import tantivy

from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.masks import pattern
from sealane.engine.embedded.search.patterns import (
    ALL,
    HEX,
    fold,
    prefix_pattern,
    range_pattern,
)
from sealane.engine.embedded.search.scope import (
    EVERYTHING,
    NOTHING,
    Compiled,
    Scope,
    constant,
)
from sealane.engine.embedded.view import FIELD_NAMES, ID
from sealane.engine.mapping import Field, FieldType
from sealane.errors import ApiError, IllegalArgument
from sealane.model import dsl

MAX_TERMS = 65_536
# A column is scanned at a few nanoseconds a document; the inverted index pays by the terms it visits.
NARROW_SHARE = 0.005
# Longer bounds are compared in Python: an automaton of them would be too large to build.
MAX_PATTERN_TEXT = 48
_TEXTUAL = (FieldType.TEXT, FieldType.KEYWORD)


def compile_term(query: dsl.Term, scope: Scope) -> Compiled:
    if query.field == "_id":
        return _ids((values.text_of(query.value),), scope)
    if query.field == "_index":
        return _on_index(query.value, query.case_insensitive, scope)
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
    check_searchable(mapped)
    if mapped.type in _TEXTUAL:
        text = values.text_of(value)
        if ignore_case:
            return _pattern(mapped, fold(text), scope)
        return text_term(mapped, text, scope)
    if ignore_case:
        raise scope.shard_error(
            f"[{mapped.path}] field which is of type [{mapped.type.value}], "
            "does not support case insensitive term queries"
        )
    exact = exact_value(mapped, value, scope)
    if exact is None or not scope.has_column(mapped.path):
        return NOTHING
    if isinstance(exact, tuple):
        return _span(mapped, exact, scope)
    if mapped.type is FieldType.BOOLEAN:
        # The reference indexes booleans as terms, which score; its numbers are points, which do not.
        return _plain_term(mapped.path, exact, scope)
    return constant(tantivy.Query.term_query(scope.schema, mapped.path, exact))


def exact_value(
    mapped: Field, value: dsl.Scalar, scope: Scope
) -> "str | int | float | tuple[int, int] | tuple[str, str] | None":
    """What a document's column must hold to have this value; a pair is a range, None is never."""
    if mapped.type.is_integral:
        return values.whole_or_none(value, mapped.type)
    if mapped.type.is_floating:
        return values.floating(value, mapped.type)
    if mapped.type is FieldType.BOOLEAN:
        return values.boolean(value)
    if mapped.type is FieldType.DATE:
        low, high = (
            values.date(value, mapped, scope.now_ms, round_up=up, fmt=None, zone=None)
            for up in (False, True)
        )
        return low if low == high else (low, high)
    text = values.text_of(value)
    if mapped.type is FieldType.IP:
        if "/" in text:
            first, last = values.ip_block(text)
            return values.ip_hex(first), values.ip_hex(last)
        return values.ip_hex(values.ip_number(text))
    return text


def check_searchable(mapped: Field) -> None:
    if mapped.index:
        return
    if mapped.type is FieldType.TEXT:
        raise IllegalArgument(f"Cannot search on field [{mapped.path}] since it is not indexed.")
    if not mapped.doc_values:
        raise IllegalArgument(
            f"Cannot search on field [{mapped.path}] since it is not indexed nor has doc values."
        )


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
    query = tantivy.Query.term_query(scope.schema, path, text, "freq")
    return Compiled(query, None).boosted(sparse_correction(path, text, scope))


def sparse_correction(path: str, text: str, scope: Scope) -> float:
    """The reference counts only documents that have the field; tantivy counts all of them."""
    state = scope.state
    having, total = state.column(path).docs, state.num_docs
    if having >= total or having == 0:
        return 1.0
    frequency = state.view.searcher.doc_freq(path, text)
    if frequency == 0 or frequency > having:
        return 1.0
    return _idf(frequency, having) / _idf(frequency, total)


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
    norm = 1.2 * (0.25 + 0.75 * docs / max(column.values, docs))
    return constant(query, 2.2 * _idf(frequency, docs) / (1 + norm))


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
        hit = any(values.text_of(each) == scope.index_name for each in query.values)
        return EVERYTHING if hit else NOTHING
    mapped = scope.mapped(query.field)
    if mapped is None or not query.values:
        return NOTHING
    try:
        check_searchable(mapped)
        exact = [exact_value(mapped, each, scope) for each in query.values]
    except ApiError as error:
        raise scope.failed(error) from None
    if not scope.has_column(mapped.path):
        return NOTHING
    single = [each for each in exact if each is not None and not isinstance(each, tuple)]
    spans = [_span(mapped, each, scope).query for each in exact if isinstance(each, tuple)]
    if single:
        spans.append(tantivy.Query.term_set_query(scope.schema, mapped.path, single))
    if not spans:
        return NOTHING
    return constant(spans[0] if len(spans) == 1 else any_of(spans))


def any_of(queries: list[tantivy.Query]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, each) for each in queries])


def _ids(ids: tuple[str, ...], scope: Scope) -> Compiled:
    if not ids:
        return NOTHING
    return constant(tantivy.Query.term_set_query(scope.schema, ID, list(ids)))


def compile_ids(query: dsl.Ids, scope: Scope) -> Compiled:
    return _ids(query.values, scope)


def _on_index(value: dsl.Scalar, ignore_case: bool, scope: Scope) -> Compiled:
    text, name = values.text_of(value), scope.index_name
    if ignore_case:
        text, name = text.lower(), name.lower()
    return EVERYTHING if pattern(text).fullmatch(name) else NOTHING


def compile_prefix(query: dsl.Prefix, scope: Scope) -> Compiled:
    mapped = scope.mapped(query.field)
    if query.field == "_index":
        return EVERYTHING if scope.index_name.startswith(query.value) else NOTHING
    if mapped is None and query.field != ID:
        return NOTHING
    type_ = ID if mapped is None else mapped.type.value
    if mapped is None or mapped.type not in _TEXTUAL:
        raise scope.shard_error(
            "Can only use prefix queries on keyword, text and wildcard fields - "
            f"not on [{query.field}] which is of type [{type_}]"
        )
    try:
        check_searchable(mapped)
    except ApiError as error:
        raise scope.failed(error) from None
    return _pattern(mapped, prefix_pattern(query.value, ignore_case=query.case_insensitive), scope)


def _pattern(mapped: Field, regex: str, scope: Scope) -> Compiled:
    if not scope.has_column(mapped.path):
        return NOTHING
    return constant(tantivy.Query.regex_query(scope.schema, mapped.path, regex))


# -- ranges ------------------------------------------------------------------------------------------------------


def compile_range(query: dsl.Range, scope: Scope) -> Compiled:
    if query.field.startswith("_") and query.field in (ID, "_index"):
        raise scope.failed(
            IllegalArgument(
                f"Field [{query.field}] of type [{query.field}] does not support range queries"
            )
        )
    mapped = scope.mapped(query.field)
    if mapped is None:
        return NOTHING
    low = query.gte if query.gte is not None else query.gt
    high = query.lte if query.lte is not None else query.lt
    bounds = (low, high, query.gte is not None, query.lte is not None)
    if mapped.type is FieldType.DATE:
        # The reference reads the dates of a range before it builds the query: their errors are not wrapped.
        return _date_range(mapped, bounds, query, scope)
    try:
        check_searchable(mapped)
        return _range_on(mapped, bounds, scope)
    except ApiError as error:
        raise scope.failed(error) from None


_Bounds = tuple[dsl.Scalar | None, dsl.Scalar | None, bool, bool]


def _date_range(mapped: Field, bounds: _Bounds, query: dsl.Range, scope: Scope) -> Compiled:
    low, high, with_low, with_high = bounds
    first, last = values.LONG_MIN, values.LONG_MAX
    if low is not None:
        first = values.date(
            low,
            mapped,
            scope.now_ms,
            round_up=not with_low,
            fmt=query.format,
            zone=query.time_zone,
        ) + (0 if with_low else 1)
    if high is not None:
        last = values.date(
            high,
            mapped,
            scope.now_ms,
            round_up=with_high,
            fmt=query.format,
            zone=query.time_zone,
        ) - (0 if with_high else 1)
    try:
        check_searchable(mapped)
    except ApiError as error:
        raise scope.failed(error) from None
    return _span(mapped, (first, last), scope)


def _range_on(mapped: Field, bounds: _Bounds, scope: Scope) -> Compiled:
    low, high, with_low, with_high = bounds
    if mapped.type in _TEXTUAL:
        return _text_range(
            mapped,
            None if low is None else values.text_of(low),
            None if high is None else values.text_of(high),
            (with_low, with_high),
            scope,
        )
    if mapped.type.is_floating:
        return _float_range(mapped, bounds, scope)
    if mapped.type is FieldType.IP:
        first = 0 if low is None else values.ip_number(values.text_of(low)) + (not with_low)
        last = (
            (1 << 128) - 1
            if high is None
            else values.ip_number(values.text_of(high)) - (not with_high)
        )
        if first > last or last < 0:
            return NOTHING
        return _span(mapped, (values.ip_hex(first), values.ip_hex(last)), scope)
    if mapped.type is FieldType.BOOLEAN:
        first = 0 if low is None else values.boolean(low) + (not with_low)
        last = 1 if high is None else values.boolean(high) - (not with_high)
        return _span(mapped, (first, last), scope)
    type_ = mapped.type
    first, last = values.LONG_MIN, values.LONG_MAX
    if low is not None:
        first = values.whole_bound(low, type_, lower=True, inclusive=with_low)
    if high is not None:
        last = values.whole_bound(high, type_, lower=False, inclusive=with_high)
    return _span(mapped, (first, last), scope)


def _span(mapped: Field, span: "tuple[int, int] | tuple[str, str]", scope: Scope) -> Compiled:
    """A closed range of an integral column, or of an ip's hex digits."""
    first, last = span
    if isinstance(first, str) and isinstance(last, str):
        return _text_range(mapped, first, last, (True, True), scope)
    assert isinstance(first, int)
    assert isinstance(last, int)
    if first > last or first > values.LONG_MAX or last < values.LONG_MIN:
        return NOTHING
    return _numbers(mapped.path, first, last, (True, True), tantivy.FieldType.Integer, scope)


def _float_range(mapped: Field, bounds: _Bounds, scope: Scope) -> Compiled:
    low, high, with_low, with_high = bounds
    first = -math.inf if low is None else values.floating(low, mapped.type)
    last = math.inf if high is None else values.floating(high, mapped.type)
    inclusion = (with_low or low is None, with_high or high is None)
    return _numbers(mapped.path, first, last, inclusion, tantivy.FieldType.Float, scope)


def _numbers(
    path: str,
    first: float,
    last: float,
    inclusion: tuple[bool, bool],
    kind: tantivy.FieldType,
    scope: Scope,
) -> Compiled:
    """A range of numbers, by whatever finds it soonest: nothing, everything, the inverted index or the column."""
    if not scope.has_column(path):
        return NOTHING
    column = scope.state.column(path)
    least, most = column.min, column.max
    if least is None or most is None or first > most or last < least:
        return NOTHING
    if first < least and last > most:
        return compile_exists(path, scope)
    width = most - least
    share = (min(last, most) - max(first, least)) / width if width > 0 else 1.0
    return constant(
        tantivy.Query.range_query(
            scope.schema,
            path,
            kind,
            None if first == -math.inf else first,
            None if last == math.inf else last,
            *inclusion,
            share < NARROW_SHARE,
        )
    )


def _text_range(
    mapped: Field,
    low: str | None,
    high: str | None,
    inclusion: tuple[bool, bool],
    scope: Scope,
) -> Compiled:
    if not scope.has_column(mapped.path):
        return NOTHING
    found = text_range(mapped.path, low, high, inclusion, scope)
    return NOTHING if found is None else constant(found)


def text_range(
    path: str,
    low: str | None,
    high: str | None,
    inclusion: tuple[bool, bool],
    scope: Scope,
) -> tantivy.Query | None:
    """Documents with a term between two others, compared by bytes; None when there is no such term."""
    with_low, with_high = inclusion
    mapped = scope.state.view.mapping.get(path)
    is_ip = mapped is not None and mapped.type is FieldType.IP
    if max(len(low or ""), len(high or "")) <= MAX_PATTERN_TEXT:
        regex = range_pattern(
            low,
            high,
            include_low=with_low,
            include_high=with_high,
            alphabet=HEX if is_ip else ALL,
        )
        if regex is None:
            return None
        try:
            return tantivy.Query.regex_query(scope.schema, path, regex)
        except ValueError:
            pass  # more states than tantivy allows an automaton
    found = [
        term
        for term, _ in scope.state.view.searcher.terms_with_prefix(path, "")
        if (low is None or term > low or (with_low and term == low))
        and (high is None or term < high or (with_high and term == high))
    ]
    return tantivy.Query.term_set_query(scope.schema, path, found) if found else None


# -- existence ---------------------------------------------------------------------------------------------------


def compile_exists(path: str, scope: Scope) -> Compiled:
    """Documents with a value of a field, of any field of an object, or of any that a pattern matches."""
    if path in (ID, "_index", "_seq_no", "_version"):
        return EVERYTHING
    if path == "_source":
        raise scope.shard_error("The _source field is not searchable")
    found = [each for each in _leaves(path, scope) if scope.has_column(each)]
    if any(scope.state.has_all(each) for each in found):
        return EVERYTHING
    queries = [_exists(each, scope) for each in found]
    if not queries:
        return NOTHING
    return constant(queries[0] if len(queries) == 1 else any_of(queries))


def _leaves(path: str, scope: Scope) -> list[str]:
    mapping = scope.state.view.mapping
    if scope.mapped(path) is not None:
        return [path]
    inside = path + "."
    wanted = pattern(path) if "*" in path else None
    return [
        each
        for each in mapping.fields
        if (each.startswith(inside) or (wanted and wanted.fullmatch(each)))
        and scope.mapped(each) is not None
    ]


def _exists(path: str, scope: Scope) -> tantivy.Query:
    mapped = scope.state.view.mapping.get(path)
    if mapped is not None and mapped.type is FieldType.TEXT:
        return tantivy.Query.term_query(scope.schema, FIELD_NAMES, path, "basic")
    return tantivy.Query.exists_query(path)
