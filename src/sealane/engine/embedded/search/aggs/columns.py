"""The column an aggregation reads: whether it is there, of which type its values are, how they show."""

from dataclasses import dataclass, replace
from math import ceil, copysign, inf

import tantivy

from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.fielddata import check_fielddata
from sealane.engine.embedded.search.scope import Scope, any_of
from sealane.engine.embedded.view import SEQ_NO
from sealane.engine.mapping import Field, FieldType
from sealane.errors import IllegalArgument, UnsupportedOperation
from sealane.model import dsl
from sealane.model.dates import DEFAULT_FORMAT
from sealane.model.dates import check_format as check_date_format
from sealane.reduce.partial import Key

KEY_TYPES = {
    FieldType.KEYWORD: "keyword",
    FieldType.IP: "ip",
    FieldType.BOOLEAN: "boolean",
    FieldType.DATE: "date",
    FieldType.DATE_NANOS: "date",
    FieldType.HALF_FLOAT: "double",
    FieldType.SCALED_FLOAT: "double",
    FieldType.DOUBLE: "double",
    FieldType.FLOAT: "double",
}
_NO_NUMBERS = (FieldType.GEO_POINT, FieldType.DENSE_VECTOR)
_BEYOND = values.LONG_MAX + 2
"""Where a range begins that no whole number reaches."""
_METADATA = {
    "_id": Field(path="_id", type=FieldType.KEYWORD, source_path="_id", doc_values=False),
    SEQ_NO: Field(path=SEQ_NO, type=FieldType.LONG, source_path=SEQ_NO),
}


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is the tantivy field, None where no document of the view has a value."""

    mapped: Field | None
    name: str | None
    type: str | None
    missing: str | int | float | None = None
    """What documents without a value count as, in the column's own form."""

    @property
    def format(self) -> str | None:
        """A date field's format, its own or the default one; None for the others."""
        mapped = self.mapped
        if mapped is None or not mapped.type.is_date:
            return None
        return mapped.format or DEFAULT_FORMAT

    @property
    def is_text(self) -> bool:
        return self.type in ("keyword", "ip")

    @property
    def is_number(self) -> bool:
        """Whether its values can be added up; places and vectors have columns of numbers, and are none."""
        return not self.is_text and (self.mapped is None or self.mapped.type not in _NO_NUMBERS)

    def key(self, raw: str | int | float) -> Key:
        """A bucket's key of tantivy as a partial has it."""
        if self.type == "ip":
            return values.ip_shown(str(raw))
        if self.type == "double":
            return float(raw)
        return raw if isinstance(raw, str) else int(raw)

    def lacking(self) -> tantivy.Query:
        """Documents without a value."""
        if self.name is None:
            return tantivy.Query.all_query()
        return tantivy.Query.boolean_query(
            [
                (tantivy.Occur.Must, tantivy.Query.all_query()),
                (tantivy.Occur.MustNot, tantivy.Query.exists_query(self.name)),
            ]
        )

    def equal(self, raw: str | int | float, scope: Scope) -> tantivy.Query:
        """Documents with this value, given in the column's own form; with `missing`, those without one too."""
        queries: list[tantivy.Query] = []
        if self.name is not None:
            if self.type == "double":
                number = float(raw)
                queries.append(
                    tantivy.Query.range_query(
                        scope.schema, self.name, tantivy.FieldType.Float, number, number
                    )
                )
            else:
                queries.append(tantivy.Query.term_query(scope.schema, self.name, raw, "basic"))
        if self.missing is not None and _same(raw, self.missing):
            queries.append(self.lacking())
        return queries[0] if len(queries) == 1 else any_of(queries)

    def ends(
        self, low: float | None, high: float | None
    ) -> "tuple[float | None, float | None] | None":
        """The ends of a half-open range, moved to what the column can hold; None where nothing can be inside."""
        if self.type == "double":
            first, last = _signless(low), _signless(high)
            empty = first is not None and last is not None and first >= last
            return None if empty else (first, last)
        first, last = _whole_low(low), _whole_high(high)
        if first == _BEYOND or last == values.LONG_MIN:
            return None
        empty = first is not None and last is not None and first >= last
        return None if empty else (first, last)

    def between(self, low: float | None, high: float | None, scope: Scope) -> tantivy.Query:
        """Documents with a number from `low` on and below `high`."""
        if self.name is None:
            return tantivy.Query.empty_query()
        ends = self.ends(low, high)
        if ends is None:
            return tantivy.Query.empty_query()
        first, last = ends
        if first is None and last is None:
            return tantivy.Query.exists_query(self.name)
        kind = tantivy.FieldType.Float if self.type == "double" else tantivy.FieldType.Integer
        return tantivy.Query.range_query(
            scope.schema, self.name, kind, first, last, True, last is None
        )


def _same(one: str | int | float, other: str | int | float) -> bool:
    """The two zeros are different keys."""
    if isinstance(one, str) or isinstance(other, str) or one != 0:
        return one == other
    return other == 0 and copysign(1.0, one) == copysign(1.0, other)


