"""`_security/role_mapping`: which roles the users of a PKI realm have."""

from collections.abc import Mapping
from typing import Any, Final

from sealane.errors import ApiError, IllegalArgument, IllegalState, ParsingError
from sealane.query.located import LocatedDict
from sealane.rest.handlers.documents import WRITE_PARAMS
from sealane.rest.handlers.security import bodies
from sealane.rest.params import Parser
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.security.stores import role_rules
from sealane.security.stores.security import Security

_ACTION: Final = "cluster:admin/xpack/security/role_mapping/"
_KIND: Final = "role-mapping"
_REFRESH: Final[dict[str, Parser]] = {"refresh": WRITE_PARAMS["refresh"]}


def routes(security: Security) -> list[Route]:
    async def get(request: Request) -> Response:
        given = request.path_params.get("name", "")
        names = tuple(each for each in given.split(",") if each)
        shown = security.role_mappings.shown(names)
        return json_response(shown, 404 if names and not shown else 200)

    async def put(request: Request) -> Response:
        name = request.path_params["name"]
        wanted = _read(name, request.body)
        created = await security.role_mappings.put(name, **wanted)
        return json_response({"role_mapping": {"created": created}})

    async def delete(request: Request) -> Response:
        found = await security.role_mappings.delete(request.path_params["name"])
        return json_response({"found": found}, 200 if found else 404)

    return [
        Route(
            methods=("GET",),
            paths=("/_security/role_mapping", "/_security/role_mapping/{name}"),
            handler=get,
            action=f"{_ACTION}get",
            indices=no_indices,
        ),
        Route(
            methods=("POST", "PUT"),
            paths=("/_security/role_mapping/{name}",),
            handler=put,
            action=f"{_ACTION}put",
            indices=no_indices,
            params=_REFRESH,
            body=True,
        ),
        Route(
            methods=("DELETE",),
            paths=("/_security/role_mapping/{name}",),
            handler=delete,
            action=f"{_ACTION}delete",
            indices=no_indices,
            params=_REFRESH,
        ),
    ]


def _read(name: str, body: bytes) -> dict[str, Any]:
    """Raises ParsingError, ParseError, IllegalArgument."""
    known: Mapping[str, bodies.Read] = {
        "roles": bodies.some_texts,
        "role_templates": _no_templates,
        "rules": lambda fields, field, value: _rules(fields, field, value, name),
        "metadata": bodies.an_object,
        "enabled": bodies.a_flag,
    }
    try:
        fields = bodies.read_fields(body, _KIND, known)
    except ApiError as error:
        raise _as_parsing(error) from None
    for each in ("roles", "rules", "enabled"):
        if each not in fields:
            raise _missing(name, each, fields.located)
    return {
        "roles": fields.get("roles"),
        "rules": fields.get("rules"),
        "enabled": fields.get("enabled"),
        "metadata": fields.get("metadata", {}),
    }


def _rules(fields: bodies.Fields, field: str, value: Any, name: str) -> dict[str, Any]:
    try:
        role_rules.check(value, name)
    except role_rules.RuleError as error:
        raise fields.failed(field, error, error.place) from None
    rules: dict[str, Any] = dict(value)
    return rules


def _no_templates(fields: bodies.Fields, field: str, value: Any) -> Any:
    raise IllegalArgument(
        "[role_templates] are not supported by this version: give the roles of a mapping by name in [roles]"
    )


def _as_parsing(error: ApiError) -> ApiError:
    """The reference shows the place of what its parser of fields refused, and the refusal within."""
    if error.es_type != "x_content_parse_exception" or not error.reason.startswith("["):
        return error
    place = error.reason[1:].partition("]")[0].split(":")
    if len(place) != 2 or not all(each.isdigit() for each in place):
        return error
    line, col = (int(each) for each in place)
    shown = ParsingError(error.reason, line=line, col=col)
    shown.caused_by = error
    return shown


def _missing(name: str, field: str, located: Any) -> ApiError:
    reason = f"failed to parse role-mapping [{name}]. missing field [{field}]"
    line, col = located.end if isinstance(located, LocatedDict) else (1, 1)
    error = ParsingError(reason, line=line, col=col)
    error.caused_by = IllegalState(reason)
    return error
