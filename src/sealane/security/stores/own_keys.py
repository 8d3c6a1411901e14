"""API keys that are the caller's own: who may only do something with those passes the door, and is asked again once it
is known which keys are meant.
"""

from typing import Final

from sealane.errors import SecurityError
from sealane.model.security import AuthenticationType, Subject
from sealane.security.rules.access import SubjectAccess, denied
from sealane.security.rules.permission import Permission

_KEYS: Final = "cluster:admin/xpack/security/api_key/"
GET: Final = f"{_KEYS}get"
QUERY: Final = f"{_KEYS}query"
INVALIDATE: Final = f"{_KEYS}invalidate"
CREATE: Final = f"{_KEYS}create"
UPDATE: Final = f"{_KEYS}update"
BULK_UPDATE: Final = f"{_KEYS}bulk_update"
ABOUT_KEYS: Final = frozenset({GET, QUERY, INVALIDATE, CREATE, UPDATE, BULK_UPDATE})


def own_key_at_least(subject: Subject, permission: Permission, action: str) -> SubjectAccess:
    """The rights of one who may do `action` with own keys. A key may always be asked about by who comes with it.

    Raises SecurityError.
    """
    if action == GET and subject.type is AuthenticationType.API_KEY:
        return SubjectAccess(subject, permission, action)
    if not permission.cluster(action, own_keys=True):
        raise _denied(subject, permission, action, own=True)
    return SubjectAccess(subject, permission, action)


def check(subject: Subject, permission: Permission, action: str, *, own: bool) -> None:
    """Once it is known whether the keys are the caller's own. Raises SecurityError."""
    if not permission.cluster(action, own_keys=own):
        raise _denied(subject, permission, action, own=own)


def _denied(subject: Subject, permission: Permission, action: str, *, own: bool) -> SecurityError:
    # Of asking about keys the reference never says that a privilege on own keys would do.
    return denied(subject, permission.role_names, action, own_keys=own and action != GET)
