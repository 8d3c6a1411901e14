"""Subjects as headers of requests between nodes: canonical JSON in base64.

Two headers: who was authenticated, as nodes that trust each other's certificates tell it, whole; and what goes with a
key to another cluster, which is told no more than it needs: name, realm, role names, and what the user's own roles
grant there. What is read is bounded before it is parsed, and nothing else is made of it than plain data; which claims
are believed is `cross_cluster`'s business.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NoReturn, TypeVar

from sealane.errors import ApiError, IllegalArgument
from sealane.model.security import (
    NO_METADATA,
    ApiKeyIdentity,
    AuthenticationType,
    Realm,
    RoleDescriptor,
    Side,
    Subject,
)
from sealane.security.rules.descriptors import parse_role, role_json
from sealane.security.rules.names import Effort

T = TypeVar("T")

VERSION: Final = 1
INFO_MAX_BYTES: Final = 32 * 1024
"""Of the decoded information that goes with a key."""
AUTHENTICATION_MAX_BYTES: Final = 256 * 1024
"""Of a decoded subject whose certificate is trusted: the roles of an API key are in it."""
MAX_DEPTH: Final = 32
MAX_SIDES: Final = 8
MAX_ROLES: Final = 1_000


class _DuplicateError(ValueError):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectInfo:
    """What the holder of a key says of whom it asks for. `dropped` are members of roles that mean nothing here."""

    subject: Subject
    sides: tuple[Side, ...]
    dropped: frozenset[str] = frozenset()


def encode_subject(subject: Subject) -> str:
    """The whole subject, for a node that trusts this one's certificate."""
    return _encode({"v": VERSION, "subject": _subject_json(subject, whole=True)})


def decode_subject(text: str) -> Subject:
    """What `encode_subject` made. Raises IllegalArgument for anything else."""
    return _guarded(text, AUTHENTICATION_MAX_BYTES, _read_authentication)


def _read_authentication(found: Mapping[str, Any]) -> Subject:
    return _read_subject(_object(found, "subject"), whole=True)


def encode_subject_info(subject: Subject, sides: Sequence[Side]) -> str:
    """A subject for another cluster that is asked with a key, and what its roles grant there.

    Raises IllegalArgument where that is more than the other side would read.
    """
    told = {
        "v": VERSION,
        "subject": _subject_json(subject, whole=False),
        "sides": [[_grants_json(role) for role in side] for side in sides],
    }
    raw = _json(told)
    if len(raw) > INFO_MAX_BYTES:
        raise IllegalArgument(
            f"what roles grant user [{subject.name}] on the remote cluster takes [{len(raw)}] bytes, "
            f"more than [{INFO_MAX_BYTES}]"
        )
    return base64.b64encode(raw).decode("ascii")


def decode_subject_info(text: str) -> SubjectInfo:
    """What `encode_subject_info` made. Raises IllegalArgument for anything else."""
    return _guarded(text, INFO_MAX_BYTES, _read_info)


def _read_info(found: Mapping[str, Any]) -> SubjectInfo:
    subject = _read_subject(_object(found, "subject"), whole=False)
    given = found.get("sides")
    if not isinstance(given, list) or len(given) > MAX_SIDES:
        _malformed("sides")
    dropped: set[str] = set()
    effort = Effort()
    sides = tuple(_read_side(side, effort, dropped) for side in given)
    return SubjectInfo(subject=subject, sides=sides, dropped=frozenset(dropped))


def _read_side(value: Any, effort: Effort, dropped: set[str] | None) -> Side:
    if not isinstance(value, list) or len(value) > MAX_ROLES:
        _malformed("sides")
    return tuple(_read_role(role, effort, dropped) for role in value)


def _read_role(value: Any, effort: Effort, dropped: set[str] | None) -> RoleDescriptor:
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        _malformed("role")
    body = {key: member for key, member in value.items() if key != "name"}
    role = parse_role(value["name"], body, effort)
    if dropped is None:
        return role
    kept = RoleDescriptor(name=role.name, cluster=role.cluster, indices=role.indices)
    dropped.update(
        name
        for name in ("run_as", "applications", "global_", "remote_indices", "remote_cluster")
        if getattr(role, name)
    )
    return kept


def _grants_json(role: RoleDescriptor) -> dict[str, Any]:
    shown = role_json(role)
    return {"name": role.name, "cluster": shown["cluster"], "indices": shown["indices"]}


def _role_json(role: RoleDescriptor) -> dict[str, Any]:
    shown = role_json(role)
    del shown["transient_metadata"]
    return {"name": role.name, **shown}


def _subject_json(subject: Subject, *, whole: bool, inner: bool = False) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": subject.name,
        "realm": [subject.realm.name, subject.realm.type],
        "type": subject.type.value,
        "roles": list(subject.roles),
    }
    if subject.api_key is not None:
        key = subject.api_key
        told["api_key"] = {
            "id": key.id,
            "name": key.name,
            "creator": key.creator,
            "creator_realm": [key.creator_realm.name, key.creator_realm.type],
        }
    if whole:
        told["enabled"] = subject.enabled
        for name in ("full_name", "email"):
            if getattr(subject, name) is not None:
                told[name] = getattr(subject, name)
        if subject.metadata:
            told["metadata"] = dict(subject.metadata)
        if subject.sides is not None:
            told["sides"] = [[_role_json(role) for role in side] for side in subject.sides]
    if subject.authenticated_by is not None and not inner:
        told["by"] = _subject_json(subject.authenticated_by, whole=whole, inner=True)
    return told


