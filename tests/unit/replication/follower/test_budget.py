"""What a node keeps in memory for its followers: bounded as a whole, and nobody starves."""

import random

from sealane.replication.follower.budget import FIRST_READ_MIN_BYTES, ByteBudget, Share


def shares(budget: ByteBudget, count: int) -> tuple[list[Share], list[int]]:
    called: list[int] = []
    made = [budget.join(lambda at=at: called.append(at)) for at in range(count)]  # type: ignore[misc]
    return made, called


def test_nothing_beyond_the_total_is_given() -> None:
    """R-51: and room comes back with what is given back."""
    budget = ByteBudget(100)
    (one, two), called = shares(budget, 2)
    assert one.take(60)
    assert not two.take(60)
    assert called == []
    one.settle(0)
    assert called == [1]
    assert two.take(60)
    assert budget.used_bytes == 60


def test_who_waits_is_not_overtaken_by_who_has_its_part() -> None:
    budget = ByteBudget(100)
    (one, two), _ = shares(budget, 2)
    assert one.take(90)
    assert not two.take(50)
    one.settle(60)
    assert not two.take(50)
    assert not one.take(10), "more than its part, while somebody waits"
    one.settle(40)
    assert two.take(50)


def test_one_alone_may_have_all_of_it() -> None:
    budget = ByteBudget(100)
    (one, _), _ = shares(budget, 2)
    assert one.take(100)


def test_what_is_there_counts_whether_there_is_room_or_not() -> None:
    """R-48: one operation that is larger than everything has come."""
    budget = ByteBudget(100)
    (one, two), _ = shares(budget, 2)
    one.settle(1000)
    assert budget.used_bytes == 1000
    assert not two.take(1)
    one.settle(0)
    assert two.take(1)


def test_reads_that_everyone_may_have_come_to_the_budget_once_more() -> None:
    budget = ByteBudget(64 << 20)
    made, _ = shares(budget, 64)
    assert sum(share.first_read_bytes for share in made) == 64 << 20
    assert ByteBudget(1).join(lambda: None).first_read_bytes == FIRST_READ_MIN_BYTES


def test_who_leaves_gives_everything_back() -> None:
    budget = ByteBudget(100)
    (one, two), called = shares(budget, 2)
    one.take(80)
    assert not two.take(50)
    one.leave()
    one.leave()
    assert (budget.used_bytes, len(budget), called) == (0, 1, [1])


def test_larger_budget_is_told_to_who_waits() -> None:
    budget = ByteBudget(10)
    (one,), called = shares(budget, 1)
    assert not one.take(50)
    budget.resize(100)
    assert called == [0]
    assert one.take(50)


def test_nobody_starves() -> None:
    """Eight shards that always want more get about the same."""
    budget = ByteBudget(1000)
    made, _ = shares(budget, 8)
    got = [0] * 8
    drawn = random.Random(3)
    for _ in range(20_000):
        at = drawn.randrange(8)
        if made[at].take(100):
            got[at] += 1
        if drawn.random() < 0.5:
            freed = drawn.choice(made)
            freed.settle(max(0, freed.held_bytes - 100))
        assert 0 <= budget.used_bytes <= 1000
    assert min(got) > 0.7 * max(got)
