"""Who gets in, and what those are told who do not."""

import asyncio
import base64

import pytest

from sealane.security.stores import authentication
from tests.conformance.security.conftest import ELASTIC, World, Worlds, basic

AUTHENTICATE = "/_security/_authenticate"
CHALLENGES = ['Basic realm="security", charset="UTF-8"', "ApiKey"]
NOT_BY_THESE = "unable to authenticate with provided credentials and anonymous access is not allowed for this request"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def test_a_user_with_a_password(world: World) -> None:
    """X-87."""
    by = await world.make_user("u", "viewer")
    answer = await world.ask("GET", AUTHENTICATE, by=by)
    realm = {"name": "default_native", "type": "native"}
    assert answer.body == {
        "username": "u",
        "roles": ["viewer"],
        "full_name": None,
        "email": None,
        "metadata": {},
        "enabled": True,
        "authentication_realm": realm,
        "lookup_realm": realm,
        "authentication_type": "realm",
    }


async def test_a_key(world: World) -> None:
    """X-87."""
    key = await world.make_key("k")
    answer = await world.ask("GET", AUTHENTICATE, by=key["header"])
    realm = {"name": "_es_api_key", "type": "_es_api_key"}
    assert answer.body == {
        "username": "elastic",
        "roles": [],
        "full_name": None,
        "email": None,
        "metadata": {"_reserved": True},
        "enabled": True,
        "authentication_realm": realm,
        "lookup_realm": realm,
        "authentication_type": "api_key",
        "api_key": {"id": key["id"], "name": "k"},
    }


@pytest.mark.parametrize("by", [None, "Basic ", "ApiKey ", "Digest x", "Foo bar", "Basic"])
async def test_without_credentials(world: World, by: str | None) -> None:
    """X-89: the answer offers the ways in, in its body and in its headers."""
    answer = await world.ask("GET", "/_security/user?pretty", by=by)
    assert answer.status == 401
    assert answer.reason == (
        "missing authentication credentials for REST request [/_security/user?pretty]"
    )
    assert answer.body["error"]["header"] == {"WWW-Authenticate": CHALLENGES}
    assert answer.body["error"]["root_cause"][0]["header"] == {"WWW-Authenticate": CHALLENGES}
    assert [value for name, value in answer.headers if name == "WWW-Authenticate"] == CHALLENGES


async def test_denied_is_not_unknown(world: World) -> None:
    """X-89: a 403 offers no other way in."""
    by = await world.make_user("u")
    answer = await world.ask("GET", "/_security/user", by=by)
    assert answer.status == 403
    assert "header" not in answer.body["error"]
    assert "WWW-Authenticate" not in dict(answer.headers)


async def test_wrong_password_unknown_and_disabled_user_are_told_the_same(world: World) -> None:
    """T-24."""
    await world.make_user("off")
    await world.ask("PUT", "/_security/user/off/_disable")
    for user, password in (("elastic", "wrong-1"), ("ghost", "wrong-1"), ("off", "secret1")):
        answer = await world.ask("GET", "/_security/user?a=b", by=basic(user, password))
        assert (answer.status, answer.reason) == (
            401,
            f"unable to authenticate user [{user}] for REST request [/_security/user?a=b]",
        )


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        ("Basic foo", "invalid basic authentication header value"),
        (f"Basic {encoded('nocolon')}", "invalid basic authentication header value"),
        ("Basic !!!", "invalid basic authentication header encoding"),
        (
            f"Basic {encoded(':x')}",
            "unable to authenticate user [] for REST request [/_security/_authenticate]",
        ),
    ],
)
async def test_headers_that_cannot_be_read(world: World, by: str, reason: str) -> None:
    answer = await world.ask("GET", AUTHENTICATE, by=by)
    assert (answer.status, answer.reason) == (401, reason)
    if by == "Basic !!!":
        assert answer.body["error"]["caused_by"]["reason"] == "Illegal base64 character 21"


@pytest.mark.parametrize(
    ("by", "tried"),
    [
        ("ApiKey foo", "API key: invalid ApiKey value"),
        (f"ApiKey {encoded('nocolon')}", "API key: invalid ApiKey value"),
        (f"apikey {encoded('nope:x')}", "API key: invalid credentials for API key [nope]"),
        ("Bearer abc", "oauth2 token: invalid token"),
    ],
)
async def test_keys_and_tokens_that_are_none(world: World, by: str, tried: str) -> None:
    answer = await world.ask("GET", AUTHENTICATE, by=by)
    assert (answer.status, answer.reason) == (401, NOT_BY_THESE)
    assert answer.body["error"]["additional_unsuccessful_credentials"] == tried


async def test_a_wrong_secret_is_told_as_an_unknown_id(world: World) -> None:
    """X-110, T-24: also of a key that has been invalidated."""
    key = await world.make_key("k")
    await world.ask("DELETE", "/_security/api_key", {"ids": [key["id"]]})
    answer = await world.ask("GET", AUTHENTICATE, by=f"ApiKey {encoded(key['id'] + ':x')}")
    assert answer.body["error"]["additional_unsuccessful_credentials"] == (
        f"API key: invalid credentials for API key [{key['id']}]"
    )
    holder = await world.ask("GET", AUTHENTICATE, by=key["header"])
    assert holder.body["error"]["additional_unsuccessful_credentials"] == (
        f"API key: api key [{key['id']}] has been invalidated"
    )


