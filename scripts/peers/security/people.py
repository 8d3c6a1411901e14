"""Who takes part in the duel: users and their roles, on both clusters unless said otherwise."""

from typing import Any

from scripts.peers.security.client import PASSWORD, SUPERUSER, Client

USER_PASSWORD = "secret-1"
_READ = ["read", "view_index_metadata"]
_FAR_READ = ["read", "read_cross_cluster", "view_index_metadata"]


def _on(names: list[str], privileges: list[str], **more: Any) -> dict[str, Any]:
    return {"indices": [{"names": names, "privileges": privileges, **more}]}


def _far(clusters: list[str], names: list[str], **more: Any) -> dict[str, Any]:
    entry = {"clusters": clusters, "names": names, "privileges": _FAR_READ, **more}
    return {"remote_indices": [entry]}


ROLES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "reads": _on(["logs-1"], ["read"]),
    "views": _on(["logs-*"], _READ),
    "by_alias": _on(["logs-all"], _READ),
    "writes": _on(["made-*"], ["write", "create_index"]),
    "creates": _on(["made-*"], ["create_doc"]),
    "indexes": _on(["made-*"], ["index"]),
    "monitors": {"cluster": ["monitor"]},
    "manages": {"cluster": ["manage"]},
    "everything": {"cluster": ["all"], **_on(["*"], ["all"])},
    "own_keys": {"cluster": ["manage_own_api_key"], **_on(["logs-1"], ["read"])},
    "all_keys": {"cluster": ["manage_api_key"]},
    "reads_security": {"cluster": ["read_security"]},
    "manages_security": {"cluster": ["manage_security"]},
    "runs_as": {"run_as": ["reads", "ghost*", "disabled"], "cluster": ["monitor"]},
    # Documents and fields.
    "odd": _on(["docs-1"], _READ, query={"term": {"level": "public"}}),
    "second": _on(["docs-1"], _READ, query={"term": {"n": 2}}),
    "some_fields": _on(
        ["docs-1"],
        _READ,
        field_security={
            "grant": ["n", "level", "user.*", "msg", "parts.key", "dynamic.list.a", "shown"],
            "except": ["user.email"],
        },
    ),
    "no_secrets": _on(["docs-1"], _READ, field_security={"grant": ["*"], "except": ["secret*"]}),
    "no_fields": _on(["docs-1"], _READ, field_security={"grant": []}),
    "alias_odd": _on(["docs-all"], ["read"], query={"term": {"level": "public"}}),
    "alias_open": _on(["docs-all"], ["read"]),
    "by_pattern": _on(["/logs-[0-9]/", "docs-?"], _READ),
    "reads_docs": _on(["docs-*"], ["read"]),
    "metadata_only": _on(["docs-1"], ["view_index_metadata"], query={"term": {"n": 4}}),
    "all_of_odd": _on(["docs-*"], ["all"], query={"term": {"level": "public"}}),
    "all_of_fields": _on(["docs-*"], ["all"], field_security={"grant": ["n", "level"]}),
    # Remotes by key.
    "far_logs": _far(["k*"], ["logs-*"]),
    "far_narrow": _far(["kn"], ["*"]),
    "far_odd": _far(
        ["k*"],
        ["logs-*", "docs-*"],
        query={"term": {"level": "public"}},
        field_security={"grant": ["n", "level", "user.*"], "except": ["user.email"]},
    ),
    "far_second": _far(["kf"], ["logs-1"], query={"term": {"n": 2}}),
    "far_read_only": {
        "remote_indices": [{"clusters": ["/k[fn]/"], "names": ["logs-1"], "privileges": ["read"]}]
    },
    "far_stats": {"remote_cluster": [{"clusters": ["kf"], "privileges": ["monitor_stats"]}]},
}
LOCAL_ROLES: dict[str, dict[str, Any]] = {
    "same_name": {},
    "same_limited": {},
    "only_here": _on(["*"], ["all"]),
    "Same_name": _on(["*"], ["all"]),
    "same_read_only": {},
}
REMOTE_ROLES: dict[str, dict[str, Any]] = {
    "same_name": _on(["logs-*"], _FAR_READ),
    "same_limited": _on(
        ["logs-*"],
        _FAR_READ,
        query={"term": {"level": "public"}},
        field_security={"grant": ["n", "level"]},
    ),
    "only_there": _on(["logs-*"], _FAR_READ),
    "same_read_only": _on(["logs-*"], ["read"]),
    "far_runner": {"run_as": ["same_name"]},
}
# The same word is a user and a role of it unless said otherwise.
USERS: dict[str, list[str]] = {
    **{name: [name] for name in (*ROLES, *LOCAL_ROLES, "only_there", "far_runner")},
    "no_roles": [],
    "lost": ["gone", "gone_too"],
    "half_lost": ["nothing", "gone"],
    "disabled": ["reads"],
    "odd_or_second": ["odd", "second"],
    "odd_or_all": ["odd", "reads_docs"],
    "odd_or_fields": ["odd", "some_fields"],
    "second_or_fields": ["second", "some_fields"],
    "odd_and_metadata": ["odd", "metadata_only"],
    "odd_or_alias": ["odd", "alias_open"],
    "odd_keys": ["odd", "own_keys"],
    "far_odd_keys": ["far_odd", "own_keys"],
    "far_odd_or_second": ["far_odd", "far_second"],
    "here_and_far": ["reads", "far_logs"],
    "far_keys": ["far_logs", "own_keys"],
    "two_names": ["same_name", "only_here"],
}


def make(node: Client, *, is_remote: bool) -> None:
    """Raises UnexpectedAnswerError."""
    roles = ROLES | (
        REMOTE_ROLES if is_remote else LOCAL_ROLES | {"far_runner": {"run_as": ["same_name"]}}
    )
    for name, body in roles.items():
        node.must("PUT", f"/_security/role/{name}", body)
    for name, held in USERS.items():
        user = {"password": USER_PASSWORD, "roles": held, "enabled": name != "disabled"}
        node.must("PUT", f"/_security/user/{name}", user)


def password(user: str) -> str:
    return PASSWORD if user == SUPERUSER else USER_PASSWORD
