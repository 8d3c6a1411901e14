"""`_security/cross_cluster/api_key`: keys by which other clusters come in."""

import base64
from typing import Any

import pytest

from sealane.errors import AuthenticationFailed
from sealane.model.security import Realm, Secret
from tests.conformance.security.conftest import NOON_MS, World, Worlds

KEYS = "/_security/cross_cluster/api_key"
SEARCH = {"search": [{"names": ["logs*"]}]}
HANDSHAKE = "cluster:internal/remote_cluster/handshake"
LIMITED = [{"names": ["a"], "query": {"match_all": {}}}]


async def shown(world: World, key_id: str, more: str = "") -> Any:
    answer = await world.ask("GET", f"/_security/api_key?id={key_id}{more}")
    assert answer.status == 200
    return answer.body["api_keys"][0]


async def test_a_key_is_told_once(world: World) -> None:
    """X-1, X-2, X-3."""
    made = (await world.ask("POST", KEYS, {"name": "x", "access": SEARCH})).body
    assert set(made) == {"id", "name", "api_key", "encoded"}
    text = base64.b64decode(made["encoded"]).decode()
    assert text == f"{made['id']}:{made['api_key']}"
    assert (len(made["id"]), len(made["api_key"]), len(made["encoded"])) == (20, 22, 60)
    body = {"name": "x", "access": SEARCH, "expiration": "1d"}
    other = (await world.ask("POST", KEYS, body)).body
    assert other["expiration"] == NOON_MS + 86_400_000
    assert other["id"] != made["id"]
    assert other["api_key"] != made["api_key"]


async def test_a_key_as_it_is_shown(world: World) -> None:
    """X-13: one descriptor, its access, no limits, and no hash."""
    access = {
        "search": [{"names": "a", "query": {"term": {"b": 1}}, "field_security": {"grant": ["c"]}}]
    }
    key = await world.make_cross_cluster_key("x", access=access, metadata={"m": {"n": [1]}})
    found = await shown(world, key["id"], "&with_limited_by=true")
    limits = {
        "field_security": {"grant": ["c"]},
        "query": '{"term":{"b":1}}',
        "allow_restricted_indices": False,
    }
    assert found == {
        "id": key["id"],
        "name": "x",
        "type": "cross_cluster",
        "creation": NOON_MS,
        "invalidated": False,
        "username": "elastic",
        "realm": "reserved",
        "realm_type": "reserved",
        "metadata": {"m": {"n": [1]}},
        "role_descriptors": {
            "cross_cluster": {
                "cluster": ["cross_cluster_search", "monitor_enrich"],
                "indices": [
                    {
                        "names": ["a"],
                        "privileges": ["read", "read_cross_cluster", "view_index_metadata"],
                        **limits,
                    }
                ],
                "applications": [],
                "run_as": [],
                "metadata": {},
                "transient_metadata": {"enabled": True},
            }
        },
        "access": {"search": [{"names": ["a"], **limits}]},
    }


SEARCHING = ["cross_cluster_search", "monitor_enrich"]
READING = ["read", "read_cross_cluster", "view_index_metadata"]
COPYING = ["cross_cluster_replication", "cross_cluster_replication_internal"]


@pytest.mark.parametrize(
    ("access", "cluster", "entries"),
    [
        ({"search": [{"names": ["a"]}]}, SEARCHING, [("a", READING)]),
        (
            {"replication": [{"names": ["b"]}]},
            ["cross_cluster_replication"],
            [("b", COPYING)],
        ),
        (
            {"replication": [{"names": ["b"]}], "search": [{"names": ["a"]}]},
            [*SEARCHING, "cross_cluster_replication"],
            [("a", READING), ("b", COPYING)],
        ),
    ],
)
async def test_the_descriptor_of_each_access(
    world: World, access: Any, cluster: list[str], entries: list[tuple[str, list[str]]]
) -> None:
    """X-14."""
    key = await world.make_cross_cluster_key("x", access=access)
    descriptor = (await shown(world, key["id"]))["role_descriptors"]["cross_cluster"]
    assert descriptor["cluster"] == cluster
    found = [(entry["names"][0], entry["privileges"]) for entry in descriptor["indices"]]
    assert found == entries


NOT_BUILT = "Failed to build [cross_cluster_api_key_request] after last required field arrived"


