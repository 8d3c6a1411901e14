"""Rules of role mappings."""

from typing import Any

import pytest

from sealane.errors import ParseError
from sealane.security.stores.role_rules import check, matches

ANN = {
    "username": ("ann",),
    "dn": ("CN=ann,OU=eng,O=x",),
    "groups": ("g1", "g2"),
    "realm.name": ("pki1",),
}


@pytest.mark.parametrize(
    ("rules", "meant"),
    [
        ({"field": {"username": "ann"}}, True),
        ({"field": {"username": "Ann"}}, False),
        ({"field": {"username": ["bob", "ann"]}}, True),
        ({"field": {"dn": "*,OU=eng,*"}}, True),
        ({"field": {"dn": "/CN=a.*/"}}, True),
        ({"field": {"dn": "/(/"}}, False),
        ({"field": {"groups": "g2"}}, True),
        ({"field": {"metadata.a": "b"}}, False),
        ({"field": {"metadata.a": None}}, True),
        ({"field": {"username": None}}, False),
        ({"field": {"username": 1}}, False),
        ({"any": [{"field": {"username": "bob"}}, {"field": {"groups": "g1"}}]}, True),
        ({"any": []}, False),
        ({"all": []}, True),
        ({"all": [{"field": {"username": "ann"}}, {"field": {"groups": "g3"}}]}, False),
        ({"all": [{"field": {"username": "ann"}}, {"except": {"field": {"groups": "g3"}}}]}, True),
        ({"all": [{"except": {"field": {"groups": "g1"}}}]}, False),
    ],
)
def test_who_is_meant(rules: Any, meant: bool) -> None:
    check(rules, "m")
    assert matches(rules, ANN) is meant


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({}, "object [m] does not contain any fields"),
        ({"foo": 1}, "field [foo] is not recognised in object [m]"),
        ({"except": {"field": {"dn": "x"}}}, "field [except] is not allowed within [m]"),
        ({"field": {}}, "object [field] does not contain any fields"),
        ({"field": {"a": "b", "c": "d"}}, "object [field] contains multiple fields"),
        ({"field": "x"}, "expected to find [START_OBJECT] but found [VALUE_STRING] instead"),
        (
            {"any": [{"except": {"field": {"dn": "x"}}}]},
            "field [except] is not allowed within [any]",
        ),
        ([], "expected to find [START_OBJECT] but found [START_ARRAY] instead"),
    ],
)
def test_malformed_rules(rules: Any, reason: str) -> None:
    with pytest.raises(ParseError) as caught:
        check(rules, "m")
    assert caught.value.reason == f"failed to parse rules expression. {reason}"


def test_rules_have_a_size() -> None:
    """T-30."""
    deep: Any = {"field": {"dn": "x"}}
    for _ in range(100):
        deep = {"all": [deep]}
    wide = {"any": [{"field": {"dn": "x"}}] * 5_000}
    for rules in (deep, wide):
        with pytest.raises(ParseError, match="too large"):
            check(rules, "m")
