"""Whose reader contexts are, so that nobody reads on in somebody else's.

The name of a context can be guessed by who has had one of the same node. One of another subject is as good as gone.
"""

from sealane.errors import SearchContextMissing
from sealane.model.task import Context


class ContextOwners:
    """By the context's name, as long as it is open."""

    def __init__(self) -> None:
        self._owners: dict[str, tuple[str, ...]] = {}

    def claim(self, context: str, ctx: Context) -> None:
        """It was opened on behalf of the context's subject."""
        self._owners[context] = ctx.subject.key

    def forget(self, context: str) -> None:
        self._owners.pop(context, None)

    def owns(self, context: str, ctx: Context) -> bool:
        return self._owners.get(context) == ctx.subject.key

    def check(self, context: str, ctx: Context) -> None:
        """Raises SearchContextMissing unless the subject has opened it."""
        if not self.owns(context, ctx):
            raise missing(context)


def missing(context: str) -> SearchContextMissing:
    return SearchContextMissing(f"No search context found for id [{context.rpartition(':')[2]}]")
