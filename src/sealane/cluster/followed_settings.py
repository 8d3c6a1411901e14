"""The settings of a node that follows a master: its own file below, the cluster's persistent and transient on top.

What the master has judged is judged again: this node may be of another release, and its file may not go with what
the cluster sets. Then what was in force stays, and the reason is kept to be shown.
"""

import logging
from collections.abc import Callable
from typing import TypeVar

from sealane.cluster.published import PublishedState
from sealane.cluster.read_settings import ReadSettings
from sealane.cluster.settings_scopes import ARCHIVED, Scopes
from sealane.cluster.subscribers import Subscriber, Subscribers
from sealane.errors import ApiError
from sealane.settings import EMPTY, Registry, Setting, Settings

T = TypeVar("T")

_log = logging.getLogger("sealane.cluster")


class FollowedSettings:
    """Starts with the node's own settings alone; `take` brings those of each state."""

    def __init__(self, node: Settings, registry: Registry) -> None:
        self._registry = registry
        self._scopes = Scopes(node, EMPTY, EMPTY)
        self._current = node
        self._read = ReadSettings()
        self._subscribers: Subscribers[Settings] = Subscribers()
        self.last_error: ApiError | None = None
        """Why the settings of the last state are not in force."""

    @property
    def current(self) -> Settings:
        """All settings in force here."""
        return self._current

    def get(self, setting: Setting[T]) -> T:
        """The value in force. See `Setting.get`."""
        return self._read.get(setting, self._current)

    def origin(self, key: str) -> str | None:
        """Which scope a key in force comes from: `transient`, `persistent`, `file`, or None."""
        return self._scopes.origin(key)

    def subscribe(self, subscriber: Subscriber, /) -> Callable[[], None]:
        """Calls `subscriber(old, new)` after each change of what is in force. Returns how to stop it."""
        return self._subscribers.add(subscriber)

    def take(self, state: PublishedState) -> None:
        """Puts the cluster's settings of `state` in force. Never blocks, never raises ApiError."""
        scopes = Scopes(
            self._scopes.file,
            self._known(state.persistent_settings),
            self._known(state.transient_settings),
        )
        new = scopes.in_force()
        try:
            self._registry.validate(new)
        except ApiError as error:
            self.last_error = error
            _log.warning("the cluster's settings do not go with this node's: %s", error.reason)
            return
        self.last_error = None
        self._scopes = scopes
        old, self._current = self._current, new
        self._subscribers.tell(old, new)

    def _known(self, settings: Settings) -> Settings:
        """Those that this release knows as settings that may change; the master archives what it does not know."""

        def known(key: str) -> bool:
            setting = self._registry.get(key)
            return not key.startswith(ARCHIVED) and setting is not None and setting.dynamic

        return settings.filtered(known)
