"""Who hears of new settings. Whether there are new ones is for their owner to say."""

import logging
from collections.abc import Callable

from sealane.settings import Settings

Subscriber = Callable[[Settings, Settings], None]
"""Gets all settings in force before and after a change. Must return at once."""

_log = logging.getLogger("sealane.cluster")


class Subscribers:
    """In the order in which they came."""

    def __init__(self) -> None:
        self._subscribers: dict[object, Subscriber] = {}

    def add(self, subscriber: Subscriber) -> Callable[[], None]:
        """Returns how to stop it."""
        token = object()
        self._subscribers[token] = subscriber
        return lambda: self._subscribers.pop(token, None) and None

    def tell(self, old: Settings, new: Settings) -> None:
        """Calls all of them, unless nothing changed."""
        if old == new:
            return
        for subscriber in list(self._subscribers.values()):
            try:
                subscriber(old, new)
            except Exception:
                # One consumer's fault must not keep the others on the old settings.
                _log.exception("a consumer of the cluster settings failed")
