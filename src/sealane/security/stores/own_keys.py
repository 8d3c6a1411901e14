"""API keys that are the caller's own, with which somebody may do what others' keys are not for.

Whether a request is about such keys only it can say: where names of indices would stand it has `OWN` then.
"""

from collections.abc import Sequence
from typing import Final

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
OWN: Final = ("own",)
_OF_SOMEBODY: Final = frozenset({GET, INVALIDATE})
"""What may be about keys of others. The rest is about nobody else's, or shows nobody else's to who may not see them."""


def access_to_keys(
    subject: Subject, permission: Permission, action: str, whose: Sequence[str]
) -> SubjectAccess:
    """The rights of one who may do `action` with the keys. A key may always be asked about by who comes with it.

    Raises SecurityError.
    """
    own = action not in _OF_SOMEBODY or tuple(whose) == OWN
    if own and action == GET and subject.type is AuthenticationType.API_KEY:
        return SubjectAccess(subject, permission, action)
    if not permission.cluster(action, own_keys=own):
        raise denied(subject, permission.role_names, action, own_keys=own)
    return SubjectAccess(subject, permission, action)
