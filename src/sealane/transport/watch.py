"""What a connect attempt tells whoever watches it: which step begins, and what was learnt in it.

An attempt that is watched is the same as any other. What is made of it is the watcher's business.
"""

from enum import StrEnum
from typing import Final, Protocol


class Step(StrEnum):
    """The steps of a connect attempt, in their order. TLS is missing where none is spoken."""

    RESOLVE = "resolve"
    TCP = "tcp"
    TLS = "tls"
    HANDSHAKE = "handshake"
    NAME = "name"
    VERSION = "version"
    NODES = "nodes"


class Watch(Protocol):
    def begin(self, step: Step) -> None:
        """The step before it, if any, has succeeded. An attempt that tries another form of the
        handshake begins with TCP again."""

    def learn(self, detail: str) -> None:
        """Something about the step that runs, for people."""


class _Unwatched:
    def begin(self, step: Step) -> None:
        """Nobody wants to know."""

    def learn(self, detail: str) -> None:
        """Nobody wants to know."""


UNWATCHED: Final[Watch] = _Unwatched()
