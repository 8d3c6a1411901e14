import pytest

from sealane.query import parse_search_body
from sealane.reduce import reduce_phases


@pytest.mark.parametrize(
    ("answers", "batch", "phases"),
    [(0, 2, 1), (2, 2, 1), (4, 2, 3), (4, 3, 2), (8, 2, 7), (8, 3, 4), (8, 4, 3), (600, 512, 2)],
)
def test_reductions_are_counted_as_the_reference_does(
    answers: int, batch: int, phases: int
) -> None:
    assert reduce_phases(parse_search_body(b"{}"), answers, batch) == phases


@pytest.mark.parametrize(
    ("body", "phases"),
    [(b'{"size":0}', 1), (b'{"size":0,"aggs":{"a":{"avg":{"field":"n"}}}}', 3)],
)
def test_what_only_adds_up_is_reduced_once(body: bytes, phases: int) -> None:
    assert reduce_phases(parse_search_body(body), 4, 2) == phases
