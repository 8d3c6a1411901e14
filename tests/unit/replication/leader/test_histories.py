"""Which follower may go on here."""

import pytest

from sealane.engine.base import ShardState
from sealane.errors import UnexpectedHistory
from sealane.model.replication import Ancestor
from sealane.replication.leader.histories import check_continues, history_of

STATE = ShardState(
    history_uuid="c",
    primary_term=3,
    max_seq_no=100,
    checkpoint=90,
    ancestors=(Ancestor("b", 50), Ancestor("a", 20)),
)


@pytest.mark.parametrize(
    ("history", "position"), [("c", 1000), ("c", -1), ("b", 50), ("b", -1), ("a", 20), ("a", 0)]
)
def test_it_goes_on_within_what_both_have(history: str, position: int) -> None:
    check_continues(STATE, history, position)


@pytest.mark.parametrize(("history", "position"), [("b", 51), ("a", 21), ("x", -1), ("", -1)])
def test_it_does_not_beyond(history: str, position: int) -> None:
    with pytest.raises(UnexpectedHistory) as raised:
        check_continues(STATE, history, position)
    assert raised.value.reason == (
        f"unexpected history uuid, expected [{history}], actual [c], shard is likely restored from "
        "snapshot or force allocated"
    )


def test_the_earliest_of_several_steps_decides() -> None:
    """A follower of the oldest history may have no more than any of those after it has in common."""
    state = ShardState(
        history_uuid="c",
        primary_term=3,
        max_seq_no=100,
        checkpoint=90,
        ancestors=(Ancestor("b", 10), Ancestor("a", 20)),
    )
    check_continues(state, "a", 10)
    with pytest.raises(UnexpectedHistory):
        check_continues(state, "a", 11)


def test_a_follower_is_told_where_the_shard_stands() -> None:
    told = history_of(STATE)
    assert (told.history_uuid, told.primary_term, told.max_seq_no, told.checkpoint) == (
        "c",
        3,
        100,
        90,
    )
    assert told.ancestors == STATE.ancestors
