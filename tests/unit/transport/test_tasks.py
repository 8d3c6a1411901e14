"""The owner of background tasks."""

import asyncio

import pytest

from sealane.testing.simulation import in_virtual_time
from sealane.transport import TaskScope
from sealane.transport.tasks import run_together


async def test_closing_cancels_and_waits() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("yes")

    async with TaskScope("test") as scope:
        scope.start(work())
        await asyncio.sleep(0)
        assert len(scope) == 1
    assert ended == ["yes"]
    assert len(scope) == 0


async def test_an_unexpected_error_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        raise KeyError("lost")

    async with TaskScope("test") as scope:
        task = scope.start(work(), name="worker")
        await asyncio.wait({task})
        await asyncio.sleep(0)
    assert "background task failed [test][worker]" in caplog.text
    assert "KeyError" in caplog.text


async def test_a_closed_scope_starts_nothing() -> None:
    scope = TaskScope("test")
    await scope.close()
    await scope.close()

    async def work() -> None:
        """Never runs."""

    with pytest.raises(RuntimeError, match="is closed"):
        scope.start(work())


async def test_a_task_may_close_its_own_scope() -> None:
    scope = TaskScope("test")

    async def work() -> str:
        await scope.close()
        return "closed"

    assert await scope.start(work()) == "closed"


@in_virtual_time
async def test_a_task_that_loses_its_cancel_is_cancelled_again() -> None:
    lost = 0

    async def work() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
                if lost == 3:
                    raise

    scope = TaskScope("test")
    scope.start(work())
    await asyncio.sleep(0)
    await scope.close()
    assert lost == 3


async def test_what_runs_together_ends_together() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("waited")

    async def fail() -> None:
        await asyncio.sleep(0)
        raise KeyError("first")

    with pytest.raises(KeyError, match="first"):
        await run_together([wait(), fail(), wait()])
    assert ended == ["waited", "waited"]


@pytest.mark.parametrize("members", [1, 2])
@pytest.mark.parametrize("steps", range(8))
async def test_a_cancel_wins_over_an_error_of_the_same_moment(members: int, steps: int) -> None:
    """Whenever it comes: who retries on errors would otherwise never end."""
    retried = 0

    async def fail() -> None:
        await asyncio.sleep(0)
        raise OSError("refused")

    async def retry() -> None:
        nonlocal retried
        while True:
            try:
                await run_together([fail() for _ in range(members)])
            except OSError:
                retried += 1

    async with TaskScope("test") as scope:
        task = scope.start(retry())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=1)
        assert done == {task}
        assert task.cancelled()


async def test_an_error_leaves_the_timeout_around_it_alone() -> None:
    """The caller does not stay counted as cancelled."""

    async def fail() -> None:
        raise OSError("refused")

    async def fail_then_wait() -> None:
        async with asyncio.timeout(0.001):
            with pytest.raises(OSError, match="refused"):
                await run_together([fail(), fail()])
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await fail_then_wait()
