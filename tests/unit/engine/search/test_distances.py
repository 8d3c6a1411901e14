"""How alike words are: values that the reference's spell checker gives."""

import pytest

from sealane.engine.embedded.search.distances import (
    DISTANCES,
    accepted_prefix,
    by_edits,
    edits,
    single,
)
from sealane.model.dsl import StringDistance


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [("", "", 0), ("a", "", 1), ("quik", "quick", 1), ("qiuck", "quick", 1), ("ca", "abc", 3)],
)
def test_edits(one: str, other: str, count: int) -> None:
    assert edits(one, other, 5) == count
    assert edits(other, one, 5) == count


def test_edits_beyond_the_limit_are_not_counted() -> None:
    assert edits("quick", "brown", 2) is None
    assert edits("a", "abcd", 2) is None


def test_a_swap_is_two_edits_where_none_may_be_swapped() -> None:
    assert edits("qiuck", "quick", 2, transpositions=False) == 2


@pytest.mark.parametrize(
    ("kind", "one", "other", "expected"),
    [
        (StringDistance.DAMERAU_LEVENSHTEIN, "qiuck", "quick", 0.8),
        (StringDistance.DAMERAU_LEVENSHTEIN, "", "", 1.0),
        (StringDistance.LEVENSHTEIN, "qiuck", "quick", 0.6),
        (StringDistance.LEVENSHTEIN, "", "", 1.0),
        (StringDistance.JARO_WINKLER, "qiuck", "quick", 0.94),
        (StringDistance.JARO_WINKLER, "qiuck", "quack", 0.87999994),
        (StringDistance.JARO_WINKLER, "abc", "xyz", 0.0),
        (StringDistance.NGRAM, "qiuck", "quick", 0.6),
        (StringDistance.NGRAM, "a", "ab", 0.5),
        (StringDistance.NGRAM, "", "", 1.0),
    ],
)
def test_distances(kind: StringDistance, one: str, other: str, expected: float) -> None:
    assert DISTANCES[kind](one, other) == pytest.approx(expected, abs=1e-6)


def test_the_share_is_of_the_shorter_word() -> None:
    assert by_edits(1, "quik", "quick") == 0.75
    assert by_edits(1, "foxx", "fox") == single(0.6666666)


@pytest.mark.parametrize(
    ("text", "word", "most", "length"),
    [
        ("quick dog", "qiu", 1, 2),
        ("quick\x1ffox", "quick\x1ffx", 1, 7),
        ("quick", "qick", 2, 4),
        ("brown", "quick", 2, None),
        ("qu", "quick", 1, None),
    ],
)
def test_the_shortest_beginning_that_is_near(
    text: str, word: str, most: int, length: int | None
) -> None:
    assert accepted_prefix(text, word, most, transpositions=True) == length


def test_numbers_of_32_bits() -> None:
    assert single(0.1) == pytest.approx(0.1, abs=1e-8)
    assert single(1e300) == float("inf")
    assert single(-1e300) == float("-inf")
