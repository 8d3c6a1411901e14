"""Which slice a document is in: the hashes of 8.19, as a real one has cut up these documents."""

import pytest

from sealane.engine.embedded.search.slices import (
    column_bits,
    encoded_id,
    id_hash,
    value_hashes,
)
from sealane.engine.mapping import FieldType

SLICES = 7
BY_ID = {
    0: ["a", "abc", "Qg"],
    1: ["hello world", "_x-y", "AAAA", "zz9", "____"],
    2: ["ab", "1", "12", "0012", "éa"],
    3: ["123", "-1"],
    4: ["QgA", "_____w"],
    5: ["x" * 40, "MDEy", "/w", "1.5"],
    6: [],
}


@pytest.mark.parametrize(("part", "doc_ids"), list(BY_ID.items()))
def test_ids(part: int, doc_ids: list[str]) -> None:
    assert [id_hash(each) % SLICES for each in doc_ids] == [part] * len(doc_ids)


@pytest.mark.parametrize(
    ("doc_id", "data"),
    [
        ("12", b"\xfe\x12"),
        ("123", b"\xfe\x12\x3f"),
        ("AAAA", b"\x00\x00\x00"),
        ("Qg", b"B"),
        ("Qh", b"\xffQh"),  # its last bits are not to be had back
        ("____", b"\xfd\xff\xff\xff"),
        ("a b", b"\xffa b"),
    ],
)
def test_the_bytes_that_are_hashed(doc_id: str, data: bytes) -> None:
    assert encoded_id(doc_id) == data


ROWS = [n for n in range(21) if n % 7]


@pytest.mark.parametrize(
    ("type_", "values", "parts"),
    [
        (
            FieldType.LONG,
            [n * 37 - 100 for n in ROWS],
            [0, 4, 4, 3, 4, 3, 2, 1, 6, 3, 6, 1, 4, 3, 5, 3, 3, 5],
        ),
        (
            FieldType.DOUBLE,
            [n * 1.5 - 3 for n in ROWS],
            [0, 0, 3, 3, 5, 0, 1, 2, 2, 1, 1, 2, 5, 1, 4, 1, 6, 6],
        ),
        (
            FieldType.FLOAT,
            [n * 0.25 - 1 for n in ROWS],
            [1, 5, 3, 0, 1, 1, 0, 3, 2, 2, 5, 1, 1, 4, 6, 1, 2, 2],
        ),
    ],
)
def test_numbers(type_: FieldType, values: list[float], parts: list[int]) -> None:
    bits = [column_bits(value, type_) for value in values]
    assert [int(each) % SLICES for each in value_hashes(bits)] == parts


def test_a_document_without_a_value_is_in_the_first_slice() -> None:
    assert column_bits(None, FieldType.LONG) == 0
    assert int(value_hashes([0])[0]) == 0
