"""`_security/role` and what becomes of roles."""

from pathlib import Path
from typing import Any

import pytest

from tests.conformance.security.conftest import World, Worlds, basic

ROLE = "/_security/role"
AUTHENTICATE = "/_security/_authenticate"


async def test_a_role_comes_back_as_it_was_put(world: World) -> None:
    """X-49: also what it grants on remote clusters."""
    entry = {
        "names": ["a*"],
        "privileges": ["read"],
        "field_security": {"grant": ["a", "b.*"], "except": ["b.c"]},
        "query": '{"term":{"a":1}}',
        "allow_restricted_indices": True,
    }
    body = {
        "cluster": ["monitor", "MANAGE"],
        "indices": [entry],
        "applications": [{"application": "app", "privileges": ["p"], "resources": ["*"]}],
        "run_as": ["u*"],
        "metadata": {"m": {"n": 1}},
        "remote_indices": [{**entry, "clusters": ["eu*"]}],
        "remote_cluster": [{"privileges": ["monitor_enrich"], "clusters": ["*"]}],
        "description": "d",
    }
    first = await world.ask("PUT", f"{ROLE}/r", body)
    shown = await world.ask("GET", f"{ROLE}/r")
    again = await world.ask("POST", f"{ROLE}/r", shown.body["r"])
    assert first.body == {"role": {"created": True}}
    assert again.body == {"role": {"created": False}}
    assert shown.body == {"r": {**body, "transient_metadata": {"enabled": True}}}
    assert (await world.ask("GET", f"{ROLE}/r")).body == shown.body


async def test_an_empty_role_has_all_members(world: World) -> None:
    await world.ask("PUT", f"{ROLE}/r", {})
    assert (await world.ask("GET", f"{ROLE}/r")).body["r"] == {
        "cluster": [],
        "indices": [],
        "applications": [],
        "run_as": [],
        "metadata": {},
        "transient_metadata": {"enabled": True},
    }


@pytest.mark.parametrize(
    ("body", "fragment"),
    [
        (None, "request body is required"),
        ([], "failed to parse role [r]. expected an object but found [START_ARRAY] instead"),
        ({"foo": 1}, "failed to parse role [r]. unexpected field [foo]"),
        ({"cluster": ["foo"]}, "unknown cluster privilege [foo]"),
        (
            {"indices": [{"names": ["a"], "privileges": ["foo"]}]},
            "unknown index privilege [foo]",
        ),
        (
            {"remote_indices": [{"names": ["a"], "privileges": ["read"]}]},
            "missing required [clusters] field",
        ),
        (
            {"remote_cluster": [{"clusters": ["a"], "privileges": ["foo"]}]},
            "are the only values allowed for [privileges] within [remote_cluster]",
        ),
        (
            {"indices": [{"names": ["a"], "privileges": ["read"], "query": {"nope": {}}}]},
            "failed to parse field 'query' for indices [a] at index privilege [0] of role descriptor",
        ),
        ({"metadata": {"_x": 1}}, "metadata keys may not start with [_]"),
    ],
)
async def test_a_malformed_role_is_refused(world: World, body: Any, fragment: str) -> None:
    """X-48: privileges on remote clusters that do not exist, among others."""
    answer = await world.ask("PUT", f"{ROLE}/r", body)
    assert answer.status == 400
    assert fragment in answer.reason
    assert (await world.ask("GET", f"{ROLE}/r")).status == 404


async def test_names_of_roles_are_judged(world: World) -> None:
    for name in ("%20x", "b%C3%A9", "x" * 1025):
        answer = await world.ask("PUT", f"{ROLE}/{name}", {})
        assert answer.status == 400
        assert "Role names must be at least 1 and no more than 1024 characters" in answer.reason


async def test_reserved_roles_stay(world: World) -> None:
    put = await world.ask("PUT", f"{ROLE}/superuser", {})
    delete = await world.ask("DELETE", f"{ROLE}/superuser")
    assert put.reason == (
        "Validation Failed: 1: Role [superuser] is reserved and may not be used.;"
    )
    assert delete.reason == "role [superuser] is reserved and cannot be deleted"
    assert (put.status, delete.status) == (400, 400)
    shown = await world.ask("GET", f"{ROLE}/superuser")
    assert shown.body["superuser"]["metadata"] == {"_reserved": True}


