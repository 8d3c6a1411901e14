"""`_security/user`, as a server of 8.19 answers."""

from typing import Any

import pytest

from tests.conformance.security.conftest import ELASTIC, World, Worlds, basic

BCRYPT = "$2a$04$tV9RHqZ4Di2Zl6zdbkCsmeRXmBnXLtcJh0yGoXCMCmN0mOcDJZjpC"
NAMES = (
    " names must be at least 1 and no more than 507 characters. They can contain alphanumeric characters (a-z, A-Z, "
    "0-9), spaces, punctuation, and printable symbols in the Basic Latin (ASCII) block. Leading or trailing whitespace "
    "is not allowed.;"
)


async def test_a_user_is_created_then_updated_and_shown(world: World) -> None:
    """X-84: `created` tells a new user from a changed one, and no answer shows a hash."""
    target = "/_security/user/u"
    first = await world.ask("PUT", target, {"password": "secret1", "roles": ["r"]})
    change = {"roles": ["r", "viewer"], "full_name": "F", "email": "e@x", "metadata": {"a": 1}}
    second = await world.ask("POST", target, change)
    shown = await world.ask("GET", target)
    assert (first.body, second.body) == ({"created": True}, {"created": False})
    assert shown.body == {"u": {"username": "u", **change, "enabled": True}}


@pytest.mark.parametrize(
    ("body", "type", "reason"),
    [
        (
            {"roles": []},
            "validation_exception",
            "Validation Failed: 1: password must be specified unless you are updating an existing user;",
        ),
        (
            {"password": "short", "roles": []},
            "validation_exception",
            "Validation Failed: 1: passwords must be at least [6] characters long;",
        ),
        (
            {"password": "secret1", "password_hash": BCRYPT, "roles": []},
            "validation_exception",
            "Validation Failed: 1: password_hash has already been set;",
        ),
        (
            {"password": "secret1"},
            "action_request_validation_exception",
            "Validation Failed: 1: roles are missing;",
        ),
        (
            {"password": None, "roles": []},
            "parse_exception",
            "expected field [password] to be of type string, but found [VALUE_NULL] instead",
        ),
        (
            {"password": "secret1", "roles": [1]},
            "parse_exception",
            "could not parse [null] field. expected a string array but one of the value in the array is "
            "[VALUE_NUMBER]",
        ),
        (
            {"password": "secret1", "roles": None},
            "parse_exception",
            "could not parse [roles] field. expected a string array but found null value instead",
        ),
        (
            {"password": "secret1", "roles": [], "foo": 1},
            "parse_exception",
            "failed to parse add user request. unexpected field [foo]",
        ),
        (
            {"password": "secret1", "roles": [], "metadata": {"_x": 1}},
            "action_request_validation_exception",
            "Validation Failed: 1: metadata keys may not start with [_];",
        ),
        (
            {"password": "secret1", "roles": [], "enabled": "true"},
            "parse_exception",
            "expected field [enabled] to be of type boolean, but found [VALUE_STRING] instead",
        ),
        (
            {"password": "secret1", "roles": [], "username": "other"},
            "illegal_argument_exception",
            "[username] in source does not match the username provided [u]",
        ),
        (
            {"password": "secret1", "roles": [" r"]},
            "action_request_validation_exception",
            f"Validation Failed: 1: Role{NAMES}",
        ),
        ([], "parse_exception", "expected an object, but found token [START_ARRAY]"),
        (None, "parse_exception", "request body is required"),
        (b"{", "x_content_e_o_f_exception", "[1:2] Unexpected end of file"),
    ],
)
async def test_a_malformed_user_is_refused_in_the_references_words(
    world: World, body: Any, type: str, reason: str
) -> None:
    """X-84."""
    answer = await world.ask("PUT", "/_security/user/u", body)
    assert (answer.status, answer.type, answer.reason) == (400, type, reason)
    assert (await world.ask("GET", "/_security/user/u")).status == 404


