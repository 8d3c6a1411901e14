"""Whether the answer to a request depends on when it is asked."""

from functools import lru_cache

from sealane.engine.base import ShardSearch


def uses_now(request: ShardSearch) -> bool:
    """True where date math on `now` may occur; a word that only looks like it costs a cache entry, no more."""
    return _mentions_now(request.body.raw) or any(
        each is not None and _may_use_now(repr(each))
        for each in (request.filter, request.documents)
    )


@lru_cache(maxsize=1024)
def _mentions_now(raw: bytes) -> bool:
    # In a text with a syntax it may stand anywhere, and an encoded query shows nothing of it.
    anywhere = b"query_string" in raw and b"now" in raw
    return b'"now' in raw or anywhere or b'"wrapper"' in raw


def _may_use_now(query: str) -> bool:
    return "'now" in query or ("QueryString" in query and "now" in query)
