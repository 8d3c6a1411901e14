"""`_security/_explain_remote`: which rule decides what the caller may do on an index of a remote cluster. Ours.

What the other cluster grants is not known here; what is told is who decides, and what this cluster's part of it is.
"""

from typing import Any, Final

from sealane.errors import ActionRequestValidation, NoSuchRemoteCluster
from sealane.model.security import AuthenticationType, RoleDescriptor, Subject
from sealane.rest.params import string
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.rest.services import RemoteInfo
from sealane.security.rules import names
from sealane.security.rules.permission import Permission
from sealane.security.rules.privileges import index_grants
from sealane.security.stores.security import Security

_SEARCH: Final = "indices:data/read/search"
_BY_KEY: Final = (
    "the API key for the alias and the entries of [remote_indices] in the caller's roles here must both grant the "
    "action; roles of the same names on the remote cluster have no effect"
)
_BY_CERTIFICATE: Final = (
    "the roles on the remote cluster that are called as the caller's roles here decide; [remote_indices] and what the "
    "roles grant here have no effect"
)
_BY_CERTIFICATE_WITH_KEY: Final = (
    "the descriptors of the caller's API key and those of who made it decide, as they are here; roles on the remote "
    "cluster have no effect"
)


def routes(security: Security, remotes: RemoteInfo) -> list[Route]:
    async def explain(request: Request) -> Response:
        alias: str = request.params.get("alias", "")
        index: str = request.params.get("index", "")
        missing = [name for name, value in (("alias", alias), ("index", index)) if not value]
        if missing:
            raise ActionRequestValidation([f"[{name}] is missing" for name in missing])
        known = remotes.describe().get(alias)
        if known is None:
            raise NoSuchRemoteCluster(alias)
        subject = request.ctx.subject
        action = request.params.get("action", _SEARCH)
        by_key = "cluster_credentials" in known
        explained = _by_key if by_key else _by_certificate
        return json_response(
            {
                "alias": alias,
                "index": index,
                "action": action,
                "username": subject.name,
                "roles": list(subject.roles),
                "security_model": "api_key" if by_key else "certificate",
                **explained(security.permission(subject), subject, alias, index, action),
            }
        )

    return [
        Route(
            methods=("GET",),
            paths=("/_security/_explain_remote",),
            handler=explain,
            # About the caller alone, as the list of the own privileges is.
            action="cluster:admin/xpack/security/user/list_privileges",
            indices=no_indices,
            params={"alias": string, "index": string, "action": string},
        )
    ]


def _by_key(
    permission: Permission, subject: Subject, alias: str, index: str, action: str
) -> dict[str, Any]:
    toward = permission.toward(alias)
    granted = bool(toward) and Permission(toward).index(action, index)
    rules = [_rule(role, alias, index, action) for side in permission.sides for role in side]
    found = [each for listed in rules for each in listed]
    answer: dict[str, Any] = {"decided_by": _BY_KEY, "granted_here": granted, "rules": found}
    if not granted:
        entry = {
            "clusters": [alias],
            "names": [index],
            "privileges": ["read", "read_cross_cluster"],
        }
        answer["next_step"] = {"add_to_a_role_here": {"remote_indices": [entry]}}
    return answer


def _rule(role: RoleDescriptor, alias: str, index: str, action: str) -> list[dict[str, Any]]:
    """The role's entries for the cluster, each with whether it grants the action on the index."""
    return [
        {
            "role": role.name,
            "clusters": list(each.clusters),
            "names": list(each.entry.names),
            "privileges": list(each.entry.privileges),
            "grants": index_grants(each.entry.privileges)(action)
            and names.matcher(each.entry.names)(index)
            and (each.entry.allow_restricted_indices or not names.is_restricted(index)),
        }
        for each in role.remote_indices
        if names.matcher(each.clusters)(alias)
    ]


def _by_certificate(
    permission: Permission, subject: Subject, alias: str, index: str, action: str
) -> dict[str, Any]:
    if subject.type is AuthenticationType.API_KEY and subject.sides is not None:
        return {
            "decided_by": _BY_CERTIFICATE_WITH_KEY,
            "granted_here": permission.index(action, index),
        }
    return {
        "decided_by": _BY_CERTIFICATE,
        "next_step": {
            "look_at_on_the_remote": [f"/_security/role/{role}" for role in subject.roles]
        },
    }
