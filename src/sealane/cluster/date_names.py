"""Names with a date in them: `<logs-{now/d}>`, `<logs-{now-1M/M{yyyy.MM|Europe/Berlin}}>`. Pure."""

from typing import Final

from sealane.errors import ApiError, ParseError
from sealane.model.civil import DateTimeError, ZoneRulesError
from sealane.model.dates import check_format, format_date, resolve_date_math

_DEFAULT_FORMAT: Final = "uuuu.MM.dd"
_OUTSIDE, _PLACEHOLDER, _FORMAT = range(3)


def resolve_date_name(expression: str, now_ms: int) -> str:
    """The name that `expression` means at `now_ms`; one that is not in `<` and `>` is itself.

    Raises ParseError and what date formats and zones raise.
    """
    if len(expression) < 2 or expression[0] != "<" or expression[-1] != ">":
        return expression
    # The reference shows the text from the second character on, the closing `>` included.
    shown = expression[1:]
    name: list[str] = []
    placeholder: list[str] = []
    state, escaped = _OUTSIDE, False
    for at in range(1, len(expression) - 1):
        char = expression[at]
        if char == "\\" and not escaped:
            escaped = True
            continue
        special = char in "{}" and not escaped
        escaped = False
        if not special:
            (name if state == _OUTSIDE else placeholder).append(char)
        elif state == _OUTSIDE:
            if char == "}":
                raise _reserved(shown, at)
            state = _PLACEHOLDER
        elif char == "{":
            if state == _FORMAT:
                raise ParseError(
                    f"invalid dynamic name expression [{shown}]. "
                    f"invalid character in placeholder at position [{at}]"
                )
            state = _FORMAT
            placeholder.append(char)
        elif state == _FORMAT:
            state = _PLACEHOLDER
            placeholder.append(char)
        else:
            name.append(_date("".join(placeholder), now_ms))
            placeholder.clear()
            state = _OUTSIDE
    if state != _OUTSIDE:
        raise ParseError(
            f"invalid dynamic name expression [{shown}]. date math placeholder is open ended"
        )
    if not name:
        raise ParseError("nothing captured")
    return "".join(name)


def _reserved(shown: str, at: int) -> ParseError:
    return ParseError(
        f"invalid dynamic name expression [{shown}]. invalid character at position [{at}]. `{{` "
        "and `}` are reserved characters and should be escaped when used as part of the index "
        "name using `\\` (e.g. `\\{text\\}`)"
    )


def _date(placeholder: str, now_ms: int) -> str:
    math, has_format, rest = placeholder.partition("{")
    pattern, zone = _DEFAULT_FORMAT, "UTC"
    if has_format:
        if not rest.endswith("}"):
            raise ParseError(
                f"invalid dynamic name expression [{placeholder}]. "
                "missing closing `}` for date math format"
            )
        if rest == "}":
            raise ParseError(
                f"invalid dynamic name expression [{placeholder}]. missing date format"
            )
        pattern, has_zone, zone_text = rest[:-1].partition("|")
        if has_zone:
            zone = zone_text.strip()
    check_format(pattern)
    try:
        moment = resolve_date_math(math, now_ms, pattern, time_zone=zone)
        return format_date(moment, pattern, zone)
    except ApiError as error:
        raise _bare(error) from None


def _bare(error: ApiError) -> ApiError:
    """A zone that makes no sense is not wrapped here, and is a 500, as in the reference."""
    cause = error if isinstance(error, DateTimeError | ZoneRulesError) else error.caused_by
    if isinstance(cause, DateTimeError | ZoneRulesError):
        cause.status = 500
        cause.caused_by = None
        return cause
    return error
