"""`_security/role_mapping`."""

from typing import Any

import pytest

from tests.conformance.security.conftest import World

TARGET = "/_security/role_mapping/m"
RULES = {
    "any": [{"field": {"username": ["a", "b"]}}, {"all": [{"except": {"field": {"groups": "x"}}}]}]
}


async def test_a_mapping_comes_back_as_it_was_put(world: World) -> None:
    body = {"enabled": False, "roles": ["viewer"], "rules": RULES, "metadata": {"v": 1}}
    first, second = [await world.ask("PUT", TARGET, body) for _ in range(2)]
    assert (first.body, second.body) == (
        {"role_mapping": {"created": True}},
        {"role_mapping": {"created": False}},
    )
    assert (await world.ask("GET", TARGET)).body == {"m": body}
    assert (await world.ask("GET", "/_security/role_mapping")).body == {"m": body}
    assert (await world.ask("GET", f"{TARGET},nope")).body == {"m": body}
    missing = await world.ask("GET", "/_security/role_mapping/nope")
    assert (missing.status, missing.body) == (404, {})
    gone, again = [await world.ask("DELETE", TARGET) for _ in range(2)]
    assert (gone.status, gone.body) == (200, {"found": True})
    assert (again.status, again.body) == (404, {"found": False})


@pytest.mark.parametrize(
    ("rules", "reason", "cause"),
    [
        (
            b'{"foo": {"dn": "x"}}',
            "[1:33] [role-mapping] failed to parse field [rules]",
            "field [foo] is not recognised in object [m]",
        ),
        (
            b'{"except": {"field": {"dn": "x"}}}',
            "[1:33] [role-mapping] failed to parse field [rules]",
            "field [except] is not allowed within [m]",
        ),
        (
            b"{}",
            "[1:33] [role-mapping] failed to parse field [rules]",
            "object [m] does not contain any fields",
        ),
        (
            b'{"field": {}}',
            "[1:43] [role-mapping] failed to parse field [rules]",
            "object [field] does not contain any fields",
        ),
        (
            b'{"field": {"dn": "a", "x": "b"}}',
            "[1:54] [role-mapping] failed to parse field [rules]",
            "object [field] contains multiple fields",
        ),
    ],
)
async def test_malformed_rules_are_refused_where_they_are(
    world: World, rules: bytes, reason: str, cause: str
) -> None:
    body = b'{"roles": ["viewer"], "rules": ' + rules + b', "enabled": true}'
    answer = await world.ask("PUT", TARGET, body)
    assert (answer.status, answer.type, answer.reason) == (400, "parsing_exception", reason)
    inner = answer.body["error"]["caused_by"]["caused_by"]
    assert inner["reason"] == f"failed to parse rules expression. {cause}"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "failed to parse role-mapping [m]. missing field [roles]"),
        ({"roles": ["a"]}, "failed to parse role-mapping [m]. missing field [rules]"),
        (
            {"roles": ["a"], "rules": {"field": {"dn": "x"}}},
            "failed to parse role-mapping [m]. missing field [enabled]",
        ),
        (
            {"roles": ["a"], "rules": {"all": []}, "enabled": True, "metadata": {"_a": 1}},
            "Validation Failed: 1: metadata keys may not start with [_];",
        ),
        (None, "request body is required"),
    ],
)
async def test_a_malformed_mapping_is_refused(world: World, body: Any, reason: str) -> None:
    answer = await world.ask("PUT", TARGET, body)
    assert (answer.status, answer.reason) == (400, reason)
