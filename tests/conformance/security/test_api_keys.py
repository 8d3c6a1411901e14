"""`_security/api_key`: keys of users."""

import base64
from typing import Any

import pytest

from tests.conformance.security.conftest import NOON_MS, World, Worlds, basic

KEYS = "/_security/api_key"
AUTHENTICATE = "/_security/_authenticate"
DAY_MS = 86_400_000


async def shown(world: World, key_id: str, more: str = "") -> Any:
    answer = await world.ask("GET", f"{KEYS}?id={key_id}{more}")
    assert answer.status == 200
    return answer.body["api_keys"][0]


async def test_a_key_is_told_once(world: World) -> None:
    """X-1, X-2, X-3, X-21: no later answer, and nothing that is kept, holds its secret."""
    body = {"name": "k", "expiration": "1d", "metadata": {"a": {"b": 1}}}
    made = (await world.ask("POST", KEYS, body)).body
    assert set(made) == {"id", "name", "expiration", "api_key", "encoded"}
    assert (len(made["id"]), len(made["api_key"]), len(made["encoded"])) == (20, 22, 60)
    assert base64.b64decode(made["encoded"]).decode() == f"{made['id']}:{made['api_key']}"
    assert made["expiration"] == NOON_MS + DAY_MS
    other = (await world.ask("PUT", KEYS, {"name": "k"})).body
    assert set(other) == {"id", "name", "api_key", "encoded"}
    assert {other["id"], other["api_key"]}.isdisjoint({made["id"], made["api_key"]})
    kept = await world.security.records._store.scan("")
    listed = await world.ask("GET", KEYS)
    for text in (str(kept), str(listed.body)):
        assert made["api_key"] not in text
    assert "hash" not in str(listed.body)


async def test_a_key_as_it_is_shown(world: World) -> None:
    descriptors = {
        "r": {"cluster": ["monitor"], "indices": [{"names": "a", "privileges": ["read"]}]}
    }
    key = await world.make_key("k", role_descriptors=descriptors, metadata={"m": 1})
    assert await shown(world, key["id"], "&with_limited_by=true") == {
        "id": key["id"],
        "name": "k",
        "type": "rest",
        "creation": NOON_MS,
        "invalidated": False,
        "username": "elastic",
        "realm": "reserved",
        "realm_type": "reserved",
        "metadata": {"m": 1},
        "role_descriptors": {
            "r": {
                "cluster": ["monitor"],
                "indices": [
                    {"names": ["a"], "privileges": ["read"], "allow_restricted_indices": False}
                ],
                "applications": [],
                "run_as": [],
                "metadata": {},
                "transient_metadata": {"enabled": True},
            }
        },
        "limited_by": [{"superuser": world.security.roles.shown(["superuser"])["superuser"]}],
    }


@pytest.mark.parametrize(
    ("body", "type", "reason"),
    [
        ({}, "illegal_argument_exception", "Required [name]"),
        (
            {"name": ""},
            "action_request_validation_exception",
            "Validation Failed: 1: api key name is required;",
        ),
        (
            {"name": " _x"},
            "action_request_validation_exception",
            "Validation Failed: 1: api key name may not begin or end with whitespace;",
        ),
        (
            {"name": "_x"},
            "action_request_validation_exception",
            "Validation Failed: 1: api key name may not begin with an underscore;",
        ),
        (
            {"name": "x" * 257},
            "action_request_validation_exception",
            "Validation Failed: 1: api key name may not be more than 256 characters long;",
        ),
        (
            {"name": 1},
            "x_content_parse_exception",
            "[1:9] [api_key_request] name doesn't support values of type: VALUE_NUMBER",
        ),
        (
            {"name": "k", "foo": 1},
            "x_content_parse_exception",
            "[1:13] [api_key_request] unknown field [foo]",
        ),
        (
            {"name": "k", "expiration": "x"},
            "x_content_parse_exception",
            "Failed to build [api_key_request] after last required field arrived",
        ),
        (
            {"name": "k", "metadata": {"_x": 1}},
            "action_request_validation_exception",
            "Validation Failed: 1: API key metadata keys may not start with [_];",
        ),
        (
            {"name": "k", "role_descriptors": {"r": {"description": "x"}}},
            "x_content_parse_exception",
            "[1:52] [api_key_request] failed to parse field [role_descriptors]",
        ),
        (
            {"name": "k", "role_descriptors": []},
            "x_content_parse_exception",
            "[1:32] [api_key_request] failed to parse field [role_descriptors]",
        ),
        (
            [],
            "x_content_parse_exception",
            "[1:1] [api_key_request] Expected START_OBJECT but was: START_ARRAY",
        ),
        (None, "parse_exception", "request body is required"),
    ],
)
async def test_a_malformed_request_is_refused(
    world: World, body: Any, type: str, reason: str
) -> None:
    """X-4, X-5, X-8, X-9: of keys of users as well."""
    answer = await world.ask("POST", KEYS, body)
    assert (answer.status, answer.type, answer.reason) == (400, type, reason)


