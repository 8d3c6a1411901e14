"""Sloppy phrases that have a word more than once: each repetition needs an occurrence of its own."""

import pytest

from tests.unit.engine.search.shards import found, shard

DOCS = [
    {"title": "quick"},
    {"title": "quick quick quick"},
    {"title": "quick one two three four quick"},
    {"title": ["quick", "quick"]},
]


@pytest.mark.parametrize(
    ("text", "slop", "expected"),
    [
        ("quick quick", 0, ["2"]),
        ("quick quick", 2, ["2"]),
        ("quick quick", 4, ["2", "3"]),
        ("quick quick quick", 9, ["2"]),
    ],
)
def test_repetitions_are_found_apart(text: str, slop: int, expected: list[str]) -> None:
    view = shard(DOCS)
    query = {"match_phrase": {"title": {"query": text, "slop": slop}}}
    assert sorted(found(view, query)) == expected
