"""`rescore`: a second query scores the best hits of each shard again."""

from dataclasses import dataclass
from enum import StrEnum

from sealane.model.dsl.queries import Query

DEFAULT_RESCORE_WINDOW = 10


class RescoreMode(StrEnum):
    """How the two scores become one."""

    TOTAL = "total"
    MULTIPLY = "multiply"
    AVG = "avg"
    MAX = "max"
    MIN = "min"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescore:
    query: Query
    window_size: int = DEFAULT_RESCORE_WINDOW
    query_weight: float = 1.0
    rescore_query_weight: float = 1.0
    score_mode: RescoreMode = RescoreMode.TOTAL
