"""Values of the field types that are more than one column, or none: places, vectors, constants, aliases; and copies.

Each is a `Put` of documents.py's plan: it takes a JSON value and adds what it means to the flat document.
"""

import struct
from collections.abc import Callable
from typing import Any

from sealane.engine.embedded.coercion import (
    BadField,
    Flat,
    Put,
    add_value,
    count_keys,
    ignore,
)
from sealane.engine.embedded.completions import entries_of
from sealane.engine.embedded.nested_documents import NestedFlat, holder
from sealane.engine.embedded.special_errors import NotNumbers, VectorSize
from sealane.engine.embedded.view import LAT, LON, NANOS, VECTOR
from sealane.engine.mapping import Field, FieldType, Mapping, may_grow
from sealane.engine.mapping.more_values import date_nanos_from
from sealane.engine.mapping.values import (
    BadValue,
    NeedsRawNumbers,
    illegal,
    java_float_text,
    text_from,
)
from sealane.errors import ApiError
from sealane.model.date_nanos import DEFAULT_NANOS_FORMAT, NS_IN_MS
from sealane.model.geo import pack, read_point, unpack

_UNIT_SLACK = 1e-3
"""How far the square of a vector's length may be from 1."""


class NotKnownYet(Exception):
    """A constant_keyword has no value yet, or a vector no dimensions: this document's are to become them."""


def special_put(leaf: Field) -> Put | None:
    """How values of such a type are taken; None for all others."""
    match leaf.type:
        case FieldType.GEO_POINT:
            return _geo_put(leaf)
        case FieldType.DENSE_VECTOR:
            return _vector_put(leaf)
        case FieldType.DATE_NANOS:
            return _nanos_put(leaf)
        case FieldType.BINARY:
            return _binary_put(leaf)
        case FieldType.CONSTANT_KEYWORD:
            return _constant_put(leaf)
        case FieldType.ALIAS:
            return _alias_put(leaf)
        case FieldType.COMPLETION:
            return _completion_put(leaf)
    return None


# -- places ------------------------------------------------------------------------------------------------------


def checked_point(value: Any, path: str) -> tuple[float, float]:
    """Latitude and longitude of a document's value. Raises BadValue with the reference's reason."""
    try:
        lat, lon = read_point(value)
    except ApiError as exc:
        raise BadValue(exc) from exc
    for name, number, most in (("latitude", lat, 90.0), ("longitude", lon, 180.0)):
        if number != number or number in (float("inf"), float("-inf")):
            raise illegal(
                f"invalid {name} {number}; must be between -{most} and {most}".replace("nan", "NaN")
            )
        if abs(number) > most:
            raise illegal(f"illegal {name} value [{number}] for {path}")
    return lat, lon


def _is_pair(value: list[Any]) -> bool:
    return type(value[0]) in (int, float) or isinstance(value[0], float)


def _geo_put(leaf: Field) -> Put:
    path = leaf.path

    def point(value: Any) -> tuple[float, float]:
        if type(value) is list and any(type(each) in (list, dict) for each in value):
            raise illegal("geo_point expected")
        return checked_point(value, path)

    def put(value: Any, flat: Flat) -> None:
        if type(value) is list and not (value and _is_pair(value)):
            for each in value:
                put(each, flat)
            return
        if value is None:
            if leaf.null_value is None:
                return
            value = leaf.null_value
        count_keys(value, flat)
        try:
            lat, lon = point(value)
        except BadValue as exc:
            if not leaf.ignore_malformed:
                raise BadField(leaf, value, exc, point) from exc
            ignore(leaf, flat)
            return
        if leaf.is_indexed:
            packed = pack(lat, lon)
            lat, lon = unpack(packed)
            add_value(flat, path, packed)
            add_value(flat, path + LAT, lat)
            add_value(flat, path + LON, lon)

    return put


# -- completions -------------------------------------------------------------------------------------------------


def _completion_put(leaf: Field) -> Put:
    def read(value: Any) -> list[str]:
        return entries_of(leaf, value)

    def put(value: Any, flat: Flat) -> None:
        for each in value if type(value) is list else [value]:
            if each is None and type(value) is not list:
                return
            count_keys(each, flat)
            try:
                entries = read(each)
            except BadValue as exc:
                raise BadField(leaf, each, exc, read) from exc
            for entry in entries:
                add_value(flat, leaf.path, entry)

    return put


# -- vectors -----------------------------------------------------------------------------------------------------


def _vector_put(leaf: Field) -> Put:
    path = leaf.path

    def put(value: Any, flat: Flat) -> None:
        if value is None:
            return
        try:
            if path in flat:
                raise illegal(
                    f"Field [{path}] of type [dense_vector] doesn't support indexing multiple values "
                    "for the same field in the same document"
                )
            numbers = _numbers(value, leaf)
            if leaf.dims is None:
                raise NotKnownYet
            _check_magnitude(leaf, numbers)
        except BadValue as exc:
            raise BadField(leaf, value, exc, text_from) from exc
        flat[path] = len(numbers)
        flat[path + VECTOR] = struct.pack(f"<{len(numbers)}f", *numbers)

    return put


