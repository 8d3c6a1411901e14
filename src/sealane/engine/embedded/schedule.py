"""When an index is due for a refresh, and who waits for one. Times are the loop's, in seconds.

Three kinds of index with the default interval: one that is searched is refreshed each second; one that nobody has
searched for a while only by the next search; one that nobody has searched yet, when a second has passed without a
write, so that the first load of an index is not stopped each second for readers that are not there.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from sealane.settings.units import parse_time

DEFAULT_REFRESH = "1s"
SEARCH_IDLE_S = 30.0
LOAD_MAX_S = 10.0
"""The longest that a load without searches goes without a refresh."""
WAITING_MAX = 1000
"""How many may wait for a refresh before one is made for them at once."""


class RefreshSchedule:
    """One index's. Lives on the loop."""

    def __init__(self, settings: Mapping[str, Any], now: float) -> None:
        self.last_search_s = now
        self.last_refresh_s = now
        self.last_write_s = now
        self._pending_since_s: float | None = None
        """When the first write came that no refresh has covered."""
        self._is_searched = False
        self._waiting: list[asyncio.Future[None]] = []
        self.configure(settings)

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Takes the index's flat, effective settings."""
        value = str(settings.get("index.refresh_interval", DEFAULT_REFRESH))
        # Effective settings do not tell the default from the same interval asked for.
        self._is_default = value == DEFAULT_REFRESH
        self._interval_s = parse_time(value, "index.refresh_interval").seconds

    # -- due or not ------------------------------------------------------------------------------------------------

    def is_search_idle(self, now: float) -> bool:
        """Nobody searched lately and no interval was asked for: the next search refreshes by itself."""
        return self._is_default and now - self.last_search_s >= SEARCH_IDLE_S

    def is_loading(self, now: float) -> bool:
        """Written to just now, and never searched."""
        return (
            self._is_default
            and not self._is_searched
            and now - self.last_write_s < self._interval_s
            and now - self.last_refresh_s < LOAD_MAX_S
        )

    def is_due(self, now: float) -> bool:
        """For an index that has something to refresh."""
        if self._interval_s < 0 or now - self.last_refresh_s < self._interval_s:
            return False
        if self._waiting:
            return True
        return not self.is_search_idle(now) and not self.is_loading(now)

    def search(self, now: float) -> bool:
        """Notes a search. True when it must see a refresh first, where there is something to refresh."""
        since = self._pending_since_s
        is_late = not self._is_searched and since is not None and now - since >= self._interval_s
        needs = self.is_search_idle(now) or (self._is_default and is_late)
        self.last_search_s = now
        self._is_searched = True
        return needs

    def write(self, now: float) -> None:
        self.last_write_s = now
        if self._pending_since_s is None:
            self._pending_since_s = now

    # -- waiting ---------------------------------------------------------------------------------------------------

    @property
    def is_crowded(self) -> bool:
        return len(self._waiting) >= WAITING_MAX

    async def wait(self) -> None:
        """Returns when all that was acknowledged before can be searched."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        finally:
            if future in self._waiting:
                self._waiting.remove(future)

    def refreshed(self, now: float) -> None:
        """What was acknowledged until now can be searched."""
        self.last_refresh_s = now
        self.release()

    def release(self) -> None:
        """Lets go of all who wait: there is nothing left to wait for."""
        self._pending_since_s = None
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)
