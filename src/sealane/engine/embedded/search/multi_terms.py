"""Queries that look for terms by their form: prefix, wildcard, regexp and fuzzy, on fields and on `_index`."""

import tantivy

from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.dictionary import terms_of_field
from sealane.engine.embedded.search.edits import near_terms
from sealane.engine.embedded.search.fielddata import check_searchable
from sealane.engine.embedded.search.index_field import on_index
from sealane.engine.embedded.search.patterns import prefix_pattern
from sealane.engine.embedded.search.rewrites import NearTerm, Rewrite, any_term, rewrite_of
from sealane.engine.embedded.search.scope import NOTHING, Compiled, Scope, constant
from sealane.engine.embedded.search.wildcards import Wildcard, wildcard
from sealane.engine.embedded.view import ID
from sealane.engine.mapping import Field, FieldType
from sealane.errors import ApiError, IllegalArgument
from sealane.model import dsl
from sealane.model.lucene_regexp import MAX_LENGTH, Pattern, regexp

_TEXTUAL = (FieldType.TEXT, FieldType.KEYWORD)
_MAX_SPELLED = 64
_ABOUT = {
    "prefix": "prefix queries on keyword, text and wildcard fields",
    "wildcard": "wildcard queries on keyword, text and wildcard fields",
    "regexp": "regexp queries on keyword and text fields",
    "fuzzy": "fuzzy queries on keyword and text fields",
}
_METADATA = (ID, "_index", "_source", "_seq_no", "_version", "_ignored", "_routing")


def compile_prefix(query: dsl.Prefix, scope: Scope) -> Compiled:
    if query.field == "_index":
        return on_index(query.value + "*", scope, ignore_case=query.case_insensitive)
    mapped = textual(query.field, "prefix", scope)
    if mapped is None:
        return NOTHING
    return prefix_on(
        mapped, query.value, scope, ignore_case=query.case_insensitive, rewrite=query.rewrite
    )


def prefix_on(
    mapped: Field,
    value: str,
    scope: Scope,
    *,
    ignore_case: bool = False,
    rewrite: str | None = None,
) -> Compiled:
    """Terms of a text or keyword field that begin so. Raises QueryShardError."""
    method = _checked(mapped, rewrite, scope)
    if len(value) > MAX_LENGTH:
        raise scope.failed(
            IllegalArgument(
                f"The length of prefix [{len(value)}] used in the Prefix Query request has exceeded "
                f"the allowed maximum of [{MAX_LENGTH}]. This maximum can be set by changing the "
                "[index.max_regex_length] index level setting."
            )
        )
    # A longer one may have more states than tantivy allows an automaton.
    if method.is_constant and len(value) <= _MAX_SPELLED:
        return _by_regex(mapped, prefix_pattern(value, ignore_case=ignore_case), scope)
    if ignore_case:
        return pattern_on(mapped, wildcard(_quoted(value) + "*", ignore_case=True), method, scope)
    found = terms_of_field(mapped.path, value, scope)
    return _scored(mapped, [NearTerm(each) for each in found], method, scope)


def _quoted(text: str) -> str:
    return "".join("\\" + char for char in text)


def compile_wildcard(query: dsl.Wildcard, scope: Scope) -> Compiled:
    if query.field == "_index":
        return on_index(query.value, scope, ignore_case=query.case_insensitive)
    mapped = textual(query.field, "wildcard", scope)
    if mapped is None:
        return NOTHING
    return wildcard_on(
        mapped, query.value, scope, ignore_case=query.case_insensitive, rewrite=query.rewrite
    )


def wildcard_on(
    mapped: Field,
    value: str,
    scope: Scope,
    *,
    ignore_case: bool = False,
    rewrite: str | None = None,
) -> Compiled:
    method = _checked(mapped, rewrite, scope)
    if not value:
        return NOTHING  # not even the empty term, which a regexp does find
    return pattern_on(mapped, wildcard(value, ignore_case=ignore_case), method, scope)


def compile_regexp(query: dsl.Regexp, scope: Scope) -> Compiled:
    mapped = textual(query.field, "regexp", scope)
    if mapped is None:
        return NOTHING
    return regexp_on(
        mapped,
        query.value,
        scope,
        flags=query.flags,
        ignore_case=query.case_insensitive,
        rewrite=query.rewrite,
    )