def _numbers(value: Any, leaf: Field) -> list[float]:
    if type(value) is not list:
        raise _not_numbers("FIELD_NAME" if type(value) is dict else "END_OBJECT")
    expected = leaf.dims
    if expected is not None and leaf.element_type == "bit":
        expected //= 8
    numbers: list[float] = []
    for each in value:
        if isinstance(each, bool) or not isinstance(each, (int, float)):
            raise _not_numbers(_TOKENS.get(type(each), "VALUE_BOOLEAN"))
        if expected is not None and len(numbers) == expected:
            raise BadValue(
                VectorSize(
                    f"The [dense_vector] field [{leaf.path}] in doc [{{doc}}] has more dimensions than "
                    f"defined in the mapping [{leaf.dims}]",
                    len(numbers),
                )
            )
        numbers.append(float(each))
    if expected is not None and len(numbers) != expected:
        raise illegal(
            f"The [dense_vector] field [{leaf.path}] in doc [{{doc}}] has a different number of "
            f"dimensions [{len(numbers)}] than defined in the mapping [{leaf.dims}]"
        )
    return numbers


_TOKENS = {str: "VALUE_STRING", list: "START_ARRAY", dict: "START_OBJECT", type(None): "VALUE_NULL"}


def _not_numbers(token: str) -> BadValue:
    return BadValue(
        NotNumbers(
            f"Failed to parse object: expecting token of type [VALUE_NUMBER] but found [{token}]"
        )
    )


def _check_magnitude(leaf: Field, numbers: list[float]) -> None:
    if leaf.element_type != "float" or not leaf.index:
        return
    square = sum(each * each for each in numbers)
    shown = f" Preview of invalid vector: [{', '.join(map(java_float_text, numbers[:5]))}]"
    if leaf.similarity == "cosine" and square == 0:
        raise illegal(
            "The [cosine] similarity does not support vectors with zero magnitude." + shown
        )
    if leaf.similarity == "dot_product" and abs(square - 1.0) > _UNIT_SLACK:
        raise illegal(
            "The [dot_product] similarity can only be used with unit-length vectors." + shown
        )


# -- dates with nanoseconds --------------------------------------------------------------------------------------


def _nanos_put(leaf: Field) -> Put:
    path, date_format = leaf.path, leaf.format or DEFAULT_NANOS_FORMAT

    def read(value: Any) -> int:
        return date_nanos_from(value, date_format)

    def put(value: Any, flat: Flat) -> None:
        if type(value) is list:
            for each in value:
                put(each, flat)
            return
        if value is None:
            if leaf.null_value is None:
                return
            value = leaf.null_value
        try:
            nanos = read(value)
        except BadValue as exc:
            if not leaf.ignore_malformed or type(value) is dict:
                raise BadField(leaf, value, exc, read) from exc
            ignore(leaf, flat)
            return
        if leaf.is_indexed:
            add_value(flat, path, nanos // NS_IN_MS)
            add_value(flat, path + NANOS, nanos)

    return put


# -- values without a column -------------------------------------------------------------------------------------


def _each(take: Callable[[Any, Flat], None]) -> Put:
    def put(value: Any, flat: Flat) -> None:
        if type(value) is list:
            for each in value:
                put(each, flat)
        elif value is not None:
            take(value, flat)

    return put


def _binary_put(leaf: Field) -> Put:
    """Nothing is kept but the source, so nothing but an object is refused."""

    def take(value: Any, flat: Flat) -> None:
        try:
            text_from(value)
        except BadValue as exc:
            raise BadField(leaf, value, exc, text_from) from exc
        except NeedsRawNumbers:
            return

    return _each(take)


def _constant_put(leaf: Field) -> Put:
    def read(value: Any) -> str:
        text = text_from(value)
        if text != leaf.value:
            raise illegal(
                f"[constant_keyword] field [{leaf.path}] only accepts values that are equal to the "
                f"value defined in the mappings [{leaf.value}], but got [{text}]"
            )
        return text

    def take(value: Any, flat: Flat) -> None:
        if leaf.value is None:
            raise NotKnownYet
        try:
            read(value)
        except BadValue as exc:
            raise BadField(leaf, value, exc, read) from exc

    return _each(take)


def _alias_put(leaf: Field) -> Put:
    def take(value: Any, flat: Flat) -> None:
        raise BadField(leaf, value, illegal("Cannot write to a field alias"), text_from)

    return _each(take)


# -- copies ------------------------------------------------------------------------------------------------------


def _needing(value: Any, flat: Flat) -> None:
    """The plan of a field that a copy is to make."""
    if type(value) is list:
        for each in value:
            _needing(each, flat)
    elif value is not None:
        raise NotKnownYet


def copying(mapping: Mapping, puts: dict[str, Put], *, grows: bool) -> None:
    """Makes each plan of a field with `copy_to` fill the fields it is copied to as well.

    `grows` says that a field which is not mapped is to be added, where its object allows it.
    """
    # The plans before any of them copies: a copy is not copied on.
    plain = dict(puts)
    unknown = _needing if grows else None
    for leaf in mapping.fields.values():
        if leaf.copy_to and leaf.path == leaf.source_path:
            targets = [
                (path, put)
                for path in leaf.copy_to
                if (put := plain.get(path) or (unknown if may_grow(mapping, path) else None))
            ]
            if targets:
                puts[leaf.path] = _copying(puts[leaf.path], targets, mapping)


def _copying(first: Put, targets: list[tuple[str, Put]], mapping: Mapping) -> Put:
    def put(value: Any, flat: Flat) -> None:
        first(value, flat)
        keys = flat.key_count
        for path, target in targets:
            target(value, holder(flat, mapping, path) if isinstance(flat, NestedFlat) else flat)
        flat.key_count = keys

    return put
