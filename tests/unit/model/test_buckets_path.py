"""Paths to values of aggregations, cut into their parts."""

import pytest

from sealane.model.buckets_path import BadPath, flat_path, parse_path


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("s", ("s",)),
        ("h>s", ("h", "s")),
        ("h>stats.avg", ("h", "stats", "avg")),
        ("h>p[99.9]", ("h", "p", "99.9")),
        ("t['a']>m", ("t", "'a'", "m")),
        ("h>t['a']._count", ("h", "t", "'a'", "_count")),
        ("h>t._bucket_count", ("h", "t", "_bucket_count")),
        ("p.99.9", ("p.99", "9")),
        ("_count", ("_count",)),
        ("a.b>c", ("a.b", "c")),
        ("h>", ("h",)),
    ],
)
def test_parts(path: str, parts: tuple[str, ...]) -> None:
    assert flat_path(path) == parts


def test_a_quoted_key_names_a_bucket() -> None:
    assert [each.has_bucket_key for each in parse_path("t['a']>p[50]")] == [True, False]


@pytest.mark.parametrize("path", ["", ">", "s[", ".s", "s.", "[a]", "t[]>m", "t['a']x>m"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(BadPath, match="Invalid path"):
        parse_path(path)
