"""A plain HTTP client that can leave in the middle of a request."""

import asyncio
import json
from typing import Any, NamedTuple

ANSWER_WITHIN_S = 60.0
"""A request that takes longer hangs."""


class Answer(NamedTuple):
    status: int
    body: Any


async def ask(
    address: str, method: str, target: str, body: Any = None, *, leave_after_s: float | None = None
) -> Answer:
    """One request on a connection of its own. Raises TimeoutError for one that hangs, and when the client leaves."""
    host, _, port = address.rpartition(":")
    sent = b"" if body is None else json.dumps(body).encode()
    lines = [
        f"{method} {target} HTTP/1.1",
        f"Host: {address}",
        "Connection: close",
        f"Content-Length: {len(sent)}",
    ]
    if sent:
        lines.append("Content-Type: application/json")
    within_s = ANSWER_WITHIN_S if leave_after_s is None else leave_after_s
    async with asyncio.timeout(within_s):
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode() + sent)
            return _parsed(await reader.read())
        finally:
            writer.close()


def _parsed(data: bytes) -> Answer:
    head, _, body = data.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    try:
        return Answer(status, json.loads(body))
    except ValueError:
        return Answer(status, body.decode(errors="replace"))
