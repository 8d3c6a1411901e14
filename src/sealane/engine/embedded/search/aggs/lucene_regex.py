"""Lucene's regular expressions, as `include` and `exclude` take them, as Python patterns.

Matched against the whole term. What differs from Python: `#` is nothing, `@` anything, `"..."` literal, `<1-9>` a
range of numbers, and `^`, `$` are ordinary characters. Complement and intersection (`~`, `&`) have no counterpart.
"""

import re
from functools import lru_cache

from sealane.errors import IllegalArgument

MAX_LENGTH = 1_000


@lru_cache(maxsize=256)
def compile_regex(text: str) -> re.Pattern[str]:
    """Raises IllegalArgument for an expression that is too long or malformed."""
    if len(text) > MAX_LENGTH:
        raise IllegalArgument(
            f"The length of regex [{len(text)}] used in the request has exceeded the allowed "
            f"maximum of [{MAX_LENGTH}]. This maximum can be set by changing the "
            "[index.max_regex_length] index level setting."
        )
    try:
        return re.compile(_translate(text), re.DOTALL)
    except (re.error, OverflowError) as error:
        raise IllegalArgument(f"invalid regular expression [{text}]: {error}") from None


def _translate(text: str) -> str:
    out: list[str] = []
    at, in_class = 0, False
    while at < len(text):
        char = text[at]
        at += 1
        if char == "\\" and at < len(text):
            out.append(_escaped(text[at]))
            at += 1
        elif in_class:
            in_class = char != "]"
            out.append("\\" + char if char in "[&~|" else char)
        elif char == "[":
            in_class = True
            out.append(char)
        elif char == '"':
            end = text.find('"', at)
            end = len(text) if end < 0 else end
            out.append(re.escape(text[at:end]))
            at = end + 1
        elif char == "@":
            out.append(".*")
        elif char == "#":
            out.append("(?!)")
        elif char in "^$":
            out.append("\\" + char)
        elif char in "~&":
            raise IllegalArgument(f"operator [{char}] is not supported in [{text}]")
        elif char == "<" and (found := re.match(r"(\d+)-(\d+)>", text[at:])):
            out.append(_interval(found))
            at += found.end()
        elif char == "(":
            out.append("(?:")
        else:
            out.append(char)
    return "".join(out)


def _escaped(char: str) -> str:
    return "\\" + char if char in "wWdDsS" else re.escape(char)


def _interval(found: "re.Match[str]") -> str:
    low, high = sorted((int(found[1]), int(found[2])))
    if high - low > 10_000:
        raise IllegalArgument(f"interval [{found[0]}] is too wide")
    return "(?:" + "|".join(str(number) for number in range(low, high + 1)) + ")"
