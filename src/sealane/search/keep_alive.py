"""How long contexts are kept open between the steps of a search, and the limit on that."""

from sealane.errors import IllegalArgument
from sealane.settings.units import TimeValue

WITHIN_SEARCH_MS = 60_000
"""Between the query and the fetch phase of one search."""
LEAST_S = 1.0
"""A context that is asked to be kept for less could be gone before the page that opened it is fetched."""


def keep_alive_s(keep_ms: int, longest_ms: int) -> float:
    """Seconds to keep a context for. Raises IllegalArgument where it is longer than `search.max_keep_alive`."""
    if keep_ms > longest_ms:
        raise IllegalArgument(
            f"Keep alive for request ({TimeValue.of_ms(keep_ms)}) is too large. It must be less than "
            f"({TimeValue.of_ms(longest_ms)}). This limit can be set by changing the [search.max_keep_alive] "
            "cluster level setting."
        )
    return max(LEAST_S, keep_ms / 1000)
