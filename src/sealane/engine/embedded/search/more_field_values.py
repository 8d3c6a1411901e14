"""`fields` and `docvalue_fields` of types that are not one plain value: places, vectors, nanoseconds, half floats."""

import struct
from collections.abc import Iterator
from typing import Any

from sealane.engine.embedded.field_puts import checked_point
from sealane.engine.mapping import Field, FieldType
from sealane.engine.mapping.more_values import (
    date_nanos_from,
    half_float_from,
    scaled_float_from,
    shortest_single,
)
from sealane.engine.mapping.values import BadValue, NeedsRawNumbers, RawFloat, java_float_text
from sealane.model.date_nanos import DEFAULT_NANOS_FORMAT, nanos_text
from sealane.model.geo import pack, unpack

_FLOAT = struct.Struct("<f")
_TYPES = (
    FieldType.GEO_POINT,
    FieldType.DATE_NANOS,
    FieldType.HALF_FLOAT,
    FieldType.SCALED_FLOAT,
    FieldType.DENSE_VECTOR,
    FieldType.BINARY,
    FieldType.COMPLETION,
)


def is_special(mapped: Field) -> bool:
    """Whether values of the field are read here."""
    return mapped.type in _TYPES


def special_values(
    source: dict[str, Any], mapped: Field, date_format: str | None, *, from_column: bool
) -> tuple[list[Any], list[Any]]:
    """What is shown of a document's values, and those that its field does not take."""
    shown: list[Any] = []
    refused: list[Any] = []
    for value in _whole_values(source, mapped):
        try:
            shown.append(_read(value, mapped))
        except (BadValue, NeedsRawNumbers):
            refused.append(value)
    if from_column:
        return _columns(shown, mapped, date_format), refused
    if mapped.type is FieldType.DENSE_VECTOR:
        return [number for vector in shown for number in vector], refused
    return [_written(each, mapped, date_format) for each in shown], refused


def _whole_values(source: dict[str, Any], mapped: Field) -> Iterator[Any]:
    """The values at the field's path; an array of numbers is one value of a place or a vector."""
    for found in _at(source, mapped.source_path):
        yield from _spread(found, mapped)


def _spread(value: Any, mapped: Field) -> Iterator[Any]:
    if value is None:
        if mapped.null_value is not None:
            yield mapped.null_value
    elif isinstance(value, list) and not _is_one(value, mapped):
        for each in value:
            yield from _spread(each, mapped)
    else:
        yield value


def _is_one(value: list[Any], mapped: Field) -> bool:
    if mapped.type is FieldType.DENSE_VECTOR:
        return True
    return mapped.type is FieldType.GEO_POINT and bool(value) and isinstance(value[0], int | float)


def _at(value: Any, path: str) -> Iterator[Any]:
    if not path:
        yield value
    elif isinstance(value, list):
        for member in value:
            yield from _at(member, path)
    elif isinstance(value, dict):
        for name, member in value.items():
            if name == path:
                yield member
            elif path.startswith(name + "."):
                yield from _at(member, path[len(name) + 1 :])


def _read(value: Any, mapped: Field) -> Any:
    match mapped.type:
        case FieldType.GEO_POINT:
            return checked_point(value, mapped.path)
        case FieldType.DATE_NANOS:
            raw = RawFloat(repr(value)) if isinstance(value, float) else value
            return date_nanos_from(raw, mapped.format or DEFAULT_NANOS_FORMAT)
        case FieldType.HALF_FLOAT:
            return half_float_from(value)
        case FieldType.SCALED_FLOAT:
            return scaled_float_from(value, mapped.scaling_factor)
    return value


def _written(value: Any, mapped: Field, date_format: str | None) -> Any:
    match mapped.type:
        case FieldType.GEO_POINT:
            lat, lon = value
            return {"coordinates": [lon, lat], "type": "Point"}
        case FieldType.DATE_NANOS:
            return nanos_text(value, date_format or mapped.format or DEFAULT_NANOS_FORMAT)
        case FieldType.HALF_FLOAT:
            return shortest_single(value)
    return value


def _columns(found: list[Any], mapped: Field, date_format: str | None) -> list[Any]:
    """As doc values have them: in ascending order, with what the column keeps of each."""
    match mapped.type:
        case FieldType.GEO_POINT:
            places = [unpack(each) for each in sorted(pack(lat, lon) for lat, lon in found)]
            return [f"{java_float_text(lat)}, {java_float_text(lon)}" for lat, lon in places]
        case FieldType.DATE_NANOS:
            return [_written(each, mapped, date_format) for each in sorted(found)]
        case FieldType.DENSE_VECTOR:
            return [[_single(float(each)) for each in vector] for vector in found]
    return sorted(found)


def _single(value: float) -> float:
    rounded: float = _FLOAT.unpack(_FLOAT.pack(value))[0]
    return rounded
