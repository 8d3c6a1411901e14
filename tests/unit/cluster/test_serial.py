"""The line of changes."""

import asyncio

import pytest

from sealane.cluster.serial import Serial
from sealane.errors import IllegalArgument


async def test_changes_run_one_at_a_time_in_order() -> None:
    seen: list[str] = []

    async def change(name: str) -> None:
        seen.append(f"{name} in")
        await asyncio.sleep(0)
        seen.append(f"{name} out")

    async with Serial() as serial, asyncio.TaskGroup() as group:
        for name in "abc":
            group.create_task(serial.run(lambda name=name: change(name)))  # type: ignore[misc]
    assert seen == ["a in", "a out", "b in", "b out", "c in", "c out"]


async def test_a_change_is_carried_out_though_its_asker_leaves() -> None:
    go, done = asyncio.Event(), asyncio.Event()

    async def change() -> None:
        await go.wait()
        done.set()

    async with Serial() as serial:
        task = asyncio.get_running_loop().create_task(serial.run(change))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go.set()
    assert done.is_set()


async def test_a_failure_reaches_its_asker_and_nobody_else() -> None:
    async def fail() -> None:
        raise IllegalArgument("no")

    async def succeed() -> int:
        return 1

    async with Serial() as serial:
        with pytest.raises(IllegalArgument):
            await serial.run(fail)
        assert await serial.run(succeed) == 1


async def test_one_that_is_not_alone_may_wait_for_alone_ones() -> None:
    async with Serial() as serial:

        async def inner() -> int:
            return 1

        async def outer() -> int:
            return await serial.run(inner) + 1

        assert await serial.run(outer, alone=False) == 2
