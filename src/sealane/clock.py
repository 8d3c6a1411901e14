"""The only source of wall time, randomness and ids. Both are handed in, so that a test can own them."""

import base64
import os
import time
from typing import Protocol


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
    def new(self) -> str:
        return base64.urlsafe_b64encode(os.urandom(16)).decode("ascii").rstrip("=")

    def document(self) -> str:
        return base64.urlsafe_b64encode(os.urandom(15)).decode("ascii")
