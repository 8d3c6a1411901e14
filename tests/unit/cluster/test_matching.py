"""Whether names lead anywhere, as `_resolve/cluster` asks: each answer is the reference's own to the same indices."""

import pytest

from sealane.cluster.matching import matches_any
from sealane.cluster.metadata import Alias, ClusterMetadata
from sealane.errors import ApiError, IndexNotFound, InvalidIndexName, ParseError
from sealane.model.search import IndicesOptions
from tests.unit.cluster.test_resolve import index

DEFAULT = IndicesOptions()
ALL_STATES = IndicesOptions(expand_closed=True, expand_hidden=True)
CLOSED = IndicesOptions(expand_open=False, expand_closed=True)
NONE = IndicesOptions(expand_open=False)
LENIENT = IndicesOptions(ignore_unavailable=True)
STRICT = IndicesOptions(allow_no_indices=False)
NOON_MS = 1_795_348_800_000
HINT = (
    " and if you intended to exclude this index, ensure that you use wildcards that include it "
    "before explicitly excluding it"
)


META = ClusterMetadata(
    [
        index("open", 1, al=Alias()),
        index("closed", 1, open=False, cal=Alias()),
        index("hid", 1, hidden=True),
    ]
)


@pytest.mark.parametrize(
    ("expression", "options", "expected"),
    [
        ("open", DEFAULT, True),
        ("open", NONE, True),
        ("closed", DEFAULT, False),
        ("closed", ALL_STATES, False),
        ("hid", DEFAULT, True),
        ("al", DEFAULT, True),
        ("cal", DEFAULT, True),
        ("c*", DEFAULT, True),
        ("c*", STRICT, True),
        ("clo*", DEFAULT, False),
        ("clo*", ALL_STATES, False),
        ("ope*", DEFAULT, True),
        ("ope*", CLOSED, False),
        ("a*", CLOSED, True),
        ("hi*", DEFAULT, False),
        ("hi*", ALL_STATES, True),
        (".o*", DEFAULT, False),
        ("nope*", DEFAULT, False),
        ("nope*,open", DEFAULT, True),
        ("open,nope", LENIENT, True),
        ("nope", LENIENT, False),
        ("*,-open", DEFAULT, True),
        ("o*,-open", DEFAULT, False),
        ("o*,-open", STRICT, False),
        ("o*,-al", DEFAULT, True),
        ("a*,-al", DEFAULT, False),
        ("a*,-open", DEFAULT, True),
        ("*,-*l", DEFAULT, True),
        ("*,-*l", CLOSED, False),
        ("*,-*", DEFAULT, False),
        ("*,-*", NONE, False),
        ("-*", DEFAULT, False),
        ("-x", LENIENT, False),
        ("closed,al", DEFAULT, True),
        ("_all", DEFAULT, True),
        ("*", DEFAULT, True),
        ("", DEFAULT, True),
        ("_all::data", NONE, False),
        ("_all::data", DEFAULT, True),
        ("open::data", DEFAULT, True),
        ("open::failures", LENIENT, False),
        ("o*::failures", DEFAULT, False),
        ("a*::failures", DEFAULT, True),
        ("<open>", DEFAULT, True),
    ],
)
def test_what_counts_as_a_match(expression: str, options: IndicesOptions, expected: bool) -> None:
    """S-124: aliases count whatever they lead to, closed indices do not."""
    expressions = tuple(expression.split(",")) if expression else ()
    assert matches_any(META, expressions, options, NOON_MS) is expected


@pytest.mark.parametrize(
    ("expression", "options", "reason"),
    [
        ("nope", DEFAULT, "no such index [nope]"),
        ("open,nope", DEFAULT, "no such index [nope]"),
        ("nope*", STRICT, "no such index [nope*]"),
        ("hi*", STRICT, "no such index [hi*]"),
        ("c*", NONE, "no such index [c*]"),
        ("o*,-open", NONE, "no such index [o*]"),
        ("*", NONE, "no such index [**]"),
        ("_all", NONE, "no such index [**]"),
        ("*,nope", NONE, "no such index [*]"),
        ("-x", DEFAULT, f"no such index [-x]{HINT}"),
        ("al,-open", DEFAULT, f"no such index [-open]{HINT}"),
        (",open", LENIENT, "no such index []"),
        ("a::failures", DEFAULT, "no such index [a]"),
        ("open::failures", DEFAULT, "no such index [open::failures]"),
        ("o*::failures", STRICT, "no such index [o*::failures]"),
        ("<nope-{now/d}>", DEFAULT, "no such index [nope-2026.11.22]"),
    ],
)
def test_names_that_must_exist(expression: str, options: IndicesOptions, reason: str) -> None:
    with pytest.raises(IndexNotFound) as caught:
        matches_any(META, expression.split(","), options, NOON_MS)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("expression", "kind", "reason"),
    [
        ("_x", InvalidIndexName, "Invalid index name [_x], must not start with '_'."),
        ("_all,open", InvalidIndexName, "Invalid index name [_all], must not start with '_'."),
        (
            "open::foo",
            InvalidIndexName,
            "Invalid index name [open::foo], invalid usage of :: separator, "
            "[foo] is not a recognized selector",
        ),
        (
            "<open-{now/d>",
            ParseError,
            "invalid dynamic name expression [open-{now/d>]. date math placeholder is open ended",
        ),
    ],
)
def test_names_that_cannot_be(expression: str, kind: type[ApiError], reason: str) -> None:
    with pytest.raises(kind) as caught:
        matches_any(META, expression.split(","), LENIENT, NOON_MS)
    assert caught.value.reason == reason
