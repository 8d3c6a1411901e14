"""function_score as plain data: a query whose scores are changed by functions of the document."""

from dataclasses import dataclass
from typing import Literal

from sealane.model.dsl.queries import Query

Modifier = Literal[
    "none", "log", "log1p", "log2p", "ln", "ln1p", "ln2p", "square", "sqrt", "reciprocal"
]
ScoreMode = Literal["first", "avg", "max", "sum", "min", "multiply"]
BoostMode = Literal["multiply", "replace", "sum", "avg", "min", "max"]
ValueMode = Literal["min", "max", "sum", "avg", "median"]
MAX_BOOST = 3.4028234663852886e38
"""The largest 32-bit float: no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldValueFactor:
    """`modifier(factor * value)`; `missing` is the value of documents without one."""

    field: str
    factor: float = 1.0
    modifier: Modifier = "none"
    missing: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomScore:
    """From 0 to 1 by the field's value and the seed (32 bits), or by the document alone."""

    seed: int | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decay:
    """Falls with the distance of a field's value. `parameters` is the JSON object with origin, scale, offset, decay:

    what it means depends on the field's type.
    """

    kind: Literal["gauss", "exp", "linear"]
    field: str
    parameters: str
    mode: ValueMode = "min"


ScoreFunction = FieldValueFactor | RandomScore | Decay


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionClause:
    """One of the functions. Without a `function` it is its weight; without a `filter` it is for all documents."""

    filter: Query | None = None
    function: ScoreFunction | None = None
    weight: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DistanceFeature(Query):
    """Documents with a value, scored by `pivot / (pivot + distance from the origin)`.

    The origin is a date or a place, as text; as JSON where `is_json` says so.
    """

    field: str
    origin: str
    pivot: str
    is_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionScore(Query):
    """`boost` is the inner query's: what replaces its score has none."""

    query: Query
    functions: tuple[FunctionClause, ...] = ()
    score_mode: ScoreMode = "multiply"
    boost_mode: BoostMode = "multiply"
    max_boost: float = MAX_BOOST
    min_score: float | None = None
