"""Which roles a user of a PKI realm has: by the mappings made over REST, and by the file `role_mapping.yml`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sealane.errors import ActionRequestValidation, ParseError
from sealane.security.stores import role_rules
from sealane.security.stores.files import WatchedFile
from sealane.security.stores.records import Changes, MappingRecord, Records

NAME_MAX: Final = 1_024


class RoleMappings:
    def __init__(self, records: Records, file: WatchedFile[tuple[str, ...]]) -> None:
        self._records = records
        self._file = file

    def roles(self, user: role_rules.UserFields) -> tuple[str, ...]:
        """Those of all mappings that mean the user, each once."""
        found: dict[str, None] = {}
        for record in self._records.mappings.values():
            if record.enabled and _sound(record) and role_rules.matches(record.rules, user):
                found.update(dict.fromkeys(record.roles))
        for role, names in self._file.content.items():
            if any(dn in names for dn in user.get("dn", ())):
                found[role] = None
        return tuple(found)

    def shown(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Mappings as `GET _security/role_mapping` shows them; no names are all."""
        return {
            name: _shown(record)
            for name, record in self._records.mappings.items()
            if not names or name in names
        }

    async def put(
        self,
        name: str,
        *,
        enabled: bool,
        roles: Sequence[str],
        rules: Mapping[str, Any],
        metadata: Mapping[str, Any],
    ) -> bool:
        """Whether it is new. `rules` have been judged. Raises ActionRequestValidation, Rejected, IOFailure."""
        problems = []
        if not name or len(name) > NAME_MAX:
            problems.append("role-mapping name is missing")
        if any(key.startswith("_") for key in metadata):
            problems.append("metadata keys may not start with [_]")
        if problems:
            raise ActionRequestValidation(problems)
        record = MappingRecord(
            enabled=enabled, rules=dict(rules), roles=tuple(roles), metadata=dict(metadata)
        )
        created = False

        def decide() -> Changes:
            nonlocal created
            created = self._records.mappings.get(name) is None
            return {(self._records.mappings, name): record}

        await self._records.change(decide)
        return created

    async def delete(self, name: str) -> bool:
        """Whether there was one."""
        found = False

        def decide() -> Changes:
            nonlocal found
            found = self._records.mappings.get(name) is not None
            return {(self._records.mappings, name): None} if found else {}

        await self._records.change(decide)
        return found


def _sound(record: MappingRecord) -> bool:
    """Whether the rules still are such: what was kept by another release may mean nothing here, and then nobody."""
    try:
        role_rules.check(record.rules, "")
    except ParseError:
        return False
    return True


def _shown(record: MappingRecord) -> dict[str, Any]:
    return {
        "enabled": record.enabled,
        "roles": list(record.roles),
        "rules": record.rules,
        "metadata": record.metadata,
    }
