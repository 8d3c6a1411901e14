"""How near vectors are, and which of them are kept in memory."""

import numpy as np
import pytest

from sealane.engine.embedded.search.scored import Docs
from sealane.engine.embedded.search.vectors import Matrix, VectorCache, scores
from sealane.engine.mapping import Field, FieldType

ROWS = np.array([[1, 2, 3], [-1, 2, 3], [3, 0, 0]], np.float32)
QUERY = np.array([1, 2, 3], np.float32)


def field(similarity: str, element_type: str = "float") -> Field:
    return Field(
        path="v",
        type=FieldType.DENSE_VECTOR,
        source_path="v",
        dims=3,
        similarity=similarity,
        element_type=element_type,
    )


@pytest.mark.parametrize(
    ("mapped", "expected"),
    [
        (field("l2_norm"), [1, 1 / 5, 1 / 18]),
        (field("cosine"), [1, (1 + 12 / 14) / 2, (1 + 1 / 14**0.5) / 2]),
        (field("dot_product", "byte"), [0.5 + d / (3 * 2**15) for d in (14, 12, 3)]),
        (field("max_inner_product"), [15, 13, 4]),
    ],
)
def test_scores(mapped: Field, expected: list[float]) -> None:
    assert scores(ROWS, None, QUERY, mapped).tolist() == pytest.approx(expected, rel=1e-6)


def test_products_below_zero_are_near_zero() -> None:
    (score,) = scores(-ROWS[:1], None, QUERY, field("max_inner_product"))
    assert score == pytest.approx(1 / 15)


def test_only_chosen_rows_are_compared() -> None:
    chosen = np.array([False, False, True])
    assert scores(ROWS, chosen, QUERY, field("l2_norm")).tolist() == pytest.approx([1 / 18])


def test_many_rows_are_compared_in_parts() -> None:
    rows = np.random.default_rng(1).normal(size=(5_000, 100)).astype(np.float32)
    query = rows[17]
    found = scores(rows, None, query, field("l2_norm"))
    expected = 1 / (1 + ((rows.astype(float) - query.astype(float)) ** 2).sum(axis=1))
    assert found.tolist() == pytest.approx(expected.tolist(), rel=1e-6)
    assert int(found.argmax()) == 17


def test_bits_are_counted() -> None:
    rows = np.array([[0b1111], [0b0000]], np.float32)
    found = scores(rows, None, np.array([0b1110], np.float32), field("l2_norm", "bit"))
    assert found.tolist() == pytest.approx([7 / 8, 5 / 8])


def matrix(numbers: int) -> Matrix:
    nothing = np.empty(0, np.int64)
    return Matrix(Docs(nothing, nothing), np.zeros((1, numbers), np.float32))


def test_the_cache_keeps_the_newest_generation_alone() -> None:
    cache, read = VectorCache(), []

    def get(generation: int) -> Matrix:
        def reads() -> Matrix:
            read.append(generation)
            return matrix(10)

        return cache.get(("i", 0, "v"), generation, reads)

    assert get(1) is get(1)
    get(2)
    get(1)
    assert read == [1, 2, 1]
    assert cache.bytes == 40


def test_the_cache_drops_what_was_used_longest_ago() -> None:
    cache, read = VectorCache(max_bytes=100), []

    def get(name: str, numbers: int = 10) -> None:
        def reads() -> Matrix:
            read.append(name)
            return matrix(numbers)

        cache.get(("i", 0, name), 1, reads)

    for name in ("a", "b", "a", "c", "a", "b"):
        get(name)
    assert read == ["a", "b", "c", "b"]
    get("large", 1_000)
    assert cache.bytes <= 100
