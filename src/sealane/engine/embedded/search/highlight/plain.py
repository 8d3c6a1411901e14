"""The `plain` highlighter: fragments of about the same length, cut between words, scored by the words they have."""

from dataclasses import dataclass, field

from sealane.engine.embedded.analyzers import Analyzer, Token
from sealane.engine.embedded.search.highlight.matching import distinct_groups, matches_of
from sealane.engine.embedded.search.highlight.passages import Match, Passage, marked
from sealane.engine.embedded.search.wanted import WantedWords
from sealane.errors import IllegalArgument
from sealane.model.dsl import HighlightOptions


def check_plain(options: HighlightOptions, path: str) -> None:
    """Raises IllegalArgument for a fragmenter that nobody knows."""
    if options.fragmenter not in ("simple", "span"):
        raise IllegalArgument(
            f"unknown fragmenter option [{options.fragmenter}] for the field [{path}]"
        )


@dataclass(slots=True)
class _Fragment:
    start: int
    end: int
    matches: list[Match] = field(default_factory=list)

    @property
    def score(self) -> int:
        return len({match.term for match in self.matches})


def highlight_plain(
    values: list[str], analyzer: Analyzer, wanted: list[WantedWords], options: HighlightOptions
) -> list[str]:
    """The fragments of a field's values. Each value is cut by itself."""
    found: list[tuple[int, str]] = []
    for value in values:
        tokens = analyzer.tokens(value)
        if options.max_analyzed_offset is not None:
            tokens = [each for each in tokens if each.end <= options.max_analyzed_offset]
        matches = matches_of(tokens, wanted, whole_phrases=False)
        if not matches:
            continue
        fragments = [each for each in _cut(value, tokens, matches, options) if each.score]
        best = sorted(fragments, key=lambda each: -each.score)
        for each in best[: options.number_of_fragments or 1]:
            passage = Passage(each.start, each.end, each.matches)
            found.append((each.score, marked(value, passage, options.tags, options.escape_html)))
    if options.by_score:
        found.sort(key=lambda each: -each[0])
    if found:
        shown = [text for _, text in found]
        return shown[: options.number_of_fragments] if options.number_of_fragments else shown
    return _beginning(values, analyzer, options)


def _cut(
    value: str, tokens: list[Token], matches: list[Match], options: HighlightOptions
) -> list[_Fragment]:
    """The whole value in fragments. A new one begins behind the last word of the one before."""
    fragments = [_Fragment(0, 0)]
    size = options.fragment_size if options.number_of_fragments else 0
    at_start = {match.start: match for match in matches}
    last_end = 0
    for group in distinct_groups(tokens):
        end = max(token.end for token in group)
        if size > 0 and last_end and _begins_anew(end, len(value), size * len(fragments), options):
            fragments[-1].end = last_end
            fragments.append(_Fragment(last_end, last_end))
        last_end = end
        fragments[-1].matches += [
            at_start[token.start] for token in group if token.start in at_start
        ]
    fragments[-1].end = len(value)
    return fragments


def _begins_anew(end: int, length: int, due: int, options: HighlightOptions) -> bool:
    """Whether the word that ends there is the first of a new fragment; the last one is not to be very short."""
    is_long = options.fragmenter == "simple" or length - end >= options.fragment_size >> 1
    return end >= due and is_long


def _beginning(values: list[str], analyzer: Analyzer, options: HighlightOptions) -> list[str]:
    """The words of the first value that fit, where the request wants some without a match."""
    if options.no_match_size <= 0 or not values or not values[0]:
        return []
    ends = [each.end for each in analyzer.tokens(values[0]) if each.end <= options.no_match_size]
    return [values[0][: max(ends)]] if ends else []
