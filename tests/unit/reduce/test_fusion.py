"""Ranked lists become one."""

from typing import Any

import pytest

from sealane.model.dsl import LinearRetriever, Normalizer, PlainRetriever, RrfRetriever, ScoredDoc
from sealane.reduce.fusion import fuse

CHILD = PlainRetriever(search=b"{}")


def docs(*ids: str, index: str = "i") -> list[ScoredDoc]:
    """A list whose scores fall from its length to 1."""
    return [ScoredDoc(index, 0, doc_id, float(len(ids) - at)) for at, doc_id in enumerate(ids)]


def rrf(lists: int, *, window: int = 10, constant: int = 60) -> RrfRetriever:
    return RrfRetriever(children=(CHILD,) * lists, window=window, constant=constant)


def shown(fused: list[ScoredDoc]) -> list[tuple[str, Any]]:
    return [(doc.id, doc.score) for doc in fused]


def test_ranks_are_summed() -> None:
    fused = fuse(rrf(2, constant=1), [docs("a", "b", "c"), docs("c", "a")])
    assert shown(fused) == [
        ("a", pytest.approx(1 / 2 + 1 / 3)),
        ("c", pytest.approx(1 / 4 + 1 / 2)),
        ("b", pytest.approx(1 / 3)),
    ]


def test_equal_scores_go_to_the_first_list() -> None:
    fused = fuse(rrf(2), [docs("b"), docs("a")])
    assert [doc.id for doc in fused] == ["b", "a"]


def test_no_list_counts_beyond_the_window() -> None:
    fused = fuse(rrf(2, window=1), [docs("a", "b"), docs("b", "a")])
    assert [doc.id for doc in fused] == ["a"]


def test_equal_ids_of_other_shards_are_other_documents() -> None:
    fused = fuse(rrf(2), [docs("a"), docs("a", index="eu:i")])
    assert {(doc.index, doc.id) for doc in fused} == {("i", "a"), ("eu:i", "a")}


@pytest.mark.parametrize(
    ("normalizer", "expected"),
    [
        (Normalizer.NONE, [6.0, 4.0, 2.0]),
        (Normalizer.MINMAX, [2.0, 1.0, 0.0]),
        (Normalizer.L2_NORM, [6 / 14**0.5, 4 / 14**0.5, 2 / 14**0.5]),
    ],
)
def test_scores_are_normalized_and_weighed(normalizer: Normalizer, expected: list[float]) -> None:
    retriever = LinearRetriever(children=(CHILD,), weights=(2.0,), normalizers=(normalizer,))
    fused = fuse(retriever, [docs("a", "b", "c")])
    assert [doc.score for doc in fused] == pytest.approx(expected)


def test_scores_that_are_all_the_same_are_the_best() -> None:
    retriever = LinearRetriever(children=(CHILD,), weights=(1.0,), normalizers=(Normalizer.MINMAX,))
    assert shown(fuse(retriever, [docs("a")])) == [("a", 1.0)]


def test_scores_below_the_least_are_left_out() -> None:
    retriever = RrfRetriever(children=(CHILD,), constant=1, min_score=0.4)
    assert [doc.id for doc in fuse(retriever, [docs("a", "b")])] == ["a"]


def test_nothing_makes_nothing() -> None:
    assert fuse(rrf(2), [[], []]) == []