async def test_roles_are_listed_and_deleted(world: World) -> None:
    await world.make_role("r")
    both = await world.ask("GET", f"{ROLE}/r,superuser,nope")
    assert list(both.body) == ["superuser", "r"]
    missing = await world.ask("GET", f"{ROLE}/nope")
    assert (missing.status, missing.body) == (404, {})
    first, second = [await world.ask("DELETE", f"{ROLE}/r") for _ in range(2)]
    assert (first.status, first.body) == (200, {"found": True})
    assert (second.status, second.body) == (404, {"found": False})


async def test_a_changed_role_holds_for_the_next_request(world: World) -> None:
    """T-35: put, changed and deleted."""
    by = await world.make_user("u", "r")
    answers = [await world.ask("GET", "/_security/user", by=by)]
    await world.make_role("r", cluster=["read_security"])
    answers.append(await world.ask("GET", "/_security/user", by=by))
    await world.make_role("r", cluster=["monitor"])
    answers.append(await world.ask("GET", "/_security/user", by=by))
    await world.ask("DELETE", f"{ROLE}/r")
    answers.append(await world.ask("GET", "/_security/user", by=by))
    assert [each.status for each in answers] == [403, 200, 403, 403]
    assert "with effective roles [] (assigned roles [r] were not found)" in answers[0].reason
    assert "with effective roles [r]," in answers[2].reason


async def test_several_roles_at_once(world: World) -> None:
    await world.make_role("same", cluster=["monitor"])
    await world.make_role("other", cluster=["monitor"])
    roles = {
        "new": {},
        "same": {"cluster": ["monitor"]},
        "other": {"cluster": ["all"]},
        "bad": {"cluster": ["foo"]},
        "superuser": {},
    }
    answer = await world.ask("POST", ROLE, {"roles": roles})
    lists = {name: answer.body[name] for name in ("created", "updated", "noop")}
    assert lists == {"created": ["new"], "updated": ["other"], "noop": ["same"]}
    assert set(answer.body["errors"]["details"]) == {"bad", "superuser"}
    deleted = await world.ask("DELETE", ROLE, {"names": ["new", "nope", "superuser"]})
    assert deleted.body["deleted"] == ["new"]
    assert deleted.body["not_found"] == ["nope"]
    assert deleted.body["errors"]["count"] == 1


async def test_caches_can_be_cleared(world: World) -> None:
    by = await world.make_user("u")
    assert (await world.ask("GET", AUTHENTICATE, by=by)).status == 200
    for path in (
        "/_security/role/*/_clear_cache",
        "/_security/realm/default_native,reserved/_clear_cache",
        "/_security/realm/_all/_clear_cache?usernames=u",
        "/_security/api_key/*/_clear_cache",
        "/_security/privilege/app/_clear_cache",
    ):
        answer = await world.ask("POST", path)
        assert answer.body == {
            "_nodes": {"total": 1, "successful": 1, "failed": 0},
            "cluster_name": "local",
            "nodes": {"node-0": {"name": "node-0"}},
        }
    assert world.security.statistics().known == 0
    wrong = await world.ask("POST", "/_security/realm/nope/_clear_cache")
    (failure,) = wrong.body["_nodes"]["failures"]
    assert failure["caused_by"]["reason"] == "could not find active realm [nope]"


async def test_the_named_privileges_are_listed(world: World) -> None:
    answer = await world.ask("GET", "/_security/privilege/_builtin")
    assert list(answer.body) == ["cluster", "index", "remote_cluster"]
    assert answer.body["remote_cluster"] == ["monitor_enrich", "monitor_stats"]
    assert answer.body["cluster"] == sorted(answer.body["cluster"])


