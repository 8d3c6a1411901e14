"""Near spellings: the terms of a sorted dictionary that are a few edits away from a word.

An edit is a character put in, left out or replaced, or two neighbours swapped (then neither is touched again). Terms
that begin alike share the work for their beginning, and a beginning that is too far away already is passed by with all
that begin so; so of a large dictionary little is looked at.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

_LAST = "\U0010ffff"


def near_terms(
    terms: Sequence[str], word: str, distance: int, *, prefix_length: int = 0, swaps: bool = True
) -> Iterator[tuple[str, int]]:
    """Each of the sorted `terms` within `distance`, with its edits. The first `prefix_length` characters must agree.

    A row is the distances of a beginning of the term from the beginnings of the word that are about as long: of
    others it is too far away, however long the word is.
    """
    prefix = word[:prefix_length]
    rest = word[prefix_length:]
    at = bisect_left(terms, prefix)
    far = distance + 1
    first = [abs(each) if 0 <= each <= len(rest) else far for each in range(-distance, far)]
    rows: list[list[int]] = [first]
    previous = ""
    while at < len(terms):
        term = terms[at]
        if not term.startswith(prefix):
            return
        tail = term[len(prefix) :]
        shared = _shared(tail, previous, len(rows) - 1)
        del rows[shared + 1 :]
        previous = tail
        dead = _walk(rows, tail, rest, distance, swaps)
        if dead:
            # Everything that begins so is as far away: on to the first term that does not.
            at = bisect_left(terms, prefix + tail[:dead] + _LAST * 2, at + 1)
            continue
        place = len(rest) - len(tail) + distance
        if 0 <= place <= 2 * distance and rows[len(tail)][place] <= distance:
            yield term, rows[len(tail)][place]
        at += 1


def _shared(left: str, right: str, limit: int) -> int:
    count = 0
    limit = min(limit, len(left), len(right))
    while count < limit and left[count] == right[count]:
        count += 1
    return count


def _walk(rows: list[list[int]], tail: str, word: str, distance: int, swaps: bool) -> int:
    """Appends a row of distances for each character of `tail`; the length at which it is too far, else 0.

    Place p of row r is the distance of r characters of the tail from `r + p - distance` of the word; what is farther
    than `distance` is one more than it.
    """
    far = distance + 1
    for index in range(len(rows) - 1, len(tail)):
        char = tail[index]
        above = rows[-1]
        row: list[int] = []
        for place in range(2 * distance + 1):
            column = index + 1 + place - distance
            if not 0 <= column <= len(word):
                row.append(far)
                continue
            best = far
            if place < 2 * distance:
                best = min(best, above[place + 1] + 1)
            if column:
                wanted = word[column - 1]
                best = min(best, above[place] + (char != wanted))
                if place:
                    best = min(best, row[place - 1] + 1)
                if (
                    swaps
                    and index
                    and column > 1
                    and char == word[column - 2]
                    and tail[index - 1] == wanted
                ):
                    best = min(best, rows[index - 1][place] + 1)
            row.append(best)
        rows.append(row)
        # A swap looks back two rows, and so may save what this row alone has lost.
        if min(row) > distance and (not swaps or min(above) >= distance):
            return index + 1
    return 0
