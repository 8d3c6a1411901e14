"""Queries made of queries, beside `bool` and `dis_max`, which are in `queries`."""

from dataclasses import dataclass

from sealane.model.dsl.queries import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Boosting(Query):
    """What `positive` matches; where `negative` matches too, the score is multiplied by `negative_boost`."""

    positive: Query
    negative: Query
    negative_boost: float
