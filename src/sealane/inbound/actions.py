"""The table of inbound actions, and the one path from a frame's payload to its answer.

Every action says how its request is read and which indices it names, so none can be answered
without being authorized.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from sealane.model.access import bound
from sealane.model.task import Context
from sealane.security.rules import Authorize

R = TypeVar("R")

Handler = Callable[[bytes, Context], Awaitable[bytes]]


class Registrar(Protocol):
    """Where handlers are registered by action name: the transport service."""

    def register(self, action: str, handler: Handler) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Generic[R]):
    """One action that other nodes may ask for.

    `read` turns the payload into a request and raises IllegalArgument for a malformed one;
    `indices` are the expressions it names, before resolving, empty for an action on the cluster;
    `answer` runs it.
    """

    name: str
    read: Callable[[bytes], R]
    indices: Callable[[R], Sequence[str]]
    answer: Callable[[R, Context], Awaitable[bytes]]

    def handler(self, authorize: Authorize) -> Handler:
        """Reads, authorizes, answers with the rights of whoever asks, in this order."""

        async def handle(payload: bytes, ctx: Context) -> bytes:
            request = self.read(payload)
            access = authorize(ctx.subject, self.name, self.indices(request))
            if access is None:
                return await self.answer(request, ctx)
            with bound(access):
                return await self.answer(request, ctx)

        return handle


def register_actions(
    registrar: Registrar, actions: Iterable[Action[R]], authorize: Authorize
) -> None:
    """Registers each action's handler. Names must be new to the registrar."""
    for action in actions:
        registrar.register(action.name, action.handler(authorize))
