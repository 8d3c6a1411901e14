"""Privileges as they are written in roles, and the actions they grant.

A privilege is a name of `privilege_tables`, in any case, or the beginning of an action with `*` anywhere: what is
written grants every action that begins like it, as in the reference.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

from sealane.errors import ApiError, IllegalArgument
from sealane.model.lucene_nodes import NEVER, Node, alternative
from sealane.security.rules import names
from sealane.security.rules.privilege_tables import (
    CLUSTER_EXCEPTIONS,
    CLUSTER_PATTERNS,
    INDEX_PATTERNS,
)

CLUSTER_PRIVILEGES: Final = tuple(CLUSTER_PATTERNS)
INDEX_PRIVILEGES: Final = tuple(INDEX_PATTERNS)
REMOTE_CLUSTER_PRIVILEGES: Final = ("monitor_enrich", "monitor_stats")
MANAGE_OWN_API_KEY: Final = "manage_own_api_key"
_CLUSTER_TEMPLATES: Final = ("indices:admin/template/", "indices:admin/index_template/")
_PROXIED: Final = "internal:transport/proxy/indices:"

Grants = Callable[[str], bool]
"""Whether an action is granted."""


def is_cluster_action(action: str) -> bool:
    """Whether privileges on the cluster decide about it."""
    return action.startswith("cluster:") or action.startswith(_CLUSTER_TEMPLATES)


def is_index_action(action: str) -> bool:
    """Whether privileges on indices decide about it."""
    if action.startswith("indices:"):
        return not action.startswith(_CLUSTER_TEMPLATES)
    return action.startswith(_PROXIED)


def check_cluster_privilege(name: str) -> None:
    """Raises IllegalArgument for what is no privilege on a cluster."""
    lowered = name.lower()
    if lowered in CLUSTER_PATTERNS or is_cluster_action(lowered):
        return
    raise IllegalArgument(
        f"unknown cluster privilege [{lowered}]. a privilege must be either one of the predefined cluster "
        f"privilege names [{','.join(CLUSTER_PRIVILEGES)}] or a pattern over one of the available "
        "cluster actions"
    )


def check_index_privilege(name: str) -> None:
    """Raises IllegalArgument for what is no privilege on indices."""
    lowered = name.lower()
    if lowered in INDEX_PATTERNS or lowered.startswith(("indices:", _PROXIED)):
        return
    listed = ",".join(f"{each}=[{each}]" for each in INDEX_PRIVILEGES)
    raise IllegalArgument(
        f"unknown index privilege [{lowered}]. a privilege must be either one of the predefined fixed indices "
        f"privileges [{listed}] or a pattern over one of the available index actions"
    )


@lru_cache(maxsize=256)
def cluster_grants(privileges: tuple[str, ...]) -> Grants:
    """What privileges on a cluster grant together; what is none grants nothing.

    `manage_own_api_key` is taken to grant what it grants on the keys of whoever asks.
    """
    plain: list[str] = []
    excepting: list[tuple[names.Matcher, names.Matcher]] = []
    for privilege in privileges:
        lowered = privilege.lower()
        if lowered in CLUSTER_EXCEPTIONS:
            given = names.matcher(CLUSTER_PATTERNS[lowered])
            excepting.append((given, names.matcher(CLUSTER_EXCEPTIONS[lowered])))
        elif lowered in CLUSTER_PATTERNS:
            plain += CLUSTER_PATTERNS[lowered]
        elif is_cluster_action(lowered):
            plain.append(_begins(lowered))
    matches = names.matcher(tuple(plain))
    if not excepting:
        return matches

    def grants(action: str) -> bool:
        return matches(action) or any(
            given(action) and not excepted(action) for given, excepted in excepting
        )

    return grants


@lru_cache(maxsize=256)
def index_grants(privileges: tuple[str, ...]) -> Grants:
    """What privileges on indices grant together; what is none grants nothing."""
    patterns: list[str] = []
    for privilege in privileges:
        lowered = privilege.lower()
        if lowered in INDEX_PATTERNS:
            patterns += INDEX_PATTERNS[lowered]
        elif lowered.startswith(("indices:", _PROXIED)):
            patterns.append(_begins(lowered))
    return names.matcher(tuple(patterns))


@lru_cache(maxsize=256)
def cluster_node(privileges: tuple[str, ...]) -> Node:
    """All the actions that privileges on a cluster grant, to compare them with others."""
    return alternative(_cluster_node(each) for each in privileges)


def _cluster_node(privilege: str) -> Node:
    lowered = privilege.lower()
    if lowered in CLUSTER_PATTERNS:
        given = names.union(CLUSTER_PATTERNS[lowered])
        excepted = CLUSTER_EXCEPTIONS.get(lowered)
        return given if excepted is None else names.without(given, names.union(excepted))
    return names.node_of(_begins(lowered)) if is_cluster_action(lowered) else NEVER


@lru_cache(maxsize=256)
def index_node(privileges: tuple[str, ...]) -> Node:
    """All the actions that privileges on indices grant, to compare them with others."""
    return alternative(_index_node(each) for each in privileges)


def _index_node(privilege: str) -> Node:
    lowered = privilege.lower()
    if lowered in INDEX_PATTERNS:
        return names.union(INDEX_PATTERNS[lowered])
    known = lowered.startswith(("indices:", _PROXIED))
    return names.node_of(_begins(lowered)) if known else NEVER


def _begins(action: str) -> str:
    return action if action.endswith("*") else f"{action}*"


@lru_cache(maxsize=1_024)
def index_privileges_granting(action: str) -> list[str]:
    """The named ones that grant an action, in the reference's order."""
    return _granting(INDEX_PRIVILEGES, index_grants, action)


@lru_cache(maxsize=1_024)
def cluster_privileges_granting(action: str, *, own_keys: bool = True) -> list[str]:
    """The named ones that grant an action, in the reference's order; without `own_keys` on keys of others."""
    found = _granting(CLUSTER_PRIVILEGES, cluster_grants, action)
    return found if own_keys else [name for name in found if name != MANAGE_OWN_API_KEY]


def _granting(
    known: Sequence[str], grants: Callable[[tuple[str, ...]], Grants], action: str
) -> list[str]:
    return [name for name in known if grants((name,))(action)]


def problems(check: Callable[[str], None], privileges: Iterable[str]) -> list[str]:
    """The texts of what is wrong with privileges, in their order."""
    found: list[str] = []
    for privilege in privileges:
        try:
            check(privilege)
        except ApiError as error:
            found.append(error.reason)
    return found
