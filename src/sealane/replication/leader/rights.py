"""Who may follow an index of this cluster: whoever may read its operations and see where its shards stand.

That is one right, asked for at every request and for every name, whichever action carries it: a copy shows what reading
operations does, and a lease is of use to nobody else. It has to be whole. From whom documents or fields are hidden may
not follow: what travels are operations, all of them and as they are.
"""

from typing import Final

from sealane.errors import SecurityError
from sealane.model.access import Access

STATS: Final = "indices:monitor/stats"
CHANGES: Final = "indices:data/read/xpack/ccr/shard_changes"
FOLLOWING: Final = (STATS, CHANGES)
"""The actions that a follower needs to be allowed."""
Names = tuple[str, ...]
"""By which rights on one index are judged: its own first, and that of its data stream, of which any one does."""


def missing(access: Access | None, names: Names) -> tuple[str, ...]:
    """Those that are not allowed; None is nobody who is limited."""
    if access is None:
        return ()
    return tuple(each for each in FOLLOWING if not _allows(access.acting(each), names))


def hides(access: Access | None, names: Names) -> bool:
    """Whether something of the index is hidden."""
    return access is not None and access.acting(CHANGES).limits(names) is not None


def may_follow(access: Access | None, names: Names) -> bool:
    return not missing(access, names) and not hides(access, names)


def check_may_follow(access: Access | None, names: Names) -> None:
    """Raises SecurityError, whether or not there is such an index."""
    denied = missing(access, names)
    if denied:
        raise insufficient(names[0], denied)
    _check_whole(access, names)


def check_may_read(access: Access | None, names: Names) -> None:
    """The same for somebody who follows already: in the words of what is denied."""
    denied = missing(access, names)
    if denied:
        assert access is not None
        raise access.acting(denied[0]).denial(names[:1])
    _check_whole(access, names)


def insufficient(name: str, denied: tuple[str, ...]) -> SecurityError:
    actions = "".join(f", privilege for action [{each}] is missing" for each in denied)
    return SecurityError(f"insufficient privileges to follow index [{name}]{actions}")


def _allows(access: Access, names: Names) -> bool:
    return any(access.allows(name) for name in names)


def _check_whole(access: Access | None, names: Names) -> None:
    if hides(access, names):
        raise SecurityError(
            f"insufficient privileges to follow index [{names[0]}], because document or field level security hides a "
            "part of it, and a follower holds all of it"
        )
