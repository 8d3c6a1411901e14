"""`_has_privileges` and `_privileges`, against what a server of version 8.19 answered for the same roles."""

from typing import Any

import pytest

from sealane.errors import ApiError
from sealane.query.located import scan
from sealane.security.rules.descriptors import parse_role
from sealane.security.rules.has_privileges import answer, parse_questions, privileges_of
from sealane.security.rules.permission import Permission, permission_of
from sealane.security.rules.reserved import RESERVED_ROLES
from tests.unit.security.rules.peer import ANSWERS, chain

ROLES = {name: parse_role(name, shown) for name, shown in ANSWERS["has_privileges_roles"]}
PERMISSION = permission_of(ROLES, list(ROLES))


@pytest.mark.parametrize(("body", "expected"), ANSWERS["has_privileges"], ids=lambda v: str(v)[:60])
def test_each_privilege_is_answered_for_as_the_reference_does(
    body: str, expected: dict[str, Any]
) -> None:
    """X-88: true or false for each item, and has_all_requested for all of them."""
    value = scan(body.encode()).value
    if "error" in expected:
        with pytest.raises(ApiError) as raised:
            parse_questions("rules_h", value)
        assert chain(raised.value) == expected["error"]
    else:
        assert answer("rules_h", PERMISSION, parse_questions("rules_h", value)) == expected["get"]


def test_of_remote_indices_the_same_is_told() -> None:
    """X-88: the extension `remote_index` says what is granted towards clusters, by alias."""
    asked = parse_questions(
        "u",
        {
            "remote_index": [
                {"clusters": ["kb", "other"], "names": ["logs-1", "x"], "privileges": ["read"]}
            ]
        },
    )
    shown = answer("u", PERMISSION, asked)
    assert shown["remote_index"] == {
        "kb": {"logs-1": {"read": True}, "x": {"read": False}},
        "other": {"logs-1": {"read": False}, "x": {"read": False}},
    }
    assert not shown["has_all_requested"]


def test_a_key_has_what_it_and_its_owner_have() -> None:
    key = parse_role(
        "k", {"cluster": ["all"], "indices": [{"names": "logs-1", "privileges": ["all"]}]}
    )
    both = Permission(((key,), *PERMISSION.sides))
    asked = parse_questions(
        "u",
        {
            "cluster": ["monitor", "manage"],
            "index": [{"names": ["logs-1", "logs-2"], "privileges": ["read"]}],
        },
    )
    shown = answer("u", both, asked)
    assert shown["cluster"] == {"manage": False, "monitor": True}
    assert shown["index"] == {"logs-1": {"read": True}, "logs-2": {"read": False}}


@pytest.mark.parametrize(("who", "expected"), ANSWERS["user_privileges"])
def test_all_privileges_of_a_user(who: str, expected: dict[str, Any]) -> None:
    permission = PERMISSION if who == "rules_h" else permission_of(RESERVED_ROLES, [who])
    shown = privileges_of(permission)
    assert shown == expected
    assert list(shown) == list(expected)


def test_an_intersection_has_no_list_of_privileges() -> None:
    with pytest.raises(ApiError, match="Cannot retrieve privileges for API keys") as raised:
        privileges_of(Permission((*PERMISSION.sides, *PERMISSION.sides)))
    assert raised.value.caused_by is not None


def test_questions_that_are_hard_to_answer_are_given_up_together() -> None:
    """X-109, T-30: all comparisons of one request share what may be spent on them; what is not known is not had."""
    asked = parse_questions(
        "u",
        {
            "cluster": [f"cluster:*a*b*c*{n}" for n in range(500)],
            "index": [
                {
                    "names": [f"/.*{n}.{{400}}/" for n in range(300)],
                    "privileges": ["read", "write"],
                },
                {"names": ["logs-1"], "privileges": ["read"]},
            ],
        },
    )
    shown = answer("u", PERMISSION, asked)
    assert not shown["has_all_requested"]
    assert not any(shown["index"]["/.*7.{400}/"].values())


def test_too_many_questions_are_refused() -> None:
    names = [f"n{n}" for n in range(9_000)]
    with pytest.raises(ApiError, match="are asked about, more than"):
        parse_questions("u", {"index": [{"names": names, "privileges": ["read", "write", "all"]}]})
    asked = {"application": "kibana", "resources": names, "privileges": ["a", "b", "c"]}
    with pytest.raises(ApiError, match="are asked about, more than"):
        parse_questions("u", {"application": [asked]})


def test_without_any_cluster_privilege_not_even_none_is_had() -> None:
    nothing = Permission(
        ((parse_role("r", {"indices": [{"names": "*", "privileges": ["all"]}]}),),)
    )
    asked = parse_questions(
        "u", {"cluster": ["none"], "index": [{"names": ["a"], "privileges": ["none"]}]}
    )
    shown = answer("u", nothing, asked)
    assert shown["cluster"] == {"none": False}
    assert shown["index"] == {"a": {"none": True}}


def test_limits_toward_remote_clusters_are_told_as_lists() -> None:
    role = parse_role(
        "r",
        {
            "remote_indices": [
                {
                    "clusters": ["k*"],
                    "names": ["logs-*", "docs-*"],
                    "privileges": ["read"],
                    "query": {"term": {"level": "public"}},
                    "field_security": {"grant": ["n"]},
                }
            ]
        },
    )
    assert privileges_of(Permission(((role,),)))["remote_indices"] == [
        {
            "names": ["docs-*", "logs-*"],
            "privileges": ["read"],
            "field_security": [{"grant": ["n"]}],
            "query": ['{"term":{"level":"public"}}'],
            "allow_restricted_indices": False,
            "clusters": ["k*"],
        }
    ]
