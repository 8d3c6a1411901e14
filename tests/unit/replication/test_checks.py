import pytest

from sealane.engine.base import ShardState
from sealane.errors import ApiError, IllegalArgument, IndexClosed
from sealane.model.replication import (
    Ancestor,
    Following,
    LeaderIndex,
    LeaderKind,
    ShardHistory,
)
from sealane.replication.checks import (
    check_history,
    check_leader,
    check_no_loop,
    check_not_older,
    check_same_leader,
    common_seq_no,
)

OURS, THEIRS = "our-cluster", "their-cluster"


def leader(**members: object) -> LeaderIndex:
    known: dict[str, object] = {
        "name": "cities",
        "uuid": "leader-uuid",
        "settings": {},
        "mapping": b"{}",
        "mapping_version": 1,
        "settings_version": 1,
        "aliases": {},
        "aliases_version": 1,
        "history": (theirs("h", 9),),
        "cluster_uuid": THEIRS,
        "origins": (THEIRS,),
    }
    return LeaderIndex(**{**known, **members})  # type: ignore[arg-type]


def theirs(uuid: str, max_seq_no: int, *ancestors: tuple[str, int]) -> ShardHistory:
    return ShardHistory(
        history_uuid=uuid,
        primary_term=1,
        max_seq_no=max_seq_no,
        checkpoint=max_seq_no,
        ancestors=tuple(Ancestor(*each) for each in ancestors),
    )


def ours(uuid: str, max_seq_no: int, *ancestors: tuple[str, int]) -> ShardState:
    return ShardState(
        history_uuid=uuid,
        primary_term=1,
        max_seq_no=max_seq_no,
        checkpoint=max_seq_no,
        ancestors=tuple(Ancestor(*each) for each in ancestors),
    )


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (
            {"kind": LeaderKind.ALIAS},
            IllegalArgument("cannot follow [x], because it is a ALIAS"),
        ),
        (
            {"kind": LeaderKind.DATA_STREAM},
            IllegalArgument("cannot follow [x], because it is a DATA_STREAM"),
        ),
        ({"open": False}, IndexClosed("cities", "leader-uuid")),
        (
            {"settings": {"index.soft_deletes.enabled": "false"}},
            IllegalArgument("leader index [cities] does not have soft deletes enabled"),
        ),
        (
            {"history": ()},
            IllegalArgument("no index stats available for the leader index"),
        ),
    ],
)
def test_what_is_no_leader(members: dict[str, object], expected: ApiError) -> None:
    """R-4, R-5"""
    with pytest.raises(type(expected)) as raised:
        check_leader(leader(**members), "x")
    assert raised.value.to_cause() == expected.to_cause()


def test_a_plain_index_is_one() -> None:
    check_leader(leader(), "cities")


@pytest.mark.parametrize(
    "members",
    [
        {"origins": (OURS, THEIRS)},
        {"origins": ("first", OURS, "third", THEIRS)},
        {"cluster_uuid": OURS, "origins": (OURS,), "name": "copy"},
    ],
)
def test_circles(members: dict[str, object]) -> None:
    """R-85: operations that have come from here, and an index that follows itself."""
    with pytest.raises(IllegalArgument):
        check_no_loop(leader(**members), index="copy", cluster_uuid=OURS)


@pytest.mark.parametrize(
    "members",
    [
        {"origins": ("first", THEIRS)},
        {"cluster_uuid": OURS, "origins": (OURS,)},
        {"cluster_uuid": OURS, "origins": (THEIRS, OURS)},
    ],
)
def test_no_circles(members: dict[str, object]) -> None:
    """A chain, and an index of the same cluster through a remote that leads back to it."""
    check_no_loop(leader(**members), index="copy", cluster_uuid=OURS)


def test_another_index_of_the_name() -> None:
    """R-15"""
    following = Following(
        remote_cluster="eu", leader_index="cities", leader_uuid="old", history_uuids=("h",)
    )
    with pytest.raises(IllegalArgument, match=r"should reference \[old\] as leader index but inst"):
        check_same_leader("copy", following, leader())


@pytest.mark.parametrize(
    ("there", "here"),
    [
        (theirs("h", 9), ours("h", 9)),
        (theirs("h", 9), ours("h", -1)),
        (theirs("new", 20, ("h", 9)), ours("h", 9)),
        (theirs("newer", 20, ("new", 15), ("h", 9)), ours("h", 5)),
    ],
)
def test_what_the_leader_continues(there: ShardHistory, here: ShardState) -> None:
    """R-49"""
    check_history("copy", leader(history=(there,)), 0, here)


@pytest.mark.parametrize(
    ("there", "here", "why"),
    [
        (theirs("other", 9), ours("h", 9), "as history uuid but instead reference"),
        (theirs("new", 20, ("h", 8)), ours("h", 9), "as history uuid but instead reference"),
        (theirs("h", 8), ours("h", 9), "its data is an older copy"),
    ],
)
def test_what_it_does_not(there: ShardHistory, here: ShardState, why: str) -> None:
    """R-100, R-49"""
    with pytest.raises(IllegalArgument, match=why):
        check_history("copy", leader(history=(there,)), 0, here)


@pytest.mark.parametrize(
    ("there", "here", "common"),
    [
        (theirs("new", 30, ("h", 10)), ours("h", 20), 10),
        (theirs("new", 30, ("h", 10)), ours("h", 5), 5),
        (theirs("h", 30), ours("h", 20), 20),
        (theirs("c", 40, ("b", 30), ("a", 10)), ours("a", 25), 10),
        (theirs("c", 40, ("b", 5), ("a", 10)), ours("a", 25), 5),
        (theirs("c", 40, ("a", 10)), ours("b", 40, ("a", 12)), 10),
        (theirs("a", 40), ours("b", 40, ("a", 12)), 12),
        (theirs("other", 40), ours("h", 20), None),
        (theirs("new", 30, ("h", -1)), ours("h", 20), -1),
    ],
)
def test_up_to_where_two_histories_are_one(
    there: ShardHistory, here: ShardState, common: int | None
) -> None:
    """R-110: what a later history has cut off is no part of the line."""
    assert common_seq_no(there, here) == common


@pytest.mark.parametrize("older", ["mapping_version", "settings_version", "aliases_version"])
def test_metadata_that_goes_back(older: str) -> None:
    """R-100: an index restored from an older copy gives the same versions again, for other mappings maybe."""
    following = Following(
        remote_cluster="eu",
        leader_index="cities",
        leader_uuid="leader-uuid",
        history_uuids=("h",),
        mapping_version=3,
        settings_version=3,
        aliases_version=3,
    )
    newest = {"mapping_version": 3, "settings_version": 4, "aliases_version": 5}
    check_not_older("copy", following, leader(**newest))
    with pytest.raises(IllegalArgument, match="its data is an older copy"):
        check_not_older("copy", following, leader(**{**newest, older: 2}))