@pytest.mark.parametrize(
    ("body", "fragment"),
    [
        ({}, "Required [name, access]"),
        ({"name": "x"}, "Required [access]"),
        ({"access": SEARCH}, "Required [name]"),
        ({"name": "x", "access": None}, "access doesn't support values of type: VALUE_NULL"),
        ({"name": "x", "access": {}}, NOT_BUILT),
        ({"name": "x", "access": {"search": [], "replication": []}}, NOT_BUILT),
        ({"name": "x", "access": {"search": [{}]}}, "failed to parse field [access]"),
        ({"name": "x", "access": {"foo": 1}}, "failed to parse field [access]"),
        (
            {"name": "x", "access": {"search": [{"names": ["a"], "privileges": ["read"]}]}},
            "failed to parse field [access]",
        ),
        ({"name": "x", "access": SEARCH, "foo": 1}, "unknown field [foo]"),
        ({"name": "x", "access": {"replication": LIMITED}}, NOT_BUILT),
        (
            {"name": "x", "access": {"search": LIMITED, "replication": [{"names": ["a"]}]}},
            NOT_BUILT,
        ),
        ({"name": "x" * 257, "access": SEARCH}, "256 characters"),
        ({"name": " x", "access": SEARCH}, "whitespace"),
        ({"name": "_x", "access": SEARCH}, "underscore"),
        (
            {"name": "x", "access": SEARCH, "metadata": {"_x": 1}},
            "metadata keys may not start with [_]",
        ),
        (
            {"name": "x", "access": SEARCH, "certificate_identity": "["},
            "Invalid certificate_identity format",
        ),
        (None, "request body is required"),
    ],
)
async def test_a_malformed_request_is_refused(world: World, body: Any, fragment: str) -> None:
    """X-4, X-5, X-6, X-7, X-8, X-9, X-10."""
    answer = await world.ask("POST", KEYS, body)
    assert answer.status == 400
    assert fragment in answer.reason


async def test_the_reason_within_is_the_references(world: World) -> None:
    """X-4, X-5, X-6, X-7."""
    cases: list[tuple[Any, str]] = [
        ({}, "must specify non-empty access for either [search] or [replication]"),
        (
            {"replication": LIMITED},
            "replication does not support document or field level security",
        ),
        (
            {"search": LIMITED, "replication": [{"names": ["a"]}]},
            "search does not support document or field level security if replication is assigned",
        ),
    ]
    for access, reason in cases:
        answer = await world.ask("POST", KEYS, {"name": "x", "access": access})
        assert answer.body["error"]["caused_by"]["reason"] == reason
    entry = {"names": ["a"], "privileges": ["read"]}
    answer = await world.ask("POST", KEYS, {"name": "x", "access": {"search": [entry]}})
    assert answer.body["error"]["root_cause"][0]["reason"] == (
        "failed to parse indices privileges for role [cross_cluster]. field [privileges] must not present"
    )


async def test_names_need_not_differ(world: World) -> None:
    """X-8."""
    one = await world.make_cross_cluster_key("x")
    two = await world.make_cross_cluster_key("x")
    assert one["id"] != two["id"]


async def test_the_identity_of_a_certificate_is_shown(world: World) -> None:
    """X-10."""
    key = await world.make_cross_cluster_key("x", certificate_identity="CN=a.*")
    assert (await shown(world, key["id"]))["certificate_identity"] == "CN=a.*"
    for given, wanted in (("CN=b", "CN=b"), (None, None)):
        body = {"certificate_identity": given}
        assert (await world.ask("PUT", f"{KEYS}/{key['id']}", body)).body == {"updated": True}
        assert (await shown(world, key["id"])).get("certificate_identity") == wanted


async def test_only_who_manages_security_makes_such_keys(world: World) -> None:
    """X-11."""
    await world.make_role("m", cluster=["manage_api_key", "manage_own_api_key"])
    by = await world.make_user("u", "m")
    answer = await world.ask("POST", KEYS, {"name": "x", "access": SEARCH}, by=by)
    assert (answer.status, answer.reason) == (
        403,
        "action [cluster:admin/xpack/security/cross_cluster/api_key/create] is unauthorized for user [u] with "
        "effective roles [m], this action is granted by the cluster privileges [manage_security,all]",
    )


async def test_a_key_makes_no_such_keys(world: World) -> None:
    """X-12."""
    key = await world.make_key("k")
    answer = await world.ask("POST", KEYS, {"name": "x", "access": SEARCH}, by=key["header"])
    assert (answer.status, answer.reason) == (
        400,
        "authentication via API key not supported: An API key cannot be used to create a cross-cluster API key",
    )


async def test_what_is_shown_put_back_changes_nothing(world: World) -> None:
    """X-15."""
    access = {
        "search": [
            {
                "names": ["a*", "/b.*/"],
                "field_security": {"grant": ["a*"], "except": ["ab"]},
                "query": '{"term":{"a":1}}',
                "allow_restricted_indices": True,
            },
            {"names": ["c"]},
        ]
    }
    key = await world.make_cross_cluster_key("x", access=access)
    found = (await shown(world, key["id"]))["access"]
    answer = await world.ask("PUT", f"{KEYS}/{key['id']}", {"access": found})
    assert answer.body == {"updated": False}


