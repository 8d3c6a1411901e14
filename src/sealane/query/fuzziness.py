"""`fuzziness` and the options beside it."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument, NumberFormatError, ParseError
from sealane.model.dsl import Fuzziness, Fuzzing
from sealane.query.cursor import float_from

_MOST_EDITS = 2


def fuzziness_of(value: Any) -> Fuzziness:
    """`AUTO`, `AUTO:low,high`, or a number of edits. Raises IllegalArgument or ParseError."""
    if isinstance(value, bool):
        raise IllegalArgument("Can't parse fuzziness on token: [VALUE_BOOLEAN]")
    if isinstance(value, int | float):
        return _edits(int(value))
    text = value.upper()
    if text == "AUTO":
        return Fuzziness()
    if text.startswith("AUTO:"):
        return _custom(text)
    try:
        number = float_from(text)
    except NumberFormatError as error:
        raise IllegalArgument(f"fuzziness cannot be [{value}].", caused_by=error) from None
    if number % 1 > 0:
        raise IllegalArgument(f"fuzziness needs to be one of 0.0, 1.0 or 2.0 but was {number}")
    return _edits(int(number))


def _edits(edits: int) -> Fuzziness:
    if not 0 <= edits <= _MOST_EDITS:
        raise IllegalArgument(f"Valid edit distances are [0, 1, 2] but was [{edits}]")
    return Fuzziness(edits=edits)


def _custom(text: str) -> Fuzziness:
    parts = text.removeprefix("AUTO:").split(",")
    if len(parts) != 2:
        raise ParseError("failed to find low and high distance values")
    try:
        low, high = map(_whole, parts)
    except NumberFormatError as error:
        raise ParseError(f'failed to parse [{text}] as a "auto:int,int"', caused_by=error) from None
    if low < 0 or high < 0 or low > high:
        raise ParseError(
            f"fuzziness wrongly configured [{text}]. Must be 0 < lower value <= higher value."
        )
    return Fuzziness(low=low, high=high)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise NumberFormatError(f'For input string: "{text}"') from None


def fuzzing_of(found: Mapping[str, Any], *, rewrite: str | None = None) -> Fuzzing:
    """From the members that were read, by the names that `match` has for them."""
    return Fuzzing(
        fuzziness=found.get("fuzziness", Fuzziness()),
        prefix_length=found.get("prefix_length", 0),
        max_expansions=found.get("max_expansions", 50),
        transpositions=found.get("fuzzy_transpositions", True),
        rewrite=rewrite,
    )
