"""Patterns of fields, and what may be seen of a path."""

import pytest

from sealane.model.security import FieldGrant, FieldLimits
from sealane.model.visible_fields import visible_fields


def limits(*grants: str, excepted: tuple[str, ...] = ()) -> FieldLimits:
    return FieldLimits(((FieldGrant(grant=grants, excepted=excepted),),))


@pytest.mark.parametrize(
    ("granted", "path", "shown"),
    [
        ("user", "user", True),
        ("user", "user.name", False),
        ("user", "users", False),
        ("user.*", "user.name", True),
        ("user.*", "user.name.raw", True),
        ("user.*", "user", False),
        ("user*", "user.name", True),
        ("*.name", "user.name", True),
        ("*.name", "name", False),
        ("us?r", "user", True),
        ("us?r", "usr", False),
        ("us\\?r", "us?r", True),
        ("us\\*r", "us*r", True),
        ("us\\*r", "useer", False),
        ("/user(name)?/", "username", True),
        ("/user(name)?/", "user.name", False),
        ("/user.*&~(.*secret.*)/", "user.secret.x", False),
        ("/user.*&~(.*secret.*)/", "user.name", True),
        ("/(/", "(", False),
        ("", "", True),
        ("", "a", False),
        ("*", "a\nb.c", True),
    ],
)
def test_a_pattern_is_for_whole_paths(granted: str, path: str, shown: bool) -> None:
    assert limits(granted).shows(path) is shown


def test_an_exception_that_is_no_expression_hides_everything() -> None:
    assert not limits("*", excepted=("/(/",)).shows("a")


def test_a_role_excepts_from_its_own_grants_alone() -> None:
    """X-44: what another role of the same side shows is visible; the other side has its own say."""
    first = FieldGrant(grant=("a*",), excepted=("ab",))
    second = FieldGrant(grant=("ab", "b"))
    key = FieldGrant(grant=("*",), excepted=("b",))
    assert [FieldLimits(((first, second),)).shows(each) for each in ("a", "ab", "b", "c")] == [
        True,
        True,
        True,
        False,
    ]
    both = FieldLimits(((first, second), (key,)))
    assert [both.shows(each) for each in ("a", "ab", "b", "c")] == [True, True, False, False]


def test_a_side_without_grants_shows_nothing() -> None:
    assert not FieldLimits(((FieldGrant(), FieldGrant()), ())).shows("a")


@pytest.mark.parametrize(
    ("limited", "path", "opens"),
    [
        (limits("a.b.c"), "a", True),
        (limits("a.b.c"), "a.b", True),
        (limits("a.b.c"), "a.b.c", False),
        (limits("a.b.c"), "b", False),
        (limits("*.x"), "any.thing", True),
        (limits("*", excepted=("a.*",)), "a", False),
        (limits("*", excepted=("a.*",)), "ab", True),
        (limits("a.*", excepted=("a.?*",)), "a", True),
        (limits("a.b", excepted=("*b",)), "a", False),
        (FieldLimits(((FieldGrant(grant=("a.b",)),), (FieldGrant(grant=("a.c",)),))), "a", False),
    ],
)
def test_whether_anything_below_a_path_could_be_seen(
    limited: FieldLimits, path: str, opens: bool
) -> None:
    assert visible_fields(limited).opens(path) is opens


def test_thousands_of_patterns_and_paths_are_decided() -> None:
    """What is remembered has a limit, and is found again by going on from the start."""
    fields = visible_fields(limits(*(f"field{n}.*" for n in range(0, 2_000, 2))))
    for number in range(2_000):
        assert fields.shows(f"field{number}.name") is (number % 2 == 0)


def test_equal_limits_are_decided_by_the_same_object() -> None:
    assert visible_fields(limits("a")) is visible_fields(limits("a"))
