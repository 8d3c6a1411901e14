"""On whose behalf the leader is asked: whoever began to follow, as it was stored with the follower.

Nothing is ever asked as the node itself for want of a user: what was stored and cannot be read is an error.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, TypeVar

from sealane.clock import Clock
from sealane.errors import ApiError, IndexNotFound, ReceiveTimeout
from sealane.model.replication import LeaderIndex
from sealane.model.security import ANONYMOUS, Subject
from sealane.model.task import Context, TaskRegistry
from sealane.remote.transport.messages_replication import NAME_MAX_BYTES
from sealane.replication.feed import ChangeFeed
from sealane.replication.follower.failures import is_outage

T = TypeVar("T")
_CONNECTED_S: Final = 3.0
"""Somewhat longer than the pause between two attempts to connect to a remote that was there before."""
_AGAIN_S: Final = 0.25
_SUBJECTS_MAX: Final = 1000
"""Whose stored form is remembered: a subject that comes as the same object costs no new headers."""


class Askings:
    """Makes the contexts of all background requests to leaders. `decode` reads a stored subject, and raises
    IllegalArgument for what is none.
    """

    def __init__(
        self, tasks: TaskRegistry, clock: Clock, *, decode: Callable[[str], Subject]
    ) -> None:
        self._tasks = tasks
        self._clock = clock
        self._decode = decode
        self._subjects: dict[str, Subject] = {}

    @contextmanager
    def asking_as(
        self, subject: str, action: str, *, timeout_s: float | None = None, description: str = ""
    ) -> Iterator[Context]:
        """A task that is there inside the block, and is cancelled with it. Raises IllegalArgument for a `subject` that
        cannot be read.
        """
        whose = self._subject(subject)
        now_ms = self._clock.now_ms()
        deadline = None
        if timeout_s is not None:
            deadline = asyncio.get_running_loop().time() + timeout_s
        with self._tasks.start(action, start_ms=now_ms, description=description) as task:
            try:
                yield Context(task=task, subject=whose, deadline=deadline, start_ms=now_ms)
            except asyncio.CancelledError:
                task.cancel("the follower does not ask any more")
                raise

    def on_behalf(self, subject: str, description: str = "") -> "OnBehalf":
        return OnBehalf(self, subject, description)

    def _subject(self, text: str) -> Subject:
        if not text:
            return ANONYMOUS
        known = self._subjects.get(text)
        if known is None:
            if len(self._subjects) >= _SUBJECTS_MAX:
                self._subjects.clear()
            known = self._subjects[text] = self._decode(text)
        return known


class OnBehalf:
    """Implements Asking for one follower."""

    def __init__(self, askings: Askings, subject: str, description: str) -> None:
        self._askings = askings
        self._subject = subject
        self._description = description

    def asking(
        self, action: str, *, timeout_s: float | None = None
    ) -> AbstractContextManager[Context]:
        return self._askings.asking_as(
            self._subject, action, timeout_s=timeout_s, description=self._description
        )


async def answered_within(answer: Awaitable[T], timeout_s: float, action: str) -> T:
    """The answer. Raises ReceiveTimeout where it does not come in time."""
    try:
        async with asyncio.timeout(timeout_s):
            return await answer
    except TimeoutError as late:
        raise ReceiveTimeout(f"[{action}] has not been answered in [{timeout_s:g}s]") from late


async def leader_of(feed: ChangeFeed, name: str, ctx: Context) -> LeaderIndex:
    """What a user wants to follow. A remote that cannot be reached may have been restarted a moment ago: it is asked
    again for a while. Raises as `ChangeFeed.index`, and IndexNotFound for what cannot be the name of an index.
    """
    if not name or len(name.encode("utf-8", "surrogatepass")) > NAME_MAX_BYTES:
        raise IndexNotFound(name)
    until = asyncio.get_running_loop().time() + _CONNECTED_S
    while True:
        try:
            return await feed.index(name, ctx)
        except ApiError as error:
            if not is_outage(error) or asyncio.get_running_loop().time() > until:
                raise
        await asyncio.sleep(_AGAIN_S)
