"""Users: those that are made over REST, and the reserved ones, of which only the password and whether they are enabled
may change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import msgspec

from sealane.errors import ActionRequestValidation, IllegalArgument
from sealane.model.security import Secret
from sealane.security.stores.hashing import Hashing
from sealane.security.stores.passwords import check_given_hash
from sealane.security.stores.records import Changes, Records, ReservedRecord, UserRecord
from sealane.settings.index_settings import ValidationError

PASSWORD_MIN: Final = 6
ELASTIC: Final = "elastic"
_RESERVED_METADATA: Final[Mapping[str, Any]] = MappingProxyType({"_reserved": True})


@dataclass(frozen=True, slots=True)
class ReservedUser:
    """A user of the product itself."""

    roles: tuple[str, ...]
    metadata: Mapping[str, Any] = field(default_factory=lambda: _RESERVED_METADATA)


RESERVED_USERS: Final[Mapping[str, ReservedUser]] = {
    ELASTIC: ReservedUser(("superuser",)),
    "kibana": ReservedUser(
        ("kibana_system",),
        MappingProxyType(
            {
                "_deprecated": True,
                "_reserved": True,
                "_deprecated_reason": "Please use the [kibana_system] user instead.",
            }
        ),
    ),
    "kibana_system": ReservedUser(("kibana_system",)),
    "logstash_system": ReservedUser(("logstash_system",)),
    "beats_system": ReservedUser(("beats_system",)),
    "apm_system": ReservedUser(("apm_system",)),
    "remote_monitoring_user": ReservedUser(
        ("remote_monitoring_collector", "remote_monitoring_agent")
    ),
}
"""In the order in which the reference lists them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChange:
    """What a request says of a user. At most one of `password` and `password_hash`."""

    roles: tuple[str, ...] | None
    password: Secret | None = None
    password_hash: str | None = None
    full_name: str | None = None
    email: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool = True


