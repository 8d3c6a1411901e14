"""What the cluster's settings say where a search does not."""

from sealane.cluster.settings_service import ClusterSettings
from sealane.settings import node_settings as keys


class SettingsDefaults:
    """Implements SearchDefaults over the settings in force."""

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings

    def max_buckets(self) -> int:
        return self._settings.get(keys.SEARCH_MAX_BUCKETS)

    def timeout_ms(self) -> int | None:
        limit = self._settings.get(keys.SEARCH_DEFAULT_TIMEOUT)
        return None if limit.is_off else int(limit.ms)

    def allow_partial_results(self) -> bool:
        return self._settings.get(keys.SEARCH_DEFAULT_ALLOW_PARTIAL)
