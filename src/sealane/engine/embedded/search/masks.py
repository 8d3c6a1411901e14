"""Which fields a reader may see: dotted patterns with `*`."""

import re
from functools import lru_cache

from sealane.engine.base import FieldMask


@lru_cache(maxsize=512)
def pattern(text: str) -> re.Pattern[str]:
    """A pattern with `*`, matched against whole dotted paths."""
    return re.compile(".*".join(re.escape(part) for part in text.split("*")), re.DOTALL)


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(each == path or ("*" in each and pattern(each).fullmatch(path)) for each in patterns)


def visible(path: str, mask: FieldMask | None) -> bool:
    """Whether a field may be searched, sorted and aggregated on. Metadata fields always are."""
    if mask is None or path.startswith("_"):
        return True
    return _covered(path, mask.includes) and not _covered(path, mask.excludes)


def _covered(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether a pattern matches the path or an object that holds it."""
    if matches(path, patterns):
        return True
    parts = path.split(".")
    return any(matches(".".join(parts[:n]), patterns) for n in range(1, len(parts)))
