"""Full text queries beside `match`, `match_phrase` and `multi_match`, which are in `queries`."""

from dataclasses import dataclass
from typing import Literal

from sealane.model.dsl.fuzzing import DEFAULT_FUZZING, Fuzzing
from sealane.model.dsl.queries import MultiMatchType, Query
from sealane.model.dsl.scalar import Scalar

ALL_SIMPLE_FLAGS = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchPhrasePrefix(Query):
    field: str
    query: Scalar
    slop: int = 0
    max_expansions: int = 50
    zero_terms_query: Literal["none", "all"] = "none"
    analyzer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchBoolPrefix(Query):
    field: str
    query: Scalar
    operator: Literal["or", "and"] = "or"
    minimum_should_match: str | None = None
    analyzer: str | None = None
    fuzzing: Fuzzing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryString(Query):
    """Text in Lucene's query syntax. It is parsed where it runs: a wrong one fails shard by shard, as there."""

    query: str
    default_field: str | None = None
    fields: tuple[tuple[str, float], ...] = ()
    default_operator: Literal["or", "and"] = "or"
    type: MultiMatchType = MultiMatchType.BEST_FIELDS
    analyzer: str | None = None
    quote_analyzer: str | None = None
    quote_field_suffix: str | None = None
    minimum_should_match: str | None = None
    tie_breaker: float | None = None
    lenient: bool | None = None
    analyze_wildcard: bool = False
    allow_leading_wildcard: bool = True
    escape: bool = False
    phrase_slop: int = 0
    time_zone: str | None = None
    rewrite: str | None = None
    fuzzing: Fuzzing = DEFAULT_FUZZING
    """`rewrite` in here is `fuzzy_rewrite`, `max_expansions` is `fuzzy_max_expansions`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleQueryString(Query):
    """Text in the syntax that is never wrong. `flags` are the reference's bits of the operators that count."""

    query: str
    fields: tuple[tuple[str, float], ...] = ()
    default_operator: Literal["or", "and"] = "or"
    analyzer: str | None = None
    quote_field_suffix: str | None = None
    minimum_should_match: str | None = None
    lenient: bool | None = None
    analyze_wildcard: bool = False
    flags: int = ALL_SIMPLE_FLAGS
    fuzzing: Fuzzing = DEFAULT_FUZZING


@dataclass(frozen=True, slots=True, kw_only=True)
class LikeDocument:
    """One document of `more_like_this`: a stored one by its id, or `source`, its JSON, given in the query."""

    index: str | None = None
    id: str | None = None
    routing: str | None = None
    source: bytes | None = None
    fields: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreLikeThis(Query):
    """`fields` empty means every text and keyword field."""

    fields: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    documents: tuple[LikeDocument, ...] = ()
    unlike_texts: tuple[str, ...] = ()
    unlike_documents: tuple[LikeDocument, ...] = ()
    max_query_terms: int = 25
    min_term_freq: int = 2
    min_doc_freq: int = 5
    max_doc_freq: int = 2**31 - 1
    min_word_length: int = 0
    max_word_length: int = 0
    stop_words: tuple[str, ...] = ()
    analyzer: str | None = None
    minimum_should_match: str = "30%"
    boost_terms: float = 0.0
    include: bool = False
    fail_on_unsupported_field: bool = True
