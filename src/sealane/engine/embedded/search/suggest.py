"""Suggestions of one shard: for words, for phrases, and completions."""

from sealane.engine.base import ShardSearch
from sealane.engine.embedded.analyzers import (
    KEYWORD,
    STANDARD,
    Analyzer,
    Token,
    analyzer_named,
    units,
)
from sealane.engine.embedded.search.complete import complete
from sealane.engine.embedded.search.distances import single
from sealane.engine.embedded.search.phrases import best_phrases
from sealane.engine.embedded.search.scope import Scope
from sealane.engine.embedded.search.spelling import Dictionary, near_words
from sealane.engine.embedded.search.term_counts import TermCounts
from sealane.engine.mapping import Field, FieldType
from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.reduce.partial import SuggestEntry, SuggestOption, SuggestPartial

_WITH_WORDS = (FieldType.TEXT, FieldType.KEYWORD)


def suggest(request: ShardSearch, scope: Scope) -> dict[str, SuggestPartial]:
    """What one shard suggests, by name. Raises IllegalArgument where a field or a text is missing."""
    return {each.name: _suggest(each, scope, request) for each in request.body.suggest}


def _suggest(suggestion: dsl.Suggestion, scope: Scope, request: ShardSearch) -> SuggestPartial:
    mapped = scope.mapped(suggestion.field)
    if mapped is None:
        raise IllegalArgument(f"no mapping found for field [{suggestion.field}]")
    if suggestion.text is None:
        raise IllegalArgument("The required text option is missing")
    if suggestion.shard_size is not None and suggestion.shard_size < 1:
        raise IllegalArgument(f"ShardSize must be positive but was: {suggestion.shard_size}")
    match suggestion:
        case dsl.TermSuggestion():
            return _words(suggestion, suggestion.text, mapped, scope)
        case dsl.PhraseSuggestion():
            return _phrases(suggestion, suggestion.text, mapped, scope)
        case dsl.CompletionSuggestion() if mapped.type is FieldType.COMPLETION:
            text = suggestion.text
            options = complete(suggestion, text, mapped, scope, request)
            return SuggestPartial(
                "completion", [SuggestEntry(text, 0, units(text, len(text)), options)]
            )
        case _:
            raise IllegalArgument(f"Field [{mapped.path}] is not a completion suggest field")


def _tokens(suggestion: dsl.Suggestion, text: str, mapped: Field) -> list[Token]:
    analyzer: Analyzer | None = STANDARD if mapped.type is FieldType.TEXT else KEYWORD
    if suggestion.analyzer is not None:
        analyzer = analyzer_named(suggestion.analyzer)
    if analyzer is None:
        raise IllegalArgument(f"analyzer [{suggestion.analyzer}] doesn't exists")
    return analyzer.tokens(text)


def _has_words(mapped: Field, scope: Scope) -> bool:
    return mapped.type in _WITH_WORDS and mapped.index and scope.has_column(mapped.path)


def _words(
    suggestion: dsl.TermSuggestion, text: str, mapped: Field, scope: Scope
) -> SuggestPartial:
    words = Dictionary(scope.state, mapped.path) if _has_words(mapped, scope) else None
    entries = []
    for token in _tokens(suggestion, text, mapped):
        near = (
            near_words(token.text, suggestion.per_shard(), suggestion.spelling, words)
            if words is not None
            else []
        )
        start, end = units(text, token.start), units(text, token.end)
        options = [SuggestOption(each.text, each.score, each.freq) for each in near]
        entries.append(SuggestEntry(token.text, start, end - start, options))
    return SuggestPartial("term", entries)


def _phrases(
    suggestion: dsl.PhraseSuggestion, text: str, mapped: Field, scope: Scope
) -> SuggestPartial:
    entry = SuggestEntry(text, 0, units(text, len(text)), [])
    generators = []
    for each in suggestion.generators:
        field = scope.mapped(each.field)
        if field is not None and _has_words(field, scope):
            path = field.path
            words, counts = Dictionary(scope.state, path), TermCounts(scope.state, path)
            generators.append((each, words, counts))
    tokens = [token.text for token in _tokens(suggestion, text, mapped)]
    counts = TermCounts(scope.state, mapped.path)
    if generators and _has_words(mapped, scope) and scope.state.num_docs and counts.total:
        phrases, entry.cutoff = best_phrases(tokens, suggestion, counts, generators)
        for phrase in phrases:
            tags = suggestion.tags
            entry.options.append(
                SuggestOption(
                    phrase.text(),
                    single(phrase.score),
                    highlighted=None if tags is None else phrase.text(tags),
                )
            )
    return SuggestPartial("phrase", [entry])
