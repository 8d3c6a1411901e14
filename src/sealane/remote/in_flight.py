"""How many requests one remote has under way: a slow cluster must not fill this node's memory with requests that wait
for it.
"""

from types import TracebackType

from sealane.errors import Rejected


class InFlight:
    """A counter of one remote. `enter` gives the place of one request, to be used in `with`."""

    def __init__(
        self, alias: str, *, what: str = "a request", setting: str = "max_in_flight_requests"
    ) -> None:
        """`what` is counted; `setting` of the remote is where its limit comes from, empty where it is none."""
        self._alias = alias
        self._what = what
        self._setting = f"cluster.remote.{alias}.{setting}: " if setting else ""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def enter(self, limit: int) -> "InFlight":
        """Takes a place. Raises Rejected where `limit` are taken."""
        if self._count >= limit:
            raise Rejected(
                f"rejected execution of {self._what} to remote cluster [{self._alias}]: [{self._count}] are under way, "
                f"the limit is [{self._setting}{limit}]"
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
