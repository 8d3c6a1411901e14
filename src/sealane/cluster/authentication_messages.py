"""What a node without users, roles and keys asks the node that has them: who is this, and what may they do?

The asking node is told the roles themselves, so that it can decide what may go to remote clusters. It is told them by
the version of all of them, and forgets everything when the cluster publishes another one.
"""

from typing import Any, Final, TypeVar

import msgspec

from sealane.errors import IllegalArgument
from sealane.model.security import RoleDescriptor
from sealane.security.rules.descriptors import parse_role, role_json

AUTHENTICATE: Final = "internal:security/authenticate"
VERIFY_KEY: Final = "internal:security/cross_cluster_key"
FIND_ROLES: Final = "internal:security/roles"


class AuthenticateRequest(msgspec.Struct, frozen=True, array_like=True):
    """The parts of `Credentials`."""

    authorization: str | None
    run_as: str | None
    secondary: str | None
    certificate: bytes | None
    peer: str
    uri: str


class AuthenticateAnswer(msgspec.Struct, frozen=True, array_like=True):
    """`subject` is encoded as nodes tell each other; `roles` are the roles, by name, that it and whoever acts as it
    have and that are there. `version` is that of all that is kept. `lasts_ms` is how long it may be remembered.
    """

    subject: str
    roles: dict[str, dict[str, Any]]
    version: int
    lasts_ms: int


class VerifyKeyRequest(msgspec.Struct, frozen=True, array_like=True):
    credentials: str
    action: str


class VerifyKeyAnswer(msgspec.Struct, frozen=True, array_like=True):
    """The parts of a `VerifiedKey`; `side` are its roles by name."""

    id: str
    name: str
    creator: str
    creator_realm: tuple[str, str]
    side: dict[str, dict[str, Any]]
    certificate_identity: str | None
    expires_ms: int | None
    version: int


class RolesRequest(msgspec.Struct, frozen=True, array_like=True):
    names: list[str]


class RolesAnswer(msgspec.Struct, frozen=True, array_like=True):
    """`roles` are those that are there, by name."""

    roles: dict[str, dict[str, Any]]


T = TypeVar("T")
Message = (
    AuthenticateRequest
    | AuthenticateAnswer
    | VerifyKeyRequest
    | VerifyKeyAnswer
    | RolesRequest
    | RolesAnswer
)
_encoder = msgspec.msgpack.Encoder()
_authenticate = msgspec.msgpack.Decoder(AuthenticateRequest)
_authenticated = msgspec.msgpack.Decoder(AuthenticateAnswer)
_verify_key = msgspec.msgpack.Decoder(VerifyKeyRequest)
_verified_key = msgspec.msgpack.Decoder(VerifyKeyAnswer)
_roles = msgspec.msgpack.Decoder(RolesRequest)
_roles_there = msgspec.msgpack.Decoder(RolesAnswer)


def encode(message: Message) -> bytes:
    return _encoder.encode(message)


def read_authenticate(payload: bytes) -> AuthenticateRequest:
    """Raises IllegalArgument for bytes that are none."""
    return _read(_authenticate, payload, AUTHENTICATE)


def read_authenticated(payload: bytes) -> AuthenticateAnswer:
    """Raises IllegalArgument for bytes that are none."""
    return _read(_authenticated, payload, AUTHENTICATE)


def read_verify_key(payload: bytes) -> VerifyKeyRequest:
    """Raises IllegalArgument for bytes that are none."""
    return _read(_verify_key, payload, VERIFY_KEY)


def read_verified_key(payload: bytes) -> VerifyKeyAnswer:
    """Raises IllegalArgument for bytes that are none."""
    return _read(_verified_key, payload, VERIFY_KEY)


def read_roles(payload: bytes) -> RolesRequest:
    """Raises IllegalArgument for bytes that are none."""
    return _read(_roles, payload, FIND_ROLES)


def read_roles_there(payload: bytes) -> RolesAnswer:
    """Raises IllegalArgument for bytes that are none."""
    return _read(_roles_there, payload, FIND_ROLES)


def _read(decoder: msgspec.msgpack.Decoder[T], payload: bytes, action: str) -> T:
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise IllegalArgument(f"malformed message for action [{action}]") from error


def roles_to_wire(roles: dict[str, RoleDescriptor]) -> dict[str, dict[str, Any]]:
    return {name: role_json(role) for name, role in roles.items()}


def roles_from_wire(bodies: dict[str, dict[str, Any]]) -> dict[str, RoleDescriptor]:
    """Raises what a malformed role raises."""
    return {name: parse_role(name, body) for name, body in bodies.items()}
