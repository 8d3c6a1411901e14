"""Ties as the reference's hash tables and heaps leave them."""

import random

from sealane.model.java_hash import text_hash
from sealane.reduce.java_order import largest, table_order


def test_hashes_of_texts() -> None:
    """Known values of Java's String.hashCode, as 32 unsigned bits."""
    assert text_hash("") == 0
    assert text_hash("a") == 97
    assert text_hash("hello") == 99162322
    assert text_hash("polygenelubricants") == 0x8000_0000
    assert text_hash("\N{PILE OF POO}") == 31 * 0xD83D + 0xDCA9


def test_a_table_goes_through_its_slots() -> None:
    keys = ["b", "a", "q", "c"]  # q is 16 slots after a
    assert [keys[at] for at in table_order(keys)] == ["a", "q", "b", "c"]
    many = [str(number) for number in range(40)]
    assert sorted(table_order(many)) == list(range(40))


def test_a_heap_keeps_the_largest() -> None:
    rng = random.Random(1)
    for _ in range(50):
        numbers = [rng.randrange(30) for _ in range(rng.randrange(40))]
        size = rng.randrange(12)
        items = list(enumerate(numbers))
        found = largest(items, size, lambda item: item[1])
        assert [number for _, number in found] == sorted(numbers, reverse=True)[:size]
        assert len(set(found)) == len(found)


def test_equal_ones_come_out_in_the_order_of_the_heap() -> None:
    """Of two the later one is first; one that is no better than the least does not get in."""
    assert largest(["a", "b"], 2, lambda _: 1.0) == ["b", "a"]
    assert largest(["a", "b", "c"], 1, lambda _: 1.0) == ["a"]
