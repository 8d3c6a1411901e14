"""The keys hits are sorted by: resolved against the mapping, with the values of documents that lack the field."""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from sealane.engine.embedded.search import sort_numbers, values
from sealane.engine.embedded.search.fielddata import check_fielddata
from sealane.engine.embedded.search.scope import Scope
from sealane.engine.embedded.view import NANOS, SEQ_NO
from sealane.engine.mapping import Field, FieldType
from sealane.engine.mapping.more_values import date_nanos_from, shortest_single
from sealane.engine.mapping.values import BadValue, round_to_float
from sealane.errors import ApiError, IllegalArgument
from sealane.model import dsl
from sealane.model.date_nanos import DEFAULT_NANOS_FORMAT
from sealane.reduce.partial import SortValue

if TYPE_CHECKING:
    from sealane.engine.embedded.search.computed_sorts import Lists

_SHARD_DOC_BITS = 32
"""The reference puts a shard's place above the number of the document in it."""
_NUMERIC_MODES = ("avg", "sum", "median")
_TYPES = {
    FieldType.KEYWORD: "keyword",
    FieldType.WILDCARD: "keyword",
    FieldType.HALF_FLOAT: "double",
    FieldType.SCALED_FLOAT: "double",
    FieldType.IP: "ip",
    FieldType.BOOLEAN: "boolean",
    FieldType.DATE: "date",
    FieldType.DATE_NANOS: "date_nanos",
    FieldType.DOUBLE: "double",
    FieldType.FLOAT: "double",
}
_SHORT = (FieldType.FLOAT, FieldType.HALF_FLOAT)
# The reference sorts these as 32-bit numbers.
_NARROW = (FieldType.INTEGER, FieldType.SHORT, FieldType.BYTE)
SortType = Literal["long", "double", "date", "keyword", "ip", "boolean", "score"]


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key. `column` is None where no document of this view has a value, and for the score.

    `missing` is what a document without a value sorts by; None (text only) is before or after all others, as
    `missing_first` says. Column values of ips are hex digits, and so is `missing`.
    """

    type: str
    descending: bool
    column: str | None = None
    missing: SortValue = None
    missing_first: bool = False
    mode: str = "min"
    mapped: Field | None = None
    base: int = 0
    """What is added to a column's value where it is shown: `_shard_doc` numbers documents over all shards."""
    reader: "Lists | None" = None
    """What reads a document's values, where no column of the documents has them (computed_sorts.py)."""

    @property
    def is_score(self) -> bool:
        return self.type == "score"

    @property
    def is_text(self) -> bool:
        return self.type in ("keyword", "ip")

    def shown(self, value: SortValue) -> SortValue:
        """A column's value as `Hit.sort` has it."""
        if self.base and isinstance(value, int):
            return value + self.base
        if isinstance(value, float) and self.is_short:
            return shortest_single(round_to_float(value)) if math.isfinite(value) else value
        return values.ip_shown(value) if self.type == "ip" and isinstance(value, str) else value

    @property
    def is_short(self) -> bool:
        """Whether the reference holds the value in 32 bits, and shows it with the digits that they need."""
        return self.mapped is not None and self.mapped.type in _SHORT and self.reader is None

    def order(self, value: SortValue) -> tuple[object, ...]:
        """A key for Python's sort: ascending in the order of the hits. -0.0 is below 0.0, as in the reference."""
        if value is None:
            return (-1 if self.missing_first else 1, 0)
        if isinstance(value, str):
            return (0, Reversed(value) if self.descending else value)
        place = -value if self.descending else value
        if place == 0 and self.type == "double" and not sort_numbers.is_negative_zero(place):
            return (0, place, 0)
        return (0, place)

    def compare(self, left: SortValue, right: SortValue) -> int:
        """Negative where `left` comes first."""
        one, other = self.order(left), self.order(right)
        return 0 if one == other else (-1 if one < other else 1)


