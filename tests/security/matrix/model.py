"""A second, tiny model of the rules, which shares no code with the product: what should come of each cell.

It knows a handful of privileges by their meaning and globs with one star. Rights are sets of facts, written out; there
is no compiling, caching or uniting in it to get wrong.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

MEANING: Mapping[str, frozenset[str]] = {
    "read": frozenset({"search", "get"}),
    "write": frozenset({"index", "delete"}),
    "view_index_metadata": frozenset({"mapping"}),
    "all": frozenset({"search", "get", "index", "delete", "mapping", "drop"}),
    "monitor": frozenset({"health"}),
    "manage_security": frozenset({"users"}),
}
INDEX_ACTIONS: Mapping[str, str] = {
    "search": "indices:data/read/search",
    "get": "indices:data/read/get",
    "index": "indices:data/write/bulk[s]",
    "delete": "indices:data/write/delete",
    "mapping": "indices:admin/mappings/get",
    "drop": "indices:admin/delete",
}
CLUSTER_ACTIONS: Mapping[str, str] = {
    "health": "cluster:monitor/health",
    "users": "cluster:admin/xpack/security/user/put",
}
INDICES = ("logs-1", "logs-2", "docs-1", "private-1", ".security-7")
REMOTES = ("kb", "other")


@dataclass(frozen=True)
class Grant:
    names: tuple[str, ...]
    privileges: tuple[str, ...]
    restricted: bool = False
    clusters: tuple[str, ...] = ()
    """Those of remote clusters; none is this cluster."""


@dataclass(frozen=True)
class RoleModel:
    cluster: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()

    def body(self) -> dict[str, Any]:
        """As `PUT /_security/role` takes it."""
        here = [each for each in self.grants if not each.clusters]
        there = [each for each in self.grants if each.clusters]
        return {
            "cluster": list(self.cluster),
            "indices": [_entry(each) for each in here],
            "remote_indices": [{"clusters": list(each.clusters), **_entry(each)} for each in there],
        }


def _entry(grant: Grant) -> dict[str, Any]:
    return {
        "names": list(grant.names),
        "privileges": list(grant.privileges),
        "allow_restricted_indices": grant.restricted,
    }


ROLES: Mapping[str, RoleModel] = {
    "reader": RoleModel(grants=(Grant(("logs-*",), ("read",)),)),
    "writer": RoleModel(
        cluster=("monitor",),
        grants=(Grant(("logs-1", "docs-*"), ("write", "view_index_metadata")),),
    ),
    "traveller": RoleModel(
        grants=(
            Grant(("logs-*", "docs-1"), ("read",), clusters=("k*",)),
            Grant(("private-1",), ("all",), clusters=("other",)),
        )
    ),
    "boss": RoleModel(
        cluster=("manage_security", "monitor"),
        grants=(
            Grant(("*",), ("all",)),
            Grant(("*",), ("read",), restricted=True),
            Grant(("*",), ("all",), clusters=("*",)),
        ),
    ),
}
USERS: Mapping[str, tuple[str, ...]] = {
    "ann": ("reader", "writer", "traveller"),
    "bob": ("boss", "missing_role"),
}


@dataclass(frozen=True)
class KeyModel:
    """An API key of a user, with a role of its own; None takes the owner's."""

    owner: str
    role: RoleModel | None = None


KEYS: Mapping[str, KeyModel] = {
    "same": KeyModel("ann"),
    "narrow": KeyModel("bob", RoleModel(grants=(Grant(("docs-1",), ("read",)),))),
    "wide": KeyModel("ann", RoleModel(cluster=("monitor",), grants=(Grant(("*",), ("all",)),))),
}
CROSSING: tuple[str, ...] = ("logs-1", "docs-*")
"""What the remote cluster's key lets be searched."""


@dataclass(frozen=True)
class Cell:
    """Who, what, where. `cluster` is "" for this one; `index` is "" for actions on the cluster."""

    who: str
    what: str
    index: str = ""
    cluster: str = ""
    allowed: bool = field(compare=False, default=False)

    def __str__(self) -> str:
        where = f"{self.cluster}:{self.index}" if self.cluster else self.index or "cluster"
        return f"{self.who}-{self.what}-{where}"


def rights(who: str) -> Sequence[Sequence[RoleModel]]:
    """Lists of roles, each of which must allow what is asked."""
    if who in USERS:
        return [[ROLES[name] for name in USERS[who] if name in ROLES]]
    key = KEYS[who]
    owner = rights(key.owner)[0]
    return [owner] if key.role is None else [[key.role], owner]


def expected(who: str, what: str, index: str, cluster: str) -> bool:
    if cluster and not any(fnmatchcase(index, each) for each in CROSSING):
        return False
    if cluster and (what not in MEANING["read"] or index.startswith(".security")):
        return False
    return all(any(grants(role, what, index, cluster) for role in roles) for roles in rights(who))


def grants(role: RoleModel, what: str, index: str, cluster: str) -> bool:
    if not index:
        return any(what in MEANING[each] for each in role.cluster)
    return any(allows(grant, what, index, cluster) for grant in role.grants)


def allows(grant: Grant, what: str, index: str, cluster: str) -> bool:
    if bool(cluster) != bool(grant.clusters):
        return False
    if cluster and not any(fnmatchcase(cluster, each) for each in grant.clusters):
        return False
    if index.startswith(".security") and not grant.restricted:
        return False
    named = any(fnmatchcase(index, each) for each in grant.names)
    return named and any(what in MEANING[each] for each in grant.privileges)


def cells() -> Iterator[Cell]:
    """All of them, each with its verdict."""
    for who in (*USERS, *KEYS):
        for what in CLUSTER_ACTIONS:
            yield Cell(who, what, allowed=expected(who, what, "", ""))
        for what in INDEX_ACTIONS:
            for index in INDICES:
                yield Cell(who, what, index, allowed=expected(who, what, index, ""))
        for cluster in REMOTES:
            for index in INDICES[:4]:
                allowed = expected(who, "search", index, cluster)
                yield Cell(who, "search", index, cluster, allowed)
