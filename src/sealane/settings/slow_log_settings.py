"""Thresholds of the slow logs: of each shard's part of a search, by index, and of searches over clusters as a whole.

Those of the fetch phase, and who is named, are there for index templates that set them.
"""

from collections.abc import Mapping
from typing import Final, Literal

from sealane.settings.parse import as_bool, as_time
from sealane.settings.registry import AnySetting
from sealane.settings.setting import Scope, Setting
from sealane.settings.units import TimeValue

Level = Literal["warn", "info", "debug", "trace"]
LEVELS: Final[tuple[Level, ...]] = ("warn", "info", "debug", "trace")
"""From the one that is logged for the longest searches."""


def _thresholds(prefix: str, scope: Scope, help: str) -> dict[Level, Setting[TimeValue]]:
    """`help` may name the `{level}`."""
    return {
        level: Setting[TimeValue](
            key=f"{prefix}.{level}",
            default="-1",
            parse=as_time(),
            help=help.format(level=level),
            scope=scope,
            dynamic=True,
        )
        for level in LEVELS
    }


QUERY: Final[Mapping[Level, Setting[TimeValue]]] = _thresholds(
    "index.search.slowlog.threshold.query",
    Scope.INDEX,
    "From how long on the search of a shard is logged as {level}; -1 never.",
)
FETCH: Final[Mapping[Level, Setting[TimeValue]]] = _thresholds(
    "index.search.slowlog.threshold.fetch",
    Scope.INDEX,
    "Accepted and without effect: what a shard fetches is part of its query's time, or not logged.",
)
INCLUDE_USER: Final = Setting[bool](
    key="index.search.slowlog.include.user",
    default="false",
    parse=as_bool,
    help="Accepted and without effect: the slow log does not name who searched.",
    scope=Scope.INDEX,
    dynamic=True,
)
CCS: Final[Mapping[Level, Setting[TimeValue]]] = _thresholds(
    "search.ccs.slowlog.threshold",
    Scope.NODE,
    "From how long on a search over clusters is logged as {level}; -1 never.",
)

INDEX_SLOW_LOG_SETTINGS: Final[tuple[AnySetting, ...]] = (
    *QUERY.values(),
    *FETCH.values(),
    INCLUDE_USER,
)
CCS_SLOW_LOG_SETTINGS: Final[tuple[AnySetting, ...]] = tuple(CCS.values())
