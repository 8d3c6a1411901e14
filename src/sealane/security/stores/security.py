"""Security of a node that keeps users, roles and keys: who asks, and what they may do.

It puts the parts of this package together, remembers what they find out, and forgets it when something changes. The
REST layer and the transport ask it; what is granted is told by `security.rules`.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sealane.clock import Clock, Ids
from sealane.errors import ApiError
from sealane.model.access import Access
from sealane.model.credentials import Credentials
from sealane.model.security import (
    RoleDescriptor,
    Secret,
    Side,
    Subject,
)
from sealane.security.rules.backoff import LoginBackoff
from sealane.security.rules.descriptors import parse_role
from sealane.security.rules.permission import Permission
from sealane.security.stores.api_key_checks import KeyChecks
from sealane.security.stores.api_keys import ApiKeys
from sealane.security.stores.authentication import (
    KEY_KIND,
    Authentication,
    Rules,
)
from sealane.security.stores.cross_cluster_keys import CrossClusterKeys, VerifiedKey
from sealane.security.stores.decisions import Decisions
from sealane.security.stores.files import ConfigFiles
from sealane.security.stores.hashing import Hashing
from sealane.security.stores.known import Known, Owner
from sealane.security.stores.passwords import KEY_ALGORITHMS, PASSWORD_ALGORITHMS, SSHA256
from sealane.security.stores.realms import (
    FILE_KIND,
    NATIVE_KIND,
    PKI_KIND,
    RESERVED_KIND,
    Realms,
)
from sealane.security.stores.records import ApiKeyRecord, Records, Store
from sealane.security.stores.role_mappings import RoleMappings
from sealane.security.stores.roles import Roles
from sealane.security.stores.users import ELASTIC, Users
from sealane.settings import Settings
from sealane.settings import authentication_settings as keys

_log = logging.getLogger("sealane.security")

SIDES_MAX: Final = 10_000
WATCH_INTERVAL_S: Final = 5.0
PASSWORD_BYTES: Final = 15
"""Of the password that is made up for `elastic`: 20 characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityStatistics:
    """For people. `pending` and `rejected` are checks of passwords."""

    version: int
    users: int
    roles: int
    api_keys: int
    known: int
    pending: int
    rejected: int
    last_error: str | None


