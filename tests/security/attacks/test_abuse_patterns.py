"""X-109, T-30: expressions that make others go back and forth for years are answered or refused at once.

The tests' own time limit is what a stall would meet.
"""

import pytest

from sealane.errors import ApiError
from sealane.model.lucene_regexp import regexp
from sealane.model.patterns import matches
from sealane.model.security import IndexPrivileges, RoleDescriptor
from sealane.rest.filter_path import FilterPath
from sealane.security.rules import names
from sealane.security.rules.permission import Role

CATASTROPHIC = [
    "(a+)+b",
    "(a|a)*b",
    "(a*)*b",
    "(.*a){30}",
    "(a?){60}a{60}",
    "(a|aa)+$",
    "([a-z]+)*1",
    "(.*)*(.*)*(.*)*b",
    "((a{1,50}){1,50}){1,50}",
    "~(.*a.{20})",
    "(.*a.{20})&(.*b.{20})",
    "a{0,999}",
    "(" * 200 + "a" + ")*" * 200,
    "[" * 999,
    "<1-999999999>",
]


@pytest.mark.parametrize("expression", CATASTROPHIC)
def test_names_of_roles(expression: str) -> None:
    """Also as one that is asked about many names: the work for all of them is bounded."""
    fits = names.matcher((f"/{expression}/",))
    for size in (0, 1, 30, 200, 255):
        fits("a" * size)
        fits("ab" * size + "c")


@pytest.mark.parametrize("expression", CATASTROPHIC)
def test_expressions_of_queries(expression: str) -> None:
    try:
        compiled = regexp(expression, used_in="test")
        compiled.fullmatch("a" * 30_000)
    except ApiError:
        pass  # malformed, or too complex


@pytest.mark.parametrize("stars", [8, 100, 400])
def test_names_with_stars(stars: int) -> None:
    pattern = "*a" * stars + "*b"
    assert not names.matcher((pattern,))("a" * 1000)
    assert not matches(pattern, "a" * 30_000)
    FilterPath(pattern).apply({"a" * 1000: {"a" * 1000: 1}})


@pytest.mark.parametrize("path", ["**." * 1300 + "z", "**.a." * 20 + "z", "-" + "**.a." * 20 + "z"])
def test_paths_with_many_stars_in_an_answer(path: str) -> None:
    deep: dict[str, object] = {"a": 1}
    for _ in range(40):
        deep = {"a": deep, "b": 1}
    assert FilterPath(path).apply(deep) == (deep if path.startswith("-") else {})


def test_several_double_stars_are_one() -> None:
    value = {"a": {"b": {"c": 1, "d": 2}}, "c": 3}
    assert FilterPath("**.**.c").apply(value) == {"a": {"b": {"c": 1}}, "c": 3}
    assert FilterPath("**.**").apply(value) == value
    assert FilterPath("a.**.**.d").apply(value) == {"a": {"b": {"d": 2}}}


@pytest.mark.parametrize("pattern", ["*a" * 33, "*" + "?" * 999, "/(/", "/" + "a" * 2000 + "/"])
def test_of_a_pattern_that_is_given_up_nothing_is_granted(pattern: str) -> None:
    """It has no names, all of which would be covered: `_has_privileges` must not say so."""
    role = Role(
        (
            RoleDescriptor(
                name="r", indices=(IndexPrivileges(names=("logs",), privileges=("read",)),)
            ),
        )
    )
    for restricted in (True, False):
        assert role.groups_within(pattern, names.Effort(), restricted=restricted) == ()
