"""Whether an index may be followed, and whether it still is the one that was. Pure; the texts are the reference's where
it has them.
"""

from collections.abc import Sequence

from sealane.engine.base import ShardState
from sealane.errors import IllegalArgument, IndexClosed
from sealane.model.replication import (
    Ancestor,
    Following,
    LeaderIndex,
    LeaderKind,
    ShardHistory,
)

_SOFT_DELETES = "index.soft_deletes.enabled"
_FALSE = "false"


def check_leader(leader: LeaderIndex, asked: str) -> None:
    """Raises IllegalArgument for what cannot be a leader at all, IndexClosed."""
    if leader.kind is not LeaderKind.INDEX:
        raise IllegalArgument(f"cannot follow [{asked}], because it is a {leader.kind}")
    if not leader.open:
        raise IndexClosed(leader.name, leader.uuid)
    if leader.settings.get(_SOFT_DELETES) == _FALSE:
        raise IllegalArgument(f"leader index [{leader.name}] does not have soft deletes enabled")
    if len(leader.history) != leader.shards:
        raise IllegalArgument("no index stats available for the leader index")


def check_no_loop(leader: LeaderIndex, *, index: str, cluster_uuid: str) -> None:
    """Raises IllegalArgument where the leader's operations have come from this cluster, or are the index's own.

    An index of this cluster may be followed from here, through a remote that leads back to it.
    """
    before = leader.origins[:-1]
    is_here = leader.cluster_uuid == cluster_uuid
    if is_here and leader.name == index:
        raise IllegalArgument(f"index [{index}] cannot follow itself")
    if not is_here and cluster_uuid in before:
        raise IllegalArgument(
            f"cannot follow [{leader.name}], because it is itself a copy of an index of this cluster: the two would "
            "follow each other; promote it there first"
        )


def check_same_leader(name: str, following: Following, leader: LeaderIndex) -> None:
    """Raises IllegalArgument where the name of the leader leads to another index by now."""
    if leader.uuid != following.leader_uuid:
        raise IllegalArgument(
            f"follow index [{name}] should reference [{following.leader_uuid}] as leader index but instead reference "
            f"[{leader.uuid}]"
        )


def check_not_older(name: str, following: Following, leader: LeaderIndex) -> None:
    """Raises IllegalArgument where the leader's metadata has gone back: what it was since is lost, and the follower
    has it.
    """
    shown = (leader.mapping_version, leader.settings_version, leader.aliases_version)
    known = (following.mapping_version, following.settings_version, following.aliases_version)
    if any(now < before for now, before in zip(shown, known, strict=True)):
        raise IllegalArgument(
            f"leader index [{leader.name}] has versions {list(shown)} of mapping, settings and aliases, and follow "
            f"index [{name}] has {list(known)}: its data is an older copy"
        )


def check_history(name: str, leader: LeaderIndex, shard: int, ours: ShardState) -> None:
    """Raises IllegalArgument for a shard of the follower that is no beginning of its leader's."""
    theirs = leader.history[shard]
    if not continues(theirs, ours):
        raise IllegalArgument(
            f"leader shard [{leader.name}][{shard}] should reference [{ours.history_uuid}] as history uuid but "
            f"instead reference [{theirs.history_uuid}]"
        )
    if theirs.history_uuid == ours.history_uuid and theirs.checkpoint < ours.checkpoint:
        raise IllegalArgument(
            f"leader shard [{leader.name}][{shard}] is at [{theirs.checkpoint}], behind the follow index [{name}] at "
            f"[{ours.checkpoint}]: its data is an older copy"
        )


def continues(theirs: ShardHistory, ours: ShardState) -> bool:
    """Whether the leader's history goes on from all that is here."""
    if theirs.history_uuid == ours.history_uuid:
        return True
    return any(
        each.history_uuid == ours.history_uuid and ours.max_seq_no <= each.up_to
        for each in theirs.ancestors
    )


def common_seq_no(theirs: ShardHistory, ours: ShardState) -> int | None:
    """Up to which number two shards have the same operations; None where they have never had one history.

    Histories are compared the newest first: a shard's own up to its checkpoint, then those it continues.
    """
    lines_here = _line(ours.history_uuid, ours.max_seq_no, ours.ancestors)
    lines_there = dict(reversed(_line(theirs.history_uuid, theirs.max_seq_no, theirs.ancestors)))
    for uuid, up_to in lines_here:
        there = lines_there.get(uuid)
        if there is not None:
            return min(up_to, there)
    return None


def _line(uuid: str, up_to: int, ancestors: Sequence[Ancestor]) -> list[tuple[str, int]]:
    """A history and those before it, each with the last number that belongs to it. The first of a name decides."""
    found = [(uuid, up_to)]
    for each in ancestors:
        # What a later history cut off is no part of the line, whatever the earlier one had.
        up_to = min(up_to, each.up_to)
        found.append((each.history_uuid, up_to))
    return found
