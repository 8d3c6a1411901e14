"""How near two names are."""

import pytest

from sealane.model.suggest import similarity


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("", "", 1.0),
        ("a", "", 0.0),
        ("size", "size", 1.0),
        ("sizes", "size", 0.8),
        ("abcd", "wxyz", 0.0),
        ("sort", "fort", 0.75),
    ],
)
def test_similarity_is_one_minus_the_edit_distance_over_the_longer_length(
    one: str, other: str, expected: float
) -> None:
    assert similarity(one, other) == pytest.approx(expected)
    assert similarity(other, one) == pytest.approx(expected)
