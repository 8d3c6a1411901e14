"""Lucene's query syntax: trees, tokens, and what could have stood where something else did."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealane.errors import TooManyBooleanClauses
from sealane.query.lucene_syntax import Clause, Group, Leaf, Span, parse_syntax, unescaped
from sealane.query.lucene_tokens import SyntaxProblem


def _term(text: str, field: str | None = None) -> Leaf:
    return Leaf("term", field, text)


def test_words_in_a_row_are_one_text() -> None:
    words = Leaf("words", None, "quick brown")
    assert parse_syntax("quick brown") == Group((Clause(words, words=True),))


def test_a_word_before_an_operator_is_not_among_the_words() -> None:
    assert parse_syntax("quick brown AND fox") == Group(
        (Clause(_term("quick")), Clause(_term("brown")), Clause(_term("fox"), "and"))
    )


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("fox", _term("fox")),
        ("title:fox", _term("fox", "title")),
        ("fox~1^2", Leaf("term", None, "fox", "1", 2.0)),
        ("fox^2~1", Leaf("term", None, "fox", "1", 2.0)),
        ("fox~", Leaf("term", None, "fox", "")),
        ('"a b"~3', Leaf("quoted", None, "a b", "3")),
        ("fo*", Leaf("prefix", None, "fo*")),
        ("f?x", Leaf("wildcard", None, "f?x")),
        ("*:*", Leaf("wildcard", "*", "*")),
        ("/f.x\\/y/", Leaf("regexp", None, "f.x\\/y")),
        ("n:[1 TO 5}", Span("n", "1", "5", True, False)),
        ('{* TO "a b"]', Span(None, None, "a b", False, True)),
        ("(fox)^3", Group((Clause(_term("fox")),), 3.0)),
        (
            "title:(+a -b)",
            Group((Clause(_term("a", "title"), "", "+"), Clause(_term("b", "title"), "", "-"))),
        ),
        ("a || !b", Group((Clause(_term("a")), Clause(_term("b"), "or", "-")))),
    ],
)
def test_trees(text: str, node: object) -> None:
    assert parse_syntax(text) == node


def test_escapes_make_characters_ordinary() -> None:
    assert unescaped("a\\:b\\\\\\u0041") == "a:b\\A"
    with pytest.raises(SyntaxProblem, match=r"Truncated unicode escape sequence\."):
        unescaped("foo\\u12")
    with pytest.raises(SyntaxProblem, match="Non-hex character in Unicode escape sequence: z"):
        unescaped("foo\\u12zz")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a^", 'Encountered "<EOF>" at line 1, column 2.\nWas expecting:\n    <NUMBER> ...\n    '),
        (
            "n:[1 20]",
            'Encountered " <RANGE_GOOP> "20 "" at line 1, column 5.\nWas expecting:\n    "TO" ...\n    ',
        ),
        (
            "n:{1 TO 20",
            'Encountered "<EOF>" at line 1, column 10.\nWas expecting one of:\n    "]" ...\n    "}" ...\n    ',
        ),
        (
            '"quick',
            'Lexical error at line 1, column 7.  Encountered: <EOF> after prefix "\\"quick" (in lexical state 2)',
        ),
        (
            "a b ] c",
            "Lexical error at line 1, column 5.  Encountered: '93' (93), (in lexical state 2)",
        ),
        ("a^x", "Lexical error at line 1, column 4.  Encountered: <EOF>"),
    ],
)
def test_problems_are_told_as_the_reference_tells_them(text: str, problem: str) -> None:
    with pytest.raises(SyntaxProblem) as error:
        parse_syntax(text)
    assert error.value.reason == f"Cannot parse '{text}': {problem}"
    assert error.value.caused_by is not None
    assert error.value.caused_by.reason == problem


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(SyntaxProblem, match="nested more than"):
        parse_syntax("(" * 400 + "a" + ")" * 400)


@given(st.text('ab "+-!()[]{}^~*?:/\\|&19ANDORTO', max_size=30))
def test_any_text_is_a_tree_or_a_problem(text: str) -> None:
    with suppress(SyntaxProblem):
        parse_syntax(text)


def test_too_many_clauses_are_refused() -> None:
    with pytest.raises(TooManyBooleanClauses, match="maxClauseCount is set to 8192"):
        parse_syntax("a OR " * 8_192 + "b")
