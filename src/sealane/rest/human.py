"""`?human`: sizes and durations once more, as text for people, before each figure."""

from collections.abc import Mapping
from typing import Any

from sealane.rest.query_string import parse_query
from sealane.rest.request import Request
from sealane.settings import bytes_text

_TIME_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000))


def is_for_people(request: Request) -> bool:
    """Whether the request asks for texts."""
    query = parse_query(request.uri.partition("?")[2])
    return query.get("human") in ("", "true")


def with_texts(data: Any) -> Any:
    """`data` with a text before each `..._in_bytes` and `..._in_millis`, named without that ending."""
    if isinstance(data, list):
        return [with_texts(each) for each in data]
    if not isinstance(data, Mapping):
        return data
    shown: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, int) and name.endswith("_in_bytes"):
            shown[name.removesuffix("_in_bytes")] = bytes_text(value)
        elif isinstance(value, int) and name.endswith("_in_millis"):
            shown[name.removesuffix("_in_millis")] = duration_text(value)
        shown[name] = with_texts(value)
    return shown


def duration_text(millis: int) -> str:
    """With one decimal: `1.4m`, `30s`, `12ms`."""
    for unit, size in _TIME_UNITS:
        if millis >= size:
            tenths = millis * 10 // size
            fraction = f".{tenths % 10}" if tenths % 10 else ""
            return f"{tenths // 10}{fraction}{unit}"
    return f"{millis}ms" if millis else "0s"
