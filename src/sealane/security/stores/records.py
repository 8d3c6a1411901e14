"""The entries of security in the cluster's state: their disk form, and a mirror of them in memory.

Reading asks the mirror and never waits. A change is durable before it is in the mirror, and in the mirror before it is
answered; whoever caches something made of records hears of the change in between. What the records mean is left to
`users`, `roles`, `api_keys` and `role_mappings`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec

from sealane.errors import Rejected

_log = logging.getLogger("sealane.security")

RECORDS_MAX: Final = 100_000
"""Of one kind. They are all in memory."""


class Entry(Protocol):
    @property
    def value(self) -> bytes: ...
    @property
    def version(self) -> int: ...


class Store(Protocol):
    """The state store, as far as it is needed here."""

    async def scan(self, prefix: str) -> Mapping[str, Entry]: ...

    async def compare_and_set(
        self, changes: Mapping[str, bytes | None], expected: Mapping[str, int]
    ) -> int: ...

    def watch(self, watcher: Callable[[int, frozenset[str]], None]) -> Callable[[], None]: ...


class UserRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Disk format 1 of a native user."""

    hash: str
    roles: tuple[str, ...] = ()
    full_name: str | None = None
    email: str | None = None
    metadata: dict[str, Any] = {}
    enabled: bool = True


class ReservedRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Disk format 1 of what may be changed of a reserved user. No hash: nobody has set a password."""

    hash: str | None = None
    enabled: bool = True


class RoleRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Disk format 1 of a role: the body that it was put with, in the form in which it is shown."""

    body: dict[str, Any]


class CreatorRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who made a key, as it was then."""

    principal: str
    realm: str
    realm_type: str
    full_name: str | None = None
    email: str | None = None
    metadata: dict[str, Any] = {}


class ApiKeyRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Disk format 1 of an API key. Descriptors are in the form in which they are shown, by name."""

    name: str
    type: str
    hash: str
    creation: int
    creator: CreatorRecord
    role_descriptors: dict[str, dict[str, Any]] = {}
    limited_by: dict[str, dict[str, Any]] | None = None
    metadata: dict[str, Any] = {}
    expiration: int | None = None
    invalidation: int | None = None
    """When it was invalidated; None while it is not."""
    certificate_identity: str | None = None


class MappingRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Disk format 1 of a role mapping."""

    enabled: bool
    rules: dict[str, Any]
    roles: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}


R = TypeVar("R", bound=msgspec.Struct)
_encoder = msgspec.json.Encoder()


class Kind(Generic[R]):
    """The records of one kind, by name."""

    def __init__(self, prefix: str, struct: type[R]) -> None:
        self.prefix = prefix
        self.struct = struct
        self.unreadable: set[str] = set()
        """Names of entries whose bytes are none of a record: they grant nothing, and hide nothing."""
        self._records: dict[str, R] = {}

    def get(self, name: str) -> R | None:
        return self._records.get(name)

    def items(self) -> Iterator[tuple[str, R]]:
        """By name."""
        return iter(sorted(self._records.items()))

    def values(self) -> Iterator[R]:
        """By name."""
        return (record for _, record in self.items())

    def __len__(self) -> int:
        return len(self._records)

    def take(self, name: str, value: bytes | None) -> None:
        """The mirror's side of a change."""
        self._records.pop(name, None)
        self.unreadable.discard(name)
        if value is None:
            return
        try:
            self._records[name] = msgspec.json.decode(value, type=self.struct)
        except (msgspec.DecodeError, RecursionError) as error:
            self.unreadable.add(name)
            _log.error("cannot read the entry [%s%s]: %s", self.prefix, name, error)


OnChange = Callable[[str, frozenset[str]], None]
"""Called with the prefix of a kind and the names of what changed of it."""


class Records:
    """`load` before anything is read. Changes happen one after the other."""

    def __init__(self, store: Store) -> None:
        self.users = Kind("security/user/", UserRecord)
        self.reserved = Kind("security/reserved_user/", ReservedRecord)
        self.roles = Kind("security/role/", RoleRecord)
        self.api_keys = Kind("security/api_key/", ApiKeyRecord)
        self.mappings = Kind("security/role_mapping/", MappingRecord)
        self.version = 0
        """The number of the last change to any of them."""
        self._kinds: tuple[Kind[Any], ...] = (
            self.users,
            self.reserved,
            self.roles,
            self.api_keys,
            self.mappings,
        )
        self._store = store
        self._turn = asyncio.Lock()
        self._writing: Mapping[str, bytes | None] = {}
        self._is_told = False
        """Whether others may have been told of what is being written."""
        self._on_change: list[OnChange] = []
        self._stop_watching: Callable[[], None] = lambda: None
        self.tell: Callable[[], None] = lambda: None
        """Called with a change of what others may have been told, once it holds here: also where nobody waits for it
        any more.
        """
        self.settle: Callable[[], Awaitable[None]] | None = None
        """Awaited after that, before the change is answered."""

    async def load(self) -> None:
        """Raises IOFailure."""
        for kind in self._kinds:
            for key, entry in (await self._store.scan(kind.prefix)).items():
                kind.take(key.removeprefix(kind.prefix), entry.value)
                self.version = max(self.version, entry.version)
        self._stop_watching = self._store.watch(self._changed)

    def on_change(self, callback: OnChange) -> None:
        """Runs `callback` after each change that is durable."""
        self._on_change.append(callback)

    async def change(self, decide: "Decide") -> None:
        """Asks `decide` what is to change, and makes it so, with no other change in between. An empty answer changes
        nothing. Raises what `decide` does, Rejected for too many records, IOFailure.
        """
        async with self._turn:
            wanted = decide()
            if not wanted:
                return
            changes = {
                kind.prefix + name: None if record is None else _encoder.encode(record)
                for (kind, name), record in wanted.items()
            }
            self._check_room(wanted)
            told = any(self._may_be_known(kind, name) for kind, name in wanted)
            self._writing, self._is_told = changes, told
            try:
                await self._store.compare_and_set(changes, {})
            finally:
                self._writing = {}
        if told and self.settle is not None:
            await self.settle()

    def _may_be_known(self, kind: Kind[Any], name: str) -> bool:
        """Whether anything may have been made of the entry before: of users and keys that are new nothing was."""
        if kind is self.users or kind is self.api_keys:
            return kind.get(name) is not None
        return True

    def _check_room(self, wanted: "Changes") -> None:
        for (kind, name), record in wanted.items():
            if record is not None and kind.get(name) is None and len(kind) >= RECORDS_MAX:
                shown = kind.prefix.split("/")[1].replace("_", " ")
                raise Rejected(f"there are [{RECORDS_MAX}] entries of kind [{shown}] already")

    def _changed(self, version: int, keys: frozenset[str]) -> None:
        """The store says that a change is durable: also where whoever asked for it has gone."""
        for kind in self._kinds:
            names = frozenset(
                key.removeprefix(kind.prefix)
                for key in keys
                if key.startswith(kind.prefix) and key in self._writing
            )
            if not names:
                continue
            for name in names:
                kind.take(name, self._writing[kind.prefix + name])
            self.version = version
            for callback in self._on_change:
                callback(kind.prefix, names)
        if self._is_told and not self._writing.keys().isdisjoint(keys):
            self.tell()

    def close(self) -> None:
        self._stop_watching()


Changes = Mapping[tuple[Kind[Any], str], msgspec.Struct | None]
Decide = Callable[[], Changes]
