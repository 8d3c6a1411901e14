"""Terms with very many buckets: held as columns, and merged a column at a time.

A bucket of its own for each of 800,000 terms would take seconds and hundreds of megabytes. Here keys are numbered as
they come, and counts and metrics are added up as arrays; only the buckets of the final answer become objects. numpy is
imported inside the functions: a node without such aggregations does not need it.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from math import copysign, inf
from typing import TYPE_CHECKING, Any

from sealane.model.dsl import MetricAgg, TermsAgg
from sealane.reduce.order import ip_bytes
from sealane.reduce.partial import (
    AggPartial,
    Key,
    MetricPartial,
    PackedMetric,
    PackedTerms,
    TermBucket,
    TermsPartial,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

PACKED_FROM = 1_000
"""Fewer buckets are not worth packing."""

_COLUMNS = ("sums", "minima", "maxima", "squares")


def can_pack(spec: TermsAgg) -> bool:
    """Whether all there is below the buckets is metrics of one number."""
    return all(isinstance(sub, MetricAgg) for sub in spec.subs)


def size_of(partial: TermsPartial) -> int:
    return len(partial.buckets) if partial.packed is None else len(partial.packed.keys)


def smallest_count(partial: TermsPartial) -> int:
    """Of a partial with buckets."""
    if partial.packed is None:
        return min(bucket.count for bucket in partial.buckets)
    import numpy as np

    return int(np.frombuffer(partial.packed.counts, dtype="<i8").min())


def packed(partial: TermsPartial, spec: TermsAgg) -> TermsPartial:
    """The partial with its buckets packed, where they are many and can be."""
    if partial.packed is not None or len(partial.buckets) < PACKED_FROM or not can_pack(spec):
        return partial
    columns = packed_columns(partial, spec)
    return TermsPartial([], partial.other, partial.error, partial.key_type, partial.format, columns)


def _bytes(values: Iterable[Any], dtype: str) -> bytes:
    import numpy as np

    return np.fromiter(values, dtype=dtype).tobytes()


def _pack_metric(name: str, buckets: list[TermBucket]) -> PackedMetric:
    states: list[MetricPartial] = []
    for bucket in buckets:
        state = (bucket.aggs or {})[name]
        assert isinstance(state, MetricPartial)
        states.append(state)
    return PackedMetric(
        _bytes((state.count for state in states), "<i8"),
        _bytes((state.sum for state in states), "<f8"),
        _bytes((inf if state.min is None else state.min for state in states), "<f8"),
        _bytes((-inf if state.max is None else state.max for state in states), "<f8"),
        _bytes((state.sum_of_squares for state in states), "<f8"),
        next((state.value_type for state in states if state.count), "double"),
        next((state.format for state in states if state.format is not None), None),
    )


def unpacked(partial: TermsPartial) -> list[TermBucket]:
    """The buckets as objects."""
    columns = partial.packed
    if columns is None:
        return partial.buckets
    import numpy as np

    counts = np.frombuffer(columns.counts, dtype="<i8").tolist()
    errors: Sequence[int] = [0] * len(counts)
    if columns.errors:
        errors = np.frombuffer(columns.errors, dtype="<i8").tolist()
    trees = _trees(
        {name: _Metric.read(each) for name, each in columns.metrics.items()}, len(counts)
    )
    return list(map(TermBucket, columns.keys, counts, trees, errors))


def _trees(metrics: "dict[str, _Metric]", length: int) -> "list[dict[str, AggPartial] | None]":
    if not metrics:
        return [None] * length
    columns = [metric.partials() for metric in metrics.values()]
    return [dict(zip(metrics, row, strict=True)) for row in zip(*columns, strict=True)]


class _Metric:
    """One metric of every bucket. Sums are compensated, as MetricPartials are merged."""

    def __init__(
        self, columns: "dict[str, NDArray[Any]]", value_type: str, fmt: str | None
    ) -> None:
        self.columns = columns
        self.value_type = value_type
        self.format = fmt
        self._lost: dict[str, NDArray[Any]] = {}

    @classmethod
    def read(cls, packed_: PackedMetric) -> "_Metric":
        import numpy as np

        columns = {name: np.frombuffer(getattr(packed_, name), dtype="<f8") for name in _COLUMNS}
        columns["counts"] = np.frombuffer(packed_.counts, dtype="<i8")
        return cls(columns, packed_.value_type, packed_.format)

    @classmethod
    def empty(cls, length: int) -> "_Metric":
        import numpy as np

        columns: dict[str, NDArray[Any]] = {
            "counts": np.zeros(length, dtype="<i8"),
            "sums": np.zeros(length),
            "minima": np.full(length, inf),
            "maxima": np.full(length, -inf),
            "squares": np.zeros(length),
        }
        return cls(columns, "double", None)

    def add(self, at: "NDArray[Any]", other: "_Metric") -> None:
        """Adds what another has, whose rows belong `at` these, each at another."""
        import numpy as np

        mine, theirs = self.columns, other.columns
        mine["counts"][at] += theirs["counts"]
        mine["minima"][at] = np.minimum(mine["minima"][at], theirs["minima"])
        mine["maxima"][at] = np.maximum(mine["maxima"][at], theirs["maxima"])
        for name in ("sums", "squares"):
            lost = self._lost.setdefault(name, np.zeros(len(mine[name])))
            part = theirs[name] - lost[at]
            total = mine[name][at] + part
            lost[at] = np.where(np.isfinite(total), (total - mine[name][at]) - part, 0.0)
            mine[name][at] = total
        if self.format is None:
            self.format = other.format
        if other.columns["counts"].any():
            self.value_type = other.value_type

    def taken(self, at: "NDArray[Any]") -> "_Metric":
        columns = {name: column[at] for name, column in self.columns.items()}
        return _Metric(columns, self.value_type, self.format)

    def partials(self) -> list[MetricPartial]:
        c = self.columns
        rows = zip(*(c[name].tolist() for name in ("counts", *_COLUMNS)), strict=True)
        return [
            MetricPartial(
                count,
                total,
                least if count else None,
                most if count else None,
                squares,
                self.value_type,
                self.format,
            )
            for count, total, least, most, squares in rows
        ]

    def packed(self) -> PackedMetric:
        c = self.columns
        return PackedMetric(
            counts=c["counts"].tobytes(),
            sums=c["sums"].tobytes(),
            minima=c["minima"].tobytes(),
            maxima=c["maxima"].tobytes(),
            squares=c["squares"].tobytes(),
            value_type=self.value_type,
            format=self.format,
        )


def _told_apart(keys: Iterable[Key]) -> Iterable[Key]:
    """Doubles, the two zeros as texts: they are different keys, which no set of numbers knows."""
    return (key or str(float(key)) for key in keys)


class PackedSum:
    """The terms of several sources, added up."""

    def __init__(
        self, spec: TermsAgg, sources: Sequence[tuple[TermsPartial, int]], *, error: int
    ) -> None:
        """Each source comes with its own error; `error` is theirs together, below 0 if unknown."""
        import numpy as np

        columns = [packed_columns(partial, spec) for partial, _ in sources]
        numbers: defaultdict[Key, int] = defaultdict(itertools.count().__next__)
        doubles = any(partial.key_type == "double" for partial, _ in sources)
        places = [
            np.fromiter(
                map(numbers.__getitem__, _told_apart(each.keys) if doubles else each.keys),
                dtype=np.int64,
                count=len(each.keys),
            )
            for each in columns
        ]
        self.keys: list[Key] = [float(key) for key in numbers] if doubles else list(numbers)
        length = len(self.keys)
        self.counts = np.zeros(length, dtype=np.int64)
        self.errors = np.full(length, error, dtype=np.int64)
        self.metrics = {sub.name: _Metric.empty(length) for sub in spec.subs}
        for at, each, (_, own) in zip(places, columns, sources, strict=True):
            self.counts[at] += np.frombuffer(each.counts, dtype="<i8")
            if error >= 0:
                known = np.frombuffer(each.errors, dtype="<i8") if each.errors else 0
                self.errors[at] += known - own
            for name, metric in self.metrics.items():
                metric.add(at, _Metric.read(each.metrics[name]))

    def packed(self) -> PackedTerms:
        return PackedTerms(
            self.keys,
            self.counts.tobytes(),
            self.errors.tobytes() if self.errors.any() else b"",
            {name: metric.packed() for name, metric in self.metrics.items()},
        )

    def best(self, size: int, least: int, key_type: str | None) -> tuple[list[TermBucket], int]:
        """The `size` buckets with the highest counts, ties by key, of those with `least`; the count of the others."""
        import numpy as np

        chosen = np.flatnonzero(self.counts >= least)
        total = int(self.counts[chosen].sum())
        if len(chosen) > size > 0:
            among = self.counts[chosen]
            edge = np.partition(among, len(among) - size)[len(among) - size]
            chosen = chosen[among >= edge]
        keys = self.keys
        by_key: Callable[[int], Any] = keys.__getitem__
        if key_type == "ip":
            by_key = lambda at: ip_bytes(str(keys[at]))  # noqa: E731
        elif key_type == "double":
            by_key = lambda at: (keys[at], copysign(1.0, float(keys[at])))  # noqa: E731
        in_order = np.array(sorted(chosen.tolist(), key=by_key), dtype=np.int64)
        in_order = in_order[np.argsort(-self.counts[in_order], kind="stable")][:size]
        counts = self.counts[in_order].tolist()
        metrics = {name: metric.taken(in_order) for name, metric in self.metrics.items()}
        buckets = map(
            TermBucket,
            [keys[at] for at in in_order.tolist()],
            counts,
            _trees(metrics, len(counts)),
            self.errors[in_order].tolist(),
        )
        return list(buckets), total - sum(counts)


def packed_columns(partial: TermsPartial, spec: TermsAgg) -> PackedTerms:
    """The buckets as columns, however many they are."""
    if partial.packed is not None:
        return partial.packed
    buckets = partial.buckets
    return PackedTerms(
        [bucket.key for bucket in buckets],
        _bytes((bucket.count for bucket in buckets), "<i8"),
        _bytes((b.error for b in buckets), "<i8") if any(b.error for b in buckets) else b"",
        {sub.name: _pack_metric(sub.name, buckets) for sub in spec.subs},
    )
