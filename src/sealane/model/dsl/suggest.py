"""Suggestions as plain data: corrections of words, of phrases, and completions of what was begun."""

from dataclasses import dataclass
from enum import StrEnum

DEFAULT_SUGGESTIONS = 5


class SuggestMode(StrEnum):
    """For which words corrections are looked for, and which are good enough."""

    MISSING = "missing"
    POPULAR = "popular"
    ALWAYS = "always"


class SuggestOrder(StrEnum):
    SCORE = "score"
    FREQUENCY = "frequency"


class StringDistance(StrEnum):
    INTERNAL = "internal"
    DAMERAU_LEVENSHTEIN = "damerau_levenshtein"
    LEVENSHTEIN = "levenshtein"
    JARO_WINKLER = "jaro_winkler"
    NGRAM = "ngram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Base of all suggestions. `text` is what is to be corrected or completed; None where the request has none."""

    name: str
    field: str
    text: str | None = None
    size: int = DEFAULT_SUGGESTIONS
    shard_size: int | None = None
    analyzer: str | None = None

    def per_shard(self) -> int:
        """How many options a shard answers with: `shard_size`, else `size` but at least five."""
        if self.shard_size is not None:
            return self.shard_size
        return max(self.size, DEFAULT_SUGGESTIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """How words near another are found. Frequencies from 1 up are counts of documents, below that shares of all."""

    mode: SuggestMode = SuggestMode.MISSING
    accuracy: float = 0.5
    order: SuggestOrder = SuggestOrder.SCORE
    distance: StringDistance = StringDistance.INTERNAL
    max_edits: int = 2
    max_inspections: int = 5
    max_term_freq: float = 0.01
    prefix_length: int = 1
    min_word_length: int = 4
    min_doc_freq: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TermSuggestion(Suggestion):
    spelling: Spelling


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """One `direct_generator` of a phrase suggestion: `size` candidates for each word, out of a field."""

    field: str
    spelling: Spelling
    size: int = 5


class Smoothing(StrEnum):
    STUPID_BACKOFF = "stupid_backoff"
    LAPLACE = "laplace"
    LINEAR_INTERPOLATION = "linear_interpolation"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseSuggestion(Suggestion):
    """`weights` belong to the smoothing: discount, alpha, or the lambdas of trigrams, bigrams and unigrams."""

    generators: tuple[Generator, ...]
    confidence: float = 1.0
    max_errors: float = 0.5
    real_word_error_likelihood: float = 0.95
    separator: str = " "
    gram_size: int = 1
    token_limit: int = 10
    force_unigrams: bool = True
    tags: tuple[str, str] | None = None
    """What stands before and behind corrected words in the `highlighted` text."""
    smoothing: Smoothing = Smoothing.STUPID_BACKOFF
    weights: tuple[float, ...] = (0.4,)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionFuzziness:
    """`edits` None is AUTO: none below three characters, one below six, then two."""

    edits: int | None = None
    transpositions: bool = True
    min_length: int = 3
    prefix_length: int = 1
    unicode_aware: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionSuggestion(Suggestion):
    """`text` is a prefix, or with `is_regex` an expression that a prefix of the completion must match."""

    is_regex: bool = False
    fuzziness: CompletionFuzziness | None = None
    skip_duplicates: bool = False
