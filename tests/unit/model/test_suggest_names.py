"""How near names are, and that asking is cheap."""

import pytest

from sealane.model.suggest import LENGTH_MAX, similarity


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("match", "match", 1.0),
        ("mtch", "match", 0.8),
        ("", "", 1.0),
        ("", "a", 0.0),
        ("abcd", "wxyz", 0.0),
        ("kitten", "sitting", 1 - 3 / 7),
    ],
)
def test_it_is_the_edit_distance_over_the_longer_length(
    one: str, other: str, expected: float
) -> None:
    assert similarity(one, other) == pytest.approx(expected)
    assert similarity(other, one) == pytest.approx(expected)


def test_names_of_very_different_lengths_are_not_near() -> None:
    """Half of the longer one differs at least."""
    assert similarity("ab", "abcd") == 0.0
    assert similarity("ab", "abc") > 0.5


def test_long_names_are_not_compared() -> None:
    """T-30: a megabyte against a megabyte would take days."""
    long = "x" * 1_000_000
    assert similarity(long, "y" * 1_000_000) == 0.0
    assert similarity(long, "match") == 0.0
    assert similarity(long, long) == 1.0
    assert similarity("x" * LENGTH_MAX, "x" * (LENGTH_MAX - 1)) > 0.9
