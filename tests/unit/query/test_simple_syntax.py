"""The syntax of simple_query_string: operators, and that no text is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealane.errors import TooManyBooleanClauses
from sealane.query.simple_syntax import All, Kind, Not, Occurs, Tree, parse_simple


def _made(kind: Kind, text: str, amount: int) -> str | None:
    marks = {"words": "", "near": f"~{amount}", "prefix": "*", "phrase": f'"{amount}'}
    return None if text == "the" else text + marks[kind]


def _shown(tree: "Tree[str] | None") -> str:
    if isinstance(tree, Not):
        return f"-{_shown(tree.part)}"
    if isinstance(tree, All):
        sign = "+" if tree.parts[0][0] == "must" else "|"
        return f"({sign.join(_shown(part) for _, part in tree.parts)})"
    return str(tree)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b c", "(a|b|c)"),
        ("a + b | c", "((a+b)|c)"),
        ("a | b + c", "((a|b)+c)"),
        ("a -b", "(a|-b)"),
        ("--a", "a"),
        ("(a | b) + c", "((a|b)+c)"),
        ("fo* fox~1 fox~ fox~9", "(fo*|fox~1|fox~2|fox~2)"),
        ('"a b"~3 "c"', '(a b"3|c"0)'),
        ("(a", "a"),
        ("a)", "a"),
        ('"a', "a"),
        ("a\\* \\-b", "(a*|-b)"),
        ("a the b", "(a|b)"),
        ("+ | -", "None"),
        ("()", "None"),
        ('""', "None"),
        ("~1", "~1"),
        ("a~x", "a"),
    ],
)
def test_trees(text: str, expected: str) -> None:
    assert _shown(parse_simple(text, -1, "should", _made)) == expected


def test_without_their_flag_operators_are_text() -> None:
    assert _shown(parse_simple("a -b | c*", 0, "should", _made)) == "a -b | c*"


def test_words_are_joined_by_the_default() -> None:
    assert _shown(parse_simple("a b", -1, "must", _made)) == "(a+b)"


@given(st.text('ab "+-|()~*\\9', max_size=40))
def test_no_text_is_wrong(text: str) -> None:
    parse_simple(text, -1, "should", _made)


@pytest.mark.parametrize("text", ["(" * 50_000, "(" * 20_000 + "a" + ")" * 20_000, "-" * 50_000])
def test_brackets_and_signs_of_any_number_are_read(text: str) -> None:
    assert _shown(parse_simple(text, -1, "should", _made)) in ("None", "a")


@pytest.mark.parametrize(("text", "default"), [("a " * 8_193, "should"), ("a|b " * 302, "must")])
def test_too_many_clauses_are_refused(text: str, default: Occurs) -> None:
    with pytest.raises(TooManyBooleanClauses, match="maxClauseCount is set to 8192"):
        parse_simple(text, -1, default, _made)
