"""The loop of virtual time."""

import asyncio

import pytest

from sealane.testing.simulation import Hang, SimulatedLoop, settle, simulate
from sealane.testing.simulation.loop import family


def test_time_jumps_to_the_next_timer() -> None:
    async def main() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    assert simulate(main()) == 3600


def test_timers_of_one_moment_fire_in_order() -> None:
    async def main() -> list[int]:
        fired: list[int] = []
        for n in range(100):
            asyncio.get_running_loop().call_at(1.0, fired.append, n)
        await asyncio.sleep(2)
        return fired

    assert simulate(main()) == list(range(100))


def test_a_wait_without_end_is_reported_with_its_stack() -> None:
    async def waits_in_vain() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        asyncio.get_running_loop().create_task(asyncio.sleep(0.5))
        await waits_in_vain()

    with pytest.raises(Hang, match=r"never happen(.|\n)*main\n(.|\n)*waits_in_vain\n"):
        simulate(main())


def test_spinning_without_time_is_reported() -> None:
    async def main() -> None:
        while True:  # noqa: ASYNC110
            await asyncio.sleep(0)

    with pytest.raises(Hang, match="spins at"):
        simulate(main())


def test_a_cancelled_timer_does_not_fire() -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimulatedLoop)
        for n in range(1000):
            loop.call_later(n, pytest.fail, "cancelled").cancel()
        await asyncio.sleep(2000)
        return len(loop.timers)

    assert simulate(main()) == 0


def test_there_are_no_threads() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="no threads"):
            await asyncio.to_thread(int)

    simulate(main())


def test_what_named_tasks_start_is_told_apart() -> None:
    async def child(seen: list[str]) -> None:
        seen.append(family())

    async def main() -> list[str]:
        loop, seen = asyncio.get_running_loop(), list[str]()

        async def parent() -> None:
            await asyncio.get_running_loop().create_task(child(seen))

        for name in ("a", "a", "b"):
            loop.create_task(parent(), name=name)
        loop.create_task(parent())
        await settle()
        return seen

    first, second, third, outside = simulate(main())
    assert [each.partition("#")[0] for each in (first, second, third)] == ["a", "a", "b"]
    assert len({first, second, third, outside}) == 4


def test_a_set_of_tasks_has_an_order() -> None:
    async def main() -> list[list[int]]:
        loop = asyncio.get_running_loop()
        orders = []
        for _ in range(5):
            tasks = [loop.create_task(asyncio.sleep(0)) for _ in range(20)]
            orders.append([tasks.index(task) for task in set(tasks)])
            await asyncio.wait(tasks)
        return orders

    assert simulate(main()) == simulate(main())
