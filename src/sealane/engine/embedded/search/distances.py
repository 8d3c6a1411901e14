"""How alike two words are, from 0 to 1, as the reference's spell checker computes it (in 32 bits)."""

import math
import struct
from collections.abc import Callable

from sealane.model import dsl

_JARO_THRESHOLD = 0.7
_GRAM = 2
_FLOAT = struct.Struct("<f")


def edits(one: str, other: str, most: int, *, transpositions: bool = True) -> int | None:
    """The least number of edits, None where there are more than `most`. Swapping neighbours is one."""
    if abs(len(one) - len(other)) > most:
        return None
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, char in enumerate(one, 1):
        fresh = [at] + [0] * len(other)
        for place, opposite in enumerate(other, 1):
            best = min(row[place] + 1, fresh[place - 1] + 1, row[place - 1] + (char != opposite))
            if (
                transpositions
                and at > 1
                and place > 1
                and char == other[place - 2]
                and one[at - 2] == opposite
            ):
                best = min(best, before[place - 2] + 1)
            fresh[place] = best
        if min(fresh) > most:
            return None
        before, row = row, fresh
    return row[-1] if row[-1] <= most else None


def accepted_prefix(text: str, word: str, most: int, *, transpositions: bool) -> int | None:
    """The length of the shortest beginning of `text` that is `most` edits from `word`; None where there is none."""
    before: list[int] = []
    row = list(range(len(word) + 1))
    for at in range(len(text) + 1):
        if row[-1] <= most:
            return at
        if at == len(text) or min(row) > most:
            return None
        char = text[at]
        fresh = [at + 1] + [0] * len(word)
        for place, opposite in enumerate(word, 1):
            best = min(row[place] + 1, fresh[place - 1] + 1, row[place - 1] + (char != opposite))
            swapped = at > 0 and place > 1 and char == word[place - 2] and text[at - 1] == opposite
            if transpositions and swapped:
                best = min(best, before[place - 2] + 1)
            fresh[place] = best
        before, row = row, fresh
    return None


def by_edits(count: int, one: str, other: str) -> float:
    """The share of the shorter word that stays."""
    shorter = min(len(one), len(other))
    return single(1.0 - single(count / shorter))


def _damerau(one: str, other: str) -> float:
    if not one or not other:
        return float(one == other)
    count = edits(one, other, max(len(one), len(other)))
    assert count is not None
    return by_edits(count, one, other)


def _levenshtein(one: str, other: str) -> float:
    longest = max(len(one), len(other))
    if not longest:
        return 1.0
    count = edits(one, other, longest, transpositions=False)
    assert count is not None
    return single(1.0 - single(count / longest))


def _jaro_winkler(one: str, other: str) -> float:
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    reach = max(len(longer) // 2 - 1, 0)
    taken = [False] * len(longer)
    found: list[str] = []
    for at, char in enumerate(shorter):
        for place in range(max(at - reach, 0), min(at + reach + 1, len(longer))):
            if not taken[place] and char == longer[place]:
                taken[place] = True
                found.append(char)
                break
    matches = len(found)
    if not matches:
        return 0.0
    there = [char for place, char in enumerate(longer) if taken[place]]
    swapped = sum(a != b for a, b in zip(found, there, strict=True)) // 2
    prefix = 0
    while prefix < len(shorter) and one[prefix] == other[prefix]:
        prefix += 1
    jaro = single((matches / len(one) + matches / len(other) + (matches - swapped) / matches) / 3)
    if jaro < single(_JARO_THRESHOLD):
        return jaro
    return single(jaro + min(0.1, 1 / len(longer)) * prefix * (1 - jaro))


def _ngram(one: str, other: str) -> float:
    if not one or not other:
        return float(len(one) == len(other))
    if len(one) < _GRAM or len(other) < _GRAM:
        same = sum(a == b for a, b in zip(one, other, strict=False))
        return single(same / max(len(one), len(other)))
    source, target = "\0" + one, "\0" + other
    row = [float(at) for at in range(len(one) + 1)]
    for at in range(1, len(other) + 1):
        gram = target[at - 1 : at + 1]
        fresh = [float(at)]
        for place in range(1, len(one) + 1):
            here = source[place - 1 : place + 1]
            cost = sum(a != b for a, b in zip(here, gram, strict=True))
            width = _GRAM - sum(a == b == "\0" for a, b in zip(here, gram, strict=True))
            near = row[place - 1] + cost / width
            fresh.append(min(fresh[place - 1] + 1, row[place] + 1, near))
        row = fresh
    return single(1.0 - row[-1] / max(len(one), len(other)))


def single(value: float) -> float:
    """The nearest number of 32 bits."""
    try:
        narrow: float = _FLOAT.unpack(_FLOAT.pack(value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return narrow


DISTANCES: dict[dsl.StringDistance, Callable[[str, str], float]] = {
    dsl.StringDistance.DAMERAU_LEVENSHTEIN: _damerau,
    dsl.StringDistance.LEVENSHTEIN: _levenshtein,
    dsl.StringDistance.JARO_WINKLER: _jaro_winkler,
    dsl.StringDistance.NGRAM: _ngram,
}
"""All but the internal one, which is what the search for near words counts anyway."""
