"""What searches across clusters were asked for and how they ended, as counts that add up over nodes."""

from typing import TypeVar

import msgspec

K = TypeVar("K", str, int)


class Spread(msgspec.Struct):
    """How many values fell where. `buckets` counts by the highest value of the bucket; `total` is the sum of values."""

    buckets: dict[int, int] = {}
    total: int = 0

    @property
    def count(self) -> int:
        return sum(self.buckets.values())

    def add(self, value: int) -> None:
        bucket = _bucket_of(value)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1
        self.total += value

    def merge(self, other: "Spread") -> None:
        _merge_counts(self.buckets, other.buckets)
        self.total += other.total

    @property
    def max(self) -> int:
        return max(self.buckets, default=0)

    @property
    def average(self) -> int:
        """Rounded down."""
        count = self.count
        return self.total // count if count else 0

    def percentile(self, percent: float) -> int:
        """The least value that at least so many of the values do not exceed."""
        wanted = max(1, -(-self.count * percent // 100))
        seen = 0
        for bucket, count in sorted(self.buckets.items()):
            seen += count
            if seen >= wanted:
                return bucket
        return 0


class ClusterUsage(msgspec.Struct):
    """One cluster's part: searches it answered, searches it was left out of, and milliseconds taken."""

    total: int = 0
    skipped: int = 0
    took: Spread = msgspec.field(default_factory=Spread)

    def merge(self, other: "ClusterUsage") -> None:
        self.total += other.total
        self.skipped += other.skipped
        self.took.merge(other.took)


class SearchUsage(msgspec.Struct):
    """Searches that named a remote cluster, since the node's start. Times are milliseconds, of successful ones."""

    total: int = 0
    success: int = 0
    skipped: int = 0
    took: Spread = msgspec.field(default_factory=Spread)
    took_one_trip: Spread = msgspec.field(default_factory=Spread)
    took_two_trips: Spread = msgspec.field(default_factory=Spread)
    remotes: int = 0
    """Named in all searches together."""
    remotes_max: int = 0
    failure_reasons: dict[str, int] = {}
    features: dict[str, int] = {}
    clients: dict[str, int] = {}
    clusters: dict[str, ClusterUsage] = {}
    """By alias, the local cluster's empty."""

    def merge(self, other: "SearchUsage") -> None:
        """Adds another node's counts to these."""
        self.total += other.total
        self.success += other.success
        self.skipped += other.skipped
        self.took.merge(other.took)
        self.took_one_trip.merge(other.took_one_trip)
        self.took_two_trips.merge(other.took_two_trips)
        self.remotes += other.remotes
        self.remotes_max = max(self.remotes_max, other.remotes_max)
        _merge_counts(self.failure_reasons, other.failure_reasons)
        _merge_counts(self.features, other.features)
        _merge_counts(self.clients, other.clients)
        for alias, usage in other.clusters.items():
            self.clusters.setdefault(alias, ClusterUsage()).merge(usage)


_EXACT_BITS = 8


def _bucket_of(value: int) -> int:
    """The highest value of those that count as one: up to 255 each for itself, above with two digits kept, as the
    reference's histogram does.
    """
    shift = max(0, value.bit_length() - _EXACT_BITS)
    return value | ((1 << shift) - 1)


def _merge_counts(into: dict[K, int], other: dict[K, int]) -> None:
    for key, count in other.items():
        into[key] = into.get(key, 0) + count
