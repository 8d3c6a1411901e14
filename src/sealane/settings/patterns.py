"""Patterns in which only `*` is special: names of settings, indices and aliases are matched by them."""

import re
from collections.abc import Callable
from functools import lru_cache


@lru_cache(maxsize=512)
def matcher(pattern: str) -> Callable[[str], object]:
    """A function that is true of the names that match `pattern`."""
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL).fullmatch


def matches(pattern: str, name: str) -> bool:
    return matcher(pattern)(name) is not None
