"""What indices and aliases may be called. The texts are the reference's."""

from typing import Final

from sealane.errors import ApiError, IllegalArgument, InvalidIndexName

_FORBIDDEN: Final = frozenset(' "*,/<>?\\|')
_FORBIDDEN_SHOWN: Final = "[' ','\"','*',',','/','<','>','?','\\','|']"
NAME_MAX_BYTES: Final = 255
BACKING_PREFIX: Final = ".ds-"
"""What the names of backing indices of data streams begin with."""


class InvalidAliasName(ApiError):
    es_type, status = "invalid_alias_name_exception", 400

    def __init__(self, alias: str, problem: str) -> None:
        super().__init__(f"Invalid alias name [{alias}]: {problem}")


def _problem(name: str, kind: str) -> str | None:
    if not name:
        return "must not be empty"
    if not _FORBIDDEN.isdisjoint(name):
        return f"must not contain the following characters {_FORBIDDEN_SHOWN}"
    if "#" in name:
        return "must not contain '#'"
    if ":" in name:
        return "must not contain ':'"
    if name[0] in "_-+":
        return "must not start with '_', '-', or '+'"
    length = len(name.encode("utf-8"))
    if length > NAME_MAX_BYTES:
        return f"{kind} name is too long, ({length} > {NAME_MAX_BYTES})"
    if name in (".", ".."):
        return "must not be '.' or '..'"
    return None


def check_index_name(name: str) -> None:
    """Raises InvalidIndexName."""
    problem = _problem(name, "index")
    if problem is None and name != name.lower():
        problem = "must be lowercase"
    if problem is not None:
        raise InvalidIndexName(name, problem)


def check_alias_name(name: str) -> None:
    """Raises InvalidAliasName."""
    problem = _problem(name, "index")
    if problem is not None:
        raise InvalidAliasName(name, problem)


def check_stream_name(name: str) -> None:
    """Raises IllegalArgument."""
    problem = _problem(name, "index")
    if problem is None and name != name.lower():
        problem = "must be lowercase"
    if problem is None and name.startswith(BACKING_PREFIX):
        problem = f"must not start with '{BACKING_PREFIX}'"
    if problem is not None:
        raise IllegalArgument(f"data_stream [{name}] {problem}")
