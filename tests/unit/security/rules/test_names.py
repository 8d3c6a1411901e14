"""Patterns of names."""

import pytest

from sealane.security.rules.names import (
    MAX_NAME,
    Effort,
    all_within,
    is_restricted,
    matcher,
    node_of,
    union,
    within,
)


@pytest.mark.parametrize(
    ("pattern", "fitting", "other"),
    [
        ("logs", ["logs"], ["Logs", "logs-1", "logs ", ""]),
        ("logs-*", ["logs-", "logs-1"], ["logs", "xlogs-1"]),
        ("*", ["", "a", ".security"], []),
        ("l?gs", ["logs", "l\u00e9gs"], ["lgs", "loogs"]),
        ("*-1", ["a-1", "-1"], ["a-11"]),
        ("a\\*b", ["a*b"], ["axb"]),
        ("a**b", ["ab", "axb"], ["a"]),
        ("/logs-[0-9]{2}/", ["logs-12"], ["logs-1", "logs-123"]),
        ("/~(([.]|ilm-history-).*)/", ["logs"], [".a", "ilm-history-1"]),
        ("/a.*&.*b/", ["ab", "axxb"], ["a", "b"]),
        ("/<1-3>/", ["1", "3"], ["4"]),
        ("/", ["/"], ["a"]),
        ("//", [""], ["a"]),
        ("", [""], ["a"]),
    ],
)
def test_a_pattern_fits_whole_names(pattern: str, fitting: list[str], other: list[str]) -> None:
    """X-35: names, wildcards and regular expressions; X-78, T-40: byte by byte."""
    fits = matcher((pattern,))
    assert [name for name in fitting if not fits(name)] == []
    assert [name for name in other if fits(name)] == []


def test_any_of_several_patterns_will_do() -> None:
    fits = matcher(("a", "b-*", "/c[0-9]/", "d?"))
    assert [name for name in ("a", "b-1", "c1", "dx", "e") if fits(name)] == [
        "a",
        "b-1",
        "c1",
        "dx",
    ]
    assert not matcher(())("a")


@pytest.mark.parametrize("pattern", ["/a[/", "/(/", "/a{2,1}/", "/\\/", "/" + "a" * 2_000 + "/"])
def test_an_expression_that_is_wrong_fits_nothing(pattern: str) -> None:
    assert not matcher((pattern,))("a")
    assert not matcher((pattern,))(pattern)
    assert matcher((pattern, "b"))("b")


@pytest.mark.parametrize(
    "pattern",
    [
        "/(a|aa)+$/",
        "/(a*)*b/",
        "/.*a.{900}/",
        "/((a{0,900}){0,900})/",
        "/(.*)*(.*)*(.*)*x/",
        "/~(.*a.{200})&~(.*b.{200})/",
        "/(a|b|ab)*(a|b|ab)*(a|b|ab)*c/",
        "*a" * 400,
        "*?" * 400,
        "/" + "(" * 400 + "a" + ")*" * 400 + "/",
    ],
)
def test_a_catastrophic_expression_gives_up(pattern: str) -> None:
    """X-109: what is kept for a pattern is bounded, and so is the work for a name; then it fits nothing."""
    fits = matcher((pattern,))
    name = "ab" * (MAX_NAME // 2)
    assert fits(name) in (True, False)
    assert not fits(name + "x" * MAX_NAME)


@pytest.mark.parametrize(
    ("name", "restricted"),
    [
        (".security", True),
        (".security-7", True),
        (".security-70-x", True),
        (".security-x", False),
        (".security-tokens-7", True),
        (".async-search", True),
        (".async-searching", True),
        (".tasks", True),
        ("security", False),
        ("x.security", False),
        (".monitoring", False),
    ],
)
def test_a_cluster_s_own_names_are_restricted(name: str, restricted: bool) -> None:
    """X-39: they need a grant that says so."""
    assert is_restricted(name) is restricted


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        ("logs-1", ["logs-*"], True),
        ("logs-*", ["logs-1"], False),
        ("logs-1*", ["logs-*", "x"], True),
        ("*", ["logs-*"], False),
        ("/[ab].*/", ["a*", "b*"], True),
        ("/[abc].*/", ["a*", "b*"], False),
        ("*", ["*"], True),
    ],
)
def test_whether_one_pattern_is_within_others(inner: str, outer: list[str], expected: bool) -> None:
    assert within(node_of(inner), union(outer)) is expected
    assert all_within([inner], outer, Effort()) is expected
    assert all_within([outer[0], inner], outer, Effort()) is expected


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        (["a", "ab*", "a.b*"], ["a*"], True),
        (["a", "b"], ["a"], False),
        (["ab*"], ["ab"], False),
        (["*"], ["a*"], False),
        ([], [], True),
        (["a"], [], False),
        (["/(a|/"], ["a*"], True),  # malformed: no name fits it
    ],
)
def test_what_is_plain_to_see_takes_no_effort(
    inner: list[str], outer: list[str], expected: bool
) -> None:
    effort = Effort()
    before = effort.left
    assert all_within(inner, outer, effort) is expected
    if expected:
        assert before - effort.left <= 100


def test_what_is_too_hard_to_compare_is_not_within() -> None:
    assert not within(node_of("/.*a.{500}/"), node_of("/.*a.{500}.*b.{500}/"))
