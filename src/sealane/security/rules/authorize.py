"""The one question every route and every inbound action asks before it runs.

With security off every subject may do everything; the decision already has the shape that limits will need.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sealane.model.security import Subject


@dataclass(frozen=True, slots=True)
class IndexLimits:
    """What a subject may see of one index: queries that are or-ed (JSON) and field patterns. None is no limit."""

    queries: tuple[bytes, ...] | None = None
    fields: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """`limits` by index expression; an index not named there has none."""

    granted: bool
    reason: str = ""
    limits: Mapping[str, IndexLimits] = field(default_factory=dict)


ALLOWED = Decision(granted=True)


def authorize(subject: Subject, action: str, indices: Sequence[str]) -> Decision:
    """Whether `subject` may run `action` (`indices:data/read/search`) on `indices` (expressions, before resolving)."""
    return ALLOWED
