"""The threads that hash passwords, and their queue."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from sealane.errors import Rejected
from sealane.security.stores.hashing import Hashing
from sealane.security.stores.passwords import KEY_ALGORITHMS, PASSWORD_ALGORITHMS


@pytest.fixture
async def hashing() -> AsyncIterator[Hashing]:
    made = Hashing(PASSWORD_ALGORITHMS["pbkdf2_1000"], threads=1, queue_max=2)
    yield made
    made.close()


async def test_a_full_queue_rejects_and_lets_nobody_pass(hashing: Hashing) -> None:
    hashed = await hashing.make("secret-1")
    held = threading.Event()
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(hashing._run(held.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        assert hashing.pending == 2
        for check in (hashing.verify("secret-1", hashed), hashing.verify_nobody("x")):
            with pytest.raises(Rejected) as caught:
                await check
            assert caught.value.status == 429
        held.set()
    assert all(each.result() for each in waiting)
    assert (hashing.pending, hashing.rejected) == (0, 2)
    assert await hashing.verify("secret-1", hashed)


async def test_work_counts_until_a_thread_has_done_it(hashing: Hashing) -> None:
    """A caller who goes does not make room for another while the work goes on."""
    begun, held = threading.Event(), threading.Event()

    def work() -> bool:
        begun.set()
        return held.wait()

    async with asyncio.TaskGroup() as group:
        running = group.create_task(hashing._run(work))
        await asyncio.get_running_loop().run_in_executor(None, begun.wait)
        running.cancel()
        await asyncio.sleep(0)
        assert hashing.pending == 1
        held.set()
    await hashing.make("x")  # the one thread is free again
    assert hashing.pending == 0


async def test_fast_hashes_need_no_thread(hashing: Hashing) -> None:
    hashed = await hashing.make("secret", KEY_ALGORITHMS["ssha256"])
    hashing.close()
    assert await hashing.verify("secret", hashed)
    assert not await hashing.verify("other", hashed)
