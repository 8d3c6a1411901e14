"""Settings of searches that take long or cross clusters: what is kept of them, and when they give up."""

from typing import Final

from sealane.settings.parse import as_bool, as_bytes, as_int
from sealane.settings.registry import AnySetting
from sealane.settings.setting import Setting
from sealane.settings.slow_log_settings import CCS_SLOW_LOG_SETTINGS

MAX_ASYNC_RESPONSE_SIZE: Final = Setting[int](
    key="search.max_async_search_response_size",
    default="10mb",
    parse=as_bytes(min=0, max=2**31 - 1),
    dynamic=True,
    help="The largest answer that an async search keeps.",
)
MAX_ASYNC_SEARCHES: Final = Setting[int](
    key="search.async_search.max_searches",
    default="1000",
    parse=as_int(min=1),
    dynamic=True,
    help="Async searches, running and ended, that a node keeps; further ones answer 429.",
)
MAX_ASYNC_TOTAL_SIZE: Final = Setting[int](
    key="search.async_search.max_total_size",
    default="256mb",
    parse=as_bytes(min=0, max=2**40),
    dynamic=True,
    help="What the answers of all async searches that a node keeps may have together.",
)
FAIL_FAST: Final = Setting[bool](
    key="search.ccs.fail_fast",
    default="false",
    parse=as_bool,
    dynamic=True,
    help="Whether a cluster whose failure ends a search ends it at once, rather than when all others have answered.",
)

CCS_SETTINGS: Final[tuple[AnySetting, ...]] = (
    MAX_ASYNC_RESPONSE_SIZE,
    MAX_ASYNC_SEARCHES,
    MAX_ASYNC_TOTAL_SIZE,
    FAIL_FAST,
    *CCS_SLOW_LOG_SETTINGS,
)
