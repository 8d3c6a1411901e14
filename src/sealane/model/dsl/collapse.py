"""`collapse`: one hit for each value of a field, and what is shown of the others."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupHits:
    """One `inner_hits` of a collapse: the hits of a group, found by a search of its own.

    `search` is that search's body without its query, as JSON.
    """

    name: str
    search: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Collapse:
    """`max_concurrent` limits how many of the searches for inner hits run at a time; 0 leaves it to the node."""

    field: str
    inner_hits: tuple[GroupHits, ...] = ()
    max_concurrent: int = 0
