"""Lucene's regular expressions against Python's, and where those have no counterpart."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealane.errors import IllegalArgument
from sealane.model.lucene_regexp import INTERVAL, TooComplex, regexp

TERMS = st.text("abc", max_size=6)


def _pieces() -> st.SearchStrategy[str]:
    atoms = st.sampled_from(["a", "b", "c", ".", "[ab]", "[^a]", "(a|bc)", "()", '"ab"'])
    counts = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,2}", "{0,}"])
    return st.lists(st.tuples(atoms, counts).map("".join), min_size=1, max_size=4).map("".join)


def _python(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace('"ab"', "(?:ab)").replace("()", "(?:)"), re.DOTALL)


@given(_pieces(), TERMS)
def test_what_both_can_say_means_the_same(pattern: str, term: str) -> None:
    assert regexp(pattern).fullmatch(term) == bool(_python(pattern).fullmatch(term))


@given(_pieces(), _pieces(), TERMS)
def test_complement_and_intersection(left: str, right: str, term: str) -> None:
    mine, other = regexp(left).fullmatch(term), regexp(right).fullmatch(term)
    assert regexp(f"~({left})").fullmatch(term) == (not mine)
    assert regexp(f"({left})&({right})").fullmatch(term) == (mine and other)


@given(_pieces(), st.lists(TERMS))
def test_a_dictionary_is_walked_as_its_terms_are_matched(pattern: str, terms: list[str]) -> None:
    ordered = sorted(set(terms))
    found = regexp(pattern)
    assert list(found.among(ordered)) == [term for term in ordered if found.fullmatch(term)]


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 400))
def test_intervals_of_numbers(low: int, high: int, number: int) -> None:
    inside = min(low, high) <= number <= max(low, high)
    pattern = regexp(f"<{low}-{high}>")
    if len(str(low)) != len(str(high)):
        assert pattern.fullmatch(f"00{number}") == inside
        assert pattern.fullmatch(str(number)) == inside
    else:
        assert pattern.fullmatch(str(number).zfill(len(str(low)))) == inside


def test_operators_count_only_where_their_flag_is_set() -> None:
    assert regexp("a~b", 0).fullmatch("a~b")
    assert regexp("a@", 0).fullmatch("a@")
    assert regexp("<1-3>", INTERVAL).fullmatch("2")
    assert not regexp("#").fullmatch("#")


def test_long_and_deep_patterns_are_answered_or_refused() -> None:
    assert regexp("a" * 999 + "b").fullmatch("a" * 999 + "b")
    assert not regexp("a" * 1000).fullmatch("a" * 999)
    for deep in ("(" * 499 + "a" + ")" * 499, "a" + "+?" * 499):
        with pytest.raises(TooComplex):
            regexp(deep)


def test_the_numbers_of_an_interval_have_31_bits() -> None:
    assert regexp("<2147483640-2147483647>").fullmatch("2147483647")
    with pytest.raises(IllegalArgument, match="interval syntax error at position 13"):
        regexp("<1-2147483648>")


def test_only_ascii_letters_have_two_cases() -> None:
    assert regexp("[xa]É", ignore_case=True).fullmatch("AÉ")
    assert not regexp("É", ignore_case=True).fullmatch("é")


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("x[0-9", "expected ']' at position 5"),
        ("(x", "expected ')' at position 2"),
        ("x)", "end-of-string expected at position 1"),
        ("x{2", "expected '}' at position 3"),
        ("x{", "integer expected at position 2"),
        ("x<a", "expected '>' at position 3"),
        ("x<a>", "'a' not found"),
        ('x"', "expected '\"' at position 2"),
        ("x\\", "unexpected end-of-string"),
    ],
)
def test_malformed_expressions_are_named_as_the_reference_does(pattern: str, reason: str) -> None:
    with pytest.raises(IllegalArgument) as error:
        regexp(pattern)
    assert error.value.reason == reason


def test_long_expressions_are_refused() -> None:
    with pytest.raises(IllegalArgument, match=r"The length of regex \[1001\] used in the Regexp"):
        regexp("a" * 1001)


def test_an_expression_that_would_explode_is_still_matched() -> None:
    pattern = regexp("(.*a){30}.*[ab]{20}.{10}b.{12}")
    assert not pattern.fullmatch("ab" * 20)
    assert pattern.fullmatch("a" * 60 + "b" + "a" * 12)


def test_nested_counts_that_would_be_too_many_parts_are_refused() -> None:
    with pytest.raises(TooComplex) as error:
        regexp("(a{1,200}){1,200}")
    assert error.value.reason == (
        "Determinizing (a{1,200}){1,200} would require more than 10000 effort."
    )


def test_the_work_of_matching_is_limited() -> None:
    """Each character adds ways to go on, of which there are soon too many."""
    pattern = regexp("(.{0,50}a){50}b")
    with pytest.raises(TooComplex):
        pattern.fullmatch("a" * 2_000)


def test_many_different_letters_are_no_work_of_the_pattern() -> None:
    pattern = regexp(".*fo+.*")
    assert not any(pattern.fullmatch(f"{chr(code)}f{chr(code)}x") for code in range(0x4E00, 0x9000))
    assert pattern.fullmatch("日foo本")


def test_what_may_need_a_large_automaton_is_matched_without_tantivy() -> None:
    assert regexp("(a?){900}a{900}").spelled is None
    assert regexp("(a?){9}a{9}").spelled is not None
