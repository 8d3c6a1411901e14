"""API keys as they are made, changed, shown, invalidated, and removed once nobody needs to see them any more.

A key grants what its descriptors and those of whoever made it both grant; one for other clusters grants its
descriptor alone. Whether a caller may do what it asks is decided by the callers of this module, but for whose a key
is: that is part of finding it. `api_key_checks` tells whether what is shown is a key.
"""

import base64
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from sealane.clock import Clock, Ids
from sealane.errors import (
    ActionRequestValidation,
    ApiError,
    IllegalArgument,
    ResourceNotFound,
    SecurityError,
)
from sealane.model.patterns import matches
from sealane.model.security import AuthenticationType, Secret, Subject
from sealane.security.stores.api_key_checks import CROSS_CLUSTER, is_expired
from sealane.security.stores.hashing import Hashing
from sealane.security.stores.passwords import Algorithm
from sealane.security.stores.records import ApiKeyRecord, Changes, CreatorRecord, Records

NAME_MAX: Final = 256
SECRET_BYTES: Final = 16
API_KEY_REALM: Final = "_es_api_key"
Descriptors = Mapping[str, Mapping[str, Any]]
"""Bodies of roles by name, in the form in which they are shown."""


class Owner(NamedTuple):
    """Whose a key is."""

    principal: str
    realm: str


def owner_of(subject: Subject) -> Owner:
    """Whose keys are `subject`'s own. Who comes with a key owns what the one owns who made it."""
    key = subject.api_key
    if subject.type is AuthenticationType.API_KEY and key is not None:
        return Owner(key.creator, key.creator_realm.name)
    return Owner(subject.name, subject.realm.name)


