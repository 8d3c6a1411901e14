"""What the shards of scrolls remember beside their reader contexts: the request, and the last document handed out.

A scroll has to be told no more than its id, so its shards know the rest. A page begins strictly after the sort values
of the last document of the shard that a page has shown, which is the reason why a scroll sorts by `_doc` in the end.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sealane.errors import TooManyScrollContexts
from sealane.model.dsl import SearchBody
from sealane.reduce.partial import SortValue
from sealane.remote.transport.messages_phases import QueryRequest, ShardTarget
from sealane.search.context_owners import missing


@dataclass(slots=True)
class ScrollCursor:
    """One shard of a scroll. `target` has its context, `after` is None before the first page has been fetched."""

    target: ShardTarget
    request: QueryRequest
    body: SearchBody
    after: tuple[SortValue, ...] | None = None

    def page(self) -> SearchBody:
        """The body of the next page: without aggregations, which are the first one's."""
        if self.after is None:
            return replace(self.body, aggs=())
        place = b" after " + repr(self.after).encode()
        return replace(
            self.body, raw=self.body.raw + place, aggs=(), search_after=tuple(self.after)
        )


class ScrollCursors:
    """The cursors by their contexts, which end with them."""

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._cursors: dict[str, ScrollCursor] = {}

    def __len__(self) -> int:
        return len(self._cursors)

    def check_room(self) -> None:
        """Raises TooManyScrollContexts."""
        limit = self._limit()
        if len(self._cursors) >= limit:
            raise TooManyScrollContexts(limit)

    def keep(self, context: str, cursor: ScrollCursor) -> None:
        self._cursors[context] = cursor

    def forget(self, context: str) -> None:
        self._cursors.pop(context, None)

    def find(self, context: str) -> ScrollCursor:
        """Raises SearchContextMissing."""
        cursor = self._cursors.get(context)
        if cursor is None:
            raise missing(context)
        return cursor

    def advance(self, context: str, after: Sequence[SortValue]) -> None:
        """The next page begins behind these sort values. A context that is gone has none."""
        cursor = self._cursors.get(context)
        if cursor is not None:
            cursor.after = tuple(after)

    @property
    def contexts(self) -> list[str]:
        return list(self._cursors)