def _whole_low(number: float | None) -> int | None:
    """None where the column can hold nothing lower."""
    if number is None or number <= values.LONG_MIN:
        return None
    # As doubles, the largest values of a column are one more than the largest.
    return min(values.LONG_MAX, ceil(number)) if number <= values.LONG_MAX + 1 else _BEYOND


def _whole_high(number: float | None) -> int | None:
    """None where the column can hold nothing higher."""
    if number is None or number > values.LONG_MAX + 1:
        return None
    return (
        max(values.LONG_MIN, min(values.LONG_MAX, ceil(number)))
        if number > -inf
        else values.LONG_MIN
    )


def _signless(number: float | None) -> float | None:
    """The two zeros are the same to a range; tantivy has -0.0 below 0.0."""
    return -0.0 if number == 0 else number


def exact_missing(column: Column, missing: dsl.Scalar | None) -> float | None:
    """What documents without a value count as to a metric: a number keeps its fraction, whatever the column holds."""
    if column.missing is None or column.is_text:
        return None
    if isinstance(missing, int | float) and not isinstance(missing, bool):
        return float(missing)
    return float(column.missing)


def check_shows(column: Column) -> None:
    """Raises UnsupportedOperation for a vector, for an aggregation that takes values of every other type."""
    if column.mapped is not None and column.mapped.type is FieldType.DENSE_VECTOR:
        raise UnsupportedOperation(
            "String representation of doc values for vector fields is not supported"
        )


def check_format(column: Column, path: str, wanted: str | None) -> None:
    """Raises IllegalArgument for a `format` on a field whose values have one form only."""
    mapped = column.mapped
    if wanted is None or mapped is None:
        return
    if column.type == "date":
        check_date_format(wanted)
    elif not column.is_number or column.type == "boolean":
        raise IllegalArgument(
            f"Field [{path}] of type [{mapped.type.value}] does not support custom formats"
        )


def signed_zeros(column: Column, scope: Scope) -> dict[str, tantivy.Query] | None:
    """Queries for -0.0 and 0.0 in a double column, by their names; None where no document of the view has -0.0."""
    name = column.name
    if column.type != "double" or name is None:
        return None

    def equal(zero: float) -> tantivy.Query:
        kind = tantivy.FieldType.Float
        return tantivy.Query.range_query(scope.schema, name, kind, zero, zero)

    key = ("negative zeros", name)
    negative = scope.state.remember(key, lambda: [scope.state.count(equal(-0.0))])[0]
    return {"-0.0": equal(-0.0), "0.0": equal(0.0)} if negative else None


def column_of(path: str, missing: dsl.Scalar | None, scope: Scope) -> Column:
    """Raises IllegalArgument for a text field, and the error of a `missing` that does not fit."""
    mapped = scope.mapped(path) or _METADATA.get(path)
    if path == "_id":
        raise IllegalArgument(
            "Fielddata access on the _id field is disallowed, you can re-enable it by updating "
            "the dynamic cluster setting: indices.id_field_data.enabled"
        )
    if path == SEQ_NO:
        return Column(_METADATA[SEQ_NO], SEQ_NO, "long", _whole_or_none(missing))
    if path == "_index":
        # Every document has it, and none has to be read for it.
        return Column(None, None, "keyword", scope.index_name)
    if mapped is None:
        return _unmapped(missing)
    check_fielddata(mapped, scope.index_name)
    name = mapped.path if scope.has_column(mapped.path) else None
    type_ = KEY_TYPES.get(mapped.type, "long")
    return Column(mapped, name, type_, _missing(missing, type_, mapped, scope))


def _whole_or_none(missing: dsl.Scalar | None) -> int | None:
    return None if missing is None else int(values.decimal_of(missing, FieldType.DOUBLE))


def with_fraction(column: Column, missing: dsl.Scalar | None) -> Column:
    """The column of a whole number whose `missing` keeps its fraction: where values become doubles anyway."""
    if missing is None or column.type != "long" or column.mapped is None:
        return column
    number = values.decimal_of(missing, FieldType.DOUBLE)
    return column if values.is_whole(number) else replace(column, missing=float(number))


def _unmapped(missing: dsl.Scalar | None) -> Column:
    """Only `missing` tells the type of a field that is not mapped."""
    match missing:
        case None:
            return Column(None, None, None)
        case bool():
            return Column(None, None, "boolean", int(missing))
        case int():
            return Column(None, None, "long", missing)
        case float():
            return Column(None, None, "double", missing)
        case _:
            return Column(None, None, "keyword", missing)


def _missing(
    missing: dsl.Scalar | None, type_: str, mapped: Field, scope: Scope
) -> str | int | float | None:
    if missing is None:
        return None
    if type_ == "keyword":
        return values.text_of(missing)
    if type_ == "ip":
        return values.ip_column(values.text_of(missing))
    if type_ == "date":
        return values.date(missing, mapped, scope.now_ms, round_up=False, fmt=None, zone=None)
    if type_ == "boolean":
        return int(missing) if not isinstance(missing, str) else values.boolean(missing)
    number = values.decimal_of(missing, FieldType.DOUBLE)
    return float(number) if type_ == "double" else int(number)
