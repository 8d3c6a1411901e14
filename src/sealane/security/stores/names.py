"""What users and roles may be called. Names count byte by byte: nothing is trimmed, and no case is folded."""

import re
from typing import Final

USER_MAX: Final = 507
_ALLOWED: Final = re.compile(r"[\x20-\x7e]+")


def problems_of_name(kind: str, name: str, length_max: int = USER_MAX) -> list[str]:
    """What is wrong with the name of a `User` or a `Role`, in the reference's words."""
    if _ALLOWED.fullmatch(name) and len(name) <= length_max and name == name.strip(" "):
        return []
    return [
        f"{kind} names must be at least 1 and no more than {length_max} characters. They can contain "
        "alphanumeric characters (a-z, A-Z, 0-9), spaces, punctuation, and printable symbols in the Basic Latin "
        "(ASCII) block. Leading or trailing whitespace is not allowed."
    ]
