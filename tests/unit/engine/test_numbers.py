import random

from sealane.engine.embedded.numbers import NONE, SeqNumbers


def test_the_checkpoint_is_what_all_is_there_up_to() -> None:
    """R-58, R-59: in whatever order and in whatever portions they come."""
    for seed in range(50):
        chance = random.Random(seed)
        left = list(range(40))
        chance.shuffle(left)
        numbers, there = SeqNumbers(NONE), set[int]()
        while left:
            size = chance.randrange(1, 6)
            batch, left = left[:size], left[size:]
            if chance.random() < 0.5:
                batch.sort()
            numbers.note_all(batch)
            there |= set(batch)
            expected = NONE
            while expected + 1 in there:
                expected += 1
            assert numbers.checkpoint == expected
            assert numbers.highest == max(there)
            assert all((n in numbers) == (n in there) for n in range(40))
            assert numbers.has_holes == (expected != max(there))


def test_what_is_passed_over_connects_to_what_is_above() -> None:
    numbers = SeqNumbers(2, [5, 6, 9])
    numbers.pass_over(4)
    assert (numbers.checkpoint, numbers.highest) == (6, 9)
    numbers.pass_over(3)
    assert numbers.checkpoint == 6
    numbers.pass_over(12)
    assert (numbers.checkpoint, numbers.highest, numbers.has_holes) == (12, 12, False)


def test_nothing_is_above_where_it_returns_to() -> None:
    numbers = SeqNumbers(5, [8])
    numbers.return_to(3)
    assert (numbers.checkpoint, numbers.highest, 8 in numbers) == (3, 3, False)
    numbers.note(4)
    assert numbers.checkpoint == 4
