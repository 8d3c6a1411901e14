"""A layer-4 proxy on loopback that counts its connections and can cut them."""

import asyncio
from contextlib import suppress

from sealane.model.node import Address


class Forwarder:
    """Passes bytes between whoever connects and `target`. `stop` refuses, `start` is back on the
    same port."""

    def __init__(self, target: Address) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._port = 0
        self._writers: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.accepted = 0

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self._port)

    @property
    def open(self) -> int:
        return len(self._writers)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuses from now on, and cuts what is open."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut(len(self._writers))
        while self._tasks:
            await asyncio.wait(self._tasks)

    def cut(self, count: int) -> None:
        """Resets `count` of the open connections."""
        for pair in self._writers[:count]:
            for writer in pair:
                writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.accepted += 1
        there = await asyncio.open_connection(self._target.host, self._target.port)
        pair = (writer, there[1])
        self._writers.append(pair)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, there[1]))
                group.create_task(_pump(there[0], writer))
        finally:
            self._writers.remove(pair)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