async def test_what_is_no_hash_is_refused(world: World) -> None:
    """X-84, X-90: the error lists the algorithms."""
    for wrong in ("xyz", "", "$2a$10$abc", "{PBKDF2}7$a$b", "{SSHA256}abc"):
        body = {"password_hash": wrong, "roles": []}
        answer = await world.ask("PUT", "/_security/user/u", body)
        assert answer.status == 400
        assert answer.reason.startswith("The provided password hash is not a hash or it could not")
        assert answer.reason.endswith("pbkdf2_stretch_500000, pbkdf2_stretch_1000000]")


@pytest.mark.parametrize(
    "given",
    [
        BCRYPT.replace("$2a$04$", "$2a$04$"),
        "{PBKDF2}1000$CHEXfS3FtWaXcGqORkG6YQuUMInrtjZAbW/13OJjhvU=$vJ7cVbp0Q4nb4kZTlEZSWxNpvYwkZRYnxcmpXQvF3bU=",
    ],
)
async def test_a_user_may_be_put_with_a_hash(world: World, given: str) -> None:
    answer = await world.ask("PUT", "/_security/user/u", {"password_hash": given, "roles": []})
    assert answer.body == {"created": True}


@pytest.mark.parametrize("name", ["%20u", "u%20", "b%C3%A9", "x" * 508])
async def test_names_of_users_are_judged(world: World, name: str) -> None:
    body = {"password": "secret1", "roles": []}
    answer = await world.ask("PUT", f"/_security/user/{name}", body)
    assert (answer.status, answer.reason) == (400, f"Validation Failed: 1: User{NAMES}")


async def test_names_are_compared_byte_by_byte(world: World) -> None:
    """T-40, X-78: case and blanks make another user and another role."""
    await world.make_role("Reader", cluster=["monitor"])
    by = await world.make_user("Ann", "reader")
    assert (await world.ask("GET", "/_security/_authenticate", by=by)).status == 200
    assert (await world.ask("GET", "/_security/_authenticate", by=basic("ann"))).status == 401
    assert world.security.roles.find(["reader"]) == {}


async def test_of_reserved_users_only_the_password_changes(world: World) -> None:
    """X-85."""
    put = await world.ask("PUT", "/_security/user/elastic", {"password": "secret1", "roles": []})
    delete = await world.ask("DELETE", "/_security/user/elastic")
    password = await world.ask(
        "PUT", "/_security/user/kibana_system/_password", {"password": "secret2"}
    )
    assert put.reason == (
        "Validation Failed: 1: user [elastic] is reserved and only the password can be changed;"
    )
    assert delete.reason == "user [elastic] is reserved and cannot be deleted"
    assert (put.status, delete.status, password.status, password.body) == (400, 400, 200, {})
    answer = await world.ask(
        "GET", "/_security/_authenticate", by=basic("kibana_system", "secret2")
    )
    assert answer.body["roles"] == ["kibana_system"]


async def test_reserved_users_are_listed_first(world: World) -> None:
    await world.make_user("aa")
    answer = await world.ask("GET", "/_security/user")
    assert list(answer.body)[:2] == ["elastic", "kibana"]
    assert list(answer.body)[-1] == "aa"
    assert answer.body["elastic"] == {
        "username": "elastic",
        "roles": ["superuser"],
        "full_name": None,
        "email": None,
        "metadata": {"_reserved": True},
        "enabled": True,
    }


async def test_users_that_are_not_there_are_left_out(world: World) -> None:
    missing = await world.ask("GET", "/_security/user/nope")
    pattern = await world.ask("GET", "/_security/user/e*")
    some = await world.ask("GET", "/_security/user/nope,elastic")
    assert (missing.status, missing.body) == (404, {})
    assert (pattern.status, pattern.body) == (404, {})
    assert (some.status, list(some.body)) == (200, ["elastic"])


async def test_a_user_is_deleted_once(world: World) -> None:
    await world.make_user("u")
    first = await world.ask("DELETE", "/_security/user/u")
    second = await world.ask("DELETE", "/_security/user/u")
    assert (first.status, first.body) == (200, {"found": True})
    assert (second.status, second.body) == (404, {"found": False})
    assert (await world.ask("GET", "/_security/_authenticate", by=basic("u"))).status == 401