class Security:
    """`start` before anything is asked, `run` beside it for as long as the node runs, `close` at the end."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        config: Path,
        clock: Clock,
        ids: Ids,
        bootstrap_password: Secret | None = None,
        initial_password: Secret | None = None,
    ) -> None:
        """`bootstrap_password` is that of `elastic` until one is stored. `initial_password` is stored as that at the
        first start.
        """
        self.clock = clock
        self._bootstrap = bootstrap_password
        self._initial = initial_password
        self._settings = settings
        self.records = Records(store)
        self.hashing = Hashing(PASSWORD_ALGORITHMS[keys.PASSWORD_HASHING.get(settings)])
        self.users = Users(
            self.records,
            self.hashing,
            anonymous=keys.ANONYMOUS_USERNAME.get(settings),
            reserved=keys.RESERVED_REALM_ENABLED.get(settings),
        )
        self._files = ConfigFiles(config)
        self.roles = Roles(self.records, self._files.roles)
        self.role_mappings = RoleMappings(self.records, self._files.role_mapping)
        self.realms = Realms(settings, self.users, self._files, self.role_mappings)
        key_algorithm = KEY_ALGORITHMS[keys.API_KEY_HASHING.get(settings)]
        self.api_keys = ApiKeys(
            self.records,
            self.hashing,
            clock=clock,
            ids=ids,
            algorithm=key_algorithm,
            retention_ms=lambda: keys.API_KEY_RETENTION.get(settings).ms,
        )
        self._backoff = LoginBackoff() if keys.LOGIN_BACKOFF.get(settings) else None
        self._known_users = Known[Subject](keys.USER_CACHE_MAX.get(settings))
        self._known_keys = Known[Subject](keys.API_KEY_CACHE_MAX.get(settings))
        self._slow_keys = Known[ApiKeyRecord](keys.API_KEY_CACHE_MAX.get(settings))
        checks = KeyChecks(self.records, self.hashing, fast=key_algorithm.kind == SSHA256)
        self.authentication = Authentication(
            _rules(settings),
            realms=self.realms,
            checks=checks,
            hashing=self.hashing,
            users=self._known_users,
            keys=self._known_keys,
            sides=self._sides_of_key,
            clock=clock,
            backoff=self._backoff,
        )
        self._cross_cluster_keys = CrossClusterKeys(
            checks,
            known=self._slow_keys,
            ttl_ms=keys.API_KEY_CACHE_TTL.get(settings).ms,
            sides=self._sides_of_key,
            clock=clock,
        )
        self._decisions = Decisions(
            self.roles.find, denies_anonymous_as_403=keys.ANONYMOUS_AUTHZ_EXCEPTION.get(settings)
        )
        self._key_sides: dict[str, tuple[ApiKeyRecord, tuple[Side, ...]]] = {}
        self._on_file_change: list[Callable[[], None]] = []
        self._file_changes = 0
        self._last_error: str | None = None

    # -- life --------------------------------------------------------------------------------------------------

    async def start(self) -> Secret | None:
        """Reads what is kept. Returns the password that it made up for `elastic`, where there was none at all.

        Raises IOFailure.
        """
        await self.records.load()
        self.records.on_change(self._records_changed)
        self.look_at_files()
        self.roles.changed()
        if not keys.RESERVED_REALM_ENABLED.get(self._settings):
            return None
        if not self.users.is_untouched(ELASTIC):
            return None
        if self._bootstrap is not None:
            self.realms.reserved.bootstrap = await self.hashing.make(self._bootstrap.reveal())
            return None
        password = self._initial or Secret(secrets.token_urlsafe(PASSWORD_BYTES))
        await self.users.set_password(ELASTIC, password)
        return None if password is self._initial else password

    async def run(self) -> None:
        """Watches the files of the config folder, and removes keys that nobody needs to see any more."""
        loop = asyncio.get_running_loop()
        interval_s = keys.API_KEY_SWEEP_INTERVAL.get(self._settings).ms / 1000
        next_sweep = loop.time()
        while True:
            if loop.time() >= next_sweep:
                next_sweep = loop.time() + interval_s
                await self._sweep()
            await asyncio.sleep(min(WATCH_INTERVAL_S, interval_s))
            self.look_at_files()
            self._tell_failures()

    async def _sweep(self) -> None:
        try:
            removed = await self.api_keys.sweep()
        except ApiError as error:
            self._last_error = f"cannot remove old API keys: {error}"
            _log.warning("%s", self._last_error)
            return
        if removed:
            _log.info("[%d] API keys are removed: their retention period is over", removed)

    def _tell_failures(self) -> None:
        """One line of the log for all logins that failed within an interval."""
        summary = None
        if self._backoff is not None:
            summary = self._backoff.summary(self.clock.now_ms() / 1000)
        if summary is not None:
            _log.warning(
                "[%d] logins have failed and [%d] were not tried, from [%d] sources, most of them from [%s]",
                summary.failed,
                summary.refused,
                summary.sources,
                summary.busiest,
            )

    def close(self) -> None:
        self.records.close()
        self.hashing.close()

    # -- what changes ------------------------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """Grows with each change of what is kept or in the files; 0 before the first."""
        return self.records.version + self._file_changes

    def on_file_change(self, callback: Callable[[], None]) -> None:
        """Runs `callback` after each change of the files. Who keeps what it was told here has to ask again then."""
        self._on_file_change.append(callback)

    def settle_by(self, tell: Callable[[], None], settle: Callable[[], Awaitable[None]]) -> None:
        """Has each change, once it holds here, told by `tell`, and wait for `settle` before it is answered: until it
        holds elsewhere.
        """
        self.records.tell, self.records.settle = tell, settle

    def _records_changed(self, prefix: str, names: frozenset[str]) -> None:
        records = self.records
        kinds = {
            records.users.prefix: NATIVE_KIND,
            records.reserved.prefix: RESERVED_KIND,
            records.api_keys.prefix: KEY_KIND,
        }
        kind = kinds.get(prefix)
        if kind is not None:
            for name in names:
                self._forget(Owner(kind, name))
        if prefix == records.api_keys.prefix:
            for name in names:
                self._key_sides.pop(name, None)
        if prefix == records.roles.prefix:
            self._roles_changed()
        if prefix == records.mappings.prefix:
            self._known_users.clear(PKI_KIND)

    def _forget(self, owner: Owner) -> None:
        self._known_users.forget(owner)
        self._known_keys.forget(owner)
        self._slow_keys.forget(owner)

    def _roles_changed(self) -> None:
        self.roles.changed()
        self._decisions.roles_changed()

    def look_at_files(self) -> None:
        """Takes what has changed in the files of the config folder."""
        changed = self._files.look()
        if changed.users:
            self._known_users.clear(FILE_KIND)
        if changed.roles:
            self._roles_changed()
        if changed.mapping:
            self._known_users.clear(PKI_KIND)
        if any(changed):
            self._file_changes += 1
            for callback in self._on_file_change:
                callback()

    def clear_known(self) -> None:
        """Forgets who was authenticated and what they may do. Nothing stale is ever kept; for whoever wants to be
        sure.
        """
        for known in (self._known_users, self._known_keys, self._slow_keys):
            known.clear()
        self._decisions.forget()

    # -- who asks ----------------------------------------------------------------------------------------------

    def authenticated(self, credentials: Credentials) -> Subject | None:
        """The subject where it is known without waiting. See `Authentication`."""
        return self.authentication.authenticated(credentials)

    async def authenticate(self, credentials: Credentials) -> Subject:
        """Raises AuthenticationFailed; Rejected where too many are being checked."""
        return await self.authentication.authenticate(credentials)

    def verified_cross_cluster_key(self, credentials: Secret) -> VerifiedKey | None:
        """See `CrossClusterKeys`."""
        return self._cross_cluster_keys.verified(credentials)

    async def verify_cross_cluster_key(self, credentials: Secret, action: str) -> VerifiedKey:
        """Raises AuthenticationFailed, Rejected."""
        return await self._cross_cluster_keys.verify(credentials, action)

    # -- what they may do --------------------------------------------------------------------------------------

    def access(self, subject: Subject, action: str, indices: Sequence[str] = ()) -> Access:
        """The rights by which an action goes on. See `Decisions`. Raises SecurityError, AuthenticationFailed."""
        return self._decisions.access(subject, action, indices)

    def permission(self, subject: Subject) -> Permission:
        """What the subject's roles grant, or its key. The same object until that changes."""
        return self._decisions.permission(subject)

    def _sides_of_key(self, key_id: str, record: ApiKeyRecord) -> tuple[Side, ...]:
        known = self._key_sides.get(key_id)
        if known is not None and known[0] is record:
            return known[1]
        sides = _sides(record)
        if len(self._key_sides) >= SIDES_MAX:
            self._key_sides.clear()
        self._key_sides[key_id] = (record, sides)
        return sides

    def statistics(self) -> SecurityStatistics:
        return SecurityStatistics(
            version=self.version,
            users=len(self.records.users),
            roles=len(self.records.roles),
            api_keys=len(self.records.api_keys),
            known=len(self._known_users) + len(self._known_keys),
            pending=self.hashing.pending,
            rejected=self.hashing.rejected,
            last_error=self._files.last_error or self._last_error,
        )


