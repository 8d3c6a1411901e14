"""Names and dotted paths with `*` in them, which stands for any characters, none included."""

import re
from collections.abc import Callable
from functools import lru_cache


@lru_cache(maxsize=1024)
def pattern(text: str) -> re.Pattern[str]:
    """Its `fullmatch` takes whole names."""
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)


def matcher(text: str) -> Callable[[str], object]:
    """A function that is true of the names that match."""
    return pattern(text).fullmatch


def matches(text: str, name: str) -> bool:
    if "*" not in text:
        return text == name
    return pattern(text).fullmatch(name) is not None
