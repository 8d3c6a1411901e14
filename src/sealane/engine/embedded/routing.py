"""Which shard a document belongs to: the reference's rule, so that the same document lands in the same shard."""

from collections.abc import Mapping
from typing import Any

_MASK = 0xFFFFFFFF
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
    data = text.encode("utf-16-le", "surrogatepass")
    state = 0
    whole = len(data) - len(data) % 4
    for at in range(0, whole, 4):
        state ^= _scrambled(int.from_bytes(data[at : at + 4], "little"))
        state = ((state << 13 | state >> 19) & _MASK) * 5 + 0xE6546B64 & _MASK
    if whole < len(data):
        state ^= _scrambled(int.from_bytes(data[whole:], "little"))
    state ^= len(data)
    state = (state ^ state >> 16) * 0x85EBCA6B & _MASK
    state = (state ^ state >> 13) * 0xC2B2AE35 & _MASK
    state ^= state >> 16
    return state - (1 << 32) if state >> 31 else state


def _scrambled(block: int) -> int:
    block = block * 0xCC9E2D51 & _MASK
    block = (block << 15 | block >> 17) & _MASK
    return block * 0x1B873593 & _MASK
