"""What a user may not change of a follower, because it comes from the leader. Pure.

Documents are refused by the engine. What replication itself changes goes past this, through `following`.
"""

from collections.abc import Iterable, Sequence

from sealane.cluster.following_settings import replicated
from sealane.cluster.metadata import IndexMetadata
from sealane.errors import IllegalArgument, StatusError


def check_mapping_is_own(indices: Iterable[IndexMetadata]) -> None:
    """Raises StatusError (403) naming the followers among `indices`."""
    followers = _followers(indices)
    if followers:
        raise StatusError(
            f"can't put mapping to the following indices [{followers}]; the mapping of the following indices are "
            "self-replicated from its leader indices",
            403,
        )


def check_aliases_are_own(indices: Iterable[IndexMetadata]) -> None:
    """Raises StatusError (403) naming the followers among `indices`."""
    followers = _followers(indices)
    if followers:
        raise StatusError(
            f"can't modify aliases on indices [{followers}]; aliases of following indices are self-replicated from "
            "their leader indices",
            403,
        )


def check_settings_are_own(before: Sequence[IndexMetadata], after: Iterable[IndexMetadata]) -> None:
    """`after` are those of `before` that a user's change of settings would change, changed. Raises IllegalArgument
    where that would part a follower from its leader.
    """
    known = {index.uuid: index for index in before if index.following is not None}
    followers: list[str] = []
    settings: set[str] = set()
    for index in after:
        old = known.get(index.uuid)
        if old is None:
            continue
        was, would_be = replicated(old.settings), replicated(index.settings)
        differing = {key for key in (*was, *would_be) if was.get(key) != would_be.get(key)}
        if differing:
            followers.append(index.name)
            settings |= differing
    if followers:
        raise IllegalArgument(
            f"can't update settings [{', '.join(sorted(settings))}] of the following indices "
            f"[{', '.join(followers)}]; these settings of following indices are self-replicated from their leader "
            "indices"
        )


def _followers(indices: Iterable[IndexMetadata]) -> str:
    return ", ".join(dict.fromkeys(each.name for each in indices if each.following is not None))
