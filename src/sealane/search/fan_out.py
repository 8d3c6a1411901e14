"""Asking many at once: all answers, or the first error by itself rather than in a group."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from sealane.errors import ApiError

A = TypeVar("A")
T = TypeVar("T")


async def ask_all(
    ask: Callable[[A], Awaitable[T]], asked: Sequence[A], *, at_a_time: int | None = None
) -> list[T]:
    """`ask` of each, concurrently, the answers in order. The first is asked in the caller's own task.

    The first ApiError (else the first exception of any kind) is raised and cancels the others. Cancelling the call
    cancels all.
    """
    if len(asked) < 2:
        return [await ask(each) for each in asked]
    slots = asyncio.Semaphore(at_a_time) if at_a_time else None

    async def within(each: A) -> T:
        if slots is None:
            return await ask(each)
        async with slots:
            return await ask(each)

    try:
        async with asyncio.TaskGroup() as group:
            others = [group.create_task(within(each)) for each in asked[1:]]
            # Requests to other nodes leave before the first, which may hold the loop, begins.
            await asyncio.sleep(0)
            first = await within(asked[0])
    except BaseExceptionGroup as failures:
        errors = [each for each in failures.exceptions if isinstance(each, ApiError)]
        raise (errors or failures.exceptions)[0] from None
    return [first, *(task.result() for task in others)]