async def test_the_root_cause_is_the_innermost_one(world: World) -> None:
    body = {"name": "k", "role_descriptors": {"r": {"description": "x"}}}
    answer = await world.ask("POST", KEYS, body)
    (root,) = answer.body["error"]["root_cause"]
    assert root["reason"] == "failed to parse role [r]. unexpected field [description]"


async def test_a_key_grants_no_more_than_its_maker_may(world: World) -> None:
    """X-41: assigned descriptors and the maker's roles both decide."""
    await world.make_role("m", cluster=["monitor", "manage_own_api_key"])
    by = await world.make_user("u", "m")
    wide = await world.make_key("wide", by=by, role_descriptors={"r": {"cluster": ["all"]}})
    answer = await world.ask("GET", "/_security/user", by=wide["header"])
    assert answer.reason == (
        f"action [cluster:admin/xpack/security/user/get] is unauthorized for API key id [{wide['id']}] of user [u], "
        "this action is granted by the cluster privileges [read_security,manage_security,all]"
    )


async def test_a_key_without_descriptors_may_what_its_maker_might(world: World) -> None:
    key = await world.make_key("k")
    assert (await world.ask("GET", "/_security/user", by=key["header"])).status == 200


async def test_keys_made_by_keys_grant_nothing(world: World) -> None:
    maker = await world.make_key("m", role_descriptors={"r": {"cluster": ["manage_api_key"]}})
    for descriptors in ({}, {"a": {"cluster": ["all"]}}):
        body = {"name": "d", "role_descriptors": descriptors}
        answer = await world.ask("POST", KEYS, body, by=maker["header"])
        assert answer.reason == (
            "creating derived api keys requires an explicit role descriptor that is empty (has no privileges)"
        )
    made = await world.make_key("d", by=maker["header"], role_descriptors={"a": {}})
    answer = await world.ask("GET", "/_security/user", by=made["header"])
    assert answer.status == 403
    assert (await shown(world, made["id"]))["realm"] == "_es_api_key"


async def test_a_key_ends_when_it_expires(world: World) -> None:
    """X-64: though it was remembered, and to the millisecond."""
    key = await world.make_key("k", expiration="1h")
    assert (await world.ask("GET", AUTHENTICATE, by=key["header"])).status == 200
    world.clock.ms += 3_600_000 - 1
    assert (await world.ask("GET", AUTHENTICATE, by=key["header"])).status == 200
    world.clock.ms += 1
    answer = await world.ask("GET", AUTHENTICATE, by=key["header"])
    assert answer.status == 401
    assert answer.body["error"]["additional_unsuccessful_credentials"] == (
        "API key: api key is expired"
    )


async def test_an_invalidated_key_is_out_with_the_next_request(world: World) -> None:
    """X-65, T-35."""
    key = await world.make_key("k")
    assert (await world.ask("GET", AUTHENTICATE, by=key["header"])).status == 200
    answer = await world.ask("DELETE", KEYS, {"ids": [key["id"]]})
    assert answer.body == {
        "invalidated_api_keys": [key["id"]],
        "previously_invalidated_api_keys": [],
        "error_count": 0,
    }
    assert (await world.ask("GET", AUTHENTICATE, by=key["header"])).status == 401
    kept = await shown(world, key["id"])
    assert (kept["invalidated"], kept["invalidation"]) == (True, NOON_MS)
    active = await world.ask("GET", f"{KEYS}?id={key['id']}&active_only=true")
    assert (active.status, active.body) == (404, {"api_keys": []})


