"""Errors that are kept for people to read later: they must not keep anything else."""

from sealane.errors import ApiError

_WARNINGS_MAX = 20


def without_frames(error: ApiError) -> ApiError:
    """The same error, which forgets where it was raised.

    The frames that it passed through hold connections and their answers, of 100 MB perhaps, for as
    long as the error is kept. What caused it is kept: it tells people more.
    """
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        each.__traceback__ = None
        waiting += [each.__cause__, each.__context__]
        if isinstance(each, ApiError):
            waiting += [each.caused_by, *each.suppressed]
    return error


def bounded(warnings: list[str]) -> list[str]:
    """The first of them, and how many there are beside: a remote may name thousands of nodes."""
    more = len(warnings) - _WARNINGS_MAX
    return warnings if more <= 0 else [*warnings[:_WARNINGS_MAX], f"and [{more}] more like these"]
