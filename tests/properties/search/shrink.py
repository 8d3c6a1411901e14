"""Makes a failing request smaller: whatever can be left out while it still fails is left out."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

Json = dict[str, Any]
ATTEMPTS = 400


async def shrink(
    body: Json, fails: Callable[[Json], Awaitable[bool]], attempts: int = ATTEMPTS
) -> Json:
    """The smallest body found that still fails. Each round tries to drop one member or item, the largest first."""
    smaller = True
    while smaller and attempts:
        smaller = False
        for candidate in _smaller(body):
            attempts -= 1
            if await fails(candidate):
                body, smaller = candidate, True
                break
            if not attempts:
                break
    return body


def _smaller(value: Any) -> Iterator[Any]:
    """The value with one thing less: one of its parts dropped, or one of its parts smaller."""
    if isinstance(value, dict):
        for key in value:
            yield {other: each for other, each in value.items() if other != key}
        for key, inner in value.items():
            yield from ({**value, key: less} for less in _smaller(inner))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield value[:at] + value[at + 1 :]
            yield from ([*value[:at], less, *value[at + 1 :]] for less in _smaller(inner))
