"""Pipeline aggregations: computed of the answers of others, once, after the last merge.

A sibling stands beside what it reads, a parent inside of it. `paths` are what they read, by the name that a script
knows it under; where there is no script, the name is empty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Literal

from sealane.model.dsl.aggs import Agg
from sealane.model.dsl.more_metrics import DEFAULT_PERCENTS, HdrPercentilesAgg, PercentilesAgg
from sealane.model.expressions import Expression

GapPolicy = Literal["skip", "insert_zeros", "keep_values"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineAgg(Agg):
    """Base of all. `is_sibling` says where it stands."""

    is_pipeline: ClassVar[bool] = True
    is_sibling: ClassVar[bool] = False

    paths: tuple[tuple[str, str], ...]
    gap_policy: GapPolicy = "skip"
    format: str | None = None

    @property
    def path(self) -> str:
        """The only path, of those that have one."""
        return self.paths[0][1]


class BucketMetricKind(StrEnum):
    AVG = "avg_bucket"
    MAX = "max_bucket"
    MIN = "min_bucket"
    SUM = "sum_bucket"
    STATS = "stats_bucket"
    EXTENDED_STATS = "extended_stats_bucket"
    PERCENTILES = "percentiles_bucket"


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketMetricAgg(PipelineAgg):
    """One number of each bucket of another aggregation, made into one, or a few."""

    is_sibling: ClassVar[bool] = True

    kind: BucketMetricKind
    sigma: float = 2.0
    percents: tuple[float, ...] = DEFAULT_PERCENTS
    keyed: bool = True


class SeriesKind(StrEnum):
    CUMULATIVE_SUM = "cumulative_sum"
    CUMULATIVE_CARDINALITY = "cumulative_cardinality"
    DERIVATIVE = "derivative"
    MOVING_FN = "moving_fn"
    NORMALIZE = "normalize"
    SERIAL_DIFF = "serial_diff"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesAgg(PipelineAgg):
    """A number for each bucket around it, from the numbers of all of them in their order.

    `unit_ms` belongs to derivative, `lag` to serial_diff, `method` to normalize; `window`, `shift`, `script` and
    `params` to moving_fn.
    """

    kind: SeriesKind
    unit_ms: int | None = None
    lag: int = 1
    method: str = ""
    window: int = 1
    shift: int = 0
    script: Expression | None = None
    params: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovingPercentilesAgg(PipelineAgg):
    """`of` is the aggregation at its path, whose points and form it shows."""

    window: int
    shift: int = 0
    of: PercentilesAgg | HdrPercentilesAgg | None = None


@dataclass(frozen=True, slots=True)
class BucketSortKey:
    path: str
    ascending: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSortAgg(PipelineAgg):
    """Orders and cuts the buckets around it. `size` None keeps all."""

    sort: tuple[BucketSortKey, ...] = ()
    from_: int = 0
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketScriptAgg(PipelineAgg):
    """`bucket_script`, and with `selects` `bucket_selector`, which drops the buckets its script is false of."""

    script: Expression
    params: Mapping[str, Any] | None = None
    selects: bool = False


def has_pipelines(specs: Sequence[Agg]) -> bool:
    """Whether any aggregation of the tree is a pipeline."""
    return any(spec.is_pipeline or has_pipelines(spec.subs) for spec in specs)