def regexp_on(
    mapped: Field,
    value: str,
    scope: Scope,
    *,
    flags: int = 0xFF,
    ignore_case: bool = False,
    rewrite: str | None = None,
) -> Compiled:
    method = _checked(mapped, rewrite, scope)
    try:
        found = regexp(value, flags, ignore_case=ignore_case)
    except ApiError as error:
        raise scope.failed(error) from None
    return pattern_on(mapped, found, method, scope)


def textual(path: str, kind: str, scope: Scope) -> Field | None:
    """The mapped field; None where there is none. Raises QueryShardError for a field of another kind."""
    mapped = scope.mapped(path)
    if mapped is not None and mapped.type in _TEXTUAL:
        return mapped
    if mapped is None and path not in _METADATA:
        return None
    type_ = path if mapped is None else mapped.type.value
    reason = f"Can only use {_ABOUT[kind]} - not on [{path}] which is of type [{type_}]"
    if kind == "fuzzy":
        raise scope.failed(IllegalArgument(reason))
    raise scope.shard_error(reason)


def _checked(mapped: Field, rewrite: str | None, scope: Scope) -> Rewrite:
    try:
        check_searchable(mapped)
        return rewrite_of(rewrite)
    except ApiError as error:
        raise scope.failed(error) from None


def pattern_on(
    mapped: Field, pattern: Pattern | Wildcard, rewrite: Rewrite, scope: Scope
) -> Compiled:
    """Documents with a term of this pattern."""
    if pattern.matches_nothing or not scope.has_column(mapped.path):
        return NOTHING
    if rewrite.is_constant and pattern.spelled is not None:
        try:
            return _by_regex(mapped, pattern.spelled, scope)
        except ValueError:
            pass  # more states than tantivy allows an automaton: the terms are matched one by one
    terms = terms_of_field(mapped.path, "", scope)
    try:
        found = [NearTerm(each) for each in pattern.among(terms)]
    except ApiError as error:
        raise scope.failed(error) from None
    return _scored(mapped, found, rewrite, scope)


def _by_regex(mapped: Field, regex: str, scope: Scope) -> Compiled:
    if not scope.has_column(mapped.path):
        return NOTHING
    return constant(tantivy.Query.regex_query(scope.schema, mapped.path, regex))


def _scored(mapped: Field, found: list[NearTerm], rewrite: Rewrite, scope: Scope) -> Compiled:
    try:
        return any_term(mapped, found, rewrite, scope)
    except ApiError as error:
        raise scope.failed(error) from None


# -- near spellings ----------------------------------------------------------------------------------------------


def compile_fuzzy(query: dsl.Fuzzy, scope: Scope) -> Compiled:
    mapped = textual(query.field, "fuzzy", scope)
    if mapped is None:
        return NOTHING
    return fuzzy_on(mapped, values.text_of(query.value), query.fuzzing, scope)


def fuzzy_on(mapped: Field, text: str, fuzzing: dsl.Fuzzing, scope: Scope) -> Compiled:
    """Terms near `text`, the nearest of them. Raises QueryShardError."""
    try:
        check_searchable(mapped)
        if fuzzing.prefix_length < 0:
            raise IllegalArgument("prefixLength cannot be negative.")
        if fuzzing.max_expansions <= 0:
            raise IllegalArgument("maxExpansions must be positive.")
        method = rewrite_of(fuzzing.rewrite, Rewrite("blended", fuzzing.max_expansions))
        return any_term(mapped, near_spellings(mapped.path, text, fuzzing, scope), method, scope)
    except ApiError as error:
        raise scope.failed(error) from None


def near_spellings(path: str, text: str, fuzzing: dsl.Fuzzing, scope: Scope) -> list[NearTerm]:
    """The terms that are near enough to `text`, each with the boost that its distance gives."""
    distance = fuzzing.fuzziness.distance(text)
    length = fuzzing.prefix_length
    terms = terms_of_field(path, text[:length], scope)
    found = near_terms(terms, text, distance, prefix_length=length, swaps=fuzzing.transpositions)
    return [
        NearTerm(term, 1.0 if not edits else max(0.0, 1.0 - edits / min(len(term), len(text))))
        for term, edits in found
    ]
