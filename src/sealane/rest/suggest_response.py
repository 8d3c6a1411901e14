"""The JSON of suggestions in a search's answer."""

from collections.abc import Callable, Mapping
from typing import Any

from sealane.reduce.partial import Hit, SuggestOption, SuggestPartial

RenderHit = Callable[[Hit], dict[str, Any]]


def render_suggestions(
    suggestions: Mapping[str, SuggestPartial],
    *,
    typed_keys: bool,
    score: Callable[[float], float],
    hit: RenderHit,
) -> dict[str, Any]:
    """By name. `score` shows a 32-bit number, `hit` the members of a hit."""
    return {
        f"{each.kind}#{name}" if typed_keys else name: [
            {
                "text": entry.text,
                "offset": entry.offset,
                "length": entry.length,
                "options": [_OPTIONS[each.kind](option, score, hit) for option in entry.options],
            }
            for entry in each.entries
        ]
        for name, each in suggestions.items()
    }


def _word(option: SuggestOption, score: Callable[[float], float], hit: RenderHit) -> dict[str, Any]:
    return {"text": option.text, "score": score(option.score), "freq": option.freq}


def _phrase(
    option: SuggestOption, score: Callable[[float], float], hit: RenderHit
) -> dict[str, Any]:
    shown: dict[str, Any] = {"text": option.text}
    if option.highlighted is not None:
        shown["highlighted"] = option.highlighted
    shown["score"] = score(option.score)
    return shown


def _completion(
    option: SuggestOption, score: Callable[[float], float], hit: RenderHit
) -> dict[str, Any]:
    assert option.hit is not None
    return {"text": option.text, **hit(option.hit)}


_OPTIONS = {"term": _word, "phrase": _phrase, "completion": _completion}
