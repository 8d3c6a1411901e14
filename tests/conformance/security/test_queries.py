"""`_security/_query/api_key` and `_security/_query/user`."""

from typing import Any

import pytest

from tests.conformance.security.conftest import NOON_MS, World

KEYS = "/_security/_query/api_key"


async def filled(world: World) -> str:
    """Keys `a`, `b` (of `u`, with metadata), `x` (for other clusters). Returns the credentials of `u`."""
    await world.make_role("o", cluster=["manage_own_api_key"])
    by = await world.make_user("u", "o")
    await world.make_key("a")
    world.clock.ms += 1_000
    await world.make_key("b", by=by, metadata={"env": {"tier": "hot"}, "n": 1}, expiration="1d")
    world.clock.ms += 1_000
    await world.make_cross_cluster_key("x")
    return by


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"match_all": {}}, ["a", "b", "x"]),
        ({"match_none": {}}, []),
        ({"term": {"type": "cross_cluster"}}, ["x"]),
        ({"term": {"type": {"value": "rest"}}}, ["a", "b"]),
        ({"terms": {"name": ["a", "x"]}}, ["a", "x"]),
        ({"prefix": {"username": "ela"}}, ["a", "x"]),
        ({"wildcard": {"name": "?"}}, ["a", "b", "x"]),
        ({"wildcard": {"username": {"value": "*u"}}}, ["b"]),
        ({"exists": {"field": "expiration"}}, ["b"]),
        ({"exists": {"field": "metadata"}}, ["b"]),
        ({"term": {"metadata.env.tier": "hot"}}, ["b"]),
        ({"term": {"metadata.n": 1}}, ["b"]),
        ({"term": {"invalidated": False}}, ["a", "b", "x"]),
        ({"range": {"creation": {"gt": NOON_MS, "lt": NOON_MS + 2_000}}}, ["b"]),
        ({"range": {"creation": {"gte": "now-1s"}}}, ["b", "x"]),
        ({"range": {"expiration": {"lte": "now"}}}, []),
        (
            {"bool": {"filter": {"term": {"type": "rest"}}, "must_not": [{"term": {"name": "a"}}]}},
            ["b"],
        ),
        ({"bool": {"should": [{"term": {"name": "a"}}, {"term": {"name": "x"}}]}}, ["a", "x"]),
    ],
)
async def test_keys_are_found_by(world: World, query: Any, names: list[str]) -> None:
    await filled(world)
    answer = await world.ask("POST", KEYS, {"query": query})
    assert [each["name"] for each in answer.body["api_keys"]] == names
    assert (answer.body["total"], answer.body["count"]) == (len(names), len(names))


async def test_keys_are_sorted_and_paged(world: World) -> None:
    await filled(world)
    body = {"sort": [{"creation": {"order": "desc"}}, "name"], "from": 1, "size": 1}
    answer = await world.ask("GET", KEYS, body)
    (found,) = answer.body["api_keys"]
    assert (answer.body["total"], answer.body["count"]) == (3, 1)
    assert (found["name"], found["_sort"]) == ("b", [NOON_MS + 1_000, "b"])
    by_end = await world.ask("GET", KEYS, {"sort": ["expiration"]})
    assert by_end.body["api_keys"][0]["name"] == "b"


async def test_who_manages_own_keys_finds_those(world: World) -> None:
    by = await filled(world)
    answer = await world.ask("POST", KEYS, by=by)
    assert [each["name"] for each in answer.body["api_keys"]] == ["b"]
    limited = await world.ask("POST", f"{KEYS}?with_limited_by=true", by=by)
    assert list(limited.body["api_keys"][0]["limited_by"][0]) == ["o"]
    stranger = await world.make_user("s")
    assert (await world.ask("POST", KEYS, by=stranger)).status == 403


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            {"query": {"term": {"foo": 1}}},
            "Field [foo] is not allowed for querying or aggregation",
        ),
        (
            {"query": {"term": {"api_key_hash": "x"}}},
            "Field [api_key_hash] is not allowed for querying or aggregation",
        ),
        ({"sort": ["nope"]}, "Field [nope] is not allowed for querying or aggregation"),
        (
            {"query": {"fuzzy": {"name": "x"}}},
            "Query type [fuzzy] is not currently supported in this context",
        ),
        (
            {"size": -1},
            "Validation Failed: 1: [size] parameter cannot be negative but was [-1];",
        ),
        (
            {"from": -1},
            "Validation Failed: 1: [from] parameter cannot be negative but was [-1];",
        ),
        ({"foo": 1}, "[1:2] [query_api_key_request_payload] unknown field [foo]"),
        ({"aggs": {}}, "[aggs] is not supported here by this version"),
    ],
)
async def test_what_is_refused(world: World, body: Any, reason: str) -> None:
    answer = await world.ask("POST", KEYS, body)
    assert (answer.status, answer.reason) == (400, reason)


async def test_queries_have_a_depth(world: World) -> None:
    """T-30."""
    query: Any = {"match_all": {}}
    for _ in range(60):
        query = {"bool": {"must": [query]}}
    answer = await world.ask("POST", KEYS, {"query": query})
    assert answer.status == 400


async def test_users_are_found(world: World) -> None:
    await world.make_user("ann", "viewer", "editor")
    await world.make_user("bob")
    target = "/_security/_query/user"
    answer = await world.ask("POST", target, {"query": {"term": {"roles": "editor"}}})
    assert [each["username"] for each in answer.body["users"]] == ["ann"]
    counted = await world.ask("POST", target, {"size": 0})
    assert counted.body == {"total": 2, "count": 0, "users": []}


async def test_who_comes_with_a_key_finds_that_one(world: World) -> None:
    """What other keys of its maker are called is not for it, unless it may read all."""
    own = {"r": {"cluster": ["manage_own_api_key"]}}
    key = await world.make_key("one", role_descriptors=own)
    await world.make_key("two")
    answer = await world.ask("POST", KEYS, by=key["header"])
    assert [each["name"] for each in answer.body["api_keys"]] == ["one"]
    reader = await world.make_key("reader", role_descriptors={"r": {"cluster": ["read_security"]}})
    answer = await world.ask("POST", KEYS, by=reader["header"])
    assert answer.body["total"] == 3


async def test_metadata_of_several_kinds_is_sorted_as_text(world: World) -> None:
    for name, value in (("a", 10), ("b", "9"), ("c", True), ("d", 2.5)):
        await world.make_key(name, metadata={"n": value})
    answer = await world.ask("POST", KEYS, {"sort": ["metadata.n"]})
    assert [each["name"] for each in answer.body["api_keys"]] == ["a", "d", "b", "c"]


async def test_queries_have_a_most_of_clauses(world: World) -> None:
    """T-30: each of them is asked of each key."""
    clauses = [{"term": {"name": "x"}}] * 2_000
    answer = await world.ask("POST", KEYS, {"query": {"bool": {"should": clauses}}})
    assert (answer.status, answer.reason) == (400, "a query may have at most [1024] clauses here")
