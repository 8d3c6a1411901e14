"""JSON values by the names of the tokens they begin with: part of the reference's error texts."""

from typing import Any

_TOKENS: dict[type, str] = {
    dict: "START_OBJECT",
    list: "START_ARRAY",
    str: "VALUE_STRING",
    int: "VALUE_NUMBER",
    float: "VALUE_NUMBER",
    bool: "VALUE_BOOLEAN",
    type(None): "VALUE_NULL",
}


def token(value: Any) -> str:
    """The parser token with which a JSON value begins, by the reference's name."""
    return _TOKENS[type(value)]
