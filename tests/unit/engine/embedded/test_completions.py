"""How completions are kept in a column."""

from dataclasses import replace
from typing import Any

import pytest

from sealane.engine.embedded.completions import Completion, decode, encode, entries_of, key_of
from sealane.engine.mapping import Field, FieldType
from sealane.engine.mapping.values import BadValue

LEAF = Field(path="c", type=FieldType.COMPLETION, source_path="c", analyzer="simple")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Quick Fox", "quick\x1ffox"),
        ("quick  f", "quick\x1ff"),
        ("12 a-b", "a\x1fb"),
        ("", ""),
        (" ", ""),
    ],
)
def test_a_key_is_the_words(text: str, key: str) -> None:
    assert key_of(LEAF, text) == key


def test_separators_may_be_left_out() -> None:
    assert key_of(replace(LEAF, preserve_separators=False), "quick fox") == "quickfox"


def test_words_that_are_left_out_leave_a_hole() -> None:
    stop = replace(LEAF, analyzer="keyword")
    assert key_of(stop, "The Fox") == "The Fox"
    assert key_of(LEAF, "The Fox", "whitespace") == "The\x1fFox"


@pytest.mark.parametrize("shown", ["a", "a b", "ä\x1f€", ""])
def test_entries_survive_their_column(shown: str) -> None:
    entry = Completion("key\x1fx", 7, shown)
    assert decode(encode(entry)) == entry


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a b", [("a\x1fb", 1, "a b")]),
        ({"input": "a"}, [("a", 1, "a")]),
        ({"input": ["a", "b"], "weight": "3"}, [("a", 3, "a"), ("b", 3, "b")]),
        ({"input": ["a", ""]}, [("a", 1, "a")]),
        ({"weight": 3}, []),
        ({}, []),
    ],
)
def test_values_of_documents(value: Any, expected: list[tuple[str, int, str]]) -> None:
    assert [tuple(decode(each)) for each in entries_of(LEAF, value)] == expected


def test_long_texts_are_cut() -> None:
    (entry,) = entries_of(replace(LEAF, max_input_length=3), "quick")
    assert decode(entry) == Completion("qui", 1, "qui")


@pytest.mark.parametrize(
    "value",
    [
        5,
        True,
        None,
        {"input": 5},
        {"input": [None]},
        {"weight": -1},
        {"weight": 1.5},
        {"bla": 1},
        {"contexts": {}},
    ],
)
def test_what_is_no_completion(value: Any) -> None:
    with pytest.raises(BadValue):
        entries_of(LEAF, value)
