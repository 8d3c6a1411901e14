"""The first verdict on an action, before any name is looked at: may this subject do it at all?

Actions on the cluster are decided here for good. Actions on indices go on to be judged name by name, by the
`SubjectAccess` that comes back. What is neither is for the nodes of a cluster among themselves.
"""

from collections.abc import Sequence
from typing import Final

from sealane.model.index_names import split_alias
from sealane.model.security import AuthenticationType, Subject
from sealane.security.rules.access import SubjectAccess, denied
from sealane.security.rules.permission import Permission
from sealane.security.rules.privileges import is_cluster_action, is_index_action

_SECURITY: Final = "cluster:admin/xpack/security/"
ABOUT_ONESELF: Final = frozenset(
    {
        f"{_SECURITY}user/authenticate",
        f"{_SECURITY}user/change_password",
        f"{_SECURITY}user/has_privileges",
        f"{_SECURITY}user/list_privileges",
    }
)
"""What everybody may ask or do about themselves. That it is about nobody else is checked by whoever runs it: see
`is_about_oneself`.
"""
PROXY: Final = "internal:transport/proxy/"
"""Before the name of an action that a node passes on to another of its cluster, which judges it again."""
FORWARD: Final = "internal:rest/forward"
"""A whole REST request that a node passes on to another of its cluster, where it is judged as what it is."""
FOR_EVERYBODY: Final = frozenset({"cluster:monitor/cat"})
"""What tells nothing of the cluster: the list of its tables."""
COMPOSITE: Final = frozenset(
    {
        "indices:data/read/mget",
        "indices:data/read/msearch",
        "indices:data/read/msearch/template",
        "indices:data/read/scroll",
        "indices:data/write/bulk",
        "indices:data/write/reindex",
    }
)
"""What is made of items that are judged one by one, by their own actions: whether any name is granted is asked first,
and a denial of the whole names none.
"""
MANAGE_ALIASES: Final = "indices:admin/aliases"
"""Names indices in its body, whose patterns a denial shows as they are."""
OF_THE_SAME_USER: Final = frozenset(
    {
        "indices:data/read/scroll/clear",
        "indices:data/read/close_point_in_time",
        "indices:data/read/async_search/get",
        "indices:data/read/async_search/delete",
    }
)
"""What goes on with, or ends, what somebody began: each of them finds only what the same subject began."""


def access_of(
    subject: Subject,
    permission: Permission,
    action: str,
    expressions: Sequence[str] = (),
    *,
    own_keys: bool = False,
) -> SubjectAccess:
    """The rights by which an action goes on.

    `expressions` are the names that the request itself has. One of another cluster is for that cluster to judge, so
    a request with one goes on, and its local names are judged one by one. `own_keys` says that it is about API keys of
    whoever asks.

    Raises SecurityError where it is denied as a whole.
    """
    if not may(subject, permission, action, own_keys=own_keys):
        elsewhere = any(split_alias(each) is not None for each in expressions)
        if not (elsewhere and is_index_action(action)):
            raise denied(subject, permission.role_names, action, _named(action, expressions))
    return SubjectAccess(subject, permission, action)


def may(subject: Subject, permission: Permission, action: str, *, own_keys: bool = False) -> bool:
    """Whether an action is granted on the cluster, or on any index at all."""
    if action in OF_THE_SAME_USER:
        return subject.type is not AuthenticationType.CROSS_CLUSTER_ACCESS
    if is_cluster_action(action):
        if action in ABOUT_ONESELF or action in FOR_EVERYBODY:
            return subject.type is not AuthenticationType.CROSS_CLUSTER_ACCESS
        return permission.cluster(action, own_keys=own_keys)
    if action.startswith(PROXY):
        passed_on = action.removeprefix(PROXY)
        return not passed_on.startswith("internal:") and may(subject, permission, passed_on)
    if is_index_action(action):
        return permission.index_action(action)
    return action == FORWARD and subject.type is not AuthenticationType.CROSS_CLUSTER_ACCESS


def _named(action: str, expressions: Sequence[str]) -> list[str]:
    """Of the names in a request those that stand for one index each."""
    if not is_index_action(action) or action in COMPOSITE:
        return []
    if action == MANAGE_ALIASES:
        return list(expressions)
    return [each for each in expressions if each and each != "_all" and "*" not in each]


def is_about_oneself(subject: Subject, user: str) -> bool:
    """Whether a user of that name is who asks: by name, and not by a key, which has no password."""
    return subject.name == user and subject.type is AuthenticationType.REALM
