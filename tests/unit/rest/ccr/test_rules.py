"""Auto-follow patterns as they come in and as they are shown."""

from typing import Any

import pytest

from tests.unit.rest.ccr.replication import FakeReplication
from tests.unit.rest.fakes import Client, assert_error

PARSER = "put_auto_follow_pattern_request"
LEAST: dict[str, Any] = {"remote_cluster": "eu", "leader_index_patterns": ["l*"]}


async def test_every_field_comes_back(client: Client) -> None:
    """R-24: as it was given, and nothing that was not."""
    body = {
        "remote_cluster": "eu",
        "leader_index_patterns": ["l*", "m"],
        "leader_index_exclusion_patterns": ["l-own*"],
        "follow_index_pattern": "{{leader_index}}-copy",
        "settings": {"index.number_of_replicas": 0, "index.routing.rebalance.enable": "none"},
        "include_existing": True,
        "max_outstanding_read_requests": 12,
        "max_retry_delay": "1500ms",
        "max_read_request_size": "1g",
    }
    assert (await client("PUT", "/_ccr/auto_follow/p", body)).json == {"acknowledged": True}
    shown = {
        "name": "p",
        "pattern": {
            "active": True,
            "remote_cluster": "eu",
            "leader_index_patterns": ["l*", "m"],
            "leader_index_exclusion_patterns": ["l-own*"],
            "follow_index_pattern": "{{leader_index}}-copy",
            "settings": {
                "index": {"number_of_replicas": "0", "routing": {"rebalance": {"enable": "none"}}}
            },
            "include_existing": True,
            "max_read_request_size": "1gb",
            "max_outstanding_read_requests": 12,
            "max_retry_delay": "1500ms",
        },
    }
    assert (await client("GET", "/_ccr/auto_follow/p")).json == {"patterns": [shown]}
    assert (await client("GET", "/_ccr/auto_follow?master_timeout=1s")).json == {
        "patterns": [shown]
    }
    assert (await client("DELETE", "/_ccr/auto_follow/p")).json == {"acknowledged": True}
    assert (await client("GET", "/_ccr/auto_follow")).json == {"patterns": []}


async def test_the_least_there_is(client: Client) -> None:
    """R-24."""
    body = {"remote_cluster": "eu", "leader_index_patterns": "l*"}
    assert (await client("PUT", "/_ccr/auto_follow/p", body)).status == 200
    (found,) = (await client("GET", "/_ccr/auto_follow/p")).json["patterns"]
    assert found["pattern"] == {
        "active": True,
        "remote_cluster": "eu",
        "leader_index_patterns": ["l*"],
        "leader_index_exclusion_patterns": [],
        "settings": {},
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_ccr/auto_follow/x"),
        ("DELETE", "/_ccr/auto_follow/x"),
        ("POST", "/_ccr/auto_follow/x/pause"),
        ("POST", "/_ccr/auto_follow/x/resume"),
    ],
)
async def test_a_rule_that_is_missing(client: Client, method: str, path: str) -> None:
    """R-24."""
    answer = await client(method, path)
    reason = "auto-follow pattern [x] is missing"
    assert_error(answer, 404, "resource_not_found_exception", reason)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a,b", "[name] name must not contain a ','"),
        ("_a", "[name] name must not start with '_'"),
        ("n" * 256, "[name] name is too long (256 > 255)"),
        ("%C3%A4" * 128, "[name] name is too long (256 > 255)"),
    ],
)
async def test_names(client: Client, name: str, problem: str) -> None:
    """R-25: judged before anything is asked of the remote; 255 bytes are allowed."""
    answer = await client("PUT", f"/_ccr/auto_follow/{name}", LEAST)
    kind = "action_request_validation_exception"
    assert_error(answer, 400, kind, f"Validation Failed: 1: {problem};")
    assert (await client("PUT", f"/_ccr/auto_follow/{'n' * 255}", LEAST)).status == 200


async def test_pause_and_resume(client: Client, replication: FakeReplication) -> None:
    """R-26."""
    await client("PUT", "/_ccr/auto_follow/p", LEAST)
    for call, active in (("pause", False), ("pause", False), ("resume", True), ("resume", True)):
        answer = await client("POST", f"/_ccr/auto_follow/p/{call}")
        assert answer.json == {"acknowledged": True}
        assert replication.rules.active == {"p": active}


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ({}, "1: [remote_cluster] is missing;2: [leader_index_patterns] is missing;"),
        (
            {"remote_cluster": "eu", "leader_index_patterns": []},
            "1: [leader_index_patterns] is missing;",
        ),
    ],
)
async def test_what_is_missing(client: Client, body: Any, problems: str) -> None:
    answer = await client("PUT", "/_ccr/auto_follow/p", body)
    kind = "action_request_validation_exception"
    assert_error(answer, 400, kind, f"Validation Failed: {problems}")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"leader_index": "l"}, "[1:55] [{parser}] unknown field [leader_index]"),
        (
            {"leader_index_patterns": 5},
            "[1:48] [{parser}] leader_index_patterns doesn't support values of type: VALUE_NUMBER",
        ),
        (
            {"leader_index_exclusion_patterns": [{}]},
            "[1:90] [{parser}] failed to parse field [leader_index_exclusion_patterns]",
        ),
        (
            {"include_existing": 1},
            "[1:74] [{parser}] include_existing doesn't support values of type: VALUE_NUMBER",
        ),
    ],
)
async def test_bodies_that_cannot_be_read(
    client: Client, replication: FakeReplication, more: Any, reason: str
) -> None:
    answer = await client("PUT", "/_ccr/auto_follow/p", {**LEAST, **more})
    shown = answer.json["error"]
    assert (answer.status, shown["type"]) == (400, "x_content_parse_exception")
    assert shown["reason"].startswith(reason.format(parser=PARSER))
    assert replication.rules.patterns == {}
