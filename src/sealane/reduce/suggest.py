"""Suggestions of several parts become one: options that are the same are one, the best of them stay."""

from collections.abc import Callable, Sequence
from typing import Any

from sealane.errors import IllegalState
from sealane.model.dsl import (
    CompletionSuggestion,
    SearchBody,
    Suggestion,
    SuggestOrder,
    TermSuggestion,
)
from sealane.reduce.partial import Partial, SuggestEntry, SuggestOption, SuggestPartial


def merge_suggestions(
    body: SearchBody, parts: Sequence[Partial]
) -> dict[str, SuggestPartial] | None:
    """By name, in the order of the request; None where no part has any.

    Raises IllegalState where the parts took the same text for different words.
    """
    found = [part.suggest for part in parts if part.suggest is not None]
    if not found:
        return None
    merged: dict[str, SuggestPartial] = {}
    for suggestion in body.suggest:
        same = [each[suggestion.name] for each in found if suggestion.name in each]
        if same:
            merged[suggestion.name] = _merge(suggestion, same)
    return merged


def _merge(suggestion: Suggestion, parts: list[SuggestPartial]) -> SuggestPartial:
    expected = len(parts[0].entries)
    for part in parts:
        if len(part.entries) != expected:
            raise IllegalState(
                "Can't merge suggest result, this might be caused by suggest calls across multiple "
                "indices with different analysis chains. Suggest entries have different sizes "
                f"actual [{len(part.entries)}] expected [{expected}]"
            )
    merge = _merge_completions if isinstance(suggestion, CompletionSuggestion) else _merge_words
    entries = [merge(suggestion, [part.entries[at] for part in parts]) for at in range(expected)]
    return SuggestPartial(parts[0].kind, entries)


def _merge_words(suggestion: Suggestion, entries: list[SuggestEntry]) -> SuggestEntry:
    first = entries[0]
    cutoff = max(entry.cutoff for entry in entries)
    if len(entries) == 1:
        options = first.options
    else:
        _check_same(entries)
        by_text: dict[str, SuggestOption] = {}
        for option in (option for entry in entries for option in entry.options):
            known = by_text.get(option.text)
            by_text[option.text] = option if known is None else _both(known, option)
        options = [option for option in by_text.values() if option.score > cutoff]
        options.sort(key=_order(suggestion))
    return SuggestEntry(first.text, first.offset, first.length, options[: suggestion.size], cutoff)


def _both(one: SuggestOption, other: SuggestOption) -> SuggestOption:
    return SuggestOption(
        one.text, max(one.score, other.score), one.freq + other.freq, one.highlighted
    )


def _check_same(entries: list[SuggestEntry]) -> None:
    first = entries[0]
    for entry in entries:
        for name in ("text", "offset", "length"):
            actual, expected = getattr(entry, name), getattr(first, name)
            if actual != expected:
                raise IllegalState(
                    "Can't merge suggest entries, this might be caused by suggest calls across "
                    "multiple indices with different analysis chains. Suggest entries have "
                    f"different {name} actual [{actual}] expected [{expected}]"
                )


def _order(suggestion: Suggestion) -> Callable[[SuggestOption], Any]:
    if isinstance(suggestion, TermSuggestion):
        if suggestion.spelling.order is SuggestOrder.FREQUENCY:
            return lambda option: (-option.freq, -option.score, option.text)
        return lambda option: (-option.score, -option.freq, option.text)
    return lambda option: (-option.score, option.text)


def _merge_completions(suggestion: Suggestion, entries: list[SuggestEntry]) -> SuggestEntry:
    """The best over all, equal ones by their text and then in the order of their shards."""
    assert isinstance(suggestion, CompletionSuggestion)
    options = [option for entry in entries for option in entry.options]
    options.sort(key=_completion_order)
    if suggestion.skip_duplicates:
        options = _first_of_each(options)
    first = entries[0]
    return SuggestEntry(first.text, first.offset, first.length, options[: suggestion.size])


def _first_of_each(options: list[SuggestOption]) -> list[SuggestOption]:
    by_text: dict[str, SuggestOption] = {}
    for option in options:
        by_text.setdefault(option.text, option)
    return list(by_text.values())


def _completion_order(option: SuggestOption) -> tuple[float, str, int, str, str, str]:
    hit = option.hit
    assert hit is not None
    alias, _, name = hit.index.rpartition(":")
    return -option.score, option.text, hit.shard, name, hit.index_uuid, alias
