"""Queries that look for terms by their form: patterns, near spellings, and sets with a minimum of each document's own.

Exact terms and prefixes are in `queries`.
"""

from dataclasses import dataclass

from sealane.model.dsl.fuzzing import DEFAULT_FUZZING, Fuzzing
from sealane.model.dsl.queries import Query
from sealane.model.dsl.scalar import Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Wildcard(Query):
    """`*` is any text, `?` any character, a backslash takes the next one literally."""

    field: str
    value: str
    case_insensitive: bool = False
    rewrite: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Regexp(Query):
    """`flags` are the reference's bits of the optional operators."""

    field: str
    value: str
    flags: int = 0xFF
    case_insensitive: bool = False
    rewrite: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuzzy(Query):
    field: str
    value: Scalar
    fuzzing: Fuzzing = DEFAULT_FUZZING


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsSet(Query):
    """As many of the terms as each document's `minimum_field` says, or `minimum` where that is the same for all."""

    field: str
    values: tuple[Scalar, ...]
    minimum_field: str | None = None
    minimum: str | None = None
