"""Asking many at once: all answers, or the first error by itself rather than in a group."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from sealane.errors import ApiError, ConnectTransport, TaskCancelled
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
    answers: dict[int, T] = {}
    # The first begins last: requests to other nodes have left before it, which may hold the loop.
    numbers = iter((*range(1, len(asked)), 0))

    async def work() -> None:
        for number in numbers:
            answers[number] = await ask(asked[number])

    # However many are asked, there are no more tasks than those that run at a time.
    workers = min(len(asked), at_a_time or len(asked))
    await run_together([work() for _ in range(workers)])
    return [answers[number] for number in range(len(asked))]


async def ask_to_the_end(
    ask: Callable[[A], Awaitable[T]],
    asked: Sequence[A],
    *,
    fail_fast: Callable[[], bool] = lambda: False,
) -> list[T]:
    """As `ask_all`, but an ApiError waits until all have ended. TaskCancelled is raised at once, and so is any error
    where `fail_fast` says so.

    Of several the one that came last is raised, as the reference does for clusters; one of this cluster only where
    there is no other, for it comes first as a rule, and what is raised must not be chance. A cluster that cannot be
    reached at all is told of before this one has searched.
    """
    failures: list[ApiError] = []

    async def outlast(each: A) -> T | None:
        try:
            return await ask(each)
        except TaskCancelled:
            raise
        except ApiError as error:
            if fail_fast():
                raise
            failures.append(error)
            return None

    answers = await ask_all(outlast, asked)
    if failures:
        raise max(reversed(failures), key=_lateness)
    return [answer for answer in answers if answer is not None]


def _lateness(error: ApiError) -> int:
    if "cluster" not in error.metadata:
        return 1
    return 0 if isinstance(error, ConnectTransport) else 2