async def test_the_scheme_has_no_case(world: World) -> None:
    for scheme in ("basic", "BASIC", "Basic "):
        answer = await world.ask("GET", AUTHENTICATE, by=ELASTIC.replace("Basic", scheme))
        assert answer.status == 200


async def test_a_key_for_other_clusters_opens_no_rest_interface(world: World) -> None:
    """X-20, T-9: neither as the first nor as the second identity."""
    key = await world.make_cross_cluster_key("x")
    first = await world.ask("GET", AUTHENTICATE, by=key["header"])
    reason = f"authentication expected API key type of [rest], but API key [{key['id']}] has type [cross_cluster]"
    assert (first.status, first.reason) == (401, reason)
    second = await world.ask(
        "GET", AUTHENTICATE, headers={"es-secondary-authorization": key["header"]}
    )
    assert (second.status, second.reason) == (401, "Failed to authenticate secondary user")
    assert second.body["error"]["caused_by"]["reason"] == reason
    assert second.body["error"]["root_cause"][0]["reason"] == reason
    assert "WWW-Authenticate" not in dict(second.headers)


async def test_a_second_identity_that_is_good_changes_nothing(world: World) -> None:
    by = await world.make_user("u")
    answer = await world.ask("GET", AUTHENTICATE, headers={"es-secondary-authorization": by})
    assert answer.body["username"] == "elastic"


async def test_private_headers_change_nothing(world: World) -> None:
    """X-92, T-6."""
    forged = {
        "_xpack_security_authentication": "abc",
        "_cross_cluster_access_credentials": "ApiKey x",
        "_cross_cluster_access_subject_info": "x",
        "_system": "true",
    }
    by = await world.make_user("u")
    known = await world.ask("GET", AUTHENTICATE, by=by, headers=forged)
    unknown = await world.ask("GET", AUTHENTICATE, by=None, headers=forged)
    assert known.body["username"] == "u"
    assert unknown.status == 401


# -- as somebody else ------------------------------------------------------------------------------------------


def as_user(name: str) -> dict[str, str]:
    return {"es-security-runas-user": name}


async def test_who_may_acts_as_another(world: World) -> None:
    """X-87: the roles are those of the user acted as."""
    await world.make_role("ras", run_as=["o*"], cluster=["monitor"])
    await world.make_user("other", "viewer")
    by = await world.make_user("u", "ras")
    answer = await world.ask("GET", AUTHENTICATE, by=by, headers=as_user("other"))
    assert (answer.body["username"], answer.body["roles"]) == ("other", ["viewer"])
    again = await world.ask("GET", AUTHENTICATE, by=by, headers=as_user("other"))
    assert again.body == answer.body


@pytest.mark.parametrize("name", ["third", "onobody"])
async def test_who_may_not_is_told_the_same_for_a_user_who_is_not_there(
    world: World, name: str
) -> None:
    await world.make_role("ras", run_as=["o*"])
    await world.make_user("third")
    by = await world.make_user("u", "ras")
    answer = await world.ask("GET", AUTHENTICATE, by=by, headers=as_user(name))
    assert (answer.status, answer.reason) == (
        403,
        "action [cluster:admin/xpack/security/user/authenticate] is unauthorized for user [u] with effective roles "
        f"[ras], because user [u] is unauthorized to run as [{name}]",
    )


async def test_a_user_who_is_made_later_can_be_acted_as_then(world: World) -> None:
    before = await world.ask("GET", AUTHENTICATE, headers=as_user("late"))
    await world.make_user("late")
    after = await world.ask("GET", AUTHENTICATE, headers=as_user("late"))
    assert (before.status, after.status) == (403, 200)


async def test_nobody_acts_as_a_user_who_is_disabled_or_has_no_name(world: World) -> None:
    await world.make_user("off")
    assert (await world.ask("GET", AUTHENTICATE, headers=as_user("off"))).status == 200
    await world.ask("PUT", "/_security/user/off/_disable")
    for name in ("off", ""):
        answer = await world.ask("GET", AUTHENTICATE, headers=as_user(name))
        assert answer.reason == (
            f"unable to authenticate user [elastic] for REST request [{AUTHENTICATE}]"
        )


async def test_a_key_may_act_as_another_where_its_maker_may(world: World) -> None:
    await world.make_user("other", "viewer")
    key = await world.make_key("k")
    answer = await world.ask("GET", AUTHENTICATE, by=key["header"], headers=as_user("other"))
    assert answer.body["username"] == "other"
    assert answer.body["authentication_realm"]["name"] == "_es_api_key"
    assert answer.body["lookup_realm"]["name"] == "default_native"
    assert answer.body["authentication_type"] == "api_key"
    assert "api_key" not in answer.body


