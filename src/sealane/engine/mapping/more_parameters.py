"""Parameters of the field types beyond texts, numbers and dates: places, vectors, constants, binary values."""

from typing import Any

from sealane.engine.mapping.more_values import half_float_from, shortest_single
from sealane.engine.mapping.types import FieldType
from sealane.engine.mapping.values import BadValue, long_from_text, parse_boolean_text
from sealane.errors import ApiError, IllegalArgument, MapperParsing
from sealane.model.geo import read_point

MAX_DIMS = 4096
SIMILARITIES = ("l2_norm", "cosine", "dot_product", "max_inner_product")
ELEMENT_TYPES = ("float", "bit", "byte")
_VECTOR_INDEXES: dict[str, dict[str, int]] = {
    "hnsw": {"m": 16, "ef_construction": 100},
    "int8_hnsw": {"m": 16, "ef_construction": 100},
    "int4_hnsw": {"m": 16, "ef_construction": 100},
    "bbq_hnsw": {"m": 16, "ef_construction": 100},
    "flat": {},
    "int8_flat": {},
    "int4_flat": {},
    "bbq_flat": {},
}


def checked_point(value: Any) -> tuple[float, float]:
    """Latitude and longitude. Raises ParseError or IllegalArgument, as for a parameter."""
    lat, lon = read_point(value)
    if not -90 <= lat <= 90:
        raise IllegalArgument(f"illegal latitude value [{lat}]")
    if not -180 <= lon <= 180:
        raise IllegalArgument(f"illegal longitude value [{lon}]")
    return lat, lon


def geo_null_value(name: str, kind: FieldType, value: Any) -> dict[str, float]:
    try:
        lat, lon = checked_point(value)
    except ApiError as exc:
        raise BadValue(exc) from exc
    return {"lat": lat, "lon": lon}


def half_null_value(text: str) -> float:
    number = half_float_from(text)
    assert number is not None
    return shortest_single(number)


def scaling_factor(name: str, kind: FieldType, value: Any) -> float:
    try:
        factor = float(value)
    except (TypeError, ValueError) as exc:
        raise BadValue(
            MapperParsing(f"Field [scaling_factor] is not a number but [{value}]")
        ) from exc
    if factor <= 0:
        raise BadValue(
            IllegalArgument(f"[scaling_factor] must be a positive number, got [{factor}]")
        )
    return factor


def paths(name: str, kind: FieldType, value: Any) -> tuple[str, ...]:
    """`copy_to`: one field or several."""
    listed = value if isinstance(value, list) else [value]
    return tuple("{}" if each == {} else str(each) for each in listed)


def constant_text(name: str, kind: FieldType, value: Any) -> str:
    if isinstance(value, dict | list):
        raise BadValue(
            MapperParsing(
                f"Property [value] on field [{name}] must be a number or a string, but got [{value}]"
            )
        )
    return str(value).lower() if isinstance(value, bool) else str(value)


def dims(name: str, kind: FieldType, value: Any) -> int:
    number = long_from_text(str(value))
    try:
        check_dims(number)
    except MapperParsing as error:
        raise BadValue(error) from None
    return number


def check_dims(number: int) -> None:
    """Raises MapperParsing for a number of dimensions that no vector may have."""
    if not 1 <= number <= MAX_DIMS:
        raise MapperParsing(
            f"The number of dimensions should be in the range [1, {MAX_DIMS}] but was [{number}]"
        )


def element_type(name: str, kind: FieldType, value: Any) -> str:
    if value not in ELEMENT_TYPES:
        raise BadValue(
            MapperParsing(
                f"invalid element_type [{value}]; available types are [{', '.join(ELEMENT_TYPES)}]"
            )
        )
    return str(value)


def similarity(name: str, kind: FieldType, value: Any) -> str:
    if value not in SIMILARITIES:
        raise BadValue(
            MapperParsing(
                f"Unknown value [{value}] for field [similarity] - accepted values are "
                f"[{', '.join(SIMILARITIES)}]"
            )
        )
    return str(value)


def index_options(name: str, kind: FieldType, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadValue(MapperParsing(f"[index_options] on field [{name}] must be an object"))
    type_ = value.get("type")
    if type_ is None:
        raise BadValue(MapperParsing("[index_options] requires field [type] to be configured"))
    known = _VECTOR_INDEXES.get(str(type_))
    if known is None:
        raise BadValue(
            MapperParsing(f"Unknown vector index options type [{type_}] for field [{name}]")
        )
    return {"type": type_, **known, **{key: each for key, each in value.items() if key != "type"}}


def complete_vector(values: dict[str, Any], explicit: set[str]) -> None:
    """Fills in what a vector field shows although it was not said. Raises BadValue where things do not fit."""
    explicit.add("index")
    if not values.get("index", True):
        for name in ("similarity", "index_options"):
            if name in values:
                raise BadValue(
                    IllegalArgument(
                        f"Field [{name}] can only be specified for a field of type [dense_vector] "
                        "when it is indexed"
                    )
                )
        return
    kind = values.get("element_type", "float")
    values.setdefault("similarity", "l2_norm" if kind == "bit" else "cosine")
    default = "int8_hnsw" if kind == "float" else "hnsw"
    values.setdefault("index_options", {"type": default, **_VECTOR_INDEXES[default]})


def flag(name: str, kind: FieldType, value: Any) -> bool:
    return parse_boolean_text(
        "true" if value is True else "false" if value is False else str(value)
    )
