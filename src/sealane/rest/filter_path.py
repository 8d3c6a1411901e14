"""`filter_path`: which parts of an answer are wanted. Dotted patterns; `*` within a name, `**` over any depth.

Patterns that begin with `-` take parts away; they win. What nothing is left of is dropped, but for the outermost.
"""

import re
from typing import Any, Final

from sealane.model.patterns import matches

_NOTHING: Final = object()
_Path = tuple[str, ...]


class FilterPath:
    def __init__(self, expression: str) -> None:
        patterns = [each.strip() for each in expression.split(",") if each.strip()]
        self._includes = [_split(each) for each in patterns if not each.startswith("-")]
        self._excludes = [_split(each[1:]) for each in patterns if each.startswith("-")]

    def __bool__(self) -> bool:
        return bool(self._includes or self._excludes)

    def apply(self, value: Any) -> Any:
        """A filtered copy of JSON data."""
        if self._includes:
            value = _keep(value, self._includes)
        if self._excludes and value is not _NOTHING:
            value = _drop(value, self._excludes)
        return {} if value is _NOTHING else value


def _split(pattern: str) -> _Path:
    """Dots separate names; one after a backslash belongs to the name. Of several `**` in a row one is enough."""
    parts: list[str] = []
    for part in re.split(r"(?<!\\)\.", pattern):
        if part != "**" or parts[-1:] != ["**"]:
            parts.append(part.replace("\\.", "."))
    return tuple(parts)


def _advance(patterns: list[_Path], name: str) -> tuple[list[_Path], bool]:
    """The patterns that hold below `name`, and whether one of them ends here."""
    below: list[_Path] = []
    ended = False
    for pattern in patterns:
        head, rest = pattern[0], pattern[1:]
        if head == "**":
            below.append(pattern)
            if rest:
                more, end = _advance([rest], name)
                below += more
                ended = ended or end
            else:
                ended = True
        elif matches(head, name):
            if rest:
                below.append(rest)
            else:
                ended = True
    # The same one by several ways: without this they would double with each level.
    return list(dict.fromkeys(below)), ended


def _keep(value: Any, patterns: list[_Path]) -> Any:
    if isinstance(value, dict):
        kept = {}
        for name, each in value.items():
            below, ended = _advance(patterns, name)
            part = each if ended else _keep(each, below) if below else _NOTHING
            if part is not _NOTHING:
                kept[name] = part
        return kept or _NOTHING
    if isinstance(value, list):
        parts = [_keep(each, patterns) for each in value]
        return [each for each in parts if each is not _NOTHING] or _NOTHING
    return _NOTHING


def _drop(value: Any, patterns: list[_Path]) -> Any:
    if isinstance(value, dict):
        left = {}
        for name, each in value.items():
            below, ended = _advance(patterns, name)
            if ended:
                continue
            part = _drop(each, below) if below else each
            if part is not _NOTHING:
                left[name] = part
        return left if left or not value else _NOTHING
    if isinstance(value, list):
        parts = [_drop(each, patterns) for each in value]
        left_over = [each for each in parts if each is not _NOTHING]
        return left_over if left_over or not value else _NOTHING
    return value
