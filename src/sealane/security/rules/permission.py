"""Roles made ready to answer: which actions, on which names, seeing what.

A `Role` unites the grants of one side; a `Permission` asks several sides, and all must agree. Both only read what
they are made of, so they may be kept for as long as that stays the same. Texts of denials are `access`' business.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sealane.model.lucene_nodes import NEVER, Node, alternative, both
from sealane.model.security import (
    FieldGrant,
    FieldLimits,
    IndexLimits,
    IndexPrivileges,
    RoleDescriptor,
    Side,
)
from sealane.security.rules import names
from sealane.security.rules.privileges import (
    MANAGE_OWN_API_KEY,
    cluster_grants,
    cluster_node,
    index_grants,
    index_node,
    is_cluster_action,
)
from sealane.security.rules.remote import toward_of

MAX_KNOWN: Final = 32_768
"""Verdicts that are kept of one permission, over all actions: whoever asks chooses the names."""
MAX_NAME: Final = 255
"""Characters of a name whose verdict is kept: no index has a longer one."""
MAX_ACTIONS: Final = 512
"""Actions whose verdicts are kept."""
PUT_MAPPING: Final = "indices:admin/mapping/put"
_WRITING: Final = frozenset({"create", "create_doc", "index", "write"})
"""Privileges to write that let mappings be put, too. They are not said to: the reference kept it for older clients."""


class Group:
    """One entry of `indices`."""

    __slots__ = ("entry", "fields", "grants", "matches", "query", "writes")

    def __init__(self, entry: IndexPrivileges) -> None:
        self.entry = entry
        self.grants = index_grants(entry.privileges)
        self.writes = any(each.lower() in _WRITING for each in entry.privileges)
        self.matches = names.matcher(entry.names)
        self.query = None if entry.query is None else entry.query.encode()
        limited = entry.fields is not None and (
            entry.fields.grant != ("*",) or entry.fields.excepted
        )
        self.fields: FieldGrant | None = entry.fields if limited else None

    def covers(self, name: str) -> bool:
        if not self.entry.allow_restricted_indices and names.is_restricted(name):
            return False
        return self.matches(name)


class Role:
    """What one side grants: the union of its descriptors."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self._privileges = tuple(dict.fromkeys(p for each in side for p in each.cluster))
        lasting = tuple(p for p in self._privileges if p.lower() != MANAGE_OWN_API_KEY)
        self._cluster = cluster_grants(lasting)
        self._own = cluster_grants(self._privileges)
        self._groups = [Group(entry) for each in side for entry in each.indices]
        self._run_as = names.matcher(tuple(user for each in side for user in each.run_as))
        self._by_action: dict[str, tuple[Group, ...]] = {}

    @classmethod
    def of(cls, side: Side) -> "Role":
        return cls(side)

    def cluster(self, action: str, *, own_keys: bool = False) -> bool:
        """Whether an action on the cluster is granted; with `own_keys` one that is about keys of whoever asks."""
        return self._own(action) if own_keys else self._cluster(action)

    def groups(self, action: str) -> tuple[Group, ...]:
        """The entries that grant an action on indices."""
        found = self._by_action.get(action)
        if found is None:
            found = tuple(
                group
                for group in self._groups
                if group.grants(action) or (action == PUT_MAPPING and group.writes)
            )
            if len(self._by_action) >= MAX_ACTIONS:
                self._by_action = {}
            self._by_action[action] = found
        return found

    def index(self, action: str, name: str) -> bool:
        return any(group.covers(name) for group in self.groups(action))

    def granted_on(self, name: str) -> Node:
        """All the actions that are granted on the index, or the alias, of that name."""
        return alternative(
            index_node(group.entry.privileges) for group in self._groups if group.covers(name)
        )

    def run_as(self, user: str) -> bool:
        return self._run_as(user)

    def application(self, application: str, privilege: str, resource: str) -> bool:
        """Whether a privilege of another product is granted on a resource of it. By their names alone."""
        return any(
            names.matcher((each.application,))(application)
            and names.matcher(each.resources)(resource)
            and names.matcher(each.privileges)(privilege)
            for role in self.side
            for each in role.applications
        )

    def within_cluster(self, privilege: str, effort: names.Effort) -> bool:
        """Whether all that a privilege on the cluster grants is granted. Without any not even `none` is."""
        if effort.left < 0 or not self._privileges:
            return False
        return names.within(cluster_node((privilege,)), cluster_node(self._privileges), effort)

    def groups_within(
        self, pattern: str, effort: names.Effort, *, restricted: bool
    ) -> tuple[Group, ...]:
        """The entries that cover all names of a pattern; with `restricted` those of the cluster's own, too."""
        if not names.is_pattern(pattern) and "\\" not in pattern:
            if not restricted and names.is_restricted(pattern):
                return ()
            return tuple(group for group in self._groups if group.covers(pattern))
        if effort.left < 0:
            return ()
        asked = names.node_of(pattern)
        if asked == NEVER:
            return ()  # given up: of what cannot be told nothing is covered
        own = names.may_be_restricted(pattern)
        if own and not restricted and names.within(asked, names.RESTRICTED_NODE, effort):
            return ()
        return tuple(
            group
            for group in self._groups
            if _covers_all(group, asked, effort, own=own, restricted=restricted)
        )

    def limits_of(
        self, reached: Sequence[str]
    ) -> tuple[tuple[bytes, ...] | None, tuple[FieldGrant, ...] | None]:
        """Queries any of which a document must match, grants any of which must show a field; None is no limit."""
        queries: dict[bytes, None] | None = {}
        fields: dict[FieldGrant, None] | None = {}
        for group in self._groups:
            if not any(group.covers(name) for name in reached):
                continue
            if queries is not None:
                queries = None if group.query is None else {**queries, group.query: None}
            if fields is not None:
                fields = None if group.fields is None else {**fields, group.fields: None}
        return (
            None if queries is None else tuple(queries),
            None if fields is None else tuple(fields),
        )


