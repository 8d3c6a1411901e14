"""Who waits for a shard's checkpoint. Nothing runs while they wait: each write looks whether somebody does."""

import asyncio

from sealane.errors import ApiError


class CheckpointWaiters:
    """One index's. Lives on the loop."""

    def __init__(self) -> None:
        self._waiting: dict[int, list[tuple[int, asyncio.Future[None]]]] = {}
        """By shard: the number that is waited for, and by whom."""

    @property
    def shards(self) -> list[int]:
        """Those that somebody waits for."""
        return list(self._waiting)

    def reached(self, shard: int, checkpoint: int) -> None:
        """Lets go of those who wait for it or for less."""
        for seq_no, future in self._waiting.get(shard, ()):
            if seq_no <= checkpoint and not future.done():
                future.set_result(None)

    def end(self, error: ApiError) -> None:
        """Raises `error` in all who wait."""
        for waiting in self._waiting.values():
            for _, future in waiting:
                if not future.done():
                    future.set_exception(error)

    async def wait(self, shard: int, seq_no: int, timeout_s: float) -> None:
        """Returns when the checkpoint has reached `seq_no`, or when the time is over."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        entry = (seq_no, future)
        self._waiting.setdefault(shard, []).append(entry)
        timer = loop.call_later(timeout_s, _give_up, future)
        try:
            await future
        finally:
            timer.cancel()
            waiting = self._waiting[shard]
            waiting.remove(entry)
            if not waiting:
                del self._waiting[shard]


def _give_up(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
