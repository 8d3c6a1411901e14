"""The owner of background tasks."""

import asyncio

import pytest

from sealane.transport import TaskScope


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
