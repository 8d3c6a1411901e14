"""Ranges of numbers, dates, addresses and texts, each by whatever finds them soonest."""

import math
from dataclasses import replace

import tantivy

from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.existence import compile_exists
from sealane.engine.embedded.search.fielddata import check_searchable, check_takes
from sealane.engine.embedded.search.patterns import ALL, HEX, range_pattern
from sealane.engine.embedded.search.scope import NOTHING, Compiled, Scope, constant
from sealane.engine.embedded.view import ID
from sealane.engine.mapping import Field, FieldType
from sealane.errors import ApiError, IllegalArgument
from sealane.model import dsl
from sealane.model.ip_addresses import ip_number

# A column is scanned at a few nanoseconds a document; the inverted index pays by the terms it visits.
NARROW_SHARE = 0.005
# Longer bounds are compared in Python: an automaton of them would be too large to build.
MAX_PATTERN_TEXT = 48
_TEXTUAL = (FieldType.TEXT, FieldType.KEYWORD)


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
    if mapped.type.is_date:
        # The reference reads the dates of a range before it builds the query: their errors are not wrapped.
        return _date_range(mapped, bounds, query, scope)
    try:
        check_takes(mapped, "range")
        if mapped.type is FieldType.COMPLETION:
            reason = f"Field [{mapped.path}] of type [completion] does not support range queries"
            raise IllegalArgument(reason)
        check_searchable(mapped)
        return _range_on(mapped, bounds, scope)
    except ApiError as error:
        raise scope.failed(error) from None


_Bounds = tuple[dsl.Scalar | None, dsl.Scalar | None, bool, bool]


def _date_range(mapped: Field, bounds: _Bounds, query: dsl.Range, scope: Scope) -> Compiled:
    low, high, with_low, with_high = bounds
    first, last = values.LONG_MIN, values.LONG_MAX
    fmt = values.range_format(query)
    if low is not None:
        first = values.date(
            low,
            mapped,
            scope.now_ms,
            round_up=not with_low,
            fmt=fmt,
            zone=query.time_zone,
        ) + (0 if with_low else 1)
    if high is not None:
        last = values.date(
            high,
            mapped,
            scope.now_ms,
            round_up=with_high,
            fmt=fmt,
            zone=query.time_zone,
        ) - (0 if with_high else 1)
    try:
        check_searchable(mapped)
    except ApiError as error:
        raise scope.failed(error) from None
    return span_on(mapped, (first, last), scope)


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
        first = 0 if low is None else ip_number(values.text_of(low)) + (not with_low)
        last = (1 << 128) - 1 if high is None else ip_number(values.text_of(high)) - (not with_high)
        if first > last or last < 0:
            return NOTHING
        return span_on(mapped, (values.ip_hex(first), values.ip_hex(last)), scope)
    if mapped.type is FieldType.BOOLEAN:
        first = 0 if low is None else values.boolean(low) + (not with_low)
        last = 1 if high is None else values.boolean(high) - (not with_high)
        return span_on(mapped, (first, last), scope)
    type_ = mapped.type
    first, last = values.LONG_MIN, values.LONG_MAX
    if low is not None:
        first = values.whole_bound(low, type_, lower=True, inclusive=with_low)
    if high is not None:
        last = values.whole_bound(high, type_, lower=False, inclusive=with_high)
    return span_on(mapped, (first, last), scope)


def span_on(mapped: Field, span: "tuple[int, int] | tuple[str, str]", scope: Scope) -> Compiled:
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
    # The reference does not round the ends to 16 bits.
    type_ = FieldType.FLOAT if mapped.type is FieldType.HALF_FLOAT else mapped.type
    first = -math.inf if low is None else values.floating(low, type_)
    last = math.inf if high is None else values.floating(high, type_)
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
    found = constant(
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
    return replace(found, span=(path, first, last)) if all(inclusion) else found


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
