"""What the blocks of an index (`index.blocks.*`) forbid. Pure."""

from collections.abc import Iterable
from enum import Enum, auto
from typing import Final, NamedTuple

from sealane.cluster.metadata import IndexMetadata
from sealane.errors import ClusterBlock


class Level(Enum):
    """What is about to be done to an index."""

    READ = auto()
    WRITE = auto()
    METADATA_READ = auto()
    METADATA_WRITE = auto()
    DELETE = auto()


class _Block(NamedTuple):
    setting: str
    shown: str
    levels: frozenset[Level]
    status: int = 403


_BLOCKS: Final = (
    _Block(
        "read_only",
        "FORBIDDEN/5/index read-only (api)",
        frozenset({Level.WRITE, Level.METADATA_WRITE, Level.DELETE}),
    ),
    _Block("read", "FORBIDDEN/7/index read (api)", frozenset({Level.READ})),
    _Block("write", "FORBIDDEN/8/index write (api)", frozenset({Level.WRITE})),
    _Block(
        "metadata",
        "FORBIDDEN/9/index metadata (api)",
        frozenset({Level.METADATA_READ, Level.METADATA_WRITE, Level.DELETE}),
    ),
    _Block(
        "read_only_allow_delete",
        "TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has "
        "read-only-allow-delete block; for more information, see "
        "https://www.elastic.co/guide/en/elasticsearch/reference/8.19/fix-watermark-errors.html",
        frozenset({Level.WRITE}),
        429,
    ),
)
LIFTING: Final = frozenset(
    f"index.blocks.{name}" for name in ("read_only", "read_only_allow_delete", "metadata")
)
"""Settings whose change is let through whatever is blocked, or a block could not be lifted."""


def check_blocks(indices: Iterable[IndexMetadata], level: Level) -> None:
    """Raises ClusterBlock naming every index that a block keeps from this."""
    texts: list[str] = []
    statuses: set[int] = set()
    for index in indices:
        hit = [b for b in _BLOCKS if b.setting in index.blocks and level in b.levels]
        if hit:
            shown = ", ".join(block.shown for block in hit)
            texts.append(f"index [{index.name}] blocked by: [{shown}];")
            statuses.update(block.status for block in hit)
    if texts:
        error = ClusterBlock("".join(texts))
        # 429 invites to try again, which is of no use while another block stands beside it.
        error.status = min(statuses)
        raise error
