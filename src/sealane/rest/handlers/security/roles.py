"""`_security/role`: roles made, changed and shown, one at a time or several."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import ApiError, IllegalArgument
from sealane.model.security import RoleDescriptor
from sealane.query.located import scan
from sealane.query.role_query import check_role_query
from sealane.rest.bodies import read_json, require_body
from sealane.rest.handlers.documents import WRITE_PARAMS
from sealane.rest.handlers.security import bodies
from sealane.rest.params import Parser
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.security.rules.descriptors import check_queries, parse_role
from sealane.security.stores.security import Security

_ROLE = "cluster:admin/xpack/security/role/"
_REFRESH: dict[str, Parser] = {"refresh": WRITE_PARAMS["refresh"]}
_BULK_KIND = "bulk_update_roles_request_payload"


def routes(security: Security) -> list[Route]:
    return [*_single(security), *_bulk(security)]


def _check_query(raw: bytes) -> None:
    check_role_query(raw.decode())


def _single(security: Security) -> list[Route]:
    async def get(request: Request) -> Response:
        given = request.path_params.get("name", "")
        names = tuple(each for each in given.split(",") if each)
        shown = security.roles.shown(names)
        return json_response(shown, 404 if names and not shown else 200)

    async def put(request: Request) -> Response:
        body = require_body(request.body)
        read_json(body, eof_is_own_type=True)
        role = parse_role(request.path_params["name"], scan(body).value)
        check_queries(role, _check_query)
        return json_response({"role": {"created": await security.roles.put(role)}})

    async def delete(request: Request) -> Response:
        found = await security.roles.delete(request.path_params["name"])
        return json_response({"found": found}, 200 if found else 404)

    return [
        Route(
            methods=("GET",),
            paths=("/_security/role", "/_security/role/{name}"),
            handler=get,
            action=f"{_ROLE}get",
            indices=no_indices,
        ),
        Route(
            methods=("POST", "PUT"),
            paths=("/_security/role/{name}",),
            handler=put,
            action=f"{_ROLE}put",
            indices=no_indices,
            params=_REFRESH,
            body=True,
        ),
        Route(
            methods=("DELETE",),
            paths=("/_security/role/{name}",),
            handler=delete,
            action=f"{_ROLE}delete",
            indices=no_indices,
            params=_REFRESH,
        ),
    ]


def _bulk(security: Security) -> list[Route]:
    async def put(request: Request) -> Response:
        fields = bodies.read_fields(request.body, _BULK_KIND, {"roles": _roles})
        fields.require("roles")
        lists: dict[str, list[str]] = {"created": [], "updated": [], "noop": []}
        errors: dict[str, ApiError] = {}
        for role in fields.get("roles"):
            try:
                security.roles.check(role)
                check_queries(role, _check_query)
                if security.roles.is_as(role):
                    lists["noop"].append(role.name)
                elif await security.roles.put(role):
                    lists["created"].append(role.name)
                else:
                    lists["updated"].append(role.name)
            except ApiError as error:
                errors[role.name] = error
        return json_response(_outcome(lists, errors))

    async def delete(request: Request) -> Response:
        fields = bodies.read_fields(
            request.body, "role_bulk_delete_request", {"names": bodies.some_texts}
        )
        fields.require("names")
        lists: dict[str, list[str]] = {"deleted": [], "not_found": []}
        errors: dict[str, ApiError] = {}
        for name in dict.fromkeys(fields.get("names")):
            try:
                found = await security.roles.delete(name)
            except ApiError as error:
                errors[name] = error
            else:
                lists["deleted" if found else "not_found"].append(name)
        return json_response(_outcome(lists, errors))

    return [
        Route(
            methods=("POST",),
            paths=("/_security/role",),
            handler=put,
            action=f"{_ROLE}bulk_put",
            indices=no_indices,
            params=_REFRESH,
            body=True,
        ),
        Route(
            methods=("DELETE",),
            paths=("/_security/role",),
            handler=delete,
            action=f"{_ROLE}bulk_delete",
            indices=no_indices,
            params=_REFRESH,
            body=True,
        ),
    ]


def _roles(fields: bodies.Fields, name: str, value: Any) -> list[RoleDescriptor]:
    if not isinstance(value, dict):
        fields.unsupported(name, value)
    found = []
    for each, body in value.items():
        try:
            found.append(parse_role(each, body))
        except ApiError as error:
            raise fields.failed(name, error) from None
    if len(found) > 10_000:
        raise IllegalArgument("[roles] may have at most [10000] members")
    return found


def _outcome(lists: Mapping[str, list[str]], errors: Mapping[str, ApiError]) -> dict[str, Any]:
    """Lists that hold nothing are left out."""
    shown: dict[str, Any] = {name: found for name, found in lists.items() if found}
    if errors:
        details = {name: error.to_cause() for name, error in errors.items()}
        shown["errors"] = {"count": len(errors), "details": details}
    return shown
