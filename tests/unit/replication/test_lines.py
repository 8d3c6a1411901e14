import asyncio

import pytest

from sealane.errors import IllegalArgument
from sealane.replication.lines import Lines, carried_out
from sealane.transport.tasks import TaskScope


async def test_one_change_of_an_index_at_a_time() -> None:
    """R-108: those of other indices do not wait."""
    lines, order = Lines(), list[str]()
    held = asyncio.Event()

    async def first() -> None:
        async with lines.one("a"):
            order.append("first")
            await held.wait()

    async def then(index: str, name: str) -> None:
        async with lines.one(index):
            order.append(name)

    async with TaskScope("test") as scope:
        began = scope.start(first())
        second, other = scope.start(then("a", "second")), scope.start(then("b", "other"))
        await other
        assert order == ["first", "other"]
        held.set()
        await began
        await second
    assert order == ["first", "other", "second"]


async def test_a_change_is_carried_to_its_end() -> None:
    """R-109: a client that hangs up does not stop it half-way."""
    done, held = list[int](), asyncio.Event()

    async def change() -> int:
        await held.wait()
        done.append(1)
        return 1

    async with TaskScope("test") as scope, TaskScope("clients") as clients:
        asked = clients.start(carried_out(scope, change()))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        held.set()
        assert await carried_out(scope, change()) == 1
    assert done == [1, 1]


async def test_its_error_is_the_callers() -> None:
    """R-17"""

    async def change() -> None:
        raise IllegalArgument("no")

    async with TaskScope("test") as scope:
        with pytest.raises(IllegalArgument, match="no"):
            await carried_out(scope, change())