def _rules(settings: Settings) -> Rules:
    return Rules(
        users_ttl_ms=keys.USER_CACHE_TTL.get(settings).ms,
        keys_ttl_ms=keys.API_KEY_CACHE_TTL.get(settings).ms,
        run_as=keys.RUN_AS_ENABLED.get(settings),
        api_keys=keys.API_KEY_ENABLED.get(settings),
        anonymous_name=keys.ANONYMOUS_USERNAME.get(settings),
        anonymous_roles=keys.ANONYMOUS_ROLES.get(settings),
    )


def _sides(record: ApiKeyRecord) -> tuple[Side, ...]:
    """Without descriptors of its own a key grants what its maker's roles did."""
    own = _side(record.role_descriptors)
    if record.limited_by is None:
        return (own,)
    limit = _side(record.limited_by)
    return (own, limit) if own else (limit,)


def _side(bodies: Mapping[str, Mapping[str, object]]) -> Side:
    """A descriptor that cannot be read grants nothing."""
    found: list[RoleDescriptor] = []
    for name, body in bodies.items():
        try:
            found.append(parse_role(name, body))
        except ApiError as error:
            _log.error("a descriptor [%s] of an API key grants nothing: %s", name, error)
            found.append(RoleDescriptor(name=name))
    return tuple(found)
