"""`did you mean [...]?`: names that are close to an unknown one, as the reference finds them."""

from collections.abc import Iterable


def did_you_mean(unknown: str, known: Iterable[str]) -> str:
    """` did you mean [x]?`, ` did you mean any of [x, y]?`, or nothing when none is near."""
    near = sorted((-score, name) for name in known if (score := similarity(unknown, name)) > 0.5)
    if not near:
        return ""
    names = [name for _, name in near]
    if len(names) == 1:
        return f" did you mean [{names[0]}]?"
    return f" did you mean any of [{', '.join(names)}]?"


def similarity(one: str, other: str) -> float:
    """1 minus the edit distance over the longer length."""
    if not one or not other:
        return 1.0 if one == other else 0.0
    previous = list(range(len(other) + 1))
    for row, left in enumerate(one, 1):
        current = [row]
        for column, right in enumerate(other, 1):
            current.append(
                min(
                    previous[column] + 1,
                    current[-1] + 1,
                    previous[column - 1] + (left != right),
                )
            )
        previous = current
    return 1 - previous[-1] / max(len(one), len(other))