async def test_each_part_changes_alone(world: World) -> None:
    """X-16."""
    key = await world.make_cross_cluster_key("x", metadata={"a": 1})
    target = f"{KEYS}/{key['id']}"
    other = {"replication": [{"names": ["b"], "allow_restricted_indices": False}]}
    for body in ({"access": other}, {"metadata": {"b": 2}}, {"expiration": "1d"}):
        assert (await world.ask("PUT", target, body)).body == {"updated": True}
    found = await shown(world, key["id"])
    assert found["access"] == other
    assert found["metadata"] == {"b": 2}
    assert found["expiration"] == NOON_MS + 86_400_000
    assert list(found["role_descriptors"]) == ["cross_cluster"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (None, "request body is required"),
        (
            {},
            "Validation Failed: 1: must update either [access] or [metadata] for cross-cluster API keys;",
        ),
        ({"access": {}}, "must specify non-empty access for either [search] or [replication]"),
        (
            {"access": {"replication": LIMITED}},
            "replication does not support document or field level security",
        ),
        (
            {"access": {"search": LIMITED, "replication": [{"names": ["a"]}]}},
            "search does not support document or field level security if replication is assigned",
        ),
        (
            {"metadata": {"_m": 1}},
            "Validation Failed: 1: API key metadata keys may not start with [_];",
        ),
        (
            {"name": "y"},
            "[1:2] [update_cross_cluster_api_key_request_payload] unknown field [name]",
        ),
    ],
)
async def test_a_malformed_change_is_refused(world: World, body: Any, reason: str) -> None:
    """X-6, X-7, X-9."""
    key = await world.make_cross_cluster_key("x")
    answer = await world.ask("PUT", f"{KEYS}/{key['id']}", body)
    assert (answer.status, answer.reason) == (400, reason)


async def test_what_is_wrong_with_a_change(world: World) -> None:
    """X-17."""
    key = await world.make_cross_cluster_key("x")
    ended = await world.make_cross_cluster_key("y", expiration="1h")
    gone = await world.make_cross_cluster_key("z")
    rest = await world.make_key("r")
    await world.ask("DELETE", "/_security/api_key", {"ids": [gone["id"]]})
    world.clock.ms += 3_600_000
    by = await world.make_user("u", "superuser")
    body = {"metadata": {"a": 1}}
    other = await world.ask("PUT", f"{KEYS}/{key['id']}", body, by=by)
    assert (other.status, other.reason) == (
        404,
        f"no API key owned by requesting user found for ID [{key['id']}]",
    )
    acting = {"es-security-runas-user": "elastic"}
    assert (
        await world.ask("PUT", f"{KEYS}/{key['id']}", body, by=by, headers=acting)
    ).status == 200
    for target, reason in (
        (f"{KEYS}/{ended['id']}", f"cannot update expired API key [{ended['id']}]"),
        (f"{KEYS}/{gone['id']}", f"cannot update invalidated API key [{gone['id']}]"),
        (
            f"{KEYS}/{rest['id']}",
            "cannot update API key of type [rest] while expected type is [cross_cluster]",
        ),
        (
            f"/_security/api_key/{key['id']}",
            "cannot update API key of type [cross_cluster] while expected type is [rest]",
        ),
    ):
        answer = await world.ask("PUT", target, body)
        assert (answer.status, answer.reason) == (400, reason)


async def test_who_manages_keys_of_users_only_leaves_others(world: World) -> None:
    """X-18: and the owner who has lost the right cannot invalidate them either."""
    await world.make_role("m", cluster=["manage_api_key"])
    by = await world.make_user("u", "m")
    cross, rest = await world.make_cross_cluster_key("x"), await world.make_key("r")
    body = {"ids": [cross["id"], rest["id"]]}
    answer = await world.ask("DELETE", "/_security/api_key", body, by=by)
    assert (answer.status, answer.body) == (
        200,
        {
            "invalidated_api_keys": [rest["id"]],
            "previously_invalidated_api_keys": [],
            "error_count": 1,
            "error_details": [
                {
                    "type": "security_exception",
                    "reason": f"Cannot invalidate cross-cluster API key [{cross['id']}]. This requires "
                    "[manage_security] cluster privilege or higher",
                }
            ],
        },
    )


async def test_who_manages_security_invalidates_them(world: World) -> None:
    """X-19: of keys that were invalidated before a second call says nothing, as a server of 8.19."""
    key = await world.make_cross_cluster_key("x")
    first = await world.ask("DELETE", "/_security/api_key", {"ids": [key["id"]]})
    second = await world.ask("DELETE", "/_security/api_key", {"ids": [key["id"]]})
    assert first.body["invalidated_api_keys"] == [key["id"]]
    assert second.body["invalidated_api_keys"] == []