def owns(subject: Subject, record: ApiKeyRecord) -> bool:
    return owner_of(subject) == Owner(record.creator.principal, record.creator.realm)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """What a request wants. `lasts_ms` None: for ever. `limited_by` None: by nobody."""

    name: str
    type: str
    descriptors: Descriptors
    limited_by: Descriptors | None
    lasts_ms: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    certificate_identity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """What a request changes of keys; None leaves it. `limited_by` is what the caller may do now."""

    type: str
    descriptors: Descriptors | None = None
    limited_by: Descriptors | None = None
    lasts_ms: int | None = None
    metadata: Mapping[str, Any] | None = None
    certificate_identity: str | msgspec.UnsetType | None = msgspec.UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFilter:
    """Which keys are meant. Without any member all are; `name` may end with `*`."""

    ids: Sequence[str] = ()
    name: str | None = None
    principal: str | None = None
    realm: str | None = None
    owner: Owner | None = None
    active_only: bool = False


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key whose secret is told this once."""

    id: str
    name: str
    secret: Secret
    expiration: int | None

    def shown(self) -> dict[str, Any]:
        """As the answer to its making."""
        secret = self.secret.reveal()
        shown: dict[str, Any] = {"id": self.id, "name": self.name}
        if self.expiration is not None:
            shown["expiration"] = self.expiration
        encoded = base64.b64encode(f"{self.id}:{secret}".encode()).decode("ascii")
        return {**shown, "api_key": secret, "encoded": encoded}


@dataclass(slots=True)
class Invalidated:
    invalidated: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    errors: list[ApiError] = field(default_factory=list)


@dataclass(slots=True)
class Updated:
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    errors: dict[str, ApiError] = field(default_factory=dict)


class ApiKeys:
    """Changes are durable when the call returns."""

    def __init__(
        self,
        records: Records,
        hashing: Hashing,
        *,
        clock: Clock,
        ids: Ids,
        algorithm: Algorithm,
        retention_ms: Callable[[], int],
    ) -> None:
        """`algorithm` hashes the secrets of new keys."""
        self._records = records
        self._hashing = hashing
        self._clock = clock
        self._ids = ids
        self._algorithm = algorithm
        self._retention_ms = retention_ms

    def get(self, key_id: str) -> ApiKeyRecord | None:
        return self._records.api_keys.get(key_id)

    def find(self, wanted: KeyFilter) -> list[tuple[str, ApiKeyRecord]]:
        """Keys by the time at which they were made."""
        now_ms = self._clock.now_ms()
        if wanted.ids:
            found: Iterable[tuple[str, ApiKeyRecord]] = (
                (key_id, record)
                for key_id in dict.fromkeys(wanted.ids)
                if (record := self.get(key_id)) is not None
            )
        else:
            found = self._records.api_keys.items()
        fitting = [each for each in found if _fits(each[1], wanted, now_ms)]
        return sorted(fitting, key=lambda each: (each[1].creation, each[0]))

    async def create(self, new: NewKey, creator: Subject) -> MadeKey:
        """Raises Rejected, IOFailure."""
        now_ms = self._clock.now_ms()
        secret = Secret(secrets.token_urlsafe(SECRET_BYTES))
        record = ApiKeyRecord(
            name=new.name,
            type=new.type,
            hash=await self._hashing.make(secret.reveal(), self._algorithm),
            creation=now_ms,
            creator=_creator(creator),
            role_descriptors=_plain(new.descriptors),
            limited_by=None if new.limited_by is None else _plain(new.limited_by),
            metadata=dict(new.metadata),
            expiration=None if new.lasts_ms is None else now_ms + new.lasts_ms,
            certificate_identity=new.certificate_identity,
        )
        key_id = self._ids.document()

        def decide() -> Changes:
            return {(self._records.api_keys, key_id): record}

        await self._records.change(decide)
        return MadeKey(key_id, new.name, secret, record.expiration)

    async def update(self, ids: Sequence[str], change: KeyChange, caller: Subject) -> Updated:
        """Only keys that the caller owns are found. Raises Rejected, IOFailure; what is wrong with a key is in the
        answer.
        """
        outcome = Updated()
        creator = _creator(caller)

        def decide() -> Changes:
            changes: dict[Any, ApiKeyRecord] = {}
            now_ms = self._clock.now_ms()
            for key_id in dict.fromkeys(ids):
                try:
                    before = self._updatable(key_id, change.type, caller, now_ms)
                except ApiError as error:
                    outcome.errors[key_id] = error
                    continue
                after = _changed(before, change, creator, now_ms)
                if after == before:
                    outcome.unchanged.append(key_id)
                else:
                    outcome.updated.append(key_id)
                    changes[(self._records.api_keys, key_id)] = after
            return changes

        await self._records.change(decide)
        return outcome

    def _updatable(self, key_id: str, type: str, caller: Subject, now_ms: int) -> ApiKeyRecord:
        record = self.get(key_id)
        if record is None or not owns(caller, record):
            raise ResourceNotFound(f"no API key owned by requesting user found for ID [{key_id}]")
        if record.invalidation is not None:
            raise IllegalArgument(f"cannot update invalidated API key [{key_id}]")
        if is_expired(record, now_ms):
            raise IllegalArgument(f"cannot update expired API key [{key_id}]")
        if record.type != type:
            raise IllegalArgument(
                f"cannot update API key of type [{record.type}] while expected type is [{type}]"
            )
        return record

    async def invalidate(self, wanted: KeyFilter, *, cross_cluster: bool) -> Invalidated:
        """Without `cross_cluster` keys for other clusters stay, and are named among the errors. Keys that were
        invalidated before are not found, as in the reference. Raises Rejected, IOFailure.
        """
        outcome = Invalidated()

        def decide() -> Changes:
            now_ms = self._clock.now_ms()
            changes: dict[Any, ApiKeyRecord] = {}
            for key_id, record in self.find(wanted):
                if record.invalidation is not None:
                    continue
                if record.type == CROSS_CLUSTER and not cross_cluster:
                    outcome.errors.append(
                        SecurityError(
                            f"Cannot invalidate cross-cluster API key [{key_id}]. This requires [manage_security] "
                            "cluster privilege or higher"
                        )
                    )
                    continue
                outcome.invalidated.append(key_id)
                changes[(self._records.api_keys, key_id)] = msgspec.structs.replace(
                    record, invalidation=now_ms
                )
            return changes

        await self._records.change(decide)
        return outcome

    async def sweep(self) -> int:
        """Removes keys that have been of no use for longer than they are kept; how many. Raises IOFailure."""
        removed = 0

        def decide() -> Changes:
            nonlocal removed
            before_ms = self._clock.now_ms() - self._retention_ms()
            gone = [
                key_id
                for key_id, record in self._records.api_keys.items()
                if any(
                    ended is not None and ended <= before_ms
                    for ended in (record.invalidation, record.expiration)
                )
            ]
            removed = len(gone)
            return {(self._records.api_keys, key_id): None for key_id in gone}

        await self._records.change(decide)
        return removed


def check_name(name: str | None) -> list[str]:
    """What is wrong with a name of a key."""
    if not name:
        return ["api key name is required"]
    problems = []
    if len(name) > NAME_MAX:
        problems.append(f"api key name may not be more than {NAME_MAX} characters long")
    if name != name.strip():
        problems.append("api key name may not begin or end with whitespace")
    if name.startswith("_"):
        problems.append("api key name may not begin with an underscore")
    return problems


def check_metadata(metadata: Mapping[str, Any] | None) -> list[str]:
    """What is wrong with the metadata of a key."""
    if metadata and any(key.startswith("_") for key in metadata):
        return ["API key metadata keys may not start with [_]"]
    return []


def raise_problems(problems: Sequence[str]) -> None:
    """Raises ActionRequestValidation where there are any."""
    if problems:
        raise ActionRequestValidation(problems)


def _fits(record: ApiKeyRecord, wanted: KeyFilter, now_ms: int) -> bool:
    if wanted.name is not None and not matches(wanted.name, record.name):
        return False
    creator = record.creator
    if wanted.principal is not None and wanted.principal != creator.principal:
        return False
    if wanted.realm is not None and wanted.realm != creator.realm:
        return False
    if wanted.owner is not None and wanted.owner != Owner(creator.principal, creator.realm):
        return False
    ended = record.invalidation is not None or is_expired(record, now_ms)
    return not (wanted.active_only and ended)


def _changed(
    record: ApiKeyRecord, change: KeyChange, creator: CreatorRecord, now_ms: int
) -> ApiKeyRecord:
    after = msgspec.structs.replace(record, creator=creator)
    if change.descriptors is not None:
        after = msgspec.structs.replace(after, role_descriptors=_plain(change.descriptors))
    if change.limited_by is not None:
        after = msgspec.structs.replace(after, limited_by=_plain(change.limited_by))
    if change.metadata is not None:
        after = msgspec.structs.replace(after, metadata=dict(change.metadata))
    if change.lasts_ms is not None:
        after = msgspec.structs.replace(after, expiration=now_ms + change.lasts_ms)
    if change.certificate_identity is not msgspec.UNSET:
        after = msgspec.structs.replace(after, certificate_identity=change.certificate_identity)
    return after


def _creator(subject: Subject) -> CreatorRecord:
    realm_name, realm_type = subject.realm.name, subject.realm.type
    return CreatorRecord(
        principal=subject.name,
        realm=realm_name,
        realm_type=realm_type,
        full_name=subject.full_name,
        email=subject.email,
        metadata=dict(subject.metadata),
    )


def _plain(descriptors: Descriptors) -> dict[str, dict[str, Any]]:
    return {name: dict(body) for name, body in descriptors.items()}
