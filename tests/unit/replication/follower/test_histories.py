import pytest

from sealane.engine.base import ShardState
from sealane.errors import UnexpectedHistory
from sealane.model.replication import NO_OPERATIONS, Ancestor
from sealane.replication.follower.histories import Settling, settling, written_history


def state(uuid: str, max_seq_no: int, *ancestors: tuple[str, int]) -> ShardState:
    return ShardState(
        history_uuid=uuid,
        primary_term=1,
        max_seq_no=max_seq_no,
        checkpoint=max_seq_no,
        ancestors=tuple(Ancestor(*each) for each in ancestors),
    )


@pytest.mark.parametrize(
    ("found", "copy_to", "step"),
    [
        (state("leader", 9), NO_OPERATIONS, Settling.NOTHING),
        (state("own", -1), None, Settling.ADOPT),
        (state("own", -1), NO_OPERATIONS, Settling.ADOPT),
        (state("begun", 9, ("leader", 9)), NO_OPERATIONS, Settling.RETURN),
        (
            state("again", 9, ("begun", 9), ("leader", 9), ("old", 4)),
            NO_OPERATIONS,
            Settling.RETURN,
        ),
        (state("renamed", 9, ("leader", 20)), NO_OPERATIONS, Settling.RECORD),
        (state("renamed", 9, ("between", 8), ("leader", 5)), NO_OPERATIONS, Settling.RECORD),
        (state("begun", 9, ("renamed", 9), ("leader", 5)), NO_OPERATIONS, Settling.RECORD),
    ],
)
def test_what_a_crash_between_two_steps_leaves(
    found: ShardState, copy_to: int | None, step: Settling
) -> None:
    """R-92, R-93: each of them is known, and gone on from."""
    assert settling("leader", found, copy_to) is step


@pytest.mark.parametrize(
    ("found", "name", "former"),
    [
        (state("leader", 9, ("old", 9)), "leader", ["old"]),
        (state("again", 9, ("begun", 9), ("leader", 9), ("old", 4)), "leader", ["old"]),
        (state("begun", 9, ("renamed", 9), ("leader", 5)), "renamed", ["leader"]),
        (state("renamed", 9, ("leader", 5)), "renamed", ["leader"]),
    ],
)
def test_histories_in_which_nothing_was_written_are_given_up(
    found: ShardState, name: str, former: list[str]
) -> None:
    """R-92: however often a promotion went no further than to begin one."""
    uuid, ancestors = written_history("leader", found)
    assert (uuid, [each.history_uuid for each in ancestors]) == (name, former)


@pytest.mark.parametrize(
    ("found", "copy_to"),
    [
        (state("stranger", 9), NO_OPERATIONS),
        (state("stranger", -1), 20),
        (state("stranger", 9, ("another", 9)), None),
    ],
)
def test_what_none_can_leave(found: ShardState, copy_to: int | None) -> None:
    """R-49: two histories are never mixed."""
    with pytest.raises(UnexpectedHistory):
        settling("leader", found, copy_to)
