"""What subjects may do, by the roles that are there: `security.rules` asked, and what it made of roles remembered.

Where roles come from, and when they change, is told by whoever keeps them or is told them.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sealane.errors import AuthenticationFailed, SecurityError
from sealane.model.access import Access
from sealane.model.security import SYSTEM, AuthenticationType, RoleDescriptor, Side, Subject
from sealane.security.rules.access import SubjectAccess, SystemAccess, denied_run_as
from sealane.security.rules.authority import access_of
from sealane.security.rules.permission import Permission, permission_of
from sealane.security.stores.authentication import NOBODYS_REALM
from sealane.security.stores.own_keys import ABOUT_KEYS, access_to_keys

KEPT_MAX: Final = 1_024


class Decisions:
    """`find` looks up roles by name. `roles_changed` after what it finds has changed."""

    def __init__(
        self,
        find: Callable[[Sequence[str]], Mapping[str, RoleDescriptor]],
        *,
        denies_anonymous_as_403: bool = True,
    ) -> None:
        self._find = find
        self._denies_anonymous_as_403 = denies_anonymous_as_403
        self._by_roles: dict[tuple[str, ...], Permission] = {}
        self._by_sides: OrderedDict[int, tuple[tuple[Side, ...], Permission]] = OrderedDict()
        self._granted: dict[tuple[int, str], SubjectAccess] = {}
        """What depends on nothing but subject and action, by the subject's identity, which is kept with it."""

    def roles_changed(self) -> None:
        self._by_roles = {}

    def access(self, subject: Subject, action: str, indices: Sequence[str] = ()) -> Access:
        """The rights by which an action goes on. See `security.rules.Authorize`.

        Raises SecurityError where the action is denied as a whole; AuthenticationFailed for callers without a name,
        where they are to be asked for one.
        """
        known = self._granted.get((id(subject), action))
        if known is not None and known.permission is self.permission(subject):
            return known
        if subject.type is AuthenticationType.INTERNAL and subject.name == SYSTEM.name:
            return SystemAccess(action)
        by = subject.authenticated_by
        if by is not None and subject.type is not AuthenticationType.CROSS_CLUSTER_ACCESS:
            self._check_run_as(by, subject, action)
        permission = self.permission(subject)
        try:
            if action in ABOUT_KEYS:
                return access_to_keys(subject, permission, action, indices)
            access = access_of(subject, permission, action, indices)
            if access.is_granted and access.subject.authenticated_by is None:
                self._keep(access)
            return access
        except SecurityError:
            if subject.type is AuthenticationType.ANONYMOUS and not self._denies_anonymous_as_403:
                raise AuthenticationFailed(f"action [{action}] requires authentication") from None
            raise

    def _keep(self, access: SubjectAccess) -> None:
        if len(self._granted) >= KEPT_MAX:
            self._granted.clear()
        self._granted[id(access.subject), access.action] = access

    def _check_run_as(self, by: Subject, subject: Subject, action: str) -> None:
        permission = self.permission(by)
        if subject.realm == NOBODYS_REALM or not permission.run_as(subject.name):
            raise denied_run_as(by, subject.name, action, permission.role_names)

    def permission(self, subject: Subject) -> Permission:
        """What the subject's roles grant, or its key. The same object until that changes."""
        if subject.sides is not None:
            return self._of_sides(subject.sides)
        known = self._by_roles.get(subject.roles)
        if known is None:
            known = permission_of(self._find(subject.roles), subject.roles)
            if len(self._by_roles) >= KEPT_MAX:
                self._by_roles.clear()
            self._by_roles[subject.roles] = known
        return known

    def _of_sides(self, sides: tuple[Side, ...]) -> Permission:
        # Descriptors cannot be hashed; the same sides stay one object for as long as their key stays the same.
        known = self._by_sides.get(id(sides))
        if known is not None and known[0] is sides:
            return known[1]
        made = Permission(sides)
        self._by_sides[id(sides)] = (sides, made)
        while len(self._by_sides) > KEPT_MAX:
            self._by_sides.popitem(last=False)
        return made

    def forget(self) -> None:
        self._by_roles = {}
        self._by_sides.clear()
        self._granted.clear()
