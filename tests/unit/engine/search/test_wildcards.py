"""Wildcards against a matching that tries everything, and patterns that are made to cost much."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealane.engine.embedded.search.wildcards import wildcard


def _matches(pattern: str, term: str) -> bool:
    if not pattern:
        return not term
    if pattern[0] == "*":
        return _matches(pattern[1:], term) or bool(term and _matches(pattern, term[1:]))
    return bool(term) and pattern[0] in ("?", term[0]) and _matches(pattern[1:], term[1:])


@given(st.text("ab?*", max_size=8), st.text("ab\n", max_size=8))
def test_a_wildcard_takes_what_trying_everything_finds(pattern: str, term: str) -> None:
    assert wildcard(pattern).fullmatch(term) == _matches(pattern, term)


def test_a_backslash_takes_the_next_character_literally() -> None:
    assert wildcard(r"a\*").fullmatch("a*")
    assert not wildcard(r"a\*").fullmatch("ab")
    assert wildcard("a\\").fullmatch("a\\")


def test_only_ascii_letters_have_two_cases() -> None:
    assert wildcard("A*", ignore_case=True).fullmatch("abc")
    assert not wildcard("É", ignore_case=True).fullmatch("é")
    assert not wildcard("k", ignore_case=True).fullmatch("\N{KELVIN SIGN}")


@pytest.mark.parametrize(
    "pattern", ["*" * 5000, "*a" * 10_000, "?" * 900, "*?" * 400 + "x", "*a?b*" * 100, "a" * 5000]
)
def test_a_pattern_of_any_length_is_matched(pattern: str) -> None:
    term = pattern.replace("*", "").replace("?", "b")
    assert wildcard(pattern).fullmatch(term)
    assert list(wildcard(pattern + "c").among([term, term + "c"])) == [term + "c"]


@pytest.mark.parametrize("pattern", ["*a" * 20, "?" * 5 + "*", "*?????x", "a" * 65])
def test_what_may_need_a_large_automaton_is_not_spelled_for_tantivy(pattern: str) -> None:
    assert wildcard(pattern).spelled is None
    assert wildcard("*a?b*").spelled is not None


@pytest.mark.parametrize("pattern", ["a" * 32_767, "*a" * 1_000_000, "\ud800*"])
def test_what_no_term_can_be_matches_nothing(pattern: str) -> None:
    assert wildcard(pattern).matches_nothing
    assert not wildcard(pattern).fullmatch(pattern)
