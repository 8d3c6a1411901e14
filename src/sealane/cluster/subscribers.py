"""Who hears of what changed: settings, the metadata of indices. Whether it did is for its owner to say."""

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

from sealane.settings import Settings

T = TypeVar("T")

Subscriber = Callable[[Settings, Settings], None]
"""Gets all settings in force before and after a change. Must return at once."""

_log = logging.getLogger("sealane.cluster")


class Subscribers(Generic[T]):
    """In the order in which they came. Each gets what was before and what is after, and must return at once."""

    def __init__(self) -> None:
        self._subscribers: dict[object, Callable[[T, T], None]] = {}

    def add(self, subscriber: Callable[[T, T], None]) -> Callable[[], None]:
        """Returns how to stop it."""
        token = object()
        self._subscribers[token] = subscriber
        return lambda: self._subscribers.pop(token, None) and None

    def tell(self, old: T, new: T) -> None:
        """Calls all of them, unless nothing changed."""
        if old == new:
            return
        for subscriber in list(self._subscribers.values()):
            try:
                subscriber(old, new)
            except Exception:
                # One consumer's fault must not keep the others on what was before.
                _log.exception("a consumer of a change failed")
