"""What the simulation holds shards against: each way of going wrong is noticed at the moment it happens."""

from collections import Counter
from collections.abc import Callable

import pytest

from sealane.engine.base import RollBack
from sealane.model.document import Operation, OpKind
from sealane.model.replication import Lease
from sealane.testing.replication_simulation.histories import Lines
from sealane.testing.replication_simulation.shards import WatchedShard
from sealane.testing.simulation.trace import Trace
from sealane.testing.simulation.world import Violation


class _Watcher:
    def __init__(self) -> None:
        self.lines = Lines()
        self.checks: Counter[str] = Counter()
        self.trace = Trace(lambda: 0.0)

    def violation(self, text: str) -> Violation:
        return Violation(text)

    def followed(self, shard: WatchedShard, lease: Lease) -> None: ...
    def judge_lease(self, shard: WatchedShard, lease: Lease) -> None: ...
    def expired(self, shard: WatchedShard, lease: Lease) -> None: ...
    def left(self, shard: WatchedShard, lease_id: str) -> None: ...
    def copied(self, shard: WatchedShard) -> None: ...
    def comes(self, shard: WatchedShard, op: Operation) -> None: ...


def _op(seq_no: int, doc_id: str, made_ms: int = 1) -> Operation:
    return Operation(seq_no, 1, 1, OpKind.INDEX, doc_id, None, b"{}", made_ms)


@pytest.fixture
def watcher() -> _Watcher:
    return _Watcher()


@pytest.fixture
def leader(watcher: _Watcher) -> WatchedShard:
    shard = WatchedShard("theirs", "a1", watcher)
    for number in range(4):
        shard.append(_op(number, f"d{number}"))
    return shard


@pytest.fixture
def follower(watcher: _Watcher, leader: WatchedShard) -> WatchedShard:
    shard = WatchedShard("ours", "b1", watcher)
    shard.adopt("theirs", ())
    for number in range(2):
        shard.take(leader.log[number])
    return shard


def test_a_beginning_of_the_leaders_line_is_right(
    leader: WatchedShard, follower: WatchedShard
) -> None:
    assert leader.own is not None
    assert follower.may_follow(leader.own)
    assert follower.difference() == ""
    follower.take(leader.log[1])
    assert follower.checkpoint == 1


def _skips(follower: WatchedShard, leader: WatchedShard) -> None:
    follower.take(leader.log[3])


def _takes_of_nobody(follower: WatchedShard, leader: WatchedShard) -> None:
    follower.take(_op(2, "d2", made_ms=7))


def _takes_of_an_older_copy(follower: WatchedShard, leader: WatchedShard) -> None:
    back = leader.restored()
    back.append(_op(4, "other"))
    for number in (2, 3):
        follower.take(leader.log[number])
    leader.append(_op(4, "d4"))
    follower.take(leader.log[4])
    follower.take(_op(5, "next"))


def _copies_of_nobody(follower: WatchedShard, leader: WatchedShard) -> None:
    follower.take_copied([_op(3, "other", made_ms=0)], 3)


def _copies_further_than_there_is(follower: WatchedShard, leader: WatchedShard) -> None:
    follower.take_copied([], 9)


def _is_written_to(follower: WatchedShard, leader: WatchedShard) -> None:
    follower.append(_op(2, "mine"))


def _is_promoted_half_copied(follower: WatchedShard, leader: WatchedShard) -> None:
    follower.take_copied([], 3)
    follower.begin_history("new")


def _goes_back_to_what_never_was(follower: WatchedShard, leader: WatchedShard) -> None:
    back = RollBack(
        to_seq_no=0,
        history_uuid="theirs",
        ancestors=(),
        touched=["d1", "d0"],
        documents=[_op(0, "d1")],
    )
    follower.roll_back(back)


@pytest.mark.parametrize(
    "wrong",
    [
        _skips,
        _takes_of_nobody,
        _takes_of_an_older_copy,
        _copies_of_nobody,
        _copies_further_than_there_is,
        _is_written_to,
        _is_promoted_half_copied,
        _goes_back_to_what_never_was,
    ],
)
def test_what_is_wrong_is_noticed(
    wrong: Callable[[WatchedShard, WatchedShard], None],
    leader: WatchedShard,
    follower: WatchedShard,
) -> None:
    with pytest.raises(Violation):
        wrong(follower, leader)


def test_an_older_copy_goes_on_in_a_line_of_its_own(
    leader: WatchedShard, follower: WatchedShard
) -> None:
    backup = leader.copied()
    assert isinstance(backup, WatchedShard)
    leader.append(_op(4, "d4"))
    back = backup.restored()
    back.append(_op(4, "other"))
    assert leader.own is not None
    assert back.own is not None
    assert not back.own.begins_with(leader.own, 4)
    assert back.own.begins_with(leader.own, 3)
    assert follower.may_follow(leader.own)
    assert follower.may_follow(back.own)
    for number in (2, 3):
        follower.take(leader.log[number])
    follower.take(leader.log[4])
    assert follower.may_follow(leader.own)
    assert not follower.may_follow(back.own)
