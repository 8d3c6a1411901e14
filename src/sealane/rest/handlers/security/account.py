"""What callers learn of themselves: `_security/_authenticate`, `user/_has_privileges`, `user/_privileges`."""

from typing import Any

from sealane.errors import IllegalArgument, ParseError
from sealane.model.security import Subject
from sealane.query.located import scan
from sealane.rest.bodies import read_json
from sealane.rest.params import BODY_AS_PARAMETER
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.security.rules.access import denied
from sealane.security.rules.has_privileges import answer, parse_questions, privileges_of
from sealane.security.stores.security import Security

_USER = "cluster:admin/xpack/security/user/"


def routes(security: Security) -> list[Route]:
    async def authenticate(request: Request) -> Response:
        return json_response(shown(request.ctx.subject))

    async def has_privileges(request: Request) -> Response:
        subject = request.ctx.subject
        if not request.body:
            raise ParseError("request body or source parameter is required")
        read_json(request.body, eof_is_own_type=True)
        name = request.path_params.get("username", subject.name)
        questions = parse_questions(name, scan(request.body).value)
        if name != subject.name:
            permission = security.permission(subject)
            if not permission.cluster(f"{_USER}has_privileges"):
                raise denied(subject, permission.role_names, f"{_USER}has_privileges")
            raise IllegalArgument("users may only check the privileges of their own account")
        return json_response(answer(subject.name, security.permission(subject), questions))

    async def privileges(request: Request) -> Response:
        return json_response(privileges_of(security.permission(request.ctx.subject)))

    return [
        Route(
            methods=("GET",),
            paths=("/_security/_authenticate",),
            handler=authenticate,
            action=f"{_USER}authenticate",
            indices=no_indices,
        ),
        Route(
            methods=("GET", "POST"),
            paths=(
                "/_security/user/_has_privileges",
                "/_security/user/{username}/_has_privileges",
            ),
            handler=has_privileges,
            action=f"{_USER}has_privileges",
            indices=no_indices,
            params=BODY_AS_PARAMETER,
            body=True,
        ),
        Route(
            methods=("GET",),
            paths=("/_security/user/_privileges",),
            handler=privileges,
            action=f"{_USER}list_privileges",
            indices=no_indices,
        ),
    ]


def shown(subject: Subject) -> dict[str, Any]:
    """Who somebody is, as `_security/_authenticate` says it."""
    by = subject.authenticated_by or subject
    answer: dict[str, Any] = {
        "username": subject.name,
        "roles": list(subject.roles),
        "full_name": subject.full_name,
        "email": subject.email,
        "metadata": dict(subject.metadata),
        "enabled": subject.enabled,
        "authentication_realm": {"name": by.realm.name, "type": by.realm.type},
        "lookup_realm": {"name": subject.realm.name, "type": subject.realm.type},
        "authentication_type": subject.type.value,
    }
    if subject.api_key is not None and subject.authenticated_by is None:
        answer["api_key"] = {"id": subject.api_key.id, "name": subject.api_key.name}
    return answer
