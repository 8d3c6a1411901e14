"""The ids of points in time and scrolls: read back as they were made, and never taken one for the other."""

import random

import msgspec
import pytest

from sealane.model.opaque import NotAnId, NotBase64, make_id
from sealane.search.context_ids import (
    HeldCluster,
    HeldIndex,
    ScrolledCluster,
    make_pit_id,
    make_scroll_id,
    read_pit_id,
    read_scroll_id,
    split_context,
)

HELD = (
    HeldCluster("", "node", "s1", (HeldIndex("i", "u", (0, 2), (7, 9)),)),
    HeldCluster("eu", "n2", "s2", (HeldIndex("logs", "v", (0,), (1,), (b'{"match_all":{}}',)),)),
)
SCROLLED = (ScrolledCluster("", "s1", (3, 4)), ScrolledCluster("eu", "s2", (1,)))


def test_what_is_made_is_read_back() -> None:
    assert read_pit_id(make_pit_id(HELD)) == HELD
    assert read_scroll_id(make_scroll_id(SCROLLED)) == SCROLLED
    assert read_pit_id(make_pit_id(())) == ()


def test_contexts_have_their_names() -> None:
    assert HELD[0].context(7) == "s1:7"
    assert SCROLLED[0].names() == ["s1:3", "s1:4"]
    assert split_context("s1:7") == ("s1", 7)


def test_one_kind_is_not_the_other() -> None:
    with pytest.raises(NotAnId):
        read_scroll_id(make_pit_id(HELD))
    with pytest.raises(NotAnId):
        read_pit_id(make_scroll_id(SCROLLED))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xc1",
        b"\x93\x01\x02\x03",
        msgspec.msgpack.encode([["", "n", "s", [["i", "u", [0, 1], [5]]]]]),
        msgspec.msgpack.encode([["", "n", "s", [["i", "u", ["x"], [5]]]]]),
    ],
)
def test_a_checksum_does_not_make_an_id(payload: bytes) -> None:
    with pytest.raises(NotAnId):
        read_pit_id(make_id(1, payload))


def test_random_bytes_are_no_id() -> None:
    drawn = random.Random(7)
    for size in range(64):
        text = drawn.randbytes(size).hex()
        with pytest.raises((NotAnId, NotBase64)):
            read_pit_id(text)
        with pytest.raises((NotAnId, NotBase64)):
            read_scroll_id(text)
