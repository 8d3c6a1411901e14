"""What becomes of a query that matches many terms: a set with one score, or its terms, each with its own.

The methods are the reference's: `constant_score` and its kin, `scoring_boolean`, `top_terms_N`, `top_terms_boost_N`,
`top_terms_blended_freqs_N`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import tantivy

from sealane.engine.embedded.search.dictionary import doc_freq
from sealane.engine.embedded.search.leaves import text_term
from sealane.engine.embedded.search.scope import NOTHING, Compiled, Scope, any_of, constant
from sealane.engine.mapping import Field
from sealane.errors import IllegalArgument, TooManyBooleanClauses

MAX_CLAUSES = 8192
_CONSTANT = ("constant_score", "constant_score_blended", "constant_score_boolean")
_TOP = ("top_terms_", "top_terms_boost_", "top_terms_blended_freqs_")


class NearTerm(NamedTuple):
    """A term that was found, with the boost that its likeness to what was looked for gives it."""

    text: str
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A method; `size` is how many terms at most take part, None all of them."""

    kind: str
    size: int | None = None

    @property
    def is_constant(self) -> bool:
        return self.kind == "constant"


CONSTANT = Rewrite("constant")


def rewrite_of(name: str | None, default: Rewrite = CONSTANT) -> Rewrite:
    """Raises IllegalArgument for a method that does not exist."""
    if name is None:
        return default
    if name in _CONSTANT:
        return CONSTANT
    if name == "scoring_boolean":
        return Rewrite("scoring")
    kind = name.rstrip("0123456789")
    if kind in _TOP and kind != name:
        kinds = dict(zip(_TOP, ("scoring", "boost", "blended"), strict=True))
        return Rewrite(kinds[kind], int(name[len(kind) :]))
    raise IllegalArgument(f"Failed to parse rewrite_method [{name}]")


def any_term(mapped: Field, terms: Sequence[NearTerm], rewrite: Rewrite, scope: Scope) -> Compiled:
    """Documents with any of the terms. Raises TooManyBooleanClauses where each of too many would score."""
    if not terms:
        return NOTHING
    if rewrite.is_constant:
        texts = [each.text for each in terms]
        return constant(tantivy.Query.term_set_query(scope.schema, mapped.path, texts))
    if rewrite.size is not None:
        best = sorted(terms, key=lambda each: (-each.boost, each.text))[: rewrite.size]
        terms = sorted(best, key=lambda each: each.text)
    elif len(terms) > MAX_CLAUSES:
        raise TooManyBooleanClauses(MAX_CLAUSES)
    if rewrite.kind == "boost":
        return _either(
            [constant(text_term(mapped, each.text, scope).query, each.boost) for each in terms]
        )
    if rewrite.kind == "blended":
        return _blended(mapped, terms, scope)
    return _either([text_term(mapped, each.text, scope).boosted(each.boost) for each in terms])


def _blended(mapped: Field, terms: Sequence[NearTerm], scope: Scope) -> Compiled:
    """Each term scores as if it were as frequent as the most frequent of them."""
    frequencies = [doc_freq(mapped.path, each.text, scope) for each in terms]
    most = max(frequencies, default=0)
    return _either(
        [
            as_frequent(text_term(mapped, each.text, scope), mapped, own, most, scope).boosted(
                each.boost
            )
            for each, own in zip(terms, frequencies, strict=True)
        ]
    )


def as_frequent(term: Compiled, mapped: Field, own: int, frequency: int, scope: Scope) -> Compiled:
    """A term that is in `own` documents, with the score it had if it were in `frequency` of them."""
    if own == frequency or own == 0:
        return term
    docs = documents_with(mapped, scope)
    return term.boosted(idf(min(frequency, docs), docs) / idf(min(own, docs), docs))


def documents_with(mapped: Field, scope: Scope) -> int:
    """How many documents the reference counts for this field's statistics."""
    state = scope.state
    return state.num_docs if state.has_all(mapped.path) else state.having_tokens(mapped.path)


def idf(frequency: int, docs: int) -> float:
    return math.log(1 + (docs - frequency + 0.5) / (frequency + 0.5))


def _either(found: list[Compiled]) -> Compiled:
    alive = [each for each in found if each is not NOTHING]
    if not alive:
        return NOTHING
    if len(alive) == 1:
        return replace(alive[0], span=None)
    return Compiled(any_of([each.query for each in alive]), None)
