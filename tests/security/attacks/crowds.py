"""Many sockets that say little or nothing, kept open by a test."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sealane.transport.descriptors import allow_open_files


@asynccontextmanager
async def crowd(port: int, size: int, says: bytes = b"") -> AsyncIterator[Sequence[socket.socket]]:
    """`size` sockets, each of which has sent `says`."""
    allow_open_files()
    loop = asyncio.get_running_loop()
    sockets: list[socket.socket] = []
    try:
        for _ in range(size):
            one = socket.socket()
            one.setblocking(False)
            sockets.append(one)
            await loop.sock_connect(one, ("127.0.0.1", port))
            if says:
                await loop.sock_sendall(one, says)
        yield sockets
    finally:
        for one in sockets:
            one.close()


async def until_closed(sockets: Sequence[socket.socket]) -> None:
    """Reads each of them to its end; the test's own timeout ends a wait in vain."""
    loop = asyncio.get_running_loop()
    for one in sockets:
        try:
            while await loop.sock_recv(one, 65536):
                pass
        except ConnectionError:
            pass
