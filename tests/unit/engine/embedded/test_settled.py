"""A caller that is cancelled leaves when its job has ended, and takes what became of it along."""

import asyncio
import gc

from sealane.engine.embedded.index import settled


async def test_an_error_that_comes_with_the_cancellation_is_not_left_lying() -> None:
    loop = asyncio.get_running_loop()
    complaints: list[object] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    for fails_first in (True, False):
        future: asyncio.Future[None] = loop.create_future()
        task = loop.create_task(settled(future))
        await asyncio.sleep(0)
        if fails_first:
            future.set_exception(ValueError("too late"))
            # The error is on its way to the task when that is cancelled.
            loop.call_soon(task.cancel)
        else:
            task.cancel()
            await asyncio.sleep(0)
            future.set_exception(ValueError("too late"))
        await asyncio.wait({task})
        assert task.cancelled()
        del future, task
    gc.collect()
    await asyncio.sleep(0)
    assert not complaints


async def test_a_cancelled_caller_leaves_only_when_the_job_has_ended() -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.get_running_loop().create_task(settled(future))
    await asyncio.sleep(0)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
    future.set_result(1)
    await asyncio.wait({task})
    assert task.cancelled()
