"""Asking many at once: all answers, or the first error by itself rather than in a group."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from sealane.transport.tasks import run_together

A = TypeVar("A")
T = TypeVar("T")


async def ask_all(
    ask: Callable[[A], Awaitable[T]], asked: Sequence[A], *, at_a_time: int | None = None
) -> list[T]:
    """`ask` of each, concurrently, the answers in order.

    The first error is raised as it is, and cancels the others. Cancelling the call cancels all.
    """
    if len(asked) < 2:
        return [await ask(each) for each in asked]
    slots = asyncio.Semaphore(at_a_time) if at_a_time else None

    async def within(each: A) -> T:
        if slots is None:
            return await ask(each)
        async with slots:
            return await ask(each)

    answers: dict[int, T] = {}

    async def keep(number: int) -> None:
        answers[number] = await within(asked[number])

    # The first begins last: requests to other nodes have left before it, which may hold the loop.
    await run_together([keep(number) for number in (*range(1, len(asked)), 0)])
    return [answers[number] for number in range(len(asked))]
