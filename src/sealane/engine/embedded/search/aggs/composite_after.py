"""The `after` of a composite: the last key of the page before, from the form in which it was shown."""

from collections.abc import Sequence
from typing import Any

from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.aggs.columns import Column
from sealane.errors import ApiError, IllegalArgument, NumberFormatError, ParseError
from sealane.model import dsl
from sealane.model.dates import DEFAULT_FORMAT, parse_date, resolve_date_math
from sealane.reduce.tiles import tile_from_text

Raw = str | int | float
_JAVA_NAMES = {dict: "HashMap", list: "ArrayList", bool: "Boolean", float: "Double", str: "String"}


def after_tuple(
    agg: dsl.CompositeAgg, columns: Sequence[Column], now_ms: int
) -> tuple[Raw | None, ...] | None:
    """In the columns' own form; None without `after`.

    Raises IllegalArgument for parts that are missing or too many, ParseError for one that its source cannot have.
    """
    if agg.after is None:
        return None
    if len(agg.after) != len(agg.sources):
        raise IllegalArgument(
            f"[after] has {len(agg.after)} value(s) but [sources] has {len(agg.sources)}"
        )
    parts = [_comparable(source, agg.after) for source in agg.sources]
    found: list[Raw | None] = []
    for at, (source, column, value) in enumerate(zip(agg.sources, columns, parts, strict=True)):
        try:
            found.append(None if value is None else _read(source, column, value, now_ms))
        except ParseError:
            raise
        except (ApiError, ValueError) as error:
            reason = error.reason if isinstance(error, ApiError) else str(error)
            reason = f"incompatible value in the position {at}: {reason}"
            cause = error if isinstance(error, ApiError) else IllegalArgument(str(error))
            raise ParseError(
                f"Cannot set after key in the composite aggregation [{agg.name}] - {reason}",
                caused_by=IllegalArgument(reason, caused_by=cause),
            ) from None
    return tuple(found)


def _comparable(source: dsl.CompositeSource, after: Any) -> Any:
    if source.name not in after:
        raise IllegalArgument(f"Missing value for [after.{source.name}]")
    value = after[source.name]
    if (value is None and not source.missing_bucket) or isinstance(value, dict | list):
        shown = "null" if value is None else _JAVA_NAMES[type(value)]
        raise IllegalArgument(
            f"Invalid value for [after.{source.name}], expected comparable, got [{shown}]"
        )
    return value


def _read(source: dsl.CompositeSource, column: Column, value: Any, now_ms: int) -> Raw:
    match source.kind:
        case "geotile_grid":
            return value if isinstance(value, int) else tile_from_text(str(value))
        case "date_histogram":
            return _date(source, value, now_ms)
        case "histogram" if column.type == "date" and isinstance(value, str):
            return float(parse_date(value, column.format or DEFAULT_FORMAT))
        case "histogram":
            return _double(value)
    match column.type:
        case "double":
            return _double(value)
        case "long" | "date":
            return _long(value)
        case "boolean":
            return values.boolean(value)
    if not isinstance(value, str):
        name = _JAVA_NAMES.get(type(value)) or ("Integer" if abs(value) < 2**31 else "Long")
        raise IllegalArgument(f"invalid value, expected string, got {name}")
    return values.ip_column(value) if column.type == "ip" else value


def _date(source: dsl.CompositeSource, value: Any, now_ms: int) -> int:
    if source.format is None:
        return _long(value)
    return resolve_date_math(value, now_ms, source.format, time_zone=source.time_zone)


def _long(value: Any) -> int:
    if isinstance(value, int | float):
        return int(value)
    try:
        return int(value)
    except ValueError:
        raise NumberFormatError(f'For input string: "{value}"') from None


def _double(value: Any) -> float:
    if isinstance(value, int | float):
        return float(value)
    try:
        return float(value)
    except ValueError:
        raise NumberFormatError(f'For input string: "{value}"') from None