async def test_keys_are_removed_when_nobody_needs_to_see_them(world: World) -> None:
    ended = await world.make_key("a", expiration="1h")
    gone = await world.make_key("b")
    lasting = await world.make_key("c")
    await world.ask("DELETE", KEYS, {"ids": [gone["id"]]})
    world.clock.ms += 7 * DAY_MS
    assert await world.security.api_keys.sweep() == 1
    assert (await world.ask("GET", f"{KEYS}?id={gone['id']}")).status == 404
    world.clock.ms += DAY_MS
    assert await world.security.api_keys.sweep() == 1
    assert (await world.ask("GET", f"{KEYS}?id={ended['id']}")).status == 404
    assert (await world.ask("GET", f"{KEYS}?id={lasting['id']}")).status == 200


@pytest.mark.parametrize(
    ("query", "status", "names"),
    [
        ("", 200, ["ka", "kb", "u1"]),
        ("?name=k*", 200, ["ka", "kb"]),
        ("?name=nope", 200, []),
        ("?id=nope", 404, []),
        ("?username=u", 200, ["u1"]),
        ("?realm_name=default_native", 200, ["u1"]),
        ("?owner=true", 200, ["ka", "kb"]),
        ("?owner=true&name=kb", 200, ["kb"]),
        ("?name=&id=", 200, ["ka", "kb", "u1"]),
    ],
)
async def test_keys_are_found_by(world: World, query: str, status: int, names: list[str]) -> None:
    await world.make_role("o", cluster=["manage_own_api_key"])
    by = await world.make_user("u", "o")
    await world.make_key("ka")
    await world.make_key("kb")
    await world.make_key("u1", by=by)
    answer = await world.ask("GET", KEYS + query)
    assert answer.status == status
    assert sorted(each["name"] for each in answer.body["api_keys"]) == names


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("id=x&name=y", "only one of [api key id, api key name] can be specified"),
        (
            "id=x&username=y",
            "username or realm name must not be specified when the api key id or api key name is specified",
        ),
        (
            "owner=true&username=y",
            "neither username nor realm-name may be specified when retrieving owned API keys",
        ),
    ],
)
async def test_filters_that_exclude_each_other(world: World, query: str, reason: str) -> None:
    answer = await world.ask("GET", f"{KEYS}?{query}")
    assert (answer.status, answer.reason) == (400, f"Validation Failed: 1: {reason};")


async def test_who_may_only_manage_own_keys_sees_only_those(world: World) -> None:
    await world.make_role("o", cluster=["manage_own_api_key"])
    by = await world.make_user("u", "o")
    other = await world.make_key("e")
    own = await world.make_key("u1", by=by)
    for query in ("?owner=true", "?username=u&realm_name=default_native"):
        answer = await world.ask("GET", KEYS + query, by=by)
        assert [each["id"] for each in answer.body["api_keys"]] == [own["id"]]
    for query in ("", f"?id={other['id']}", f"?id={own['id']}", "?username=u"):
        answer = await world.ask("GET", KEYS + query, by=by)
        assert answer.status == 403
        assert answer.reason.endswith(
            "granted by the cluster privileges [read_security,manage_api_key,manage_security,all]"
        )
    denied = await world.ask("DELETE", KEYS, {"ids": [own["id"]]}, by=by)
    assert denied.reason.endswith("[manage_api_key,manage_security,all]")
    done = await world.ask("DELETE", KEYS, {"owner": True}, by=by)
    assert done.body["invalidated_api_keys"] == [own["id"]]


