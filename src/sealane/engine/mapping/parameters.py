"""The parameters of each field type: how a value is read, whether it may change later, and in which order they show.

Reads one parameter's JSON value; which parameters a field has been given is parse.py's business.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sealane.engine.mapping import completion_parameters as completions
from sealane.engine.mapping import more_parameters as more
from sealane.engine.mapping.types import DEFAULT_DATE_FORMAT, FieldType
from sealane.engine.mapping.values import (
    BadValue,
    floating_from,
    ip_from,
    java_float_text,
    long_from_text,
    parse_boolean_text,
    small_integer_from_text,
    text_from,
)
from sealane.errors import ApiError, IllegalArgument, MapperParsing, NumberFormatError
from sealane.model.dates import check_format

INT_MAX = 2**31 - 1


class BadParameter(Exception):
    """A parameter's value makes no sense. `cause` says why."""

    def __init__(self, cause: ApiError) -> None:
        super().__init__(cause.reason)
        self.cause = cause


Reader = Callable[[str, FieldType, Any], Any]
"""(field name, field type, JSON value) -> value. Raises BadParameter or BadValue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """`attribute` is the Field's. `shown_when_set` shows a value equal to the default, if it was given."""

    name: str
    read: Reader
    updateable: bool = False
    shown_when_set: bool = False
    nullable: bool = False


def boolean_text(value: Any) -> str:
    """A JSON value as the text in which the reference tests booleans."""
    if value is True or value is False:
        return "true" if value else "false"
    return display(value)


