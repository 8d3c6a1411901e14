"""Role descriptors from JSON and back, against what a server of version 8.19 answered to the same bodies."""

from typing import Any

import pytest

from sealane.errors import ActionRequestValidation, ApiError
from sealane.query.located import scan
from sealane.security.rules.descriptors import (
    check_roles,
    parse_role,
    parse_role_descriptors,
    role_json,
)
from sealane.security.rules.key_access import (
    access_descriptor,
    access_json,
    access_of_descriptor,
    parse_access,
)
from tests.unit.security.rules.peer import ANSWERS, chain


@pytest.mark.parametrize(("body", "answer"), ANSWERS["roles"], ids=lambda v: str(v)[:60])
def test_a_role_is_read_and_shown_as_the_reference_does(body: str, answer: dict[str, Any]) -> None:
    """X-48, X-49: remote_indices and remote_cluster come back as they were put; what is malformed is refused."""
    value = scan(body.encode()).value
    if "error" in answer:
        with pytest.raises(ApiError) as raised:
            check_roles([parse_role("rules_x", value)])
        assert chain(raised.value) == answer["error"]
    else:
        role = parse_role("rules_x", value)
        check_roles([role])
        expected = answer["get"]
        assert role_json(role) == expected
        assert list(role_json(role)) == list(expected)


@pytest.mark.parametrize(("body", "answer"), ANSWERS["role_descriptors"], ids=lambda v: str(v)[:60])
def test_descriptors_of_an_api_key(body: str, answer: dict[str, Any]) -> None:
    value = scan(body.encode()).value["role_descriptors"]
    if "error" in answer:
        with pytest.raises(ApiError) as raised:
            check_roles(_descriptors(body))
        assert chain(raised.value) == answer["error"]
    else:
        roles = parse_role_descriptors(value)
        assert {role.name: role_json(role, of_key=True) for role in roles} == answer["get"]


def _descriptors(body: str) -> Any:
    located = scan(body.encode()).value
    value = located["role_descriptors"]
    return parse_role_descriptors(value, place=located.values_at["role_descriptors"])


@pytest.mark.parametrize(("body", "answer"), ANSWERS["access"], ids=lambda v: str(v)[:80])
def test_access_of_a_cross_cluster_key(body: str, answer: dict[str, Any]) -> None:
    """X-4, X-5, X-6, X-7, X-13, X-14, X-15: access is strict, and is shown so that it can be put again."""
    located = scan(body.encode()).value
    if "error" in answer:
        with pytest.raises(ApiError) as raised:
            parse_access(located["access"], place=located.values_at["access"])
        assert chain(raised.value) == answer["error"]
    else:
        access = parse_access(located["access"])
        role = access_descriptor(access)
        check_roles([role])
        assert {"cross_cluster": role_json(role, of_key=True)} == answer["get"]
        assert access_json(access_of_descriptor(role)) == answer["access"]
        assert parse_access(access_json(access)) == access


def test_an_alias_that_is_empty_is_refused() -> None:
    with pytest.raises(ApiError) as raised:
        parse_role("r", {"remote_cluster": [{"clusters": [""], "privileges": ["monitor_stats"]}]})
    assert raised.value.reason == (
        "remote_cluster clusters aliases must contain valid non-empty, non-null values []"
    )


def test_all_that_is_wrong_is_listed() -> None:
    role = parse_role("r", {"cluster": ["nope", "none2"], "metadata": {"_a": 1}})
    with pytest.raises(ActionRequestValidation) as raised:
        check_roles([role])
    assert raised.value.reason.count("unknown cluster privilege") == 2
    assert "3: role descriptor metadata keys may not start with [_];" in raised.value.reason