async def test_a_key_may_look_at_itself(world: World) -> None:
    key = await world.make_key("k", role_descriptors={"r": {"cluster": ["monitor"]}})
    other = await world.make_key("other")
    own = await world.ask("GET", f"{KEYS}?id={key['id']}", by=key["header"])
    assert own.body["api_keys"][0]["name"] == "k"
    for query in ("", "?owner=true", f"?id={other['id']}"):
        answer = await world.ask("GET", KEYS + query, by=key["header"])
        assert answer.status == 403


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            {},
            "Validation Failed: 1: One of [api key id(s), api key name, username, realm name] must be specified if "
            "[owner] flag is false;",
        ),
        ({"id": "x"}, "[1:2] [invalidate_api_key] unknown field [id] did you mean [ids]?"),
        (
            {"ids": ["x"], "name": "y"},
            "Validation Failed: 1: only one of [api key id(s), api key name] can be specified;",
        ),
        ({"ids": []}, "Failed to build [invalidate_api_key] after last required field arrived"),
        ({"ids": [""]}, "Failed to build [invalidate_api_key] after last required field arrived"),
        ({"ids": [None]}, "[1:9] [invalidate_api_key] failed to parse field [ids]"),
        (
            {"owner": True, "username": "x"},
            "Validation Failed: 1: neither username nor realm-name may be specified when invalidating owned API keys;",
        ),
        ({"owner": "x"}, "[1:10] [invalidate_api_key] failed to parse field [owner]"),
    ],
)
async def test_a_malformed_invalidation_is_refused(world: World, body: Any, reason: str) -> None:
    answer = await world.ask("DELETE", KEYS, body)
    assert (answer.status, answer.reason) == (400, reason)


async def test_a_key_is_changed_by_its_owner(world: World) -> None:
    key = await world.make_key("k", metadata={"a": 1})
    target = f"{KEYS}/{key['id']}"
    changes: list[tuple[Any, bool]] = [
        (None, False),
        ({}, False),
        ({"metadata": {"a": 1}}, False),
        ({"metadata": {"b": 2}}, True),
        ({"role_descriptors": {"r": {"cluster": ["monitor"]}}}, True),
        ({"role_descriptors": {"r": {"cluster": ["monitor"]}}}, False),
        ({"expiration": "2d"}, True),
    ]
    for body, updated in changes:
        assert (await world.ask("PUT", target, body)).body == {"updated": updated}
    kept = await shown(world, key["id"])
    assert kept["metadata"] == {"b": 2}
    assert kept["expiration"] == NOON_MS + 2 * DAY_MS
    assert list(kept["role_descriptors"]) == ["r"]


async def test_a_change_holds_for_the_next_request(world: World) -> None:
    key = await world.make_key("k")
    assert (await world.ask("GET", "/_security/user", by=key["header"])).status == 200
    body = {"role_descriptors": {"r": {"cluster": ["monitor"]}}}
    await world.ask("PUT", f"{KEYS}/{key['id']}", body)
    assert (await world.ask("GET", "/_security/user", by=key["header"])).status == 403


async def test_what_is_wrong_with_a_change(world: World) -> None:
    """X-17: of keys of users as well."""
    key, ended, gone = [
        await world.make_key(name, **more)
        for name, more in (("a", {}), ("b", {"expiration": "1h"}), ("c", {}))
    ]
    await world.ask("DELETE", KEYS, {"ids": [gone["id"]]})
    world.clock.ms += 3_600_000
    by = await world.make_user("u", "superuser")
    missing = "no API key owned by requesting user found for ID [{}]"
    cases = [
        ("nope", None, 404, missing.format("nope")),
        (key["id"], by, 404, missing.format(key["id"])),
        (ended["id"], None, 400, f"cannot update expired API key [{ended['id']}]"),
        (gone["id"], None, 400, f"cannot update invalidated API key [{gone['id']}]"),
        (
            key["id"],
            key["header"],
            400,
            "authentication via API key not supported: only the owner user can update an API key",
        ),
    ]
    for key_id, who, status, reason in cases:
        more = {} if who is None else {"by": who}
        answer = await world.ask("PUT", f"{KEYS}/{key_id}", {"metadata": {"a": 1}}, **more)
        assert (answer.status, answer.reason) == (status, reason)
    past = await world.ask("PUT", f"{KEYS}/{key['id']}", {"expiration": "-1"})
    assert past.reason == "Validation Failed: 1: API key expiration must be in the future;"


