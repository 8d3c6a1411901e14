"""Which shard a document belongs to: the reference's rule, so that the same document lands in the same shard."""

from collections.abc import Mapping
from typing import Any

from sealane.reduce.key_hashing import murmur3_32

_MAX_ROUTING_SHARDS_LOG2 = 10


def shard_of(routing: str, shards: int, routing_shards: int) -> int:
    """`floorMod(hash, routing_shards) / (routing_shards / shards)`."""
    if shards == 1:
        return 0
    return murmur3(routing) % routing_shards // (routing_shards // shards)


def routing_shards(shards: int, settings: Mapping[str, Any]) -> int:
    """`index.number_of_routing_shards`, or by default what lets the index be split up to 1024 shards."""
    configured = settings.get("index.number_of_routing_shards")
    if configured is not None:
        return int(configured)
    splits = max(1, _MAX_ROUTING_SHARDS_LOG2 - (shards - 1).bit_length())
    return shards << splits


def murmur3(text: str) -> int:
    """murmur3_x86_32 of the UTF-16LE code units with seed 0, as a signed number."""
    return murmur3_32(text.encode("utf-16-le", "surrogatepass"), 0)
