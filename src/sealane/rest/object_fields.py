"""Reading a body by its known fields: what the reference calls an object parser, with the errors of that.

A parser has a name, which its errors show beside the place. What is beyond single fields, such as those that must be
there, is the caller's.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from sealane.errors import ApiError, IllegalArgument, XContentParseError
from sealane.query.located import LocatedDict, scan, token
from sealane.query.suggest import did_you_mean
from sealane.rest.bodies import read_json, require_body


class Fields:
    """An object read by the second kind of parser, which is called `kind` in its errors.

    `known` are the names of its fields. Raises XContentParseError for another one, and for what is no object.
    """

    def __init__(
        self, value: Any, kind: str, known: Mapping[str, "Read"], *, place: object = "1:1"
    ) -> None:
        self.kind = kind
        self.values: dict[str, Any] = {}
        if not isinstance(value, dict):
            raise XContentParseError(
                f"[{place}] [{kind}] Expected START_OBJECT but was: {token(value)}"
            )
        self.located = value
        for name in value:
            read = known.get(name)
            if read is None:
                at = value.keys_at[name] if isinstance(value, LocatedDict) else place
                raise XContentParseError(
                    f"[{at}] [{kind}] unknown field [{name}]{did_you_mean(name, known)}"
                )
            self.values[name] = read(self, name, value[name])

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def get(self, name: str, default: Any = None) -> Any:
        return self.values.get(name, default)

    def place(self, name: str) -> object:
        """Where the value of a field is."""
        return self.located.values_at[name] if isinstance(self.located, LocatedDict) else "1:1"

    def unsupported(self, name: str, value: Any) -> NoReturn:
        raise XContentParseError(
            f"[{self.place(name)}] [{self.kind}] {name} doesn't support values of type: {token(value)}"
        )

    def failed(self, name: str, cause: ApiError, place: object | None = None) -> XContentParseError:
        """A field whose value was of the right kind, and no good."""
        at = self.place(name) if place is None else place
        return XContentParseError(
            f"[{at}] [{self.kind}] failed to parse field [{name}]", caused_by=cause
        )

    def not_built(self, cause: ApiError) -> XContentParseError:
        """Fields that are each well formed, and do not go together."""
        return XContentParseError(
            f"Failed to build [{self.kind}] after last required field arrived", caused_by=cause
        )

    def require(self, *names: str) -> None:
        """Raises IllegalArgument for fields that are missing."""
        missing = [name for name in names if name not in self.values]
        if missing:
            raise IllegalArgument(f"Required [{', '.join(missing)}]")


Read = Callable[[Fields, str, Any], Any]


def read_fields(body: bytes, kind: str, known: Mapping[str, Read]) -> Fields:
    """The body, by the second kind of parser. Raises ParseError for none, XContentParseError."""
    read_json(require_body(body))
    scanned = scan(body)
    try:
        return Fields(scanned.value, kind, known, place=scanned.begin)
    except XContentParseError as error:
        error.root_causes = [_innermost(error)]
        raise


_UNWRAPPED: Final = frozenset(
    {"x_content_parse_exception", "parse_exception", "security_exception"}
)
"""Causes that the reference shows as the root cause, rather than the error around them."""


def _innermost(error: ApiError) -> ApiError:
    cause = error.caused_by
    if cause is None or cause.es_type not in _UNWRAPPED:
        return error
    return _innermost(cause)


def a_text(fields: Fields, name: str, value: Any) -> str:
    if not isinstance(value, str):
        fields.unsupported(name, value)
    return value


def an_object(fields: Fields, name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        fields.unsupported(name, value)
    return dict(value)


def a_flag(fields: Fields, name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        if value in ("true", "false"):
            return value == "true"
        raise fields.failed(
            name,
            IllegalArgument(
                f"Failed to parse value [{value}] as only [true] or [false] are allowed."
            ),
        )
    fields.unsupported(name, value)


def a_number(fields: Fields, name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        fields.unsupported(name, value)
    try:
        return int(value)
    except ValueError:
        raise fields.failed(name, IllegalArgument(f'For input string: "{value}"')) from None


def some_texts(fields: Fields, name: str, value: Any) -> tuple[str, ...]:
    """A list, or one value. Numbers and truth values are taken as texts."""
    if isinstance(value, dict) or value is None:
        fields.unsupported(name, value)
    listed = value if isinstance(value, list) else [value]
    found = []
    for at, each in enumerate(listed):
        if each is None or isinstance(each, (dict, list)):
            place = getattr(listed, "values_at", {at: fields.place(name)})[at]
            raise fields.failed(
                name, IllegalArgument(f"Expected text at {place} but found {token(each)}"), place
            )
        found.append(_as_text(each))
    return tuple(found)


def anything(fields: Fields, name: str, value: Any) -> Any:
    return value


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
