"""Batches in any order become one history, or are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealane.errors import HistoryDiverged
from sealane.model.document import Operation
from sealane.model.replication import mark_of
from sealane.replication.follower.sequencer import Batch, Sequencer, size_of
from tests.unit.replication.follower.leaders import operation, operations

HISTORY = operations(0, 60)


def batch(first: int, last: int, history: list[Operation] = HISTORY) -> Batch:
    previous = mark_of(history[first - 1]) if first else None
    return Batch(previous, history[first : last + 1])


def taken(sequencer: Sequencer) -> list[int]:
    return [each.seq_no for each in sequencer.take(1000, 1 << 40)]


ranges = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: tuple(sorted(pair)))


@given(st.lists(ranges, max_size=30), st.randoms(use_true_random=False))
def test_any_order_and_duplication_converges(extra: list[tuple[int, int]], random: object) -> None:
    """R-53, R-58: whatever comes in whatever order, once all has come the history is whole and in order."""
    cut = [(at, min(at + 6, 60)) for at in range(0, 61, 7)]
    order = cut + extra
    random.shuffle(order)  # type: ignore[attr-defined]
    sequencer = Sequencer(0, None)
    out: list[Operation] = []
    for first, last in order:
        sequencer.offer(batch(first, last))
        out += sequencer.take(9, 300)
        assert [each.seq_no for each in out] == list(range(len(out)))
        assert sequencer.expected == len(out) + sequencer.ready
    while more := sequencer.take(9, 300):
        out += more
    assert out == HISTORY
    assert (sequencer.count, sequencer.size_bytes) == (0, 0)


@given(st.lists(ranges, max_size=30))
def test_count_and_size_are_of_what_is_held(order: list[tuple[int, int]]) -> None:
    """R-51: nothing is held that is not counted, and nothing is counted twice when it joins."""
    sequencer = Sequencer(0, None)
    for first, last in order:
        sequencer.offer(batch(first, last))
    if sequencer.expected == 61:
        assert sequencer.count == 61
        assert sequencer.size_bytes == sum(map(size_of, HISTORY))
    assert sequencer.count >= sequencer.ready


def test_hole_is_never_passed() -> None:
    """R-59: what comes after a hole waits."""
    sequencer = Sequencer(0, None)
    sequencer.offer(batch(0, 3))
    sequencer.offer(batch(5, 9))
    assert taken(sequencer) == [0, 1, 2, 3]
    assert sequencer.take(10, 1000) == []
    sequencer.offer(batch(4, 4))
    assert taken(sequencer) == [4, 5, 6, 7, 8, 9]


def test_duplicate_of_what_was_taken_is_dropped() -> None:
    """R-52, R-97: an answer that comes twice changes nothing."""
    sequencer = Sequencer(0, None)
    sequencer.offer(batch(0, 3))
    taken(sequencer)
    sequencer.offer(batch(0, 3))
    sequencer.offer(batch(2, 5))
    assert taken(sequencer) == [4, 5]


@pytest.mark.parametrize("other", [operation(4, term=2), operation(4, wall_ms=7)])
def test_batch_that_continues_another_operation_is_refused(other: Operation) -> None:
    """R-100: its number fits, the operation before it is another one."""
    sequencer = Sequencer(5, mark_of(HISTORY[4]))
    with pytest.raises(HistoryDiverged, match=r"operation \[4\]"):
        sequencer.offer(Batch(mark_of(other), HISTORY[5:8]))
    assert sequencer.ready == 0


def test_parked_batch_is_compared_when_it_joins() -> None:
    """R-100: two answers between which the leader's data was replaced."""
    sequencer = Sequencer(0, None)
    sequencer.offer(Batch(mark_of(operation(3, wall_ms=7)), operations(4, 6, wall_ms=8)))
    with pytest.raises(HistoryDiverged):
        sequencer.offer(batch(0, 3))


def test_overlap_that_disagrees_is_refused() -> None:
    sequencer = Sequencer(0, None)
    sequencer.offer(batch(0, 3))
    other = [*HISTORY[:3], operation(3, wall_ms=7), operation(4, wall_ms=8)]
    with pytest.raises(HistoryDiverged):
        sequencer.offer(Batch(None, other))


def test_batch_with_a_hole_in_it_is_no_batch() -> None:
    """R-106: an answer that is not contiguous was damaged."""
    with pytest.raises(ValueError, match=r"operation \[3\] in place of \[2\]"):
        Batch(None, [HISTORY[1], HISTORY[3]])


def test_first_batch_after_a_copy_needs_no_proof() -> None:
    """Nobody knows the last operation that was copied by itself."""
    sequencer = Sequencer(5, None)
    sequencer.offer(Batch(None, HISTORY[5:8]))
    assert taken(sequencer) == [5, 6, 7]


def test_batch_without_proof_is_not_believed_later() -> None:
    sequencer = Sequencer(5, mark_of(HISTORY[4]))
    with pytest.raises(ValueError, match="without the one before it"):
        sequencer.offer(Batch(None, HISTORY[5:8]))


def test_take_brings_one_that_is_larger_than_the_limit() -> None:
    """R-48: and never two beyond it."""
    sequencer = Sequencer(0, None)
    sequencer.offer(
        Batch(None, [operation(0), operation(1, size=5000), operation(2), operation(3)])
    )
    assert [len(sequencer.take(10, 100)) for _ in range(3)] == [1, 1, 1]
    assert [each.seq_no for each in sequencer.take(10, 1000)] == [3]
