"""Which shards of an index a search asks: all, those that a routing leads to, those that a preference names."""

from collections.abc import Sequence
from typing import Final

from sealane.cluster.resolve import ResolvedIndex
from sealane.engine.embedded.routing import routing_shards, shard_of

_SHARDS: Final = "_shards:"


def shards_asked(
    index: ResolvedIndex, routing: Sequence[str], preference: str | None
) -> Sequence[int]:
    """`preference` may be `_shards:0,2|...`; whatever else it says chooses among copies, and there is one."""
    found: Sequence[int] = range(index.shards)
    if routing:
        total = routing_shards(index.shards, index.metadata.settings)
        found = sorted({shard_of(each, index.shards, total) for each in routing})
    if preference is not None and preference.startswith(_SHARDS):
        named = preference.removeprefix(_SHARDS).partition("|")[0].split(",")
        found = [shard for shard in found if str(shard) in named]
    return found
