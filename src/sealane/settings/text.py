"""Settings as text: how a JSON or YAML scalar becomes the string that is stored, shown and parsed.

The reference keeps every setting as text (`5` is shown as `"5"`, `1e3` as `"1000.0"`), so numbers
are written here as it writes them. What a text means is `parse`'s business.
"""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from sealane.errors import IllegalState, SettingsError

Value = str | tuple[str, ...]
"""What a key holds: one text, or a list of texts."""


def scalar_text(value: str | int | float | bool) -> str:
    """The text of a scalar: `true`, `5`, `0.1`, `1.0E30`."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return double_text(value)


def double_text(value: float) -> str:
    """A double with the fewest digits that read back equal, in E notation below 1e-3 and from 1e7
    on.
    """
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        text = format(Decimal(repr(value)), "f")
        return text if "." in text else text + ".0"
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    shown = "".join(map(str, digits))
    power = len(shown) - 1 + exponent
    fraction = shown[1:].rstrip("0") or "0"
    return f"{'-' if sign else ''}{shown[0]}.{fraction}E{power}"


def value_text(value: Value) -> str:
    """A value as one text; a list as `[a, b]`, which is how a scalar parser sees it."""
    return value if isinstance(value, str) else f"[{', '.join(value)}]"


def flatten(nested: Mapping[str, Any]) -> dict[str, Value | None]:
    """Nested and dotted keys as one flat mapping, in the order given; None stays None (a removal).

    Where a key comes twice (`a.b` and `{"a": {"b": ..}}`), the dotted spelling wins, wherever it
    stands. An empty object says nothing. Numbered keys (`seeds.0`, `seeds.1`) are a list.
    Raises SettingsError for an array that holds anything but scalars.
    """
    flat: dict[str, tuple[int, Value | None]] = {}
    try:
        for path, depth, value in _leaves(nested, "", 0):
            seen = flat.get(path)
            if seen is None or depth <= seen[0]:
                flat[path] = (depth, value)
        return _join_numbered({path: value for path, (_, value) in flat.items()})
    except IllegalState as error:
        shown = json.dumps(nested, separators=(",", ":"), ensure_ascii=False, default=str)
        failure = SettingsError(f"Failed to load settings from [{shown}]", caused_by=error)
        failure.status = 500
        raise failure from error


def _leaves(
    nested: Mapping[str, Any], prefix: str, depth: int
) -> Iterator[tuple[str, int, Value | None]]:
    for key, value in nested.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}.", depth + 1)
        elif isinstance(value, list | tuple):
            yield path, depth, _list_value(value)
        elif value is None:
            yield path, depth, None
        else:
            yield path, depth, scalar_text(value)


def _list_value(items: list[Any] | tuple[Any, ...]) -> tuple[str, ...]:
    if any(item is None or isinstance(item, Mapping | list | tuple) for item in items):
        raise IllegalState("only value lists are allowed in serialized settings")
    return tuple(scalar_text(item) for item in items)


def _join_numbered(flat: dict[str, Value | None]) -> dict[str, Value | None]:
    joined = dict(flat)
    for path, first in flat.items():
        base = path.removesuffix(".0")
        if base == path or not isinstance(first, str):
            continue
        whole = flat.get(base)
        if whole is not None:
            raise IllegalState(
                f"settings builder can't contain values for [{base}={value_text(whole)}] "
                f"and [{path}={first}]"
            )
        items: list[str] = []
        while isinstance(item := flat.get(f"{base}.{len(items)}"), str):
            items.append(item)
            del joined[f"{base}.{len(items) - 1}"]
        joined[base] = tuple(items)
    return joined
