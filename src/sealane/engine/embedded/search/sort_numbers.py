"""Numbers that a request gives to a sort: a key's `missing`, and the edge of `search_after`.

The reference reads the two in different ways. Both go by the width of its sort: 32 bits for integer, short and byte, 64
for the others. `sorting` says which width a field has, and what an error is wrapped in.
"""

import math
import re
import struct

from sealane.engine.embedded.search.values import LONG_MAX, LONG_MIN, text_of
from sealane.errors import NumberFormatError
from sealane.model.dsl import Scalar

_SINGLE = struct.Struct("<f")
_SINGLE_MAX = 3.4028235e38
INT_MIN, INT_MAX = -(2**31), 2**31 - 1
_WHOLE = re.compile(r"[+-]?\d+")
# As the reference's language writes them: a letter may say the width.
_FLOATING = re.compile(
    r"([+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))[dDfF]?", re.ASCII
)
# Longer texts of digits are beyond any width; Python refuses to read very long ones.
_MAX_DIGITS = 64


def missing_whole(value: Scalar, width: int) -> int:
    """A `missing` of whole numbers: a text must fit, an integer loses its upper bits, a float stops at the limits."""
    if isinstance(value, float):
        return _held(value, width)
    if isinstance(value, int) and not isinstance(value, bool):
        half = 1 << (width - 1)
        return (value + half) % (2 * half) - half
    return _strict(text_of(value), width)


def after_whole(value: Scalar, width: int) -> int:
    """An edge among whole numbers: beyond the limits is at them. A text for 32 bits must fit, one for 64 need not."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if width == 32 and isinstance(value, int) and not LONG_MIN <= value <= LONG_MAX:
            raise _not_a_number(str(value))
        return _held(value, width)
    text = text_of(value)
    if width == 32:
        return _strict(text, width)
    whole = text.strip()
    if _WHOLE.fullmatch(whole) and len(whole) <= _MAX_DIGITS:
        return _held(int(whole), width)
    return _held(_floating(text), width)


def floating(value: Scalar) -> float:
    """Any of the two on a field with fractions. What is no number at all sorts where infinity does."""
    if isinstance(value, (bool, str)):
        number = _floating(text_of(value))
    else:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf if value > 0 else -math.inf
    return math.inf if math.isnan(number) else number


def single(number: float) -> float:
    """The nearest number of 32 bits, which is what scores are."""
    if abs(number) > _SINGLE_MAX:
        return math.copysign(math.inf, number)
    rounded: float = _SINGLE.unpack(_SINGLE.pack(number))[0]
    return rounded


def is_negative_zero(value: object) -> bool:
    return isinstance(value, float) and value == 0.0 and math.copysign(1.0, value) < 0


def signed(number: float) -> tuple[float, float]:
    """A key under which numbers compare as in the reference: -0.0 is below 0.0."""
    return number, math.copysign(1.0, number) if number == 0 else 0.0


def _held(number: float, width: int) -> int:
    low, high = (INT_MIN, INT_MAX) if width == 32 else (LONG_MIN, LONG_MAX)
    if number != number:
        return 0
    return low if number <= low else high if number >= high else int(number)


def _strict(text: str, width: int) -> int:
    if _WHOLE.fullmatch(text) and len(text) <= _MAX_DIGITS:
        number = int(text)
        if number == _held(number, width):
            return number
    raise _not_a_number(text)


def _floating(text: str) -> float:
    stripped = text.strip()
    if not stripped:
        raise NumberFormatError("empty String")
    found = _FLOATING.fullmatch(stripped)
    if found is not None:
        return float(found[1])
    raise _not_a_number(text)


def _not_a_number(text: str) -> NumberFormatError:
    return NumberFormatError(f'For input string: "{text}"')
