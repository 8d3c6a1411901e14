"""Reading the bodies of `_ccr`: by their fields as the reference's object parsers do, then judged as a whole.

What depends on indices and remote clusters is judged where they are known.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from sealane.errors import (
    ActionRequestValidation,
    ApiError,
    IllegalArgument,
    NumberFormatError,
    ParseError,
    XContentParseError,
)
from sealane.model.followers import (
    AutoFollowPattern,
    FailbackRequest,
    FollowRequest,
    ForgetFollower,
)
from sealane.model.replication import FollowParameters
from sealane.replication.auto_follow.rules import check_pattern_name
from sealane.rest.object_fields import (
    Fields,
    Read,
    a_flag,
    a_text,
    an_object,
    read_fields,
    some_texts,
)
from sealane.rest.request import Request
from sealane.settings import Value, flatten, parse_bytes, parse_time
from sealane.settings.follow_parameters import COUNTS, NAMES, SIZES, problems
from sealane.settings.index_settings import normalized
from sealane.settings.parse import INT_MAX
from sealane.settings.units import parse_double

_FOLLOW: Final = "indices:admin/xpack/ccr/put_follow"
_RESUME: Final = "cluster:admin/xpack/ccr/resume_follow"
_FORGET: Final = "indices:admin/xpack/ccr/forget_follower"
_AUTO_FOLLOW: Final = "put_auto_follow_pattern_request"
_FAILBACK: Final = "failback_request"
_ALL_SHARDS: Final = -1


def read_follow(request: Request) -> FollowRequest:
    """Raises ParseError, XContentParseError, ActionRequestValidation, SettingsError."""
    fields = _read(request.body, _FOLLOW, _FOLLOW_FIELDS)
    parameters = _parameters(fields)
    stream = fields.get("data_stream_name")
    _refuse(
        *_missing(fields, "remote_cluster", "leader_index"),
        *(
            ["data_stream_name must contain text if present"]
            if stream is not None and not stream.strip()
            else []
        ),
        *problems(parameters),
    )
    awaited = request.params.get("wait_for_active_shards", 0)
    return FollowRequest(
        index=request.index,
        remote_cluster=fields.get("remote_cluster"),
        leader_index=fields.get("leader_index"),
        data_stream_name=stream,
        settings=_settings(fields),
        parameters=parameters,
        wait_for_active_shards=_ALL_SHARDS if awaited is None else awaited,
        timeout_s=_timeout_s(request),
    )


def read_resume(body: bytes) -> FollowParameters:
    """None given is all by default. Raises XContentParseError, ActionRequestValidation."""
    if not body:
        return FollowParameters()
    parameters = _parameters(_read(body, _RESUME, _PARAMETERS))
    _refuse(*problems(parameters))
    return parameters


def read_auto_follow(name: str, body: bytes) -> AutoFollowPattern:
    """Raises ParseError, XContentParseError, ActionRequestValidation, SettingsError."""
    fields = _read(body, _AUTO_FOLLOW, _AUTO_FOLLOW_FIELDS)
    parameters = _parameters(fields)
    wrong = check_pattern_name(name)
    _refuse(
        *problems(parameters),
        *([] if wrong is None else [wrong]),
        *([] if fields.get("remote_cluster") is not None else ["[remote_cluster] is missing"]),
        *([] if fields.get("leader_index_patterns") else ["[leader_index_patterns] is missing"]),
    )
    return AutoFollowPattern(
        name=name,
        remote_cluster=fields.get("remote_cluster"),
        leader_index_patterns=fields.get("leader_index_patterns"),
        leader_index_exclusion_patterns=fields.get("leader_index_exclusion_patterns", ()),
        follow_index_pattern=fields.get("follow_index_pattern"),
        settings=_settings(fields),
        parameters=parameters,
        include_existing=fields.get("include_existing", False),
    )


def read_forget(request: Request) -> ForgetFollower:
    """Raises ParseError, XContentParseError, ActionRequestValidation."""
    fields = _read(request.body, _FORGET, dict.fromkeys(_FORGET_FIELDS, a_text))
    _refuse(*_missing(fields, *_FORGET_FIELDS))
    return ForgetFollower(leader_index=request.index, **fields.values)


def read_failback(request: Request) -> FailbackRequest:
    """Raises ParseError, XContentParseError, ActionRequestValidation, SettingsError."""
    fields = _read(request.body, _FAILBACK, _FAILBACK_FIELDS)
    parameters = _parameters(fields)
    _refuse(*_missing(fields, "remote_cluster", "leader_index"), *problems(parameters))
    return FailbackRequest(
        index=request.index,
        remote_cluster=fields.get("remote_cluster"),
        leader_index=fields.get("leader_index"),
        settings=_settings(fields),
        parameters=parameters,
    )


def _read(body: bytes, kind: str, known: dict[str, Read]) -> Fields:
    if not body:
        raise ParseError("request body or source parameter is required")
    return read_fields(body, kind, known)


def _missing(fields: Fields, *names: str) -> list[str]:
    return [f"{name} is missing" for name in names if fields.get(name) is None]


def _refuse(*found: str) -> None:
    if found:
        raise ActionRequestValidation(found)


def _parameters(fields: Fields) -> FollowParameters:
    found = {name: fields.get(name) for name in NAMES if name in fields}
    return msgspec.convert(found, FollowParameters)


def _settings(fields: Fields) -> dict[str, Value | None]:
    return normalized(flatten(fields.get("settings", {})))


def _timeout_s(request: Request) -> float:
    """-1 waits as long as it takes."""
    ms: int = request.params.get("timeout", 30_000)
    return float("inf") if ms < 0 else ms / 1000


# -- values ------------------------------------------------------------------------------------------


def _count(fields: Fields, name: str, value: Any) -> int:
    """A number, or a text with one. A fraction is cut off."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        fields.unsupported(name, value)
    number = parse_double(value) if isinstance(value, str) else value
    if number is None:
        shown = f'For input string: "{value}"' if value else "empty String"
        raise fields.failed(name, NumberFormatError(shown))
    if not -INT_MAX - 1 <= number <= INT_MAX:
        raise fields.failed(name, _out_of_range(fields, name, value))
    return int(number)


