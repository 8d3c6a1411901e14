"""`did you mean [...]?`: names that are close to an unknown one, as the reference finds them."""

from collections.abc import Iterable

from sealane.model.suggest import similarity


def did_you_mean(unknown: str, known: Iterable[str]) -> str:
    """` did you mean [x]?`, ` did you mean any of [x, y]?`, or nothing when none is near."""
    near = sorted((-score, name) for name in known if (score := similarity(unknown, name)) > 0.5)
    if not near:
        return ""
    names = [name for _, name in near]
    if len(names) == 1:
        return f" did you mean [{names[0]}]?"
    return f" did you mean any of [{', '.join(names)}]?"
