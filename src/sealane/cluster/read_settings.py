"""Settings that have been read: their text is parsed once, not at each request that asks for them.

Which settings are in force is for its owner to say. Those in force never change; others take their place.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from sealane.settings import EMPTY, Setting, Value

T = TypeVar("T")


class ReadSettings:
    """The values of one set of settings, as far as they were asked for."""

    def __init__(self) -> None:
        self._settings: Mapping[str, Value] = EMPTY
        self._values: dict[str, tuple[Setting[Any], Any]] = {}

    def get(self, setting: Setting[T], settings: Mapping[str, Value]) -> T:
        """As `setting.get(settings)`; all values are forgotten where `settings` are others than the last time."""
        if settings is not self._settings:
            self._settings, self._values = settings, {}
        known = self._values.get(setting.key)
        if known is not None and known[0] is setting:
            found: T = known[1]
            return found
        value = setting.get(settings)
        self._values[setting.key] = (setting, value)
        return value
