"""`pit` and `slice` of a search body, as plain data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PointInTime:
    """The view that a search is made on. `keep_alive_ms` is how long it is wanted from now on, None as before."""

    id: str
    keep_alive_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The part `id` of `max` parts of the documents. -1 is what the reference takes for one that is not given.

    Without a `field` the parts are runs of documents in their order.
    """

    id: int = -1
    max: int = -1
    field: str | None = None
