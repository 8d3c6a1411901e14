"""The only source of wall time, randomness and ids. Both are handed in, so that a test can own them."""

import base64
import os
import time
from typing import Final, Protocol

_ID_BYTES: Final = 15
_IDS_AT_ONCE: Final = 100


class Clock(Protocol):
    def now_ms(self) -> int:
        """Wall time, milliseconds since 1970-01-01T00:00Z."""


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class Ids(Protocol):
    def new(self) -> str:
        """A fresh id of 22 characters, URL-safe base64 of 16 random bytes: uuids of clusters, indices, nodes."""

    def document(self) -> str:
        """A fresh document id of 20 characters."""


class RandomIds:
    """Safe from any thread. Document ids are made many at a time: asking the system for each lets other threads in,
    which may take milliseconds.
    """

    def __init__(self) -> None:
        self._documents: list[str] = []

    def new(self) -> str:
        return base64.urlsafe_b64encode(os.urandom(16)).decode("ascii").rstrip("=")

    def document(self) -> str:
        try:
            return self._documents.pop()
        except IndexError:
            made = _document_ids(_IDS_AT_ONCE)
            found = made.pop()
            self._documents.extend(made)
            return found


def _document_ids(count: int) -> list[str]:
    """Base64 makes four characters of each three bytes, so ids behind each other are those of one text."""
    text = base64.urlsafe_b64encode(os.urandom(_ID_BYTES * count)).decode("ascii")
    size = len(text) // count
    return [text[at : at + size] for at in range(0, len(text), size)]