def _read_subject(value: Mapping[str, Any], *, whole: bool, inner: bool = False) -> Subject:
    roles = value.get("roles")
    if not isinstance(roles, list) or len(roles) > MAX_ROLES:
        _malformed("roles")
    try:
        kind = AuthenticationType(_text(value, "type"))
    except ValueError:
        _malformed("type")
    by = value.get("by")
    if by is not None and inner:
        _malformed("by")
    subject = Subject(
        name=_text(value, "name"),
        realm=_realm(value, "realm"),
        type=kind,
        roles=tuple(_text({"roles": each}, "roles") for each in roles),
        api_key=_read_key(value),
        authenticated_by=None
        if by is None
        else _read_subject(_object(value, "by"), whole=whole, inner=True),
    )
    # Whom a key acts as has none itself.
    if subject.type is AuthenticationType.API_KEY and subject.api_key is None and by is None:
        _malformed("api_key")
    return _with_the_rest(subject, value) if whole else subject


def _with_the_rest(subject: Subject, value: Mapping[str, Any]) -> Subject:
    sides = value.get("sides")
    if sides is not None and (not isinstance(sides, list) or len(sides) > MAX_SIDES):
        _malformed("sides")
    metadata = value.get("metadata", NO_METADATA)
    if not isinstance(metadata, Mapping) or not isinstance(value.get("enabled", True), bool):
        _malformed("metadata")
    effort = Effort()
    return replace(
        subject,
        enabled=value.get("enabled", True),
        full_name=_text(value, "full_name") if "full_name" in value else None,
        email=_text(value, "email") if "email" in value else None,
        metadata=metadata,
        sides=None if sides is None else tuple(_read_side(side, effort, None) for side in sides),
    )


def _read_key(value: Mapping[str, Any]) -> ApiKeyIdentity | None:
    if value.get("api_key") is None:
        return None
    key = _object(value, "api_key")
    return ApiKeyIdentity(
        id=_text(key, "id"),
        name=_text(key, "name"),
        creator=_text(key, "creator"),
        creator_realm=_realm(key, "creator_realm"),
    )


def _realm(value: Mapping[str, Any], key: str) -> Realm:
    found = value.get(key)
    if not isinstance(found, list) or len(found) != 2:
        _malformed(key)
    return Realm(name=_text({key: found[0]}, key), type=_text({key: found[1]}, key))


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    if not isinstance(found, str):
        _malformed(key)
    return found


def _object(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    if not isinstance(found, Mapping):
        _malformed(key)
    return found


def _malformed(key: str) -> NoReturn:
    raise IllegalArgument(f"malformed security header: [{key}] is missing or of the wrong type")


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def _encode(value: Any) -> str:
    return base64.b64encode(_json(value)).decode("ascii")


def _guarded(text: str, limit: int, read: Callable[[Mapping[str, Any]], T]) -> T:
    """Raises IllegalArgument and nothing else, whatever the text."""
    try:
        return read(_decode(text, limit))
    except IllegalArgument:
        raise
    except ApiError as error:
        raise IllegalArgument(f"malformed security header: {error.reason}") from None


def _decode(text: str, limit: int) -> Mapping[str, Any]:
    if len(text) > limit * 4 // 3 + 4:
        raise IllegalArgument(f"a security header may have at most [{limit}] bytes")
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise IllegalArgument("malformed security header: it is not base64") from None
    _check_depth(raw)
    try:
        # As UTF-8 alone: the depth was counted by its bytes.
        told = raw.decode("utf-8")
        found = json.loads(told, object_pairs_hook=_members, parse_constant=_refuse)
        if "\\ud" in told or "\\uD" in told:
            _refuse_half_characters(found)
    except _DuplicateError:
        raise IllegalArgument("malformed security header: a member comes twice") from None
    except (ValueError, RecursionError):
        raise IllegalArgument("malformed security header: it is not JSON") from None
    if not isinstance(found, dict) or found.get("v") != VERSION:
        _malformed("v")
    return found


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _DuplicateError
    return members


def _refuse(_: str) -> NoReturn:
    raise ValueError


def _refuse_half_characters(found: Any) -> None:
    """Raises ValueError for half of a surrogate pair, which is no text to anybody who has to write it again."""
    json.dumps(found, ensure_ascii=False).encode("utf-8")


def _check_depth(raw: bytes) -> None:
    """Raises IllegalArgument for brackets within brackets, before anything follows them."""
    depth = 0
    quoted = escaped = False
    for byte in raw:
        if quoted:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                quoted = False
        elif byte == 0x22:
            quoted = True
        elif byte in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise IllegalArgument(
                    f"malformed security header: it is nested deeper than [{MAX_DEPTH}]"
                )
        elif byte in b"]}":
            depth -= 1
