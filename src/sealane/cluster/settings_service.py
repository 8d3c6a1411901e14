"""The cluster's settings: the node's file below, persistent above, transient on top.

Judges a change, makes its persistent part durable, then publishes the new settings to whoever
subscribed. Consumers react; a change never waits for what they start.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from sealane.cluster.read_settings import ReadSettings
from sealane.cluster.serial import Serial
from sealane.cluster.settings_scopes import ARCHIVED, Scopes
from sealane.cluster.store import ABSENT, StateStore
from sealane.cluster.subscribers import Subscriber, Subscribers
from sealane.errors import ActionRequestValidation, ApiError, ParsingError, SettingsError
from sealane.model.patterns import matches
from sealane.settings import EMPTY, AffixSetting, Registry, Setting, Settings, Value, flatten

T = TypeVar("T")

log = logging.getLogger("sealane.cluster")

_KEY: Final = "cluster/settings"
_SCOPES: Final = ("persistent", "transient")
_JAVA: Final[Mapping[type, str]] = {
    str: "java.lang.String",
    float: "java.lang.Double",
    bool: "java.lang.Boolean",
    list: "java.util.ArrayList",
}

Changes = Mapping[str, Value | None]


class ClassCastError(ApiError):
    """Something else where an object must be: the reference's own slip, and its status."""

    es_type, status = "class_cast_exception", 500

    def __init__(self, value: object) -> None:
        name = _java_class(value)
        super().__init__(
            f"class {name} cannot be cast to class java.util.Map "
            f"({name} and java.util.Map are in module java.base of loader 'bootstrap')"
        )


def _java_class(value: object) -> str:
    if type(value) is not int:
        return _JAVA.get(type(value), "java.lang.Object")
    bits = (value if value >= 0 else ~value).bit_length()
    if bits < 32:
        return "java.lang.Integer"
    return "java.lang.Long" if bits < 64 else "java.math.BigInteger"


