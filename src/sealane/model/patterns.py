"""Names and dotted paths with `*` in them, which stands for any characters, none included.

Whoever asks chooses pattern and name, so matching takes time in proportion to their lengths, however many stars there
are: a piece between two stars that was found is not given up again, since a later place would help none behind it.
"""

import re
from collections.abc import Callable
from functools import lru_cache


@lru_cache(maxsize=1024)
def pattern(text: str) -> re.Pattern[str]:
    """Its `fullmatch` takes whole names."""
    first, *others = map(re.escape, text.split("*"))
    if not others:
        return re.compile(first)
    between = "".join(f"(?>.*?{piece})" for piece in others[:-1] if piece)
    return re.compile(f"{first}{between}.*{others[-1]}", re.DOTALL)


def matcher(text: str) -> Callable[[str], object]:
    """A function that is true of the names that match."""
    return pattern(text).fullmatch


def matches(text: str, name: str) -> bool:
    if "*" not in text:
        return text == name
    if len(text) - text.count("*") > len(name):
        # To compile a pattern of a megabyte takes a minute, and it matches nothing.
        return False
    return pattern(text).fullmatch(name) is not None