class Reversed:
    """Text that sorts the other way round."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __lt__(self, other: "Reversed") -> bool:
        return other.text < self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reversed) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


def sort_keys(
    fields: tuple[dsl.SortField, ...], scope: Scope, shard_index: int = 0
) -> list[SortKey]:
    """`shard_index` is the shard's place in `_shard_doc`.

    Raises QueryShardError, IllegalArgument or NumberFormatError, each with the reference's text.
    """
    keys = [_key(each, scope) for each in fields]
    return [
        replace(key, base=shard_index << _SHARD_DOC_BITS) if each.field == "_shard_doc" else key
        for each, key in zip(fields, keys, strict=True)
    ]


def _key(field: dsl.SortField, scope: Scope) -> SortKey:
    if field.field == "_score":
        return SortKey("score", field.descending)
    if field.field in ("_doc", "_shard_doc", SEQ_NO):
        return SortKey("long", field.descending, SEQ_NO)
    if field.field == "_id":
        raise IllegalArgument(
            "Fielddata access on the _id field is disallowed, you can re-enable it by updating "
            "the dynamic cluster setting: indices.id_field_data.enabled"
        )
    if field.geo is not None:
        return _by_distance(field, scope)
    mapped = scope.mapped(field.field)
    if mapped is None:
        if field.unmapped_type is None:
            raise scope.shard_error(f"No mapping found for [{field.field}] in order to sort on")
        mapped = _unmapped(field.field, field.unmapped_type)
    else:
        check_fielddata(mapped, scope.index_name)
    type_ = _TYPES.get(mapped.type, "long")
    if type_ in ("keyword", "ip") and field.mode in _NUMERIC_MODES:
        raise scope.shard_error("we only support AVG, MEDIAN and SUM on number based fields")
    if mapped.type is FieldType.DENSE_VECTOR:
        raise IllegalArgument(f"Field [{mapped.path}] of type [dense_vector] doesn't support sort")
    if mapped.type is FieldType.GEO_POINT:
        raise IllegalArgument(
            "can't sort on geo_point or point field without using specific sorting feature, like "
            "geo_distance"
        )
    holder = scope.state.view.mapping.nested_at(mapped.path)
    reader = None
    if field.nested is not None or field.numeric_type is not None or holder != scope.nested:
        reader, type_ = _computed(field, mapped, type_, scope)
    column = f"{mapped.path}{NANOS}" if mapped.type is FieldType.DATE_NANOS else mapped.path
    return SortKey(
        type_,
        field.descending,
        column if scope.has_column(column) else None,
        _missing(field, type_, mapped.type),
        _is_first(field),
        field.mode or ("max" if field.descending else "min"),
        mapped,
        reader=reader,
    )


def _by_distance(field: dsl.SortField, scope: Scope) -> SortKey:
    from sealane.engine.embedded.search.computed_sorts import distances

    assert field.geo is not None
    return SortKey(
        "double",
        field.descending,
        missing=math.inf,
        mapped=scope.mapped(field.field),
        reader=distances(field, field.geo, scope),
    )


def _computed(
    field: dsl.SortField, mapped: Field, type_: str, scope: Scope
) -> "tuple[Lists | None, str]":
    """What reads the values of a key that has its own ideas about them, and their type."""
    from sealane.engine.embedded.search.computed_sorts import (
        column_of,
        converted,
        nested_values,
        own_values,
    )

    column = column_of(mapped.path, mapped.type)
    if field.nested is not None:
        lists = nested_values(column, field.nested, scope)
    elif scope.state.view.mapping.nested_at(mapped.path) != scope.nested and not scope.has_column(
        column
    ):
        if scope.nested:
            return None, type_  # nested objects do not have the values of what holds them
        raise scope.shard_error(
            f"it is mandatory to set the [nested] context on the nested sort field: [{mapped.path}]."
        )
    elif field.numeric_type is None:
        return None, type_
    else:
        lists = own_values(column, scope)
    if field.numeric_type is None:
        return lists, type_
    if type_ in ("keyword", "ip"):
        raise scope.shard_error(
            f"[numeric_type] option cannot be set on a non-numeric field, got {mapped.type.value}"
        )
    return converted(lists, mapped.type, field.numeric_type), field.numeric_type


def _is_first(field: dsl.SortField) -> bool:
    return field.missing == "_first"


def _unmapped(path: str, type_name: str) -> Field:
    try:
        type_ = FieldType(type_name)
    except ValueError:
        raise IllegalArgument(f"No mapper found for type [{type_name}]") from None
    return Field(path=path, type=type_, source_path=path)


def _missing(field: dsl.SortField, type_: str, mapped_type: FieldType) -> SortValue:
    named = field.missing in ("_first", "_last")
    if type_ in ("keyword", "ip"):
        if named:
            return None
        text = values.text_of(field.missing)
        return values.ip_column(text) if type_ == "ip" else text
    lowest = _is_first(field) != field.descending
    if type_ == "double":
        if named:
            return -math.inf if lowest else math.inf
        return sort_numbers.floating(field.missing)
    width = _width(mapped_type)
    if named:
        return sort_numbers.after_whole(-math.inf if lowest else math.inf, width)
    return sort_numbers.missing_whole(field.missing, width)


def _width(type_: FieldType) -> int:
    return 32 if type_ in _NARROW else 64


def after_values(
    after: tuple[dsl.Scalar | None, ...], keys: list[SortKey], scope: Scope
) -> list[SortValue]:
    """`search_after`, coerced to what the keys compare by."""
    if not keys:
        raise IllegalArgument("Sort must contain at least one field.")
    if len(after) != len(keys):
        raise IllegalArgument(f"search_after has {len(after)} value(s) but sort has {len(keys)}.")
    return [_after(value, key, scope) for value, key in zip(after, keys, strict=True)]


def _after(value: dsl.Scalar | None, key: SortKey, scope: Scope) -> SortValue:
    if value is None:
        return key.missing
    if key.type == "boolean":
        value = _after_boolean(value)
    elif key.type == "date" and key.mapped is not None:
        value = _after_date(value, key.mapped, scope)
    elif key.type == "date_nanos" and isinstance(value, str) and not value.isdigit():
        value = _after_nanos(value)
    try:
        if key.type == "ip":
            return values.ip_column(values.text_of(value))
        if key.is_text:
            return values.text_of(value)
        if key.is_score:
            return sort_numbers.single(sort_numbers.floating(value))
        if key.type == "double":
            number = sort_numbers.floating(value)
            return round_to_float(number) if key.is_short else number
        whole = sort_numbers.after_whole(
            value, 64 if key.mapped is None else _width(key.mapped.type)
        )
        return max(values.LONG_MIN, whole - key.base)
    except ApiError as error:
        name = key.mapped.path if key.mapped is not None else "null"
        raise IllegalArgument(
            f"Failed to parse search_after value for field [{name}].", caused_by=error
        ) from None


def _after_boolean(value: dsl.Scalar) -> int | float:
    """A number stands for itself; the error of a text is not wrapped."""
    text = values.text_of(value)
    if text in ("true", "false"):
        return int(text == "true")
    if isinstance(value, str) or (isinstance(value, int) and _is_beyond(value)):
        raise IllegalArgument(f"Cannot parse boolean [{text}], expected either [true] or [false]")
    return value


def _after_date(value: dsl.Scalar, mapped: Field, scope: Scope) -> int | float:
    """Numbers are milliseconds, also as text; the error of a date is not wrapped."""
    if isinstance(value, float) or (type(value) is int and not _is_beyond(value)):
        return value
    text = values.text_of(value)
    if (
        text.isascii()
        and text.removeprefix("-").isdigit()
        and len(text) <= len(str(values.LONG_MIN))
    ):
        number = int(text)
        if not _is_beyond(number):
            return number
    return values.date(text, mapped, scope.now_ms, round_up=False, fmt=None, zone=None)


def _after_nanos(value: str) -> int:
    try:
        return date_nanos_from(value, DEFAULT_NANOS_FORMAT)
    except BadValue as exc:
        raise exc.cause from None


def _is_beyond(number: int) -> bool:
    return not values.LONG_MIN <= number <= values.LONG_MAX
