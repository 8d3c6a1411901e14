"""Roles: the reserved ones, those of the file `roles.yml`, and those made over REST. Of one name the first counts.

What a role grants is told by `security.rules`.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sealane.errors import ActionRequestValidation, ApiError, IllegalArgument
from sealane.model.security import RoleDescriptor
from sealane.security.rules.descriptors import check_roles, parse_role, role_json
from sealane.security.rules.reserved import RESERVED_ROLES, is_reserved, reserved_json
from sealane.security.stores.files import WatchedFile
from sealane.security.stores.names import problems_of_name
from sealane.security.stores.records import Changes, Records, RoleRecord
from sealane.settings.index_settings import ValidationError

_log = logging.getLogger("sealane.security")

NAME_MAX: Final = 1_024


class Roles:
    """What is found stays as it is until `changed` is called: after a change of the records, and of the file."""

    def __init__(self, records: Records, file: WatchedFile[Any]) -> None:
        self._records = records
        self._file = file
        self._from_file: Mapping[str, RoleDescriptor] = {}
        self._native: dict[str, RoleDescriptor | None] = {}

    def is_reserved(self, name: str) -> bool:
        return is_reserved(name)

    def find(self, names: Sequence[str]) -> dict[str, RoleDescriptor]:
        """The roles of those names that are there."""
        found = {}
        for name in names:
            role = RESERVED_ROLES.get(name) or self._from_file.get(name) or self._of_records(name)
            if role is not None:
                found[name] = role
        return found

    def _of_records(self, name: str) -> RoleDescriptor | None:
        if name in self._native:
            return self._native[name]
        record = self._records.roles.get(name)
        if record is None:
            return None
        role: RoleDescriptor | None
        try:
            role = parse_role(name, record.body)
        except ApiError as error:
            _log.error("the role [%s] cannot be read and grants nothing: %s", name, error)
            role = None
        self._native[name] = role
        return role

    def snapshot(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What the roles of those names grant now, in the form in which it is kept with a key."""
        return {
            name: dict(reserved_json()[name]) if is_reserved(name) else role_json(role)
            for name, role in self.find(names).items()
        }

    def changed(self) -> None:
        """Forgets what it has read, and reads the file's roles again."""
        self._native.clear()
        self._from_file = {}
        found = {}
        for name, body in self._file.content.items():
            try:
                role = parse_role(name, {} if body is None else body)
                check_roles([role])
            except ApiError as error:
                _log.error("the role [%s] of the file [roles.yml] is left out: %s", name, error)
                continue
            found[name] = role
        self._from_file = found

    def shown(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Roles as `GET _security/role` shows them, reserved ones first; no names are all."""
        shown = {}
        for name, body in reserved_json().items():
            if not names or name in names:
                shown[name] = dict(body)
        for name, record in self._records.roles.items():
            if (not names or name in names) and not is_reserved(name):
                shown[name] = record.body
        return shown

    # -- changes -----------------------------------------------------------------------------------------------

    async def put(self, role: RoleDescriptor) -> bool:
        """Whether it is new. Raises ActionRequestValidation, ValidationError, Rejected, IOFailure."""
        self.check(role)
        created = False

        def decide() -> Changes:
            nonlocal created
            created = self._records.roles.get(role.name) is None
            return {(self._records.roles, role.name): RoleRecord(body=role_json(role))}

        await self._records.change(decide)
        return created

    def check(self, role: RoleDescriptor) -> None:
        """Judges a role that is to be put. Raises ActionRequestValidation, ValidationError."""
        if self.is_reserved(role.name):
            raise ActionRequestValidation([f"Role [{role.name}] is reserved and may not be used."])
        problems = problems_of_name("Role", role.name, NAME_MAX)
        if problems:
            raise ValidationError(f"Validation Failed: 1: {problems[0]};")
        check_roles([role])

    def is_as(self, role: RoleDescriptor) -> bool:
        """Whether putting it would change nothing."""
        record = self._records.roles.get(role.name)
        return record is not None and record.body == role_json(role)

    async def delete(self, name: str) -> bool:
        """Whether there was one. Raises IllegalArgument for a reserved one."""
        if self.is_reserved(name):
            raise IllegalArgument(f"role [{name}] is reserved and cannot be deleted")
        found = False

        def decide() -> Changes:
            nonlocal found
            found = self._records.roles.get(name) is not None
            known = found or name in self._records.roles.unreadable
            return {(self._records.roles, name): None} if known else {}

        await self._records.change(decide)
        return found