class ClusterSettings:
    """Made with the node's own settings; `load` reads what is stored before the first use."""

    def __init__(
        self, *, store: StateStore, registry: Registry, node: Settings, serial: Serial
    ) -> None:
        self._store = store
        self._registry = registry
        self._node = node
        self._serial = serial
        self._persistent = EMPTY
        self._transient = EMPTY
        self._stored_version = ABSENT
        self._current = node
        self._read = ReadSettings()
        self._subscribers: Subscribers[Settings] = Subscribers()

    async def load(self) -> None:
        """Reads the persistent settings. What is not known or valid here is kept aside as
        `archived.*`.
        """
        entry = await self._store.get(_KEY)
        if entry is None:
            return
        stored = msgspec.json.decode(entry.value, type=dict[str, str | tuple[str, ...]])
        self._stored_version = entry.version
        self._persistent = Settings(
            {self._readable_key(key, value): value for key, value in stored.items()}
        )
        self._current = Scopes(self._node, self._persistent, self._transient).in_force()

    @property
    def current(self) -> Settings:
        """All settings in force, as last published: transient over persistent over the file."""
        return self._current

    @property
    def persistent(self) -> Settings:
        return self._persistent

    @property
    def transient(self) -> Settings:
        return self._transient

    @property
    def registry(self) -> Registry:
        return self._registry

    def get(self, setting: Setting[T]) -> T:
        """The value in force. See `Setting.get`."""
        return self._read.get(setting, self._current)

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Calls `subscriber(old, new)` after each change of what is in force. Returns how to stop
        it.
        """
        return self._subscribers.add(subscriber)

    def on_change(self, setting: Setting[T], consumer: Callable[[T], None]) -> Callable[[], None]:
        """Calls `consumer` with the setting's new value whenever its text changes."""

        def compare(old: Settings, new: Settings) -> None:
            if setting.raw(old) != setting.raw(new):
                consumer(setting.get(new))

        return self.subscribe(compare)

    async def update(self, body: Any, *, flat: bool = False) -> dict[str, Any]:
        """Applies `{"persistent": {...}, "transient": {...}}` and returns the answer's body.

        A null removes a key; a key with `*` and null removes all that match. Either all of it
        happens or nothing. Raises ActionRequestValidation where nothing is asked, IllegalArgument
        for what the registry refuses, SettingsError or ClassCastError for a body that holds no
        settings, IOFailure.
        """
        persistent, transient = (_changes_of(body, scope) for scope in _SCOPES)
        if not persistent and not transient:
            raise ActionRequestValidation(["no settings to update"])
        await self._serial.run(lambda: self._apply(persistent, transient))
        answer: dict[str, Any] = {"acknowledged": True}
        for scope, changes in zip(_SCOPES, (persistent, transient), strict=True):
            given = Settings({k: v for k, v in changes.items() if v is not None})
            answer[scope] = _shown(given, flat)
        return answer

    def defaults(self) -> Settings:
        """All that is in force and set in neither scope: the file's, and the registry's below. No
        secrets.
        """
        over = {*self._persistent, *self._transient}
        lower = self._registry.defaults(self._node).merged(self._visible(self._node))
        return lower.filtered(lambda key: key not in over)

    def view(self, *, flat: bool = False, include_defaults: bool = False) -> dict[str, Any]:
        """What GET answers. Defaults are the file's values, and the registry's for what it does
        not set.
        """
        answer = {
            "persistent": _shown(self._visible(self._persistent), flat),
            "transient": _shown(self._visible(self._transient), flat),
        }
        if include_defaults:
            answer["defaults"] = _shown(self.defaults(), flat)
        return answer

    def origin(self, key: str) -> str | None:
        """Which scope a key in force comes from: `transient`, `persistent`, `file`, or None."""
        return Scopes(self._node, self._persistent, self._transient).origin(key)

    async def _apply(self, persistent: Changes, transient: Changes) -> None:
        new_persistent = _changed(self._persistent, persistent)
        new_transient = _changed(self._transient, transient)
        scopes = Scopes(self._node, new_persistent, new_transient)
        new = scopes.in_force()
        asked = {"transient": transient, "persistent": persistent}
        # The reference judges transient settings first, which shows in its error.
        for kind, changes in asked.items():
            if changes:
                try:
                    self._registry.validate_update(changes, self._current, new, kind=kind)
                except ApiError as error:
                    scopes.explain(error, [scope for scope, given in asked.items() if given])
                    raise
        if new_persistent != self._persistent:
            await self._write(new_persistent)
        self._persistent, self._transient = new_persistent, new_transient
        old, self._current = self._current, new
        self._subscribers.tell(old, new)

    async def _write(self, persistent: Settings) -> None:
        stored = {key.removeprefix(ARCHIVED): value for key, value in persistent.items()}
        self._stored_version = await self._store.compare_and_set(
            {_KEY: msgspec.json.encode(stored)}, {_KEY: self._stored_version}
        )

    def _readable_key(self, key: str, value: Value) -> str:
        setting = self._registry.get(key)
        try:
            if setting is not None and setting.dynamic:
                setting.check(value)
                return key
            reason = "not known"
        except ApiError as error:
            reason = error.reason
        log.warning("a stored setting is put aside", extra={"setting": key, "reason": reason})
        return ARCHIVED + key

    def _visible(self, settings: Settings) -> Settings:
        def shown(key: str) -> bool:
            setting = self._registry.get(key)
            return setting is None or not setting.secret

        return settings.filtered(shown)

    def namespaces(self, family: AffixSetting[T]) -> tuple[str, ...]:
        """The namespaces of `family` in force."""
        return family.namespaces(self._current)


def _changes_of(body: Any, scope: str) -> Changes:
    if not isinstance(body, Mapping) or scope not in body:
        return {}
    given = body[scope]
    if given is None:
        raise _null_scope()
    if not isinstance(given, Mapping):
        raise ClassCastError(given)
    return flatten(given)


def _null_scope() -> SettingsError:
    cause = ParsingError(
        "Failed to parse object: expecting token of type [START_OBJECT] but found [VALUE_NULL]"
    )
    error = SettingsError(
        "Failed to load settings from [null]", caused_by=cause, root_causes=[cause]
    )
    error.status = 500
    return error


def _changed(settings: Settings, changes: Changes) -> Settings:
    kept: dict[str, Value] = dict(settings)
    for key, value in changes.items():
        if value is None:
            for gone in [each for each in kept if matches(key, each)]:
                del kept[gone]
    kept.update({key: value for key, value in changes.items() if value is not None})
    return Settings(kept)


def _shown(settings: Settings, flat: bool) -> dict[str, Any]:
    return settings.to_flat() if flat else settings.to_nested()
