"""Queries as plain data."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from sealane.model.dsl.fuzzing import Fuzzing
from sealane.model.dsl.scalar import Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Base of all queries. `boost` multiplies the score."""

    boost: float = 1.0
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchAll(Query):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchNone(Query):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Match(Query):
    field: str
    query: Scalar
    operator: Literal["or", "and"] = "or"
    minimum_should_match: str | None = None
    zero_terms_query: Literal["none", "all"] = "none"
    lenient: bool = False
    analyzer: str | None = None
    fuzzing: Fuzzing | None = None
    """None where no fuzziness is asked for."""
    fuzzy_rewrite: str | None = None


class MultiMatchType(StrEnum):
    BEST_FIELDS = "best_fields"
    MOST_FIELDS = "most_fields"
    CROSS_FIELDS = "cross_fields"
    PHRASE = "phrase"
    PHRASE_PREFIX = "phrase_prefix"
    BOOL_PREFIX = "bool_prefix"


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiMatch(Query):
    fields: tuple[tuple[str, float], ...]
    """Field names (wildcards allowed) with their boosts; empty means every eligible field, leniently."""
    query: Scalar
    type: MultiMatchType = MultiMatchType.BEST_FIELDS
    operator: Literal["or", "and"] = "or"
    minimum_should_match: str | None = None
    tie_breaker: float | None = None
    zero_terms_query: Literal["none", "all"] = "none"
    lenient: bool | None = None
    """None leaves it to whether all fields are asked for."""
    slop: int = 0
    analyzer: str | None = None
    fuzzing: Fuzzing | None = None
    fuzzy_rewrite: str | None = None
    max_expansions: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchPhrase(Query):
    field: str
    query: Scalar
    slop: int = 0
    zero_terms_query: Literal["none", "all"] = "none"
    analyzer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Term(Query):
    field: str
    value: Scalar
    case_insensitive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms(Query):
    field: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range(Query):
    """An absent bound is None. Bounds may be date math on date fields."""

    field: str
    gte: Scalar | None = None
    gt: Scalar | None = None
    lte: Scalar | None = None
    lt: Scalar | None = None
    format: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exists(Query):
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids(Query):
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix(Query):
    field: str
    value: str
    case_insensitive: bool = False
    rewrite: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bool(Query):
    must: tuple[Query, ...] = ()
    filter: tuple[Query, ...] = ()
    should: tuple[Query, ...] = ()
    must_not: tuple[Query, ...] = ()
    minimum_should_match: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisMax(Query):
    """Any of the queries; the best of them scores, the others by `tie_breaker`."""

    queries: tuple[Query, ...]
    tie_breaker: float = 0.0
