"""Paths to values of aggregations, as `buckets_path` writes them: `sales>stats.avg`, `t['a']>m`, `p[99.9]`, `t._count`.

Who follows a path is elsewhere; here is how it is cut into its parts.
"""

from dataclasses import dataclass
from functools import lru_cache


class BadPath(ValueError):
    """What is no path."""


@dataclass(frozen=True, slots=True)
class PathElement:
    """One step: an aggregation's name, with what may follow it in brackets, and after a dot in the last step."""

    name: str
    key: str | None = None
    member: str | None = None

    @property
    def has_bucket_key(self) -> bool:
        """Whether it names one bucket, `['key']`."""
        return self.key is not None and is_bucket_key(self.key)


def is_bucket_key(part: str) -> bool:
    return len(part) > 1 and part[0] == part[-1] == "'"


@lru_cache(maxsize=1024)
def parse_path(path: str) -> tuple[PathElement, ...]:
    """The steps of a path. Raises BadPath."""
    steps = [step for step in path.split(">") if step]
    if not steps:
        raise BadPath("Invalid path []")
    last = len(steps) - 1
    return tuple(_element(step, path, last=at == last) for at, step in enumerate(steps))


def flat_path(path: str) -> tuple[str, ...]:
    """All parts of a path one after the other: names, keys and members. Raises BadPath."""
    parts: list[str] = []
    for element in parse_path(path):
        parts.append(element.name)
        parts += [each for each in (element.key, element.member) if each is not None]
    return tuple(parts)


def _element(step: str, path: str, *, last: bool) -> PathElement:
    name, key, rest = step, None, ""
    opening = step.find("[")
    if opening >= 0:
        closing = step.find("]", opening)
        if opening == 0 or closing < opening + 2:
            raise BadPath(f"Invalid path element [{step}] in path [{path}]")
        name, key, rest = step[:opening], step[opening + 1 : closing], step[closing + 1 :]
        if rest and not (last and rest[0] == "." and len(rest) > 1):
            raise BadPath(f"Invalid path element [{step}] in path [{path}]")
        return PathElement(name, key, rest[1:] or None)
    if not last:
        return PathElement(name)
    dot = step.rfind(".")
    if dot < 0:
        return PathElement(name)
    if dot == 0 or dot == len(step) - 1:
        raise BadPath(f"Invalid path element [{step}] in path [{path}]")
    return PathElement(step[:dot], None, step[dot + 1 :])
