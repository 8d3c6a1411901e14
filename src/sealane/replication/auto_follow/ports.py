"""What auto-following needs of what is around it."""

from contextlib import AbstractContextManager
from typing import Protocol

from sealane.model.followers import FollowAnswer, FollowRequest
from sealane.model.task import Context


class Follows(Protocol):
    async def follow(self, request: FollowRequest, ctx: Context) -> FollowAnswer:
        """Begins to follow one index, as the API of the same name does."""


class Contexts(Protocol):
    """Requests on behalf of whoever put a rule."""

    def asking_as(
        self, subject: str, action: str, *, timeout_s: float | None = None
    ) -> AbstractContextManager[Context]:
        """`subject` is encoded as it was stored. A task that is there inside the block, and is cancelled with it."""
