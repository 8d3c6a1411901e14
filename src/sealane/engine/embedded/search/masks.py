"""Which fields a reader may see: dotted patterns with `*`."""

from sealane.engine.base import FieldMask
from sealane.model.patterns import matches as matches_one


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(matches_one(each, path) for each in patterns)


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
