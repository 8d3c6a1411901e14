"""Figures of a node for a monitoring system, before they are text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sealane.model.histogram import BOUNDS_S, Latencies

Labels = Mapping[str, str]
Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One value. `suffix` goes behind the family's name: `_bucket`, `_sum`, `_count` of a histogram."""

    value: float
    labels: Labels
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """Values of one name, which says the unit at its end. Counters end in `_total` and count since the node's start."""

    name: str
    kind: Kind
    help: str
    samples: Sequence[Sample]


def single(name: str, kind: Kind, help: str, value: float) -> Family:
    """A family of one value without labels."""
    return Family(name, kind, help, (Sample(value, {}),))


def histogram(latencies: Latencies, labels: Labels) -> list[Sample]:
    """The samples of one histogram: counts up to each bound, their sum, their number."""
    counts = latencies.cumulative()
    bounds = [f"{bound:g}" for bound in BOUNDS_S] + ["+Inf"]
    samples = [
        Sample(count, {**labels, "le": bound}, "_bucket")
        for bound, count in zip(bounds, counts, strict=True)
    ]
    samples.append(Sample(latencies.total_s, labels, "_sum"))
    samples.append(Sample(counts[-1], labels, "_count"))
    return samples