class Users:
    """Changes are durable when the call returns. Who may make them is decided elsewhere."""

    def __init__(
        self,
        records: Records,
        hashing: Hashing,
        *,
        anonymous: str = "_anonymous",
        reserved: bool = True,
    ) -> None:
        """`anonymous` is what a caller without a name is called. Without `reserved` there are no reserved users."""
        self._records = records
        self._hashing = hashing
        self._anonymous = anonymous
        self.reserved: Mapping[str, ReservedUser] = RESERVED_USERS if reserved else {}

    def native(self, name: str) -> UserRecord | None:
        return self._records.users.get(name)

    def reserved_state(self, name: str) -> ReservedRecord:
        """What is kept of a reserved user. One whose entry cannot be read is disabled."""
        if name in self._records.reserved.unreadable:
            return ReservedRecord(enabled=False)
        return self._records.reserved.get(name) or ReservedRecord()

    def is_untouched(self, name: str) -> bool:
        """Whether nothing has ever been stored of a reserved user."""
        kind = self._records.reserved
        return kind.get(name) is None and name not in kind.unreadable

    def shown(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Users as `GET _security/user` shows them; no names are all. Those that are not there are left out."""
        shown = {}
        for name, user in self.reserved.items():
            if not names or name in names:
                enabled = self.reserved_state(name).enabled
                shown[name] = _shown(name, user.roles, None, None, user.metadata, enabled)
        native = self._records.users
        for name, record in native.items() if not names else _present(native.get, names):
            if name not in self.reserved:
                shown[name] = _shown(
                    name,
                    record.roles,
                    record.full_name,
                    record.email,
                    record.metadata,
                    record.enabled,
                )
        return shown

    # -- changes -----------------------------------------------------------------------------------------------

    async def put(self, name: str, change: UserChange) -> bool:
        """Whether the user is new. Raises ActionRequestValidation, ValidationError, IllegalArgument, Rejected."""
        self._check_changeable(name)
        hashed = await self._hash(change.password, change.password_hash)
        created = False

        def decide() -> Changes:
            nonlocal created
            before = self._records.users.get(name)
            created = before is None
            new_hash = hashed or (before.hash if before is not None else None)
            if new_hash is None:
                raise ValidationError(
                    "Validation Failed: 1: password must be specified unless you are updating an existing user;"
                )
            record = UserRecord(
                hash=new_hash,
                roles=change.roles or (),
                full_name=change.full_name,
                email=change.email,
                metadata=dict(change.metadata),
                enabled=change.enabled,
            )
            return {(self._records.users, name): record}

        await self._records.change(decide)
        return created

    async def set_password(
        self, name: str, password: Secret | None, password_hash: str | None = None
    ) -> None:
        """Raises ValidationError where there is no such user, IllegalArgument, Rejected."""
        if name == self._anonymous:
            raise ActionRequestValidation(
                [f"user [{name}] is anonymous and cannot be modified via the API"]
            )
        hashed = await self._hash(password, password_hash)
        assert hashed is not None, "one of both is given"

        def decide() -> Changes:
            if name in self.reserved:
                state = msgspec.structs.replace(self.reserved_state(name), hash=hashed)
                return {(self._records.reserved, name): state}
            record = self._records.users.get(name)
            if record is None:
                raise ValidationError(
                    "Validation Failed: 1: user must exist in order to change password;"
                )
            return {(self._records.users, name): msgspec.structs.replace(record, hash=hashed)}

        await self._records.change(decide)

    async def set_enabled(self, name: str, enabled: bool) -> None:
        """Raises ValidationError where there is no such user."""
        if name == self._anonymous:
            raise IllegalArgument(
                f"user [{name}] is anonymous and cannot be modified using the api"
            )

        def decide() -> Changes:
            if name in self.reserved:
                state = msgspec.structs.replace(self.reserved_state(name), enabled=enabled)
                return {(self._records.reserved, name): state}
            record = self._records.users.get(name)
            if record is None:
                done = "enabled" if enabled else "disabled"
                raise ValidationError(f"Validation Failed: 1: only existing users can be {done};")
            return {(self._records.users, name): msgspec.structs.replace(record, enabled=enabled)}

        await self._records.change(decide)

    async def delete(self, name: str) -> bool:
        """Whether there was one. Raises IllegalArgument for a reserved one."""
        if name in self.reserved:
            raise IllegalArgument(f"user [{name}] is reserved and cannot be deleted")
        if name == self._anonymous:
            raise IllegalArgument(f"user [{name}] is anonymous and cannot be deleted")
        found = False

        def decide() -> Changes:
            nonlocal found
            found = self._records.users.get(name) is not None
            known = found or name in self._records.users.unreadable
            return {(self._records.users, name): None} if known else {}

        await self._records.change(decide)
        return found

    def _check_changeable(self, name: str) -> None:
        if name in self.reserved:
            raise ActionRequestValidation(
                [f"user [{name}] is reserved and only the password can be changed"]
            )
        if name == self._anonymous:
            raise ActionRequestValidation(
                [f"user [{name}] is anonymous and cannot be modified via the API"]
            )

    async def _hash(self, password: Secret | None, given: str | None) -> str | None:
        if given is not None:
            check_given_hash(given)
            return given
        if password is None:
            return None
        check_password(password)
        return await self._hashing.make(password.reveal())


def check_password(password: Secret) -> None:
    """Raises ValidationError for one that is too short."""
    if len(password.reveal()) < PASSWORD_MIN:
        raise ValidationError(
            f"Validation Failed: 1: passwords must be at least [{PASSWORD_MIN}] characters long;"
        )


def _present(get: Any, names: Sequence[str]) -> list[tuple[str, UserRecord]]:
    found = ((name, get(name)) for name in dict.fromkeys(names))
    return [(name, record) for name, record in found if record is not None]


def _shown(
    name: str,
    roles: Sequence[str],
    full_name: str | None,
    email: str | None,
    metadata: Mapping[str, Any],
    enabled: bool,
) -> dict[str, Any]:
    return {
        "username": name,
        "roles": list(roles),
        "full_name": full_name,
        "email": email,
        "metadata": dict(metadata),
        "enabled": enabled,
    }