async def test_a_disabled_user_is_out_at_once(world: World) -> None:
    """X-86: with the next request, and back in when it is enabled."""
    by = await world.make_user("u")
    assert (await world.ask("GET", "/_security/_authenticate", by=by)).status == 200
    assert (await world.ask("PUT", "/_security/user/u/_disable")).body == {}
    out = await world.ask("GET", "/_security/_authenticate", by=by)
    assert (out.status, out.reason) == (
        401,
        "unable to authenticate user [u] for REST request [/_security/_authenticate]",
    )
    assert (await world.ask("PUT", "/_security/user/u/_enable")).body == {}
    assert (await world.ask("GET", "/_security/_authenticate", by=by)).status == 200


async def test_nobody_disables_himself(world: World) -> None:
    own = await world.ask("PUT", "/_security/user/elastic/_disable")
    assert (own.status, own.reason) == (
        400,
        "users may not update the enabled status of their own account",
    )
    await world.make_role("m", cluster=["manage_security"])
    by = await world.make_user("u", "m")
    body = {"roles": ["superuser"], "enabled": False}
    put = await world.ask("PUT", "/_security/user/u", body, by=by)
    assert put.reason == (
        "Validation Failed: 1: native and reserved realm users may not update the enabled status of their own account;"
    )


async def test_only_users_who_are_there_can_be_enabled(world: World) -> None:
    for what in ("enabled", "disabled"):
        answer = await world.ask("PUT", f"/_security/user/nope/_{what[:-1]}")
        assert answer.reason == f"Validation Failed: 1: only existing users can be {what};"


async def test_a_new_password_holds_at_once_and_the_old_one_no_more(world: World) -> None:
    """T-35."""
    old = await world.make_user("u")
    assert (await world.ask("GET", "/_security/_authenticate", by=old)).status == 200
    answer = await world.ask("PUT", "/_security/user/u/_password", {"password": "secret2"})
    assert (answer.status, answer.body) == (200, {})
    assert (await world.ask("GET", "/_security/_authenticate", by=old)).status == 401
    new = basic("u", "secret2")
    assert (await world.ask("GET", "/_security/_authenticate", by=new)).status == 200


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "Validation Failed: 1: password is missing;"),
        ({"foo": 1}, "failed to parse change password request. unexpected field [foo]"),
        (
            {"password": "short"},
            "Validation Failed: 1: passwords must be at least [6] characters long;",
        ),
        ([1], "expected an object, but found token [START_ARRAY]"),
        (None, "request body is required"),
    ],
)
async def test_a_malformed_password_is_refused(world: World, body: Any, reason: str) -> None:
    answer = await world.ask("PUT", "/_security/user/elastic/_password", body)
    assert (answer.status, answer.reason) == (400, reason)


async def test_everybody_may_change_the_own_password_only(world: World) -> None:
    by = await world.make_user("u")
    await world.make_user("v")
    own = await world.ask("POST", "/_security/user/_password", {"password": "secret2"}, by=by)
    by = basic("u", "secret2")
    other = await world.ask("POST", "/_security/user/v/_password", {"password": "secret2"}, by=by)
    assert own.status == 200
    assert other.status == 403
    assert other.reason.startswith(
        "action [cluster:admin/xpack/security/user/change_password] is unauthorized for user [u] with "
        "effective roles []"
    )


async def test_the_bootstrap_password_ends_with_the_first_one_stored(worlds: Worlds) -> None:
    """X-90: also for a node that starts again with it."""
    world = await worlds.start()
    assert (await world.ask("GET", "/_security/_authenticate")).status == 200
    await world.ask("PUT", "/_security/user/_password", {"password": "another-1"})
    assert (await world.ask("GET", "/_security/_authenticate")).status == 401
    again = await worlds.start()
    assert (await again.ask("GET", "/_security/_authenticate", by=ELASTIC)).status == 401
    new = basic("elastic", "another-1")
    assert (await again.ask("GET", "/_security/_authenticate", by=new)).status == 200


async def test_users_outlive_the_node(worlds: Worlds) -> None:
    first = await worlds.start()
    by = await first.make_user("u", "viewer")
    second = await worlds.start()
    answer = await second.ask("GET", "/_security/_authenticate", by=by)
    assert answer.body["roles"] == ["viewer"]
