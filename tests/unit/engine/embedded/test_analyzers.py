"""The analyzers that requests may name: tokens with their places, as the reference has them."""

import pytest

from sealane.engine.embedded.analyzers import analyzer_named, units


def _tokens(name: str, text: str) -> list[tuple[str, int, int, int]]:
    analyzer = analyzer_named(name)
    assert analyzer is not None
    return [(each.text, each.start, each.end, each.position) for each in analyzer.tokens(text)]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "standard",
            "Quick-Brown 12",
            [("quick", 0, 5, 0), ("brown", 6, 11, 1), ("12", 12, 14, 2)],
        ),
        ("simple", "Foo-12 x_y", [("foo", 0, 3, 0), ("x", 7, 8, 1), ("y", 9, 10, 2)]),
        ("stop", "the Quick and a fox", [("quick", 4, 9, 1), ("fox", 16, 19, 4)]),
        ("whitespace", " Foo-12  x ", [("Foo-12", 1, 7, 0), ("x", 9, 10, 1)]),
        ("keyword", " a b ", [(" a b ", 0, 5, 0)]),
    ],
)
def test_tokens(name: str, text: str, expected: list[tuple[str, int, int, int]]) -> None:
    assert _tokens(name, text) == expected


def test_a_word_left_out_leaves_a_gap_between_terms() -> None:
    stop = analyzer_named("stop")
    assert stop is not None
    assert stop.terms("fox in the wood") == [(0, "fox"), (3, "wood")]


def test_kinds_of_tokens() -> None:
    standard = analyzer_named("standard")
    assert standard is not None
    kinds = [each.kind for each in standard.tokens("fox 802.11 日 😀")]
    assert kinds == ["<ALPHANUM>", "<NUM>", "<IDEOGRAPHIC>", "<EMOJI>"]


def test_offsets_count_utf_16_units() -> None:
    assert units("a😀b", 2) == 3
    assert units("abc", 2) == 2


def test_analyzers_of_languages_do_not_exist() -> None:
    assert analyzer_named("english") is None
