"""The `unified` highlighter: passages at sentences or words, whole phrases marked as one."""

from collections import Counter
from dataclasses import replace

from sealane.engine.embedded.analyzers import Analyzer, Token
from sealane.engine.embedded.search.highlight.boundaries import (
    SEPARATOR,
    Boundaries,
    Bounded,
    Plain,
    Values,
    sentences,
    words,
)
from sealane.engine.embedded.search.highlight.matching import matches_of
from sealane.engine.embedded.search.highlight.passages import Match, best_passages, marked
from sealane.engine.embedded.search.wanted import WantedWords
from sealane.errors import IllegalArgument
from sealane.model.dsl import HighlightOptions

_ALL = 2**31 - 1


def check_unified(options: HighlightOptions) -> None:
    """Raises IllegalArgument for what this highlighter has not."""
    if options.boundary_scanner == "chars":
        raise IllegalArgument("Invalid boundary scanner type: chars")


def highlight_unified(
    values: list[str], analyzer: Analyzer, wanted: list[WantedWords], options: HighlightOptions
) -> list[str]:
    """The fragments of a field's values."""
    text = SEPARATOR.join(values)
    matches: list[Match] = []
    at = 0
    for value in values:
        tokens = _tokens(value, analyzer, options.max_analyzed_offset, at)
        matches += [
            Match(at + match.start, at + match.end, match.term)
            for match in matches_of(tokens, wanted, whole_phrases=options.require_field_match)
        ]
        at += len(value) + 1
    if not options.require_field_match:
        # Found by their terms, not by the query: then it is known how often each is there.
        often = Counter(match.term for match in matches)
        matches = [replace(match, frequency=often[match.term]) for match in matches]
    if not matches:
        return _beginning(values, options)
    limit = options.number_of_fragments or _ALL
    passages = best_passages(matches, _boundaries(text, options), len(text), limit)
    if options.by_score:
        passages.sort(key=lambda passage: -passage.score)
    shown = [marked(text, each, options.tags, options.escape_html) for each in passages]
    shown = [each.rstrip(SEPARATOR) for each in shown]
    return [each.strip() for each in shown] if options.number_of_fragments else shown


def _tokens(value: str, analyzer: Analyzer, limit: int | None, at: int) -> list[Token]:
    """Those within the limit of the text of all values, in which this one is at `at`."""
    tokens = analyzer.tokens(value)
    return tokens if limit is None else [token for token in tokens if at + token.end <= limit]


def _boundaries(text: str, options: HighlightOptions) -> Boundaries:
    if options.number_of_fragments == 0:
        return Values(text)
    if options.boundary_scanner == "word":
        return Plain(words(text))
    if options.fragment_size <= 0:
        return Plain(sentences(text))
    return Bounded(text, options.fragment_size)


def _beginning(values: list[str], options: HighlightOptions) -> list[str]:
    """What is shown of a field without a match: its first words, where the request wants some."""
    first = next((each for each in values if each), "")
    if options.no_match_size <= 0 or not first:
        return []
    if options.no_match_size < len(first):
        first = first[: words(first).after(options.no_match_size)]
    return [first.strip() if options.number_of_fragments else first]
