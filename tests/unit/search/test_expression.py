"""Index expressions: S-2 to S-5, S-7 to S-15, with the reference's texts."""

from collections.abc import Sequence

import pytest

from sealane.errors import ApiError, IllegalArgument, InvalidIndexName, NoSuchRemoteCluster
from sealane.search.expression import ClusterTarget, group_by_cluster

ALIASES = ("eu", "us-east", "us-west")


def group(text: str, aliases: Sequence[str] = ALIASES) -> dict[str, tuple[str, ...]]:
    targets = group_by_cluster(text.split(",") if text else (), lambda: aliases)
    return {target.alias: target.expressions for target in targets}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"": ()}),
        ("logs", {"": ("logs",)}),
        ("logs-*,-logs-old", {"": ("logs-*", "-logs-old")}),
        ("eu:logs", {"eu": ("logs",)}),
        ("logs,eu:logs,eu:more", {"": ("logs",), "eu": ("logs", "more")}),
        ("eu:logs,logs", {"": ("logs",), "eu": ("logs",)}),
        ("us-*:logs", {"us-east": ("logs",), "us-west": ("logs",)}),
        ("*:logs", {"eu": ("logs",), "us-east": ("logs",), "us-west": ("logs",)}),
        ("*,*:*", {"": ("*",), "eu": ("*",), "us-east": ("*",), "us-west": ("*",)}),
        ("eu:a:b:c", {"eu": ("a:b:c",)}),
        ("eu:-logs,eu:*", {"eu": ("-logs", "*")}),
        ("<logs-{now/d}>", {"": ("<logs-{now/d}>",)}),
        ("<a-{now/d{yyyy:MM}}>", {"": ("<a-{now/d{yyyy:MM}}>",)}),
        ("eu:<a-{now/d}>", {"eu": ("<a-{now/d}>",)}),
        ("logs::failures", {"": ("logs::failures",)}),
        ("*:x,-us-*:*", {"eu": ("x",)}),
        ("-us-*:*,*:x", {"eu": ("x",)}),
        ("logs,eu:x,-eu:*", {"": ("logs",)}),
        ("eu:", {"eu": ("",)}),
    ],
)
def test_expressions_are_grouped_by_cluster(
    text: str, expected: dict[str, tuple[str, ...]]
) -> None:
    """S-2, S-3, S-4, S-8, S-9, S-10, S-13: the first colon separates, and the rest goes on untouched."""
    assert group(text) == expected


def test_the_local_cluster_comes_first_and_the_others_as_they_are_named() -> None:
    targets = group_by_cluster(["us-west:b", "eu:a", "c"], lambda: ALIASES)
    assert [target.alias for target in targets] == ["", "us-west", "eu"]


def test_an_alias_pattern_without_a_match_widens_to_nothing() -> None:
    """S-6: no local data for `nomatch*:idx`."""
    assert group("nomatch*:idx") == {}
    assert group("*:idx", aliases=()) == {}


def test_aliases_are_not_asked_for_when_no_expression_has_one() -> None:
    """A node without the role for remote clusters still searches its own."""

    def refuse() -> Sequence[str]:
        raise AssertionError("asked for aliases")

    assert group_by_cluster(["logs", "<x-{now/d}>"], refuse) == (
        ClusterTarget("", ("logs", "<x-{now/d}>")),
    )


@pytest.mark.parametrize(
    ("text", "error", "reason"),
    [
        ("nope:x", NoSuchRemoteCluster, "no such remote cluster: [nope]"),
        ("logs,-nope:*", NoSuchRemoteCluster, "no such remote cluster: [nope]"),
        ("EU:x", NoSuchRemoteCluster, "no such remote cluster: [EU]"),
        (
            ":foo",
            IllegalArgument,
            "index name [:foo] is invalid because the remote part is empty",
        ),
        (
            "-eu:*",
            IllegalArgument,
            "Attempt to exclude cluster [eu] failed as it is not included in the list of clusters to be included: "
            "[]. Input: [-eu:*]",
        ),
        (
            "me1,-eu:*",
            IllegalArgument,
            "Attempt to exclude cluster [eu] failed as it is not included in the list of clusters to be included: "
            "[(local)]. Input: [me1,-eu:*]",
        ),
        (
            "eu:x,-us*:*",
            IllegalArgument,
            "Attempt to exclude clusters [us-east, us-west] failed as they are not included in the list of clusters "
            "to be included: [eu]. Input: [eu:x,-us*:*]",
        ),
        (
            "eu:*,-eu:*",
            IllegalArgument,
            "The '-' exclusions in the index expression list excludes all indexes. Nothing to search. "
            "Input: [eu:*,-eu:*]",
        ),
        (
            "eu:x,-eu:x",
            IllegalArgument,
            "To exclude a cluster you must specify the '*' wildcard for the index expression, but found: [x]",
        ),
        (
            "eu:x,-eu:-x",
            IllegalArgument,
            "To exclude a cluster you must specify the '*' wildcard for the index expression, but found: [-x]",
        ),
        (
            "eu:x::failures",
            InvalidIndexName,
            "Invalid index name [x::failures], Selectors are not yet supported on remote cluster patterns",
        ),
    ],
)
def test_expressions_that_name_no_clusters_are_refused(
    text: str, error: type[ApiError], reason: str
) -> None:
    """S-5, S-7, S-11, S-12, S-14, S-15."""
    with pytest.raises(error) as caught:
        group(text)
    assert caught.value.reason == reason
