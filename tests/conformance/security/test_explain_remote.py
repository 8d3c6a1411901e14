"""`_security/_explain_remote`: who decides about a remote index."""

from tests.conformance.security.conftest import World

EXPLAIN = "/_security/_explain_remote"


async def test_with_a_key_entries_for_the_alias_decide(world: World) -> None:
    entries = [
        {"clusters": ["k*"], "names": ["logs-*"], "privileges": ["read"]},
        {"clusters": ["other"], "names": ["*"], "privileges": ["all"]},
    ]
    await world.make_role("r", remote_indices=entries)
    by = await world.make_user("u", "r")
    granted = await world.ask("GET", f"{EXPLAIN}?alias=k&index=logs-1", by=by)
    assert granted.body["security_model"] == "api_key"
    assert granted.body["granted_here"] is True
    assert granted.body["rules"] == [
        {"role": "r", **entries[0], "grants": True},
    ]
    denied = await world.ask("GET", f"{EXPLAIN}?alias=k&index=private", by=by)
    assert denied.body["granted_here"] is False
    assert denied.body["rules"][0]["grants"] is False
    (entry,) = denied.body["next_step"]["add_to_a_role_here"]["remote_indices"]
    assert (entry["clusters"], entry["names"]) == (["k"], ["private"])


async def test_with_certificates_roles_of_the_same_names_decide(world: World) -> None:
    by = await world.make_user("u", "r", "s")
    answer = await world.ask("GET", f"{EXPLAIN}?alias=c&index=logs-1", by=by)
    assert answer.body["security_model"] == "certificate"
    assert "granted_here" not in answer.body
    assert answer.body["next_step"]["look_at_on_the_remote"] == [
        "/_security/role/r",
        "/_security/role/s",
    ]


async def test_with_certificates_the_descriptors_of_a_key_decide(world: World) -> None:
    key = await world.make_key(
        "k", role_descriptors={"r": {"indices": [{"names": ["a"], "privileges": ["read"]}]}}
    )
    for index, granted in (("a", True), ("b", False)):
        answer = await world.ask("GET", f"{EXPLAIN}?alias=c&index={index}", by=key["header"])
        assert answer.body["granted_here"] is granted
        assert answer.body["decided_by"].startswith("the descriptors of the caller's API key")


async def test_what_is_missing(world: World) -> None:
    nothing = await world.ask("GET", EXPLAIN)
    assert nothing.reason == "Validation Failed: 1: [alias] is missing;2: [index] is missing;"
    unknown = await world.ask("GET", f"{EXPLAIN}?alias=x&index=a")
    assert (unknown.status, unknown.reason) == (404, "no such remote cluster: [x]")
