"""Reader contexts: views that searches have pinned, with a limit on their number and on how long they idle."""

from sealane.clock import Ids
from sealane.engine.embedded.view import ShardView
from sealane.errors import Rejected, SearchContextMissing

MAX_OPEN = 500
KEEP_ALIVE_S = 300.0


class ReaderContexts:
    """Times are the loop's, in seconds."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._open: dict[str, tuple[ShardView, float]] = {}

    def __len__(self) -> int:
        return len(self._open)

    def open(self, view: ShardView, now: float) -> str:
        """Raises Rejected when there are too many."""
        self.expire(now)
        if len(self._open) >= MAX_OPEN:
            raise Rejected(
                f"Trying to create too many search contexts. Must be less than or equal to: [{MAX_OPEN}]."
            )
        reader = self._ids.new()
        self._open[reader] = (view, now)
        return reader

    def view(self, reader: str, now: float) -> ShardView:
        """The pinned view, which stays a while longer for it. Raises SearchContextMissing."""
        held = self._open.get(reader)
        if held is None:
            raise SearchContextMissing(f"No search context found for id [{reader}]")
        self._open[reader] = (held[0], now)
        return held[0]

    def close(self, reader: str) -> bool:
        return self._open.pop(reader, None) is not None

    def forget_index(self, index_uuid: str) -> None:
        for reader in [r for r, (view, _) in self._open.items() if view.index_uuid == index_uuid]:
            del self._open[reader]

    def expire(self, now: float) -> None:
        """Closes those not used for KEEP_ALIVE_S."""
        stale = [r for r, (_, used) in self._open.items() if now - used > KEEP_ALIVE_S]
        for reader in stale:
            del self._open[reader]
