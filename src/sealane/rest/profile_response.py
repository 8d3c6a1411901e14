"""The JSON of a profile in a search's answer."""

from collections.abc import Iterable
from typing import Any

from sealane.reduce.partial import ShardProfile
from sealane.search.expression import SHOWN_LOCAL


def render_profile(shards: Iterable[ShardProfile]) -> dict[str, Any]:
    """Every shard, the local cluster's first, by index and number."""
    return {"shards": [_render_shard(each) for each in sorted(shards, key=_place)]}


def _place(shard: ShardProfile) -> tuple[str, str, int]:
    alias, _, index = shard.index.rpartition(":")
    return alias, index, shard.shard


def _render_shard(shard: ShardProfile) -> dict[str, Any]:
    alias, _, index = shard.index.rpartition(":")
    return {
        "id": f"[{shard.node}][{shard.index}][{shard.shard}]",
        "node_id": shard.node,
        "shard_id": shard.shard,
        "index": index,
        "cluster": alias or SHOWN_LOCAL,
        **shard.parts,
    }
