"""Whether the answer to a request depends on when it is asked."""

from functools import lru_cache

from sealane.engine.base import ShardSearch


def uses_now(request: ShardSearch) -> bool:
    """True where date math on `now` may occur; a word that only looks like it costs a cache entry, no more."""
    return _mentions_now(request.body.raw) or (
        request.filter is not None and "'now" in repr(request.filter)
    )


@lru_cache(maxsize=1024)
def _mentions_now(raw: bytes) -> bool:
    return b'"now' in raw