async def test_many_keys_are_changed_at_once(world: World) -> None:
    one, two = await world.make_key("a"), await world.make_key("b", metadata={"q": 1})
    body = {"ids": [one["id"], "nope", two["id"], one["id"]], "metadata": {"q": 1}}
    answer = await world.ask("POST", f"{KEYS}/_bulk_update", body)
    assert answer.body == {
        "updated": [one["id"]],
        "noops": [two["id"]],
        "errors": {
            "count": 1,
            "details": {
                "nope": {
                    "type": "resource_not_found_exception",
                    "reason": "no API key owned by requesting user found for ID [nope]",
                }
            },
        },
    }
    for wrong, reason in (
        ({}, "Required [ids]"),
        ({"ids": []}, "Validation Failed: 1: Field [ids] cannot be empty;"),
    ):
        assert (await world.ask("POST", f"{KEYS}/_bulk_update", wrong)).reason == reason


async def test_a_key_is_made_for_somebody_who_gives_the_password(world: World) -> None:
    await world.make_user("u", "viewer")
    grant = {"grant_type": "password", "username": "u", "password": "secret1"}
    target = f"{KEYS}/grant"
    made = await world.ask("POST", target, {**grant, "api_key": {"name": "g"}})
    assert (await shown(world, made.body["id"]))["username"] == "u"
    wrong = {**grant, "password": "wrong-1", "api_key": {"name": "g"}}
    answer = await world.ask("POST", target, wrong)
    assert (answer.status, answer.reason) == (403, "Failed to authenticate api key grant")
    assert answer.body["error"]["caused_by"]["reason"] == (
        "unable to authenticate user [u] for action [cluster:admin/xpack/security/api_key/grant]"
    )
    for body, reason in (
        ({}, "Validation Failed: 1: api key name is required;2: [grant_type] is required;"),
        (
            {"grant_type": "foo", "api_key": {"name": "g"}},
            "Validation Failed: 1: grant_type [foo] is not supported;",
        ),
        (
            {"grant_type": "password", "api_key": {"name": "g"}},
            "Validation Failed: 1: [username] is required for grant_type [password];2: [password] is required for "
            "grant_type [password];",
        ),
    ):
        assert (await world.ask("POST", target, body)).reason == reason


async def test_a_key_for_another_user_needs_the_right_to_act_as_that_one(world: World) -> None:
    await world.make_role("ras", run_as=["u"])
    await world.make_role("o", cluster=["manage_own_api_key"])
    await world.make_user("u", "o")
    await world.make_user("may", "ras")
    await world.make_user("may_not")
    for name, status in (("may", 200), ("may_not", 403)):
        body = {
            "grant_type": "password",
            "username": name,
            "password": "secret1",
            "run_as": "u",
            "api_key": {"name": "g"},
        }
        assert (await world.ask("POST", f"{KEYS}/grant", body)).status == status


async def test_slow_hashes_of_secrets_are_checked_as_well(worlds: Worlds) -> None:
    world = await worlds.start(xpack__security__authc__api_key__hashing__algorithm="pbkdf2_1000")
    key = await world.make_key("k")
    for _ in range(2):
        assert (await world.ask("GET", AUTHENTICATE, by=key["header"])).status == 200
    unknown = base64.b64encode(b"nope:x").decode()
    assert (await world.ask("GET", AUTHENTICATE, by=f"ApiKey {unknown}")).status == 401
    await world.ask("DELETE", KEYS, {"ids": [key["id"]]})
    assert (await world.ask("GET", AUTHENTICATE, by=key["header"])).status == 401


async def test_keys_outlive_their_maker_and_the_node(worlds: Worlds) -> None:
    world = await worlds.start()
    await world.make_role("o", cluster=["manage_own_api_key"])
    by = await world.make_user("u", "o")
    key = await world.make_key("k", by=by)
    await world.ask("DELETE", "/_security/user/u")
    again = await worlds.start()
    answer = await again.ask("GET", AUTHENTICATE, by=key["header"])
    assert answer.body["username"] == "u"
    assert (await again.ask("GET", AUTHENTICATE, by=basic("u"))).status == 401
