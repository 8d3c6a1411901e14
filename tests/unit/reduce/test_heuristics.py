"""The measures of significance. Expected values are what a real Elasticsearch 8.19 answered for these counts."""

from math import inf

import pytest

from sealane.errors import IllegalArgument
from sealane.model.dsl import Heuristic
from sealane.reduce.heuristics import score


@pytest.mark.parametrize(
    ("heuristic", "expected"),
    [
        (Heuristic("jlh"), 0.4666666666666667),
        (Heuristic("gnd"), 0.5923223920993305),
        (Heuristic("percentage"), 0.5),
    ],
)
def test_scores_as_the_reference(heuristic: Heuristic, expected: float) -> None:
    """7 of 15 found documents have the term, and 14 of 60."""
    assert score(heuristic, 7, 15, 14, 60) == expected


def test_what_is_rarer_here_counts_only_if_asked() -> None:
    for kind in ("chi_square", "mutual_information"):
        assert score(Heuristic(kind), 1, 15, 20, 60) == -inf
        negatives = Heuristic(kind, include_negatives=True)
        assert score(negatives, 1, 15, 20, 60) > 0
    assert score(Heuristic("jlh"), 1, 15, 20, 60) == 0.0


def test_nothing_found_and_nothing_known() -> None:
    for kind in ("jlh", "percentage", "gnd"):
        assert score(Heuristic(kind), 0, 0, 0, 0) == 0.0
    assert score(Heuristic("jlh"), 3, 3, 0, 10) > 0  # a background filter without the term
    assert score(Heuristic("gnd"), 4, 4, 4, 10) == 1.0


def test_a_background_that_is_none() -> None:
    """More found than known contradicts itself, unless the background is said to be something else."""
    with pytest.raises(IllegalArgument, match="subsetFreq > supersetFreq"):
        score(Heuristic("gnd"), 5, 6, 4, 10)
    assert score(Heuristic("gnd", background_is_superset=False), 5, 6, 4, 10) > 0
