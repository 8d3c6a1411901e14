"""The column an aggregation reads: whether it is there, of which type its values are, how they show."""

from dataclasses import dataclass
from math import ceil, inf

import tantivy

from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.fielddata import check_fielddata
from sealane.engine.embedded.search.scope import Scope, any_of
from sealane.engine.mapping import Field, FieldType
from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.model.dates import DEFAULT_FORMAT
from sealane.reduce.partial import Key

KEY_TYPES = {
    FieldType.KEYWORD: "keyword",
    FieldType.IP: "ip",
    FieldType.BOOLEAN: "boolean",
    FieldType.DATE: "date",
    FieldType.DOUBLE: "double",
    FieldType.FLOAT: "double",
}
_BEYOND = values.LONG_MAX + 2
"""Where a range begins that no whole number reaches."""
_METADATA = {
    "_id": Field(path="_id", type=FieldType.KEYWORD, source_path="_id", doc_values=False),
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
        if mapped is None or mapped.type is not FieldType.DATE:
            return None
        return mapped.format or DEFAULT_FORMAT

    @property
    def is_text(self) -> bool:
        return self.type in ("keyword", "ip")

    def key(self, raw: str | int | float) -> Key:
        """A bucket's key of tantivy as a partial has it."""
        if self.type == "ip":
            return values.ip_text(str(raw))
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
        if self.missing is not None and raw == self.missing:
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


def column_of(path: str, missing: dsl.Scalar | None, scope: Scope) -> Column:
    """Raises IllegalArgument for a text field, and the error of a `missing` that does not fit."""
    mapped = scope.mapped(path) or _METADATA.get(path)
    if path == "_id":
        raise IllegalArgument(
            "Fielddata access on the _id field is disallowed, you can re-enable it by updating "
            "the dynamic cluster setting: indices.id_field_data.enabled"
        )
    if mapped is None:
        return _unmapped(missing)
    check_fielddata(mapped, scope.index_name)
    name = mapped.path if scope.has_column(mapped.path) else None
    type_ = KEY_TYPES.get(mapped.type, "long")
    return Column(mapped, name, type_, _missing(missing, type_, mapped, scope))


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
        return values.ip_hex(values.ip_number(values.text_of(missing)))
    if type_ == "date":
        return values.date(missing, mapped, scope.now_ms, round_up=False, fmt=None, zone=None)
    if type_ == "boolean":
        return int(missing) if isinstance(missing, (bool, int)) else values.boolean(missing)
    number = values.decimal_of(missing, FieldType.DOUBLE)
    return float(number) if type_ == "double" else int(number)