async def test_without_the_setting_nobody_acts_as_another(worlds: Worlds) -> None:
    world = await worlds.start(xpack__security__authc__run_as__enabled="false")
    answer = await world.ask("GET", AUTHENTICATE, headers=as_user("ghost"))
    assert answer.body["username"] == "elastic"


# -- without a name --------------------------------------------------------------------------------------------

ANONYMOUS = {
    "xpack__security__authc__anonymous__username": "guest",
    "xpack__security__authc__anonymous__roles": "monitoring_user,gone",
}


async def test_callers_without_a_name_where_they_are_let_in(worlds: Worlds) -> None:
    """X-87."""
    world = await worlds.start(**ANONYMOUS)
    answer = await world.ask("GET", AUTHENTICATE, by=None)
    assert answer.body["username"] == "guest"
    assert answer.body["authentication_type"] == "anonymous"
    assert answer.body["authentication_realm"] == {"name": "__anonymous", "type": "__anonymous"}
    denied = await world.ask("GET", "/_security/user", by=None)
    assert denied.status == 403
    assert "with effective roles [monitoring_user] (assigned roles [gone] were not found)" in (
        denied.reason
    )


async def test_wrong_credentials_are_not_taken_for_none(worlds: Worlds) -> None:
    world = await worlds.start(**ANONYMOUS)
    for by in (basic("ghost"), f"ApiKey {encoded('a:b')}", "Bearer x", "Basic foo"):
        assert (await world.ask("GET", AUTHENTICATE, by=by)).status == 401


async def test_anonymous_roles_are_everybodys(worlds: Worlds) -> None:
    world = await worlds.start(**ANONYMOUS)
    by = await world.make_user("u", "viewer")
    answer = await world.ask("GET", AUTHENTICATE, by=by)
    assert answer.body["roles"] == ["viewer", "monitoring_user", "gone"]


async def test_what_nameless_callers_may_not_do_can_be_a_401(worlds: Worlds) -> None:
    setting = {"xpack__security__authc__anonymous__authz_exception": "false"}
    world = await worlds.start(**ANONYMOUS, **setting)
    answer = await world.ask("GET", "/_security/user", by=None)
    assert (answer.status, answer.reason) == (
        401,
        "action [cluster:admin/xpack/security/user/get] requires authentication",
    )


async def test_the_anonymous_user_cannot_be_made_or_changed(world: World) -> None:
    target = "/_security/user/_anonymous"
    put = await world.ask("PUT", target, {"password": "secret1", "roles": []})
    disable = await world.ask("PUT", f"{target}/_disable")
    assert put.reason == (
        "Validation Failed: 1: user [_anonymous] is anonymous and cannot be modified via the API;"
    )
    assert disable.reason == "user [_anonymous] is anonymous and cannot be modified using the api"


# -- guessing --------------------------------------------------------------------------------------------------


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long those who guessed were made to wait."""
    waited: list[float] = []

    async def pause(wait_s: float) -> None:
        waited.append(wait_s)

    monkeypatch.setattr(authentication, "pause", pause)
    return waited


async def test_who_guesses_has_to_wait_and_others_do_not(world: World, waits: list[float]) -> None:
    """T-25: the answer comes late, and is what it would have been; what is known already is never held up."""
    by = await world.make_user("u")
    known = await world.ask("GET", AUTHENTICATE, by=by)
    for _ in range(12):
        held = await world.ask("GET", AUTHENTICATE, by=basic("u", "guess1"), peer="10.0.0.1")
    assert waits == [0.5, 1.0]
    assert held.status == 401
    other = await world.ask("GET", AUTHENTICATE, by=basic("u", "guess2"), peer="10.0.0.2")
    still = await world.ask("GET", AUTHENTICATE, by=by, peer="10.0.0.1")
    world.clock.ms += 60_000
    after = await world.ask("GET", AUTHENTICATE, by=basic("u", "guess2"), peer="10.0.0.1")
    assert (known.status, other.status, still.status, after.status) == (200, 401, 200, 401)
    assert len(waits) == 2


async def test_guesses_at_keys_are_held_up_too(world: World, waits: list[float]) -> None:
    """T-25."""
    answers = [
        await world.ask("GET", AUTHENTICATE, by=f"ApiKey {encoded('id:x')}") for _ in range(11)
    ]
    assert [each.status for each in answers] == [401] * 11
    assert waits == [0.5]


async def test_so_many_wait_at_a_time_and_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T-25: a flood of guesses holds no memory."""
    go = asyncio.Event()
    monkeypatch.setattr(authentication, "HELD_BACK_MAX", 1)
    monkeypatch.setattr(authentication, "pause", lambda wait_s: go.wait())
    by = f"ApiKey {encoded('id:x')}"
    for _ in range(10):
        await world.ask("GET", AUTHENTICATE, by=by)
    async with asyncio.TaskGroup() as group:
        held = group.create_task(world.ask("GET", AUTHENTICATE, by=by))
        await asyncio.sleep(0)
        refused = await world.ask("GET", AUTHENTICATE, by=by)
        go.set()
    assert (refused.status, refused.type) == (429, "es_rejected_execution_exception")
    assert held.result().status == 401
