"""Query parameters: each route declares the ones it knows and how each is read; everything else is refused.

A parser takes the parameter's name and text, and returns the value or raises the reference's error.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sealane.errors import ApiError, IllegalArgument, NumberFormatError
from sealane.model.suggest import similarity
from sealane.settings import parse_time

Parser = Callable[[str, str], Any]

ALWAYS_KNOWN = ("error_trace", "filter_path", "format", "human", "pretty")
"""Accepted by every route; read by the app when it renders."""


def boolean(name: str, text: str) -> bool:
    """`true`, `false`; a bare `?flag` is true."""
    if text in ("true", ""):
        return True
    if text == "false":
        return False
    raise IllegalArgument(f"Failed to parse value [{text}] as only [true] or [false] are allowed.")


def option(name: str, text: str) -> bool:
    """A flag among the index options. Unlike `boolean` it has no bare form, and its error names the parameter."""
    if text in ("true", "false"):
        return text == "true"
    raise IllegalArgument(
        f"Could not convert [{name}] to boolean",
        caused_by=IllegalArgument(
            f"Failed to parse value [{text}] as only [true] or [false] are allowed."
        ),
    )


def string(name: str, text: str) -> str:
    return text


def names(name: str, text: str) -> tuple[str, ...]:
    """A comma-separated list."""
    return tuple(each for each in text.split(",") if each)


def _whole_number(kind: str, bits: int) -> Parser:
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1

    def parse(name: str, text: str) -> int:
        digits = text[1:] if text[:1] in ("-", "+") else text
        if not (digits.isascii() and digits.isdigit()) or not low <= int(text) <= high:
            shown = f'For input string: "{text}"' if text else 'For input string: ""'
            raise IllegalArgument(
                f"Failed to parse {kind} parameter [{name}] with value [{text}]",
                caused_by=NumberFormatError(shown),
            )
        return int(text)

    return parse


integer = _whole_number("int", 32)
long = _whole_number("long", 64)


def time_ms(name: str, text: str) -> int:
    """A time value such as `30s`, in milliseconds; -1 never ends."""
    return parse_time(text, name).ms


def active_shards(name: str, text: str) -> int | None:
    """`wait_for_active_shards`: a count, or None for `all`."""
    if text == "all":
        return None
    try:
        count: int = integer(name, text)
    except IllegalArgument as error:
        raise IllegalArgument(
            f"cannot parse ActiveShardCount[{text}]", caused_by=error.caused_by
        ) from error
    if count < 0:
        raise IllegalArgument("shard count cannot be a negative value")
    return count


def ignored(name: str, text: str) -> None:
    """A parameter that the reference accepts and that changes nothing here."""


def refused(reason: str) -> Parser:
    """A parameter that the reference knows and this node cannot honour: a clear 400 rather than a wrong answer."""

    def parse(name: str, text: str) -> None:
        raise IllegalArgument(reason.format(name=name, text=text))

    return parse


MASTER = {"master_timeout": time_ms}
INDICES_OPTIONS: dict[str, Parser] = {
    "ignore_unavailable": option,
    "allow_no_indices": option,
    "expand_wildcards": names,
    "ignore_throttled": option,
}
BODY_AS_PARAMETER: dict[str, Parser] = {"source": string, "source_content_type": string}


def parse_params(
    path: str,
    known: Mapping[str, Parser],
    given: Mapping[str, str],
    unsuggested: Collection[str] = (),
) -> dict[str, Any]:
    """The values of `given`. Raises IllegalArgument for a bad value, and one that names all unknown parameters.

    `unsuggested` are known ones that are never put forward in place of an unknown one.
    """
    values: dict[str, Any] = {}
    unknown = []
    for name, text in given.items():
        parser = known.get(name)
        if parser is not None:
            values[name] = parser(name, text)
        elif name not in ALWAYS_KNOWN:
            unknown.append(name)
    if unknown:
        candidates = [name for name in (*known, *ALWAYS_KNOWN) if name not in unsuggested]
        raise _unrecognized(path, sorted(unknown), candidates)
    return values


def _unrecognized(path: str, unknown: list[str], candidates: list[str]) -> ApiError:
    listed = ", ".join(with_suggestions(name, candidates) for name in unknown)
    plural = "s" if len(unknown) > 1 else ""
    return IllegalArgument(f"request [{path}] contains unrecognized parameter{plural}: {listed}")


def with_suggestions(name: str, candidates: Sequence[str]) -> str:
    """`[name]`, and which of the candidates it is close to."""
    scored = [(similarity(name, each), each) for each in candidates]
    close = [each for score, each in sorted(scored, key=lambda s: (-s[0], s[1])) if score > 0.5]
    if not close:
        return f"[{name}]"
    if len(close) == 1:
        return f"[{name}] -> did you mean [{close[0]}]?"
    return f"[{name}] -> did you mean any of [{', '.join(close)}]?"
