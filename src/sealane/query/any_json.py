"""JSON of whatever a client may have sent: strings with lone surrogates, numbers beyond a double, long integers.

orjson does the work; what it refuses or would round takes the slow way and comes out as the reference writes it. What
is allowed in a request is not decided here.
"""

import json
import math
import re
from typing import Any

import orjson

_SURROGATE = re.compile("[\ud800-\udfff]")
_LONG_NUMBER = re.compile(rb"[0-9]{19}")
"""orjson reads an integer beyond 64 bits as a float."""


def dumps(data: Any) -> bytes:
    """`data` as compact JSON, whatever its strings hold; keys may be of any plain type."""
    try:
        return orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=_plain)
        return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04X}", text).encode()


def loads(raw: bytes) -> Any:
    """The value of JSON without comments. A number beyond a double is the text `Infinity`, as in the reference.

    Raises ValueError (no JSON), RecursionError (nested too deep).
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return json.loads(raw, parse_float=_float)
    return value if _LONG_NUMBER.search(raw) is None else json.loads(raw, parse_float=_float)


def _float(text: str) -> float | str:
    value = float(text)
    if math.isfinite(value):
        return value
    return "Infinity" if value > 0 else "-Infinity"


def _plain(value: Any) -> Any:
    """JSON that is ready (orjson.Fragment) and the like, as data."""
    return loads(orjson.dumps(value))
