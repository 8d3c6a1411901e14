"""Asking many at once: order, how many at a time, errors."""

import asyncio

import pytest

from sealane.errors import ApiError, ConnectTransport, IllegalArgument
from sealane.search.fan_out import ask_all, ask_to_the_end


async def test_answers_are_in_order_and_so_many_are_asked_at_a_time() -> None:
    running = most = 0

    async def ask(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(number % 3):
            await asyncio.sleep(0)
        running -= 1
        return number * 2

    asked = range(50)
    assert await ask_all(ask, asked, at_a_time=4) == [number * 2 for number in asked]
    assert most <= 4


async def test_there_are_no_more_tasks_than_run_at_a_time() -> None:
    before = len(asyncio.all_tasks())
    most = 0

    async def ask(number: int) -> None:
        nonlocal most
        await asyncio.sleep(0)
        most = max(most, len(asyncio.all_tasks()) - before)

    await ask_all(ask, range(1_000), at_a_time=8)
    assert most == 8


async def test_without_a_limit_all_are_under_way_and_the_first_begins_last() -> None:
    begun: list[int] = []
    all_begun = asyncio.Event()

    async def ask(number: int) -> None:
        begun.append(number)
        if len(begun) == 5:
            all_begun.set()
        await all_begun.wait()

    await ask_all(ask, range(5))
    assert begun == [1, 2, 3, 4, 0]


async def test_the_first_error_ends_all_and_none_begins_after_it() -> None:
    begun: list[int] = []

    async def ask(number: int) -> None:
        begun.append(number)
        await asyncio.sleep(0)
        if number == 2:
            raise IllegalArgument("two")
        await asyncio.sleep(0)

    with pytest.raises(IllegalArgument, match="two"):
        await ask_all(ask, range(100), at_a_time=2)
    assert len(begun) < 5


async def test_of_several_failures_that_of_a_cluster_that_answered_is_raised() -> None:
    """A remote that failed, else this cluster, else one that cannot be reached: as 8.19 tells them."""
    here = IllegalArgument("here")
    remote = IllegalArgument("there").with_metadata(cluster="eu")
    gone = ConnectTransport("gone").with_metadata(cluster="us")

    async def fail(error: ApiError) -> None:
        raise error

    for errors, raised in (
        ((here, remote, gone), remote),
        ((here, gone), here),
        ((gone,), gone),
    ):
        with pytest.raises(ApiError) as caught:
            await ask_to_the_end(fail, errors)
        assert caught.value is raised
