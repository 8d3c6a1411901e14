"""What the cluster's settings say where a search does not."""

from typing import Protocol, TypeVar

from sealane.settings import Setting, ccs_settings
from sealane.settings import node_settings as keys

T = TypeVar("T")


class InForce(Protocol):
    """The settings in force, the cluster's own or those that a node follows."""

    def get(self, setting: Setting[T]) -> T: ...


class SettingsDefaults:
    """Implements SearchDefaults over the settings in force."""

    def __init__(self, settings: InForce) -> None:
        self._settings = settings

    def max_buckets(self) -> int:
        return self._settings.get(keys.SEARCH_MAX_BUCKETS)

    def timeout_ms(self) -> int | None:
        limit = self._settings.get(keys.SEARCH_DEFAULT_TIMEOUT)
        return None if limit.is_off else int(limit.ms)

    def allow_partial_results(self) -> bool:
        return self._settings.get(keys.SEARCH_DEFAULT_ALLOW_PARTIAL)

    def max_keep_alive_ms(self) -> int:
        return self._settings.get(keys.SEARCH_MAX_KEEP_ALIVE).ms

    def max_open_scrolls(self) -> int:
        return self._settings.get(keys.SEARCH_MAX_OPEN_SCROLLS)


class CcsDefaults:
    """Implements AsyncLimits over the settings in force, and says what else they decide of searches over clusters."""

    def __init__(self, settings: InForce) -> None:
        self._settings = settings

    def response_bytes_max(self) -> int:
        return self._settings.get(ccs_settings.MAX_ASYNC_RESPONSE_SIZE)

    def searches_max(self) -> int:
        return self._settings.get(ccs_settings.MAX_ASYNC_SEARCHES)

    def total_bytes_max(self) -> int:
        return self._settings.get(ccs_settings.MAX_ASYNC_TOTAL_SIZE)

    def fail_fast(self) -> bool:
        return self._settings.get(ccs_settings.FAIL_FAST)
