"""Whether a shard here continues the history that a follower has. Pure."""

from sealane.engine.base import ShardState
from sealane.errors import UnexpectedHistory
from sealane.model.replication import ShardHistory


def history_of(state: ShardState) -> ShardHistory:
    return ShardHistory(
        history_uuid=state.history_uuid,
        primary_term=state.primary_term,
        max_seq_no=state.max_seq_no,
        checkpoint=state.checkpoint,
        ancestors=state.ancestors,
    )


def check_continues(state: ShardState, history_uuid: str, position: int) -> None:
    """Raises UnexpectedHistory unless a follower that has `history_uuid` up to `position` can go on here.

    One that was promoted continues the history it came from, but no longer than that was: what a follower has beyond it
    is of another branch. Of several such steps the one that was earliest decides.
    """
    if history_uuid == state.history_uuid:
        return
    shared = state.max_seq_no
    for ancestor in state.ancestors:
        shared = min(shared, ancestor.up_to)
        if ancestor.history_uuid == history_uuid:
            if position <= shared:
                return
            break
    raise UnexpectedHistory(history_uuid, state.history_uuid)
