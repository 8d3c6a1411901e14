"""A proxy between a cluster and one remote that can be cut, slowed, stalled and torn. Its port stays the same."""

import asyncio
from contextlib import suppress
from typing import Final

from sealane.transport import TaskScope

_LONG: Final = 8 << 10
"""Operations that are copied; what is about an index is shorter, and nothing but TCP and TLS guards that."""


class Proxy:
    """Passes bytes to `target`, which may change: a node that was restarted has another port."""

    def __init__(self) -> None:
        self.target = ("127.0.0.1", 0)
        self.delay_s = 0.0
        self.refuses = False
        self.tears = False
        """Whether the next that comes back is passed on by half, and its connection is ended then."""
        self.flips = False
        """Whether one bit of the next that comes back, if it is long, is another."""
        self._asks, self._answers = asyncio.Event(), asyncio.Event()
        self._asks.set()
        self._answers.set()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._scope = TaskScope("proxy")
        self.address = ""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await self._scope.close()

    @property
    def connections(self) -> int:
        return len(self._open) // 2

    def cut(self) -> None:
        """Resets all that is open."""
        for writer in self._open:
            writer.transport.abort()

    def stall(self, *, asks: bool = True, answers: bool = True) -> None:
        """Takes what comes and passes nothing on, as a link that drops packets does: what goes to the target, what
        comes back, or both.
        """
        if asks:
            self._asks.clear()
        if answers:
            self._answers.clear()

    def heal(self) -> None:
        self.delay_s = 0.0
        self.refuses = self.tears = self.flips = False
        self._asks.set()
        self._answers.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._server is not None
        if not self._server.is_serving():
            writer.transport.abort()  # accepted just before the end
            return
        self._scope.start(self._serve(reader, writer))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            writer.transport.abort()
            return
        try:
            there_reader, there = await asyncio.open_connection(*self.target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, there}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, there, self._asks))
                group.create_task(self._pump(there_reader, writer, self._answers))
        finally:
            self._open -= {writer, there}
            for each in (writer, there):
                each.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flowing: asyncio.Event
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                await flowing.wait()
                if flowing is self._answers:
                    data, goes_on = self._damaged(data)
                    if not goes_on:
                        writer.write(data)
                        break
                writer.write(data)
                await writer.drain()
        writer.close()

    def _damaged(self, data: bytes) -> tuple[bytes, bool]:
        """What is passed on instead, and whether anything is after it."""
        if self.tears:
            self.tears = False
            return data[: len(data) // 2], False
        if self.flips and len(data) >= _LONG:
            self.flips = False
            middle = len(data) // 2
            return data[:middle] + bytes([data[middle] ^ 4]) + data[middle + 1 :], True
        return data, True