async def test_what_one_has_is_told(world: World) -> None:
    """X-88: of this cluster, and of others (`remote_index`)."""
    await world.make_role(
        "r",
        cluster=["monitor"],
        indices=[{"names": ["a*"], "privileges": ["read"]}],
        remote_indices=[{"clusters": ["eu"], "names": ["b"], "privileges": ["read"]}],
    )
    by = await world.make_user("u", "r")
    asked = {
        "cluster": ["monitor", "manage"],
        "index": [{"names": ["a1", "b"], "privileges": ["read"]}],
        "remote_index": [{"clusters": ["eu", "us"], "names": ["b"], "privileges": ["read"]}],
    }
    target = "/_security/user/_has_privileges"
    answer = await world.ask("POST", target, asked, by=by)
    assert answer.body == {
        "username": "u",
        "has_all_requested": False,
        "cluster": {"manage": False, "monitor": True},
        "index": {"a1": {"read": True}, "b": {"read": False}},
        "application": {},
        "remote_index": {"eu": {"b": {"read": True}}, "us": {"b": {"read": False}}},
    }
    fewer = await world.ask("GET", target, {"cluster": ["monitor"]}, by=by)
    assert fewer.body["has_all_requested"] is True
    denied = await world.ask("POST", "/_security/user/elastic/_has_privileges", asked, by=by)
    assert denied.status == 403
    other = await world.ask("POST", "/_security/user/u/_has_privileges", asked)
    assert (other.status, other.reason) == (
        400,
        "users may only check the privileges of their own account",
    )
    nothing = await world.ask("POST", target, by=by)
    assert nothing.reason == "request body or source parameter is required"


async def test_all_that_one_has_is_listed(world: World) -> None:
    await world.make_role("r", cluster=["monitor"], run_as=["o*"])
    by = await world.make_user("u", "r")
    answer = await world.ask("GET", "/_security/user/_privileges", by=by)
    assert answer.body == {
        "cluster": ["monitor"],
        "global": [],
        "indices": [],
        "applications": [],
        "run_as": ["o*"],
    }


# -- files -----------------------------------------------------------------------------------------------------


async def test_users_and_roles_of_files(worlds: Worlds, tmp_path: Path) -> None:
    """A user of the files comes before one of the same name that was made over REST; roles of the file too."""
    world = await worlds.start()
    hashed = await world.security.hashing.make("filed-1")
    (tmp_path / "users").write_text(f"# who\nann:{hashed}\n:x\nbob:nonsense\n")
    (tmp_path / "users_roles").write_text("reader:ann,bob\n")
    (tmp_path / "roles.yml").write_text(
        "reader:\n  cluster: [read_security]\nbad:\n  cluster: [foo]\n"
    )
    world = await worlds.start()
    await world.make_user("ann", "viewer", password="native-1")
    filed = await world.ask("GET", AUTHENTICATE, by=basic("ann", "filed-1"))
    native = await world.ask("GET", AUTHENTICATE, by=basic("ann", "native-1"))
    assert filed.body["roles"] == ["reader"]
    assert filed.body["authentication_realm"] == {"name": "default_file", "type": "file"}
    assert native.body["roles"] == ["viewer"]
    users = await world.ask("GET", "/_security/user", by=basic("ann", "filed-1"))
    assert users.status == 200
    assert (await world.ask("GET", AUTHENTICATE, by=basic("bob", "nonsense"))).status == 401
    assert set(world.security.roles.find(["reader", "bad"])) == {"reader"}


async def test_changed_files_hold_once_they_are_looked_at(world: World, tmp_path: Path) -> None:
    """T-35."""
    hashed = await world.security.hashing.make("filed-1")
    by = basic("ann", "filed-1")
    statuses = []
    for text in (f"ann:{hashed}\n", ""):
        (tmp_path / "users").write_text(text)
        world.security.look_at_files()
        statuses.append((await world.ask("GET", AUTHENTICATE, by=by)).status)
    assert statuses == [200, 401]


async def test_exceptions_come_back_as_they_were_put(world: World) -> None:
    """None at all is not the same as none that were written."""
    for fields in ({"grant": ["a"]}, {"grant": ["a"], "except": []}, {"grant": [], "except": []}):
        entry = {"names": ["x"], "privileges": ["read"], "field_security": fields}
        await world.ask("PUT", f"{ROLE}/r", {"indices": [entry]})
        shown = (await world.ask("GET", f"{ROLE}/r")).body["r"]["indices"][0]
        assert shown["field_security"] == fields
