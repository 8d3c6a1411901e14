"""Reader contexts: views that searches have pinned, each with how long it may idle, and a limit on their number.

A context is named by the engine's session and a number, so that one of before a restart is never taken for another.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sealane.clock import Ids
from sealane.engine.embedded.view import ShardView
from sealane.errors import Rejected, SearchContextMissing

MAX_OPEN = 5_000
KEEP_ALIVE_S = 300.0


@dataclass(slots=True)
class _Held:
    view: ShardView
    keep_alive_s: float
    used_s: float
    on_close: Callable[[str], None] | None


class ReaderContexts:
    """Times are the loop's, in seconds."""

    def __init__(self, ids: Ids) -> None:
        self._session = ids.new()
        self._last = 0
        self._open: dict[str, _Held] = {}

    def __len__(self) -> int:
        return len(self._open)

    def open(
        self,
        view: ShardView,
        now: float,
        *,
        keep_alive_s: float = KEEP_ALIVE_S,
        on_close: Callable[[str], None] | None = None,
    ) -> str:
        """`on_close` is told the context's id once, however it ends. Raises Rejected when there are too many."""
        self.expire(now)
        if len(self._open) >= MAX_OPEN:
            raise Rejected(
                f"Trying to create too many search contexts. Must be less than or equal to: [{MAX_OPEN}]."
            )
        self._last += 1
        reader = f"{self._session}:{self._last}"
        self._open[reader] = _Held(view, keep_alive_s, now, on_close)
        return reader

    def view(self, reader: str, index_uuid: str, shard: int, now: float) -> ShardView:
        """The pinned view, which stays a while longer for it.

        Raises SearchContextMissing, also where it is one of another shard: names of contexts can be guessed, and who
        may read one index may not read all.
        """
        held = self._open.get(reader)
        if held is not None and (held.view.index_uuid, held.view.shard) != (index_uuid, shard):
            raise _missing(reader)
        return self._used(reader, now).view

    def touch(self, reader: str, now: float, keep_alive_s: float) -> None:
        """From now on the context may idle for so long. Raises SearchContextMissing."""
        self._used(reader, now).keep_alive_s = keep_alive_s

    def close(self, reader: str) -> bool:
        held = self._open.pop(reader, None)
        if held is None:
            return False
        if held.on_close is not None:
            held.on_close(reader)
        return True

    def forget_index(self, index_uuid: str) -> None:
        for reader in [r for r, held in self._open.items() if held.view.index_uuid == index_uuid]:
            self.close(reader)

    def expire(self, now: float) -> None:
        """Closes those that have idled too long."""
        stale = [r for r, held in self._open.items() if now - held.used_s > held.keep_alive_s]
        for reader in stale:
            self.close(reader)

    def _used(self, reader: str, now: float) -> _Held:
        held = self._open.get(reader)
        if held is None or now - held.used_s > held.keep_alive_s:
            self.close(reader)
            raise _missing(reader)
        held.used_s = now
        return held


def _missing(reader: str) -> SearchContextMissing:
    return SearchContextMissing(f"No search context found for id [{reader.rpartition(':')[2]}]")