def display(value: Any) -> str:
    """A JSON value as `toString` shows it: `{a=1, b=[x, null]}`."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}={display(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(display(each) for each in value) + "]"
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, float):
        return java_float_text(value)
    return str(value)


def _boolean(name: str, kind: FieldType, value: Any) -> bool:
    return parse_boolean_text(boolean_text(value))


def _ignore_above(name: str, kind: FieldType, value: Any) -> int:
    text = display(value)
    if isinstance(value, bool) or not isinstance(value, int):
        if isinstance(value, float) and value != int(value):
            raise BadParameter(IllegalArgument(f"{text} is not an integer value"))
        if isinstance(value, float):
            text = str(int(value))
        if not text.lstrip("+-").isdigit():
            raise BadParameter(NumberFormatError(f'For input string: "{text}"'))
    number = int(text)
    if number < 0:
        raise BadParameter(IllegalArgument(f"[ignore_above] must be positive, got [{number}]"))
    return min(number, INT_MAX)


def _text(name: str, kind: FieldType, value: Any) -> str:
    return display(value)


def _analyzer(name: str, kind: FieldType, value: Any) -> str:
    text = display(value)
    if text not in ("standard", "default"):
        raise BadParameter(
            IllegalArgument(f"analyzer [{text}] has not been configured in mappings")
        )
    return "standard"


def _meta(name: str, kind: FieldType, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise BadParameter(
            MapperParsing(
                f"[meta] must be an object, got {_java_class(value)}[{display(value)}] for field [{name}]"
            )
        )
    for entry in value.values():
        if not isinstance(entry, str):
            if entry is None:
                raise BadParameter(MapperParsing(f"[meta] values can't be null (field [{name}])"))
            held = f"{_java_class(entry)}[{display(entry)}]"
            raise BadParameter(
                MapperParsing(
                    f"[meta] values can only be strings, but got {held} for field [{name}]"
                )
            )
    return {key: value[key] for key in sorted(value)}


def java_class(value: Any) -> str:
    """The name of the class that holds this JSON value in the reference, as its texts print it."""
    return f"class java.{_package(value)}.{_java_class(value)}"


def _package(value: Any) -> str:
    return "util" if isinstance(value, dict | list) else "lang"


def _java_class(value: Any) -> str:
    if isinstance(value, bool):
        return "Boolean"
    if isinstance(value, str):
        return "String"
    if isinstance(value, float):
        return "Double"
    if isinstance(value, int):
        return "Integer" if -(2**31) <= value <= INT_MAX else "Long"
    return "LinkedHashMap" if isinstance(value, dict) else "ArrayList"


def _format(name: str, kind: FieldType, value: Any) -> str:
    text = display(value)
    try:
        check_format(text)
    except ApiError as exc:
        raise BadParameter(
            IllegalArgument(
                f"Error parsing [format] on field [{name}]: {exc.reason}", caused_by=exc
            )
        ) from exc
    return text


def _null_value(name: str, kind: FieldType, value: Any) -> str | int | float | bool:
    if kind is FieldType.BOOLEAN:
        return _boolean(name, kind, value)
    if kind in (
        FieldType.KEYWORD,
        FieldType.DATE,
        FieldType.DATE_NANOS,
        FieldType.WILDCARD,
    ):
        return display(value)
    if kind is FieldType.IP:
        try:
            ip_from(text_from(value))
        except BadValue as exc:
            raise BadParameter(
                MapperParsing(
                    f"Error parsing [null_value] on field [{name}]: {exc.cause.reason}",
                    caused_by=exc.cause,
                )
            ) from exc
        return text_from(value)
    return _numeric_null_value(kind, value)


def _numeric_null_value(kind: FieldType, value: Any) -> int | float:
    text = value if isinstance(value, str) else display(value)
    if kind.is_floating:
        if kind is FieldType.HALF_FLOAT:
            return more.half_null_value(text)
        number = floating_from(text, kind.value)
        assert number is not None
        return number
    try:
        if kind is FieldType.LONG:
            return long_from_text(text, coerce=False)
        return small_integer_from_text(text, kind.value, coerce=False)
    except BadValue as exc:
        if exc.cause.reason.startswith("For input string"):
            raise BadParameter(NumberFormatError(exc.cause.reason)) from exc
        if isinstance(value, float) and kind is FieldType.LONG:
            raise BadParameter(IllegalArgument(f"Value [{text}] has a decimal part")) from exc
        raise


_INDEX = Parameter(name="index", read=_boolean)
_DOC_VALUES = Parameter(name="doc_values", read=_boolean)
_STORE = Parameter(name="store", read=_boolean)
_NULL_VALUE = Parameter(name="null_value", read=_null_value, nullable=True)
_IGNORE_MALFORMED = Parameter(
    name="ignore_malformed", read=_boolean, updateable=True, shown_when_set=True
)
_COERCE = Parameter(name="coerce", read=_boolean, updateable=True, shown_when_set=True)
_META = Parameter(name="meta", read=_meta, updateable=True)
_GLOBAL_ORDINALS = Parameter(name="eager_global_ordinals", read=_boolean, updateable=True)

_COPY_TO = Parameter(name="copy_to", read=more.paths, updateable=True)

_NUMERIC = (_INDEX, _DOC_VALUES, _STORE, _IGNORE_MALFORMED, _COERCE, _NULL_VALUE, _META)

PARAMETERS: dict[FieldType, tuple[Parameter, ...]] = {
    FieldType.TEXT: (
        _INDEX,
        _STORE,
        _META,
        Parameter(name="norms", read=_boolean),
        Parameter(name="analyzer", read=_analyzer, shown_when_set=True),
        _GLOBAL_ORDINALS,
    ),
    FieldType.KEYWORD: (
        _INDEX,
        _DOC_VALUES,
        _STORE,
        _NULL_VALUE,
        _GLOBAL_ORDINALS,
        Parameter(name="ignore_above", read=_ignore_above, updateable=True),
        _META,
    ),
    FieldType.BOOLEAN: (_DOC_VALUES, _INDEX, _NULL_VALUE, _STORE, _META, _IGNORE_MALFORMED),
    FieldType.DATE: (
        _INDEX,
        _DOC_VALUES,
        _STORE,
        Parameter(name="format", read=_format),
        Parameter(name="locale", read=_text),
        _NULL_VALUE,
        _IGNORE_MALFORMED,
        _META,
    ),
    FieldType.IP: (_INDEX, _DOC_VALUES, _STORE, _IGNORE_MALFORMED, _NULL_VALUE, _META),
    **{kind: _NUMERIC for kind in FieldType if kind.is_integral or kind.is_floating},
    FieldType.DATE_NANOS: (
        _INDEX,
        _DOC_VALUES,
        _STORE,
        Parameter(name="format", read=_format),
        Parameter(name="locale", read=_text),
        _NULL_VALUE,
        _IGNORE_MALFORMED,
        _META,
    ),
    FieldType.SCALED_FLOAT: (
        *_NUMERIC,
        Parameter(name="scaling_factor", read=more.scaling_factor, shown_when_set=True),
    ),
    FieldType.BINARY: (
        _META,
        _STORE,
        Parameter(name="doc_values", read=_boolean, shown_when_set=True),
    ),
    FieldType.GEO_POINT: (
        _DOC_VALUES,
        _INDEX,
        _STORE,
        _IGNORE_MALFORMED,
        Parameter(name="ignore_z_value", read=more.flag, updateable=True),
        Parameter(name="null_value", read=more.geo_null_value, nullable=True),
        _META,
    ),
    FieldType.CONSTANT_KEYWORD: (
        Parameter(name="value", read=more.constant_text, updateable=True),
        _META,
    ),
    FieldType.WILDCARD: (
        Parameter(name="ignore_above", read=_ignore_above, updateable=True),
        _NULL_VALUE,
        _META,
    ),
    FieldType.DENSE_VECTOR: (
        Parameter(name="element_type", read=more.element_type),
        Parameter(name="dims", read=more.dims),
        Parameter(name="index", read=_boolean, shown_when_set=True),
        Parameter(name="similarity", read=more.similarity),
        Parameter(name="index_options", read=more.index_options, updateable=True),
        _META,
    ),
    FieldType.COMPLETION: (
        Parameter(name="analyzer", read=completions.analyzer, shown_when_set=True),
        Parameter(name="preserve_separators", read=_boolean, shown_when_set=True),
        Parameter(name="preserve_position_increments", read=_boolean, shown_when_set=True),
        Parameter(
            name="max_input_length",
            read=completions.max_input_length,
            updateable=True,
            shown_when_set=True,
        ),
        _META,
    ),
    FieldType.ALIAS: (),
}
for _kind, _known in PARAMETERS.items():
    if _kind not in (FieldType.ALIAS, FieldType.DENSE_VECTOR):
        PARAMETERS[_kind] = (*_known, _COPY_TO)

DEFAULTS: dict[str, Any] = {
    "index": True,
    "doc_values": True,
    "store": False,
    "null_value": None,
    "ignore_malformed": False,
    "coerce": True,
    "meta": {},
    "eager_global_ordinals": False,
    "norms": True,
    "analyzer": "standard",
    "preserve_separators": True,
    "preserve_position_increments": True,
    "max_input_length": 50,
    "ignore_above": None,
    "format": None,
    "locale": None,
    "copy_to": (),
    "value": None,
    "scaling_factor": 1.0,
    "ignore_z_value": True,
    "dims": None,
    "element_type": "float",
    "similarity": None,
    "index_options": None,
}


def shown(name: str, value: Any) -> str:
    """A parameter's value in a conflict's text."""
    if name == "format" and value is None:
        return DEFAULT_DATE_FORMAT
    return display(value)
