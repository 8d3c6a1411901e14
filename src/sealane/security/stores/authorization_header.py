"""What the header `Authorization` holds, taken apart. Whether it is true is left to `realms`."""

import base64
import binascii
from dataclasses import dataclass

from sealane.errors import AuthenticationFailed, IllegalArgument
from sealane.model.security import Secret


@dataclass(frozen=True, slots=True)
class Basic:
    """A user and a password."""

    user: str
    password: Secret


@dataclass(frozen=True, slots=True)
class ApiKey:
    """The id and the secret of an API key; both None where the header's value is not of the form."""

    id: str | None
    secret: Secret | None


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token. Nobody gives any out here, so none is good."""


def read(header: Secret | None) -> Basic | ApiKey | Bearer | None:
    """None for no header, and for one of a scheme that is not known. Raises AuthenticationFailed."""
    if header is None:
        return None
    scheme, _, value = header.reveal().partition(" ")
    value = value.strip()
    if not value:
        return None
    match scheme.lower():
        case "basic":
            return _basic(value)
        case "apikey":
            return read_key(value)
        case "bearer":
            return Bearer()
    return None


def read_key(value: str) -> ApiKey:
    """The part behind `ApiKey`: base64 of `id:secret`."""
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ApiKey(None, None)
    key_id, colon, secret = text.partition(":")
    return ApiKey(key_id, Secret(secret)) if colon else ApiKey(None, None)


def _basic(value: str) -> Basic:
    try:
        text = base64.b64decode(_padded(value), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError) as error:
        raise AuthenticationFailed(
            "invalid basic authentication header encoding",
            caused_by=IllegalArgument(_base64_problem(value)),
        ) from error
    user, colon, password = text.partition(":")
    if not colon:
        raise AuthenticationFailed("invalid basic authentication header value")
    return Basic(user, Secret(password))


def _padded(value: str) -> str:
    """The reference does without padding."""
    return value if value.endswith("=") else value + "=" * (-len(value) % 4)


_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


def _base64_problem(value: str) -> str:
    """What the reference says of it. The character is told by its code, so that nothing of the value is shown."""
    for each in value:
        if each not in _ALPHABET:
            return f"Illegal base64 character {ord(each):x}"
    if len(value.rstrip("=")) % 4 == 1:
        return "Last unit does not have enough valid bits"
    return "Input byte array has wrong 4-byte ending unit"
