"""Routes that change users, roles, keys or remote clusters, with what they changed told to the audit log.

Names of actions and members are the reference's. A change is told once it has been made; what must not be shown of it
is `security.audit`'s to leave out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import orjson

from sealane.model.audit import Event
from sealane.rest.request import Request, Response
from sealane.rest.router import Handler, Route
from sealane.security.audit import Audit
from sealane.settings import flatten, value_text

Change = tuple[str, dict[str, Any]]
"""`event.action`, and the members that tell what was changed."""
_Tell = Callable[[Request, Mapping[str, Any], Mapping[str, Any]], Change | None]
"""Gets the request, its body and the answer's; None where nothing is to be told."""

_SECURITY: Final = "cluster:admin/xpack/security/"
_REMOTE: Final = "cluster.remote."


def with_audit(routes: Iterable[Route], audit: Audit) -> Iterator[Route]:
    """The routes, those that change something with their changes audited."""
    for route in routes:
        tell = _CHANGES.get(route.action)
        changes = tell is not None and route.methods != ("GET",)
        yield replace(route, handler=_audited(route.handler, tell, audit)) if changes else route


def _audited(handler: Handler, tell: _Tell | None, audit: Audit) -> Handler:
    assert tell is not None

    async def run(request: Request) -> Response:
        response = await handler(request)
        if response.status < 300 and audit.wants(Event.SECURITY_CONFIG_CHANGE):
            change = tell(request, _object(request.body), _object(response.body))
            if change is not None:
                audit.config_change(*change, subject=request.ctx.subject)
        return response

    return run


def _object(body: bytes) -> Mapping[str, Any]:
    """The handler has judged the body; what is no plain JSON object tells less here."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _only(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: body[name] for name in names if name in body}


# -- what each tells ---------------------------------------------------------------------------------------------


def _put_user(request: Request, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Change:
    user = {
        "name": _named(request, body, "username"),
        "enabled": body.get("enabled", True),
        **_only(body, "roles", "full_name", "email", "metadata"),
        "has_password": "password" in body or "password_hash" in body,
    }
    return "put_user", {"put": {"user": user}}


def _delete_user(request: Request, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Change:
    return "delete_user", {"delete": {"user": {"name": _named(request, body, "username")}}}


def _change_password(
    request: Request, body: Mapping[str, Any], answer: Mapping[str, Any]
) -> Change:
    name = request.path_params.get("username") or request.ctx.subject.name
    return "change_password", {"change": {"password": {"user": {"name": name}}}}


def _set_enabled(request: Request, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Change:
    kind = "disable" if request.path.rstrip("/").endswith("_disable") else "enable"
    user = {"user": {"name": _named(request, body, "username")}}
    return f"change_{kind}_user", {"change": {kind: user}}


def _put_role(request: Request, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Change:
    role = {"name": _named(request, body, "name"), "role_descriptor": dict(body)}
    return "put_role", {"put": {"role": role}}


def _put_roles(request: Request, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Change:
    return "put_roles", {"put": {"roles": body.get("roles", {})}}


def _delete_role(request: Request, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Change:
    return "delete_role", {"delete": {"role": {"name": _named(request, body, "name")}}}


def _delete_roles(request: Request, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Change:
    return "delete_roles", {"delete": {"roles": body.get("names", [])}}


def _put_mapping(request: Request, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Change:
    mapping = {"name": _named(request, body, "name"), **body}
    return "put_role_mapping", {"put": {"role_mapping": mapping}}


def _delete_mapping(request: Request, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Change:
    name = {"name": _named(request, body, "name")}
    return "delete_role_mapping", {"delete": {"role_mapping": name}}


def _create_key(request: Request, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Change:
    key = {
        **_only(answer, "id", "name", "expiration"),
        "type": "rest",
        **_only(body, "role_descriptors", "metadata"),
    }
    return "create_apikey", {"create": {"apikey": key}}


def _grant_key(request: Request, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Change:
    asked = body.get("api_key")
    _, change = _create_key(request, asked if isinstance(asked, dict) else {}, answer)
    grant = _only(body, "grant_type", "username", "run_as")
    return "create_apikey", {**change, "grant": grant}


def _create_cross(request: Request, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Change:
    key = {
        **_only(answer, "id", "name", "expiration"),
        "type": "cross_cluster",
        **_only(body, "access", "metadata", "certificate_identity"),
    }
    return "create_cross_cluster_apikey", {"create": {"apikey": key}}


def _update_key(request: Request, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Change:
    asked = _only(body, "role_descriptors", "metadata", "expiration")
    key = {"id": _named(request, body, "id"), "type": "rest", **asked}
    return "change_apikey", {"change": {"apikey": key}}


def _update_keys(request: Request, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Change:
    asked = _only(body, "ids", "role_descriptors", "metadata", "expiration")
    return "change_apikeys", {"change": {"apikeys": {"type": "rest", **asked}}}


def _update_cross(request: Request, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Change:
    asked = _only(body, "access", "metadata", "expiration", "certificate_identity")
    key = {"id": _named(request, body, "id"), "type": "cross_cluster", **asked}
    return "change_apikey", {"change": {"apikey": key}}


def _invalidate(request: Request, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Change:
    keys = {
        **_only(body, "ids", "id", "name", "username", "realm_name"),
        "owned_by_authenticated_user": body.get("owner", False),
        "invalidated": answer.get("invalidated_api_keys", []),
    }
    return "invalidate_apikeys", {"invalidate": {"apikeys": keys}}


def _remotes(request: Request, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Change | None:
    """Who points an alias elsewhere sends this cluster's searches there, and the key of the alias with them."""
    changed: dict[str, str | None] = {}
    for scope in ("persistent", "transient"):
        given = body.get(scope)
        if isinstance(given, dict):
            for key, value in flatten(given).items():
                if key.startswith(_REMOTE):
                    changed[key] = None if value is None else value_text(value)
    if not changed:
        return None
    return "remote_cluster_changed", {"change": {"remote_clusters": changed}}


def _named(request: Request, body: Mapping[str, Any], name: str) -> Any:
    return request.path_params.get(name) or body.get(name, "")


_CHANGES: Final[Mapping[str, _Tell]] = {
    f"{_SECURITY}user/put": _put_user,
    f"{_SECURITY}user/delete": _delete_user,
    f"{_SECURITY}user/change_password": _change_password,
    f"{_SECURITY}user/set_enabled": _set_enabled,
    f"{_SECURITY}role/put": _put_role,
    f"{_SECURITY}role/bulk_put": _put_roles,
    f"{_SECURITY}role/delete": _delete_role,
    f"{_SECURITY}role/bulk_delete": _delete_roles,
    f"{_SECURITY}role_mapping/put": _put_mapping,
    f"{_SECURITY}role_mapping/delete": _delete_mapping,
    f"{_SECURITY}api_key/create": _create_key,
    f"{_SECURITY}api_key/grant": _grant_key,
    f"{_SECURITY}api_key/update": _update_key,
    f"{_SECURITY}api_key/bulk_update": _update_keys,
    f"{_SECURITY}api_key/invalidate": _invalidate,
    f"{_SECURITY}cross_cluster/api_key/create": _create_cross,
    f"{_SECURITY}cross_cluster/api_key/update": _update_cross,
    "cluster:admin/settings/update": _remotes,
}
