"""A routing that no stored document can hold is one item's error."""

import pytest

from sealane.engine.embedded.coercion import MAX_ROUTING_BYTES, refused_routing


@pytest.mark.parametrize(
    "routing", ["", "eu", "r" * MAX_ROUTING_BYTES, "ä" * (MAX_ROUTING_BYTES // 2)]
)
def test_a_routing_that_fits(routing: str) -> None:
    assert refused_routing(routing) is None


@pytest.mark.parametrize("routing", ["r" * (MAX_ROUTING_BYTES + 1), "ä" * 40_000])
def test_a_routing_that_is_too_long(routing: str) -> None:
    refusal = refused_routing(routing)
    assert refusal is not None
    assert refusal.status == 400
    assert "is too long, must be no longer than 65534 bytes" in refusal.reason


def test_a_routing_that_is_half_a_character() -> None:
    refusal = refused_routing("\ud800")
    assert refusal is not None
    assert "is not valid unicode" in refusal.reason