def grant_together(groups: Sequence[Group], privilege: str, effort: names.Effort) -> bool:
    """Whether entries grant all that a privilege grants; none at all never do."""
    if not groups:
        return False
    granted = alternative(index_node(group.entry.privileges) for group in groups)
    return names.within(index_node((privilege,)), granted, effort)


def _covers_all(
    group: Group, asked: Node, effort: names.Effort, *, own: bool, restricted: bool
) -> bool:
    """Whether an entry covers all names of a pattern, which is about a cluster's own only if `restricted`.

    What the pattern leaves out need not be left out of the entry again, and most patterns fit without.
    """
    entry = names.union(group.entry.names)
    if not own or (restricted and group.entry.allow_restricted_indices):
        return names.within(asked, entry, effort)
    if restricted:
        return names.within(asked, names.without(entry, names.RESTRICTED_NODE), effort)
    if names.within(asked, entry, effort):
        return True
    return names.within(names.without(asked, names.RESTRICTED_NODE), entry, effort)


class Permission:
    """What all of several sides allow. Without a side nothing is.

    `role_names` are the roles that were found for a user, as texts of denials show them.
    """

    def __init__(
        self,
        sides: Iterable[Side],
        *,
        role_names: Sequence[str] = (),
    ) -> None:
        self.sides = tuple(sides)
        self.role_names = tuple(role_names)
        self.roles = tuple(Role.of(side) for side in self.sides)
        self._on_cluster: dict[str, bool] = {}
        self._on_indices: dict[str, bool] = {}
        self._verdicts: dict[str, dict[str, bool]] = {}
        self._known = 0
        self._limits: dict[tuple[str, ...], IndexLimits | None] = {}

    def cluster(self, action: str, *, own_keys: bool = False) -> bool:
        """Whether an action on the cluster is granted; with `own_keys` one that is about keys of whoever asks."""
        if own_keys:
            return self._cluster(action, own_keys=True)
        try:
            return self._on_cluster[action]
        except KeyError:
            return _keep(self._on_cluster, action, self._cluster(action, own_keys=False))

    def _cluster(self, action: str, *, own_keys: bool) -> bool:
        return bool(self.roles) and all(
            role.cluster(action, own_keys=own_keys) for role in self.roles
        )

    def index_action(self, action: str) -> bool:
        """Whether an action on indices is granted on any name at all."""
        try:
            return self._on_indices[action]
        except KeyError:
            granted = bool(self.roles) and all(role.groups(action) for role in self.roles)
            return _keep(self._on_indices, action, granted)

    def verdicts(self, action: str) -> dict[str, bool]:
        """What is known of names already; `index` adds to it, and forgets all when it grows too large."""
        known = self._verdicts.get(action)
        if known is None:
            if len(self._verdicts) >= MAX_ACTIONS:
                self._verdicts.clear()
            known = self._verdicts[action] = {}
        return known

    def index(self, action: str, name: str) -> bool:
        """Whether an action is granted on the index, or the alias, of that name."""
        try:
            return self._verdicts[action][name]
        except KeyError:
            return self._judge(action, name)

    def _judge(self, action: str, name: str) -> bool:
        if self._known >= MAX_KNOWN:
            self._known = 0
            for each in self._verdicts.values():
                each.clear()
        known = self.verdicts(action)
        if is_cluster_action(action):
            # Granted as a whole: it may look at any index on its way.
            verdict = self.cluster(action)
        else:
            verdict = bool(self.roles) and all(role.index(action, name) for role in self.roles)
        if len(name) <= MAX_NAME:
            known[name] = verdict
            self._known += 1
        return verdict

    def exceeds(self, name: str, other: str) -> bool:
        """Whether something may be done on an index, or an alias, of one name that may not be done on that of another.
        Where that is too hard to say, it is so.
        """
        return not names.within(self._granted_on(name), self._granted_on(other))

    def _granted_on(self, name: str) -> Node:
        """All the actions that are granted on a name."""
        found = NEVER
        for at, role in enumerate(self.roles):
            granted = role.granted_on(name)
            found = granted if at == 0 else both(found, granted)
        return found

    def limits(self, action: str, reached: Sequence[str]) -> IndexLimits | None:
        """What an action may see of an index that was reached by names: its own, or those of aliases.

        All entries for any of the names count, whatever they grant, as in the reference: one without a query that
        only lets an index be monitored lifts the queries of the others. None is no limit, as for actions on the
        cluster.
        """
        if is_cluster_action(action):
            return None
        key = tuple(reached)
        try:
            return self._limits[key]
        except KeyError:
            pass
        queries: list[tuple[bytes, ...]] = []
        fields: list[tuple[FieldGrant, ...]] = []
        for role in self.roles:
            any_of, grants = role.limits_of(reached)
            if any_of is not None:
                queries.append(any_of)
            if grants is not None:
                fields.append(grants)
        found: IndexLimits | None = None
        if queries or fields or not self.roles:
            found = IndexLimits(
                tuple(queries) if self.roles else ((),),
                FieldLimits(tuple(fields)) if fields else None,
            )
        if len(self._limits) >= MAX_KNOWN:
            self._limits.clear()
        self._limits[key] = found
        return found

    def run_as(self, user: str) -> bool:
        """Whether one may act as the user of that name."""
        return bool(self.roles) and all(role.run_as(user) for role in self.roles)

    def toward(self, alias: str) -> tuple[Side, ...]:
        """What is granted on a remote cluster, a descriptor for each side; nothing where any side has nothing."""
        found: list[Side] = []
        for side in self.sides:
            descriptor = toward_of(side, alias)
            if descriptor is None:
                return ()
            found.append((descriptor,))
        return tuple(found)


def _keep(known: dict[str, bool], action: str, verdict: bool) -> bool:
    if len(known) >= MAX_ACTIONS:
        known.clear()
    known[action] = verdict
    return verdict


def permission_of(roles: Mapping[str, RoleDescriptor], assigned: Sequence[str]) -> Permission:
    """That of a user with roles of the names `assigned`; what is not among `roles` grants nothing."""
    known = [name for name in dict.fromkeys(assigned) if name in roles]
    return Permission((tuple(roles[name] for name in known),), role_names=known)
