"""What roles and keys grant, as plain data, and secrets that do not show themselves.

How a description decides is `security.rules`' business, where users and keys are kept `security.stores`'.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from sealane.model.visible_fields import visible_fields

REDACTED: Final = "::es_redacted::"
NO_METADATA: Final[Mapping[str, Any]] = {}


class Secret:
    """A text that neither `repr` nor `str` shows. `reveal` is called where it is used, and nowhere else."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return REDACTED

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        """Takes as long wherever the texts begin to differ."""
        if not isinstance(other, Secret):
            return NotImplemented
        one, two = (each._text.encode("utf-8", "surrogatepass") for each in (self, other))
        return hmac.compare_digest(one, two)

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldGrant:
    """Field level security of one entry: patterns of dotted paths (visible_fields.py). `excepted` wins.

    None is what `()` is, but was not written.
    """

    grant: tuple[str, ...] = ("*",)
    excepted: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPrivileges:
    """One entry of `indices` in a role. `names` and `privileges` are as given; `query` is JSON text."""

    names: tuple[str, ...]
    privileges: tuple[str, ...]
    fields: FieldGrant | None = None
    query: str | None = None
    allow_restricted_indices: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteIndexPrivileges:
    """One entry of `remote_indices`: what `entry` grants on the clusters whose alias fits."""

    clusters: tuple[str, ...]
    entry: IndexPrivileges


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteClusterPrivileges:
    """One entry of `remote_cluster`."""

    clusters: tuple[str, ...]
    privileges: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationPrivileges:
    """One entry of `applications`: kept and shown for other products; nothing here asks for it."""

    application: str
    privileges: tuple[str, ...]
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleDescriptor:
    """A role as it was put, or one of a key."""

    name: str
    cluster: tuple[str, ...] = ()
    indices: tuple[IndexPrivileges, ...] = ()
    remote_indices: tuple[RemoteIndexPrivileges, ...] = ()
    remote_cluster: tuple[RemoteClusterPrivileges, ...] = ()
    run_as: tuple[str, ...] = ()
    applications: tuple[ApplicationPrivileges, ...] = ()
    global_: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] = field(default_factory=lambda: NO_METADATA)
    description: str | None = None


Side = tuple[RoleDescriptor, ...]
"""Roles whose grants are united. Several sides must each allow what is asked: a key and the one who made it."""


@dataclass(frozen=True, slots=True)
class FieldLimits:
    """The fields of an index that may be seen: every side must show one, by any of its grants."""

    sides: tuple[tuple[FieldGrant, ...], ...]

    def shows(self, path: str) -> bool:
        """Whether the field with this dotted path may be seen. Metadata fields (`_id`, ...) are not asked about."""
        return visible_fields(self).shows(path)


@dataclass(frozen=True, slots=True)
class IndexLimits:
    """What may be seen of one concrete index.

    `queries` (JSON): a document must match any of each side's; no side is no limit. `fields` None is no limit.
    """

    queries: tuple[tuple[bytes, ...], ...] = ()
    fields: FieldLimits | None = None


class AuthenticationType(StrEnum):
    """How a subject proved who it is; the reference's names, as `_authenticate` shows them in lower case."""

    REALM = "realm"
    API_KEY = "api_key"
    ANONYMOUS = "anonymous"
    INTERNAL = "internal"
    CROSS_CLUSTER_ACCESS = "cross_cluster_access"


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """Where a user is kept: `native1` of type `native`."""

    name: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyIdentity:
    """The key that a subject came with, and whose it is."""

    id: str
    name: str
    creator: str
    creator_realm: Realm


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subject:
    """Who asks. Immutable; made by whoever authenticated it, and compared by `key`.

    `sides`, where it is given, decides alone: what each key and user involved grants. Without it the roles that are
    called `roles` on the deciding cluster do. `authenticated_by` is who asked to act as this user (run as).
    """

    name: str
    realm: Realm
    type: AuthenticationType = AuthenticationType.REALM
    roles: tuple[str, ...] = ()
    sides: tuple[Side, ...] | None = None
    api_key: ApiKeyIdentity | None = None
    authenticated_by: "Subject | None" = None
    full_name: str | None = None
    email: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=lambda: NO_METADATA)
    enabled: bool = True

    @property
    def key(self) -> tuple[str, ...]:
        """Two requests come from the same one where this is equal: what contexts and results are kept for."""
        if self.api_key is not None:
            own: tuple[str, ...] = ("api_key", self.api_key.id)
        else:
            own = (self.type.value, self.realm.type, self.realm.name, self.name)
        if self.type is AuthenticationType.CROSS_CLUSTER_ACCESS:
            by = self.authenticated_by
            own = (*own, self.realm.name, self.name, *(() if by is None else by.key))
        return own

    @property
    def came_by(self) -> str:
        """The id of the key by which another cluster asks; empty for everybody else."""
        is_claim = self.type is AuthenticationType.CROSS_CLUSTER_ACCESS
        return self.api_key.id if is_claim and self.api_key is not None else ""


ANONYMOUS: Final = Subject(
    name="_anonymous",
    realm=Realm(name="__anonymous", type="__anonymous"),
    type=AuthenticationType.ANONYMOUS,
)
"""Who asks while security is off."""
SYSTEM: Final = Subject(
    name="_system",
    realm=Realm(name="__attach", type="__attach"),
    type=AuthenticationType.INTERNAL,
)
"""The node itself."""