def _out_of_range(fields: Fields, name: str, value: float | str) -> ApiError:
    if isinstance(value, str):
        return IllegalArgument(f"Value [{value}] is out of range for an integer")
    at = fields.place(name)
    return XContentParseError(
        f"[{at}] Numeric value ({value}) out of range of int ({-INT_MAX - 1} - {INT_MAX})"
    )


def _in_units(parse: Callable[[str, str], str]) -> Read:
    """A text with a unit, kept as the reference writes it."""

    def read(fields: Fields, name: str, value: Any) -> str:
        text = a_text(fields, name, value)
        try:
            return parse(text, name)
        except ApiError as error:
            raise fields.failed(name, error) from None

    return read


def _size(text: str, name: str) -> str:
    """The number and the unit that were given: a fraction of one becomes bytes."""
    size = parse_bytes(text, name)
    amount, unit = _split(text)
    if not unit or not amount.lstrip("+-").isdigit():
        return f"{size}b"
    return f"{int(amount)}{unit if unit.endswith('b') else unit + 'b'}"


def _time(text: str, name: str) -> str:
    span = parse_time(text, name)
    amount, unit = _split(text)
    if span.is_off:
        return "-1"
    return f"{int(amount)}{unit or 'ms'}"


def _split(text: str) -> tuple[str, str]:
    normalized_text = text.strip().lower()
    amount = normalized_text.rstrip("abcdefghijklmnopqrstuvwxyz")
    return amount.strip(), normalized_text[len(amount) :]


def _names(fields: Fields, name: str, value: Any) -> tuple[str, ...]:
    """An array, or one text."""
    if not isinstance(value, (list, str)):
        fields.unsupported(name, value)
    return some_texts(fields, name, value)


def _read_parameters(names: Iterable[str]) -> dict[str, Read]:
    def kind(name: str) -> Read:
        if name in COUNTS:
            return _count
        return _in_units(_size if name in SIZES else _time)

    return {name: kind(name) for name in names}


_PARAMETERS: Final = _read_parameters(NAMES)
_LED: Final[dict[str, Read]] = {
    "remote_cluster": a_text,
    "leader_index": a_text,
    "settings": an_object,
}
_FOLLOW_FIELDS: Final = {**_LED, "data_stream_name": a_text, **_PARAMETERS}
_FAILBACK_FIELDS: Final = {**_LED, **_PARAMETERS}
_AUTO_FOLLOW_FIELDS: Final[dict[str, Read]] = {
    "remote_cluster": a_text,
    "leader_index_patterns": _names,
    "leader_index_exclusion_patterns": _names,
    "follow_index_pattern": a_text,
    "settings": an_object,
    "include_existing": a_flag,
    **_PARAMETERS,
}
_FORGET_FIELDS: Final = (
    "follower_cluster",
    "follower_index",
    "follower_index_uuid",
    "leader_remote_cluster",
)
