"""The types of fields, from the JSON of a mapping."""

from collections.abc import Callable, Mapping
from typing import Any


def kinds_of(mapping: Mapping[str, Any]) -> Callable[[str], str | None]:
    """Gives the type of a field or a multi-field by its dotted path; None where it is not mapped."""

    def kind_of(path: str) -> str | None:
        here: Mapping[str, Any] = mapping
        for name in path.split("."):
            inside = here.get("properties") or here.get("fields") or {}
            if name not in inside:
                return None
            here = inside[name]
        return str(here.get("type", "object"))

    return kind_of
