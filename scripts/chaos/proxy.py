"""A proxy between the coordinator and one remote that can be cut, slowed and stalled. Its port stays the same."""

import asyncio
from contextlib import suppress

from sealane.transport import TaskScope


class Proxy:
    """Passes bytes to `target`, which may change: a node that was restarted has another port."""

    def __init__(self) -> None:
        self.target = ("127.0.0.1", 0)
        self.delay_s = 0.0
        self.refuses = False
        self._flowing = asyncio.Event()
        self._flowing.set()
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

    def stall(self) -> None:
        """Takes what comes and passes nothing on, as a link that drops packets does."""
        self._flowing.clear()

    def heal(self) -> None:
        self.delay_s = 0.0
        self.refuses = False
        self._flowing.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
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
                group.create_task(self._pump(reader, there))
                group.create_task(self._pump(there_reader, writer))
        finally:
            self._open -= {writer, there}
            for each in (writer, there):
                each.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
