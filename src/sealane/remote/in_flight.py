"""How many requests one remote has under way: a slow cluster must not fill this node's memory with requests that wait
for it.
"""

from types import TracebackType

from sealane.errors import Rejected


class InFlight:
    """A counter of one remote. `enter` gives the place of one request, to be used in `with`."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def enter(self, limit: int) -> "InFlight":
        """Takes a place. Raises Rejected where `limit` are taken."""
        if self._count >= limit:
            raise Rejected(
                f"rejected execution of a request to remote cluster [{self._alias}]: [{self._count}] are under way, "
                f"the limit is [cluster.remote.{self._alias}.max_in_flight_requests: {limit}]"
            )
        self._count += 1
        return self

    def __enter__(self) -> None:
        """The place was taken by `enter`."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._count -= 1
