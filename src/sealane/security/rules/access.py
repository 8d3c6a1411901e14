"""A subject's rights, seen through one action, and the sentences that say why something was denied.

The sentences are the reference's: who asked, as whom, with which roles, for what, and which privileges would do.
"""

from collections.abc import Collection, Sequence

from sealane.errors import SecurityError
from sealane.model.java_hash import text_hash
from sealane.model.security import AuthenticationType, IndexLimits, Subject
from sealane.security.rules import names
from sealane.security.rules.permission import Permission
from sealane.security.rules.privileges import (
    cluster_privileges_granting,
    index_privileges_granting,
    is_cluster_action,
    is_index_action,
)


class SubjectAccess:
    """Implements `model.access.Access`. Cheap to make; what it finds out is kept by the permission."""

    __slots__ = ("_known", "_permission", "action", "subject")

    def __init__(self, subject: Subject, permission: Permission, action: str) -> None:
        self.subject = subject
        self.action = action
        self._permission = permission
        self._known = permission.verdicts(action)

    @property
    def permission(self) -> Permission:
        return self._permission

    @property
    def is_granted(self) -> bool:
        """Whether the action may be done on any name at all."""
        return self._permission.index_action(self.action)

    def allows(self, name: str) -> bool:
        """Whether the action may be done on the index, or the alias, of that name."""
        try:
            return self._known[name]
        except KeyError:
            return self._permission.index(self.action, name)

    def limits(self, names: Sequence[str]) -> IndexLimits | None:
        """What may be seen of an index that was reached by `names`. None: all of it."""
        return self._permission.limits(self.action, names)

    def exceeds(self, name: str, other: str) -> bool:
        """Whether more may be done on one name than on another, whatever the action."""
        return self._permission.exceeds(name, other)

    def denial(self, names: Sequence[str]) -> SecurityError:
        """The error for names on which the action may not be done; without names, for the action as a whole."""
        return denied(self.subject, self._permission.role_names, self.action, names)

    def acting(self, action: str) -> "SubjectAccess":
        """The same subject's rights, seen through another action."""
        if action == self.action:
            return self
        return SubjectAccess(self.subject, self._permission, action)


class SystemAccess:
    """What the node itself may do: everything. Implements `model.access.Access`."""

    __slots__ = ("action",)

    def __init__(self, action: str) -> None:
        self.action = action

    @property
    def is_granted(self) -> bool:
        return True

    def allows(self, name: str) -> bool:
        return True

    def limits(self, names: Sequence[str]) -> IndexLimits | None:
        return None

    def exceeds(self, name: str, other: str) -> bool:
        return False

    def denial(self, names: Sequence[str]) -> SecurityError:
        """Never asked for."""
        return SecurityError(f"action [{self.action}] is unauthorized for the node itself")

    def acting(self, action: str) -> "SystemAccess":
        return SystemAccess(action)


def denied(
    subject: Subject,
    found_roles: Sequence[str],
    action: str,
    on: Sequence[str] = (),
    *,
    own_keys: bool = True,
) -> SecurityError:
    """`found_roles` are those of the subject's roles that exist here; `on` the names that are not allowed. Without
    `own_keys` the action is about API keys of others.
    """
    toward = (
        " towards remote cluster" if subject.type is AuthenticationType.CROSS_CLUSTER_ACCESS else ""
    )
    return SecurityError(
        f"action [{action}]{toward} is unauthorized for {described(subject, found_roles)}"
        f"{_names(on)}{_granted_by(action, own_keys)}"
    )


def denied_toward(
    subject: Subject, alias: str, action: str, found_roles: Sequence[str] = ()
) -> SecurityError:
    """For a request that is not sent: nothing is granted on the cluster of that alias."""
    kind = "cluster" if is_cluster_action(action) else "indices"
    return SecurityError(
        f"action [{action}] towards remote cluster [{alias}] is unauthorized for "
        f"{described(subject, found_roles)} because no remote {kind} privileges apply for the target cluster"
    )


def denied_run_as(
    subject: Subject, user: str, action: str, found_roles: Sequence[str] = ()
) -> SecurityError:
    """`subject` may not act as the user of that name, whether or not there is one."""
    return SecurityError(
        f"action [{action}] is unauthorized for {described(subject, found_roles)}, because "
        f"{_principal(subject)} is unauthorized to run as [{user}]"
    )


def described(subject: Subject, found_roles: Sequence[str]) -> str:
    """Who asks: user or key, as whom, and with which roles."""
    if subject.type is AuthenticationType.CROSS_CLUSTER_ACCESS:
        return f"{_claimed(subject)} authenticated by {_key(subject)}"
    if subject.type is AuthenticationType.API_KEY and subject.authenticated_by is None:
        return _key(subject)
    return _acting(subject) + _effective(subject, found_roles)


def _claimed(subject: Subject) -> str:
    """Whom another cluster says it asks for. `authenticated_by` holds who that is where it is a key."""
    by = subject.authenticated_by
    if by is not None and by.api_key is not None and by.name == subject.name:
        return _key(by)
    return f"{_acting(subject)} with assigned roles [{','.join(subject.roles)}]"


def _acting(subject: Subject) -> str:
    by = subject.authenticated_by
    if by is None:
        return _principal(subject)
    return f"{_principal(by)} run as [{subject.name}]"


def _principal(subject: Subject) -> str:
    if subject.type is AuthenticationType.API_KEY:
        return _key(subject)
    return f"user [{subject.name}]"


def _key(subject: Subject) -> str:
    key = subject.api_key
    if key is None:
        return f"API key id [unknown] of user [{subject.name}]"
    return f"API key id [{key.id}] of user [{key.creator}]"


def _effective(subject: Subject, found_roles: Sequence[str]) -> str:
    missing = sorted(set(subject.roles).difference(found_roles))
    text = f" with effective roles [{','.join(sorted(found_roles))}]"
    if missing:
        text += f" (assigned roles [{','.join(missing)}] were not found)"
    return text


def _names(on: Sequence[str]) -> str:
    ordered = _as_listed(dict.fromkeys(on))
    plain = [name for name in ordered if not names.is_restricted(name)]
    restricted = [name for name in ordered if names.is_restricted(name)]
    parts = []
    if plain:
        parts.append(f"indices [{','.join(plain)}]")
    if restricted:
        parts.append(f"restricted indices [{','.join(restricted)}]")
    return f" on {' and '.join(parts)}" if parts else ""


def _as_listed(on: Collection[str]) -> list[str]:
    """In the order of the reference, which keeps them in a hash table."""
    size = 8
    while len(on) > size * 3 // 4:
        size *= 2

    def place(name: str) -> int:
        hashed = text_hash(name)
        return (hashed ^ hashed >> 16) & (size - 1)

    return sorted(on, key=place)


def _granted_by(action: str, own_keys: bool) -> str:
    if is_cluster_action(action):
        kind, listed = "cluster", cluster_privileges_granting(action, own_keys=own_keys)
    elif is_index_action(action):
        kind, listed = "index", index_privileges_granting(action)
    else:
        return ""
    if not listed:
        return ""
    return f", this action is granted by the {kind} privileges [{','.join(listed)}]"
