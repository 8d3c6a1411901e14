"""Profiles of several parts: all their shards, each told apart by its node, index and number."""

from collections.abc import Sequence

from sealane.reduce.partial import Partial, ShardProfile


def merge_profiles(parts: Sequence[Partial]) -> list[ShardProfile] | None:
    """None where no part was profiled."""
    found = [part.profile for part in parts if part.profile is not None]
    if not found:
        return None
    return [shard for each in found for shard in each]
