"""A plain HTTP client that can leave in the middle of a request."""

import asyncio
import json
import re
from typing import Any, NamedTuple

ANSWER_WITHIN_S = 60.0
"""A request that takes longer hangs."""
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class Answer(NamedTuple):
    status: int
    body: Any


async def ask(
    address: str, method: str, target: str, body: Any = None, *, leave_after_s: float | None = None
) -> Answer:
    """One request on a connection of its own; a body of bytes is NDJSON. Raises TimeoutError for one that hangs, and
    when the client leaves, ConnectionError where the whole answer does not come.
    """
    host, _, port = address.rpartition(":")
    is_lines = isinstance(body, bytes)
    sent = b"" if body is None else body if is_lines else json.dumps(body).encode()
    lines = [
        f"{method} {target} HTTP/1.1",
        f"Host: {address}",
        "Connection: close",
        f"Content-Length: {len(sent)}",
    ]
    if sent:
        kind = "x-ndjson" if is_lines else "json"
        lines.append(f"Content-Type: application/{kind}")
    within_s = ANSWER_WITHIN_S if leave_after_s is None else leave_after_s
    async with asyncio.timeout(within_s):
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode() + sent)
            return parsed(await reader.read())
        finally:
            writer.close()


def parsed(data: bytes) -> Answer:
    """Raises ConnectionResetError where it is not whole."""
    head, end, body = data.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    if not end or (length is not None and len(body) < int(length[1])):
        raise ConnectionResetError("the answer ends before its end")
    status = int(head.split()[1])
    try:
        return Answer(status, json.loads(body))
    except ValueError:
        return Answer(status, body.decode(errors="replace"))
