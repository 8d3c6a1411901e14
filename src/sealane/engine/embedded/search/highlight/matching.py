"""Where the words of a query stand in the tokens of a text."""

from collections.abc import Iterator, Sequence

from sealane.engine.embedded.analyzers import Token
from sealane.engine.embedded.search.highlight.passages import Match
from sealane.engine.embedded.search.wanted import WantedWords


def matches_of(
    tokens: Sequence[Token], wanted: Sequence[WantedWords], *, whole_phrases: bool
) -> list[Match]:
    """All matches, by their start. A phrase is one match, or one for each of its words."""
    found: set[Match] = set()
    for number, words in enumerate(wanted):
        if not words.is_phrase:
            place = words.places[0]
            found |= {
                Match(token.start, token.end, place.text or f"\u0000{number}")
                for token in tokens
                if place.matches(token.text)
            }
            continue
        for spanned in _phrases(tokens, words):
            if whole_phrases:
                start, end = min(t.start for t in spanned), max(t.end for t in spanned)
                found.add(Match(start, end, f"\u0000{number}"))
            else:
                found |= {Match(token.start, token.end, token.text) for token in spanned}
    return sorted(found)


def _phrases(tokens: Sequence[Token], words: WantedWords) -> Iterator[list[Token]]:
    """The tokens of each occurrence: in their places, or within the slop of them."""
    by_position: dict[int, list[Token]] = {}
    for token in tokens:
        by_position.setdefault(token.position, []).append(token)
    base = words.places[0].offset
    # No word is further away than the text is long, whatever the slop allows.
    reach = min(words.slop, max(by_position, default=0) + len(words.places))
    aways = [0, *(away for each in range(1, reach + 1) for away in (-each, each))]
    for token in tokens:
        if words.places[0].matches(token.text):
            chosen = _complete(by_position, words, token, token.position - base, aways)
            if chosen is not None:
                yield chosen


def _complete(
    by_position: dict[int, list[Token]],
    words: WantedWords,
    first: Token,
    origin: int,
    aways: list[int],
) -> list[Token] | None:
    """The other words around the first, the nearest to their places; None where one is too far away."""
    chosen, moved = [first], [0]
    for place in words.places[1:]:
        due = origin + place.offset
        for away in aways:
            candidates = by_position.get(due + away, ())
            token = next((t for t in candidates if place.matches(t.text) and t not in chosen), None)
            if token is not None:
                chosen.append(token)
                moved.append(away)
                break
        else:
            return None
    return chosen if max(moved) - min(moved) <= words.slop else None


def distinct_groups(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Tokens that overlap, together."""
    group: list[Token] = []
    for token in tokens:
        if group and token.start >= max(each.end for each in group):
            yield group
            group = []
        group.append(token)
    if group:
        yield group