# -- as they come in -------------------------------------------------------------------------------------------


async def refused(world: World, header: str) -> AuthenticationFailed:
    assert world.security.verified_cross_cluster_key(Secret(header)) is None
    with pytest.raises(AuthenticationFailed) as caught:
        await world.security.verify_cross_cluster_key(Secret(header), HANDSHAKE)
    return caught.value


async def test_a_good_key_is_the_same_object_while_nothing_changes(world: World) -> None:
    """X-47: a change makes it another at once."""
    made = await world.make_cross_cluster_key("x", certificate_identity="CN=a")
    header = Secret(made["header"])
    key = await world.security.verify_cross_cluster_key(header, HANDSHAKE)
    assert (key.id, key.name, key.creator) == (made["id"], "x", "elastic")
    assert key.creator_realm == Realm(name="reserved", type="reserved")
    assert (key.certificate_identity, key.expires_ms) == ("CN=a", None)
    assert [entry.names for role in key.side for entry in role.indices] == [("logs*",)]
    assert world.security.verified_cross_cluster_key(header) is key
    body = {"access": {"search": [{"names": ["b"]}]}}
    await world.ask("PUT", f"{KEYS}/{made['id']}", body)
    changed = world.security.verified_cross_cluster_key(header)
    assert changed is not None
    assert [entry.names for role in changed.side for entry in role.indices] == [("b",)]


async def test_unknown_id_and_wrong_secret_are_told_the_same(world: World) -> None:
    """X-62 (E3, E4), X-110."""
    made = await world.make_cross_cluster_key("x")
    for key_id in ("A" * 20, made["id"]):
        shown_key = base64.b64encode(f"{key_id}:{'s' * 22}".encode()).decode()
        error = await refused(world, f"ApiKey {shown_key}")
        assert error.reason == f"unable to authenticate user [{key_id}] for action [{HANDSHAKE}]"
        assert error.metadata["additional_unsuccessful_credentials"] == (
            f"API key: invalid credentials for API key [{key_id}]"
        )


async def test_who_holds_the_secret_learns_why_a_key_is_no_good(world: World) -> None:
    """X-62 (E5, E6, E7), X-64, X-65."""
    ended = await world.make_cross_cluster_key("a", expiration="1h")
    gone = await world.make_cross_cluster_key("b")
    rest = await world.make_key("c")
    for each in (ended, gone):
        assert world.security.verified_cross_cluster_key(Secret(each["header"])) is not None
    world.clock.ms += 3_600_000
    await world.ask("DELETE", "/_security/api_key", {"ids": [gone["id"]]})
    why = "additional_unsuccessful_credentials"
    assert (await refused(world, ended["header"])).metadata[why] == "API key: api key is expired"
    assert (await refused(world, gone["header"])).metadata[why] == (
        f"API key: api key [{gone['id']}] has been invalidated"
    )
    assert (await refused(world, rest["header"])).reason == (
        f"authentication expected API key type of [cross_cluster], but API key [{rest['id']}] has type [rest]"
    )


@pytest.mark.parametrize("shown_key", ["aWQ6c2hvcnQ=", "not base64", "bm9jb2xvbg==", ""])
async def test_what_is_no_key_is_refused(world: World, shown_key: str) -> None:
    """X-62 (E8)."""
    error = await refused(world, f"ApiKey {shown_key}")
    assert error.reason == "error attempting to authenticate request"
    assert error.caused_by is not None
    assert error.caused_by.reason == (
        "cross cluster access header [_cross_cluster_access_credentials] value must be a valid API key credential"
    )


async def test_other_schemes_are_refused(world: World) -> None:
    """T-8."""
    made = await world.make_cross_cluster_key("x")
    for header in (f"Basic {made['encoded']}", f"Bearer {made['encoded']}", made["encoded"]):
        assert (await refused(world, header)).status == 401


async def test_keys_with_a_slow_hash_are_remembered_until_they_change(worlds: Worlds) -> None:
    world = await worlds.start(xpack__security__authc__api_key__hashing__algorithm="pbkdf2_1000")
    made = await world.make_cross_cluster_key("x")
    header = Secret(made["header"])
    assert world.security.verified_cross_cluster_key(header) is None
    key = await world.security.verify_cross_cluster_key(header, HANDSHAKE)
    assert world.security.verified_cross_cluster_key(header) is key
    await world.ask("DELETE", "/_security/api_key", {"ids": [made["id"]]})
    assert world.security.verified_cross_cluster_key(header) is None
