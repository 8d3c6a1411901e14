"""`_security/user`: users made, changed and shown; passwords; and what callers learn of themselves."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import ActionRequestValidation, IllegalArgument, ParseError
from sealane.model.security import AuthenticationType, Secret, Subject
from sealane.rest.handlers.documents import WRITE_PARAMS
from sealane.rest.handlers.security import bodies
from sealane.rest.params import Parser, boolean
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.security.rules.access import denied
from sealane.security.rules.authority import is_about_oneself
from sealane.security.stores.names import problems_of_name
from sealane.security.stores.passwords import check_given_hash
from sealane.security.stores.security import Security
from sealane.security.stores.users import UserChange, check_password
from sealane.settings.index_settings import ValidationError

_USER = "cluster:admin/xpack/security/user/"
_REFRESH: dict[str, Parser] = {"refresh": WRITE_PARAMS["refresh"]}
_EMPTY = Response(b"{}")


def routes(security: Security) -> list[Route]:
    """All of `_security/user` but `_has_privileges` and `_privileges`."""
    return [*_kept(security), *_passwords(security), *_enabled(security)]


def _kept(security: Security) -> list[Route]:
    async def get(request: Request) -> Response:
        names = _names(request)
        shown = security.users.shown(names)
        return json_response(shown, 404 if names and not shown else 200)

    async def put(request: Request) -> Response:
        name = request.path_params["username"]
        change = _read_user(name, request.body)
        _check_user(name, change, request.ctx.subject)
        return json_response({"created": await security.users.put(name, change)})

    async def delete(request: Request) -> Response:
        found = await security.users.delete(request.path_params["username"])
        return json_response({"found": found}, 200 if found else 404)

    return [
        Route(
            methods=("GET",),
            paths=("/_security/user", "/_security/user/{username}"),
            handler=get,
            action=f"{_USER}get",
            indices=no_indices,
            params={"with_profile_uid": boolean},
        ),
        Route(
            methods=("POST", "PUT"),
            paths=("/_security/user/{username}",),
            handler=put,
            action=f"{_USER}put",
            indices=no_indices,
            params=_REFRESH,
            body=True,
        ),
        Route(
            methods=("DELETE",),
            paths=("/_security/user/{username}",),
            handler=delete,
            action=f"{_USER}delete",
            indices=no_indices,
            params=_REFRESH,
        ),
    ]


def _passwords(security: Security) -> list[Route]:
    action = f"{_USER}change_password"

    async def change(request: Request) -> Response:
        subject = request.ctx.subject
        name = request.path_params.get("username", subject.name)
        _check_may_change(security, subject, name, action)
        password, hashed = _read_password(request.body)
        await security.users.set_password(name, password, hashed)
        return _EMPTY

    return [
        Route(
            methods=("POST", "PUT"),
            paths=("/_security/user/_password", "/_security/user/{username}/_password"),
            handler=change,
            action=action,
            indices=no_indices,
            params=_REFRESH,
            body=True,
        )
    ]


def _check_may_change(security: Security, subject: Subject, name: str, action: str) -> None:
    """Everybody may change the own password, if it is kept here. Raises SecurityError."""
    own = is_about_oneself(subject, name) and subject.realm.type in ("native", "reserved")
    permission = security.permission(subject)
    if not own and not permission.cluster(action):
        raise denied(subject, permission.role_names, action)


def _enabled(security: Security) -> list[Route]:
    def setting(enabled: bool) -> Any:
        async def put(request: Request) -> Response:
            name = request.path_params["username"]
            if _is_own_account(request.ctx.subject, name):
                raise IllegalArgument(
                    "users may not update the enabled status of their own account"
                )
            await security.users.set_enabled(name, enabled)
            return _EMPTY

        return put

    return [
        Route(
            methods=("POST", "PUT"),
            paths=(f"/_security/user/{{username}}/{'_enable' if enabled else '_disable'}",),
            handler=setting(enabled),
            action=f"{_USER}set_enabled",
            indices=no_indices,
            params=_REFRESH,
        )
        for enabled in (True, False)
    ]


def _is_own_account(subject: Subject, name: str) -> bool:
    by = subject.authenticated_by or subject
    return by.type is AuthenticationType.REALM and name in (by.name, subject.name)


def _names(request: Request) -> tuple[str, ...]:
    given = request.path_params.get("username", "")
    return tuple(each for each in given.split(",") if each)


# -- bodies ----------------------------------------------------------------------------------------------------


def _read_user(name: str, body: bytes) -> UserChange:
    """Raises ParseError, ValidationError, IllegalArgument."""
    given = bodies.walked_object(body)
    found: dict[str, Any] = {"roles": None}
    for field, value in given.items():
        match field:
            case "username":
                if bodies.text(field, value) != name:
                    raise IllegalArgument(
                        f"[username] in source does not match the username provided [{name}]"
                    )
            case "password":
                _once(found)
                found[field] = _password(bodies.text(field, value))
            case "password_hash":
                found[field] = _hash(bodies.text(field, value), found)
            case "roles":
                found[field] = bodies.texts(field, value)
            case "full_name" | "email":
                found[field] = bodies.optional_text(field, value)
            case "metadata":
                found[field] = bodies.mapping(field, value)
            case "enabled":
                found[field] = bodies.boolean(field, value)
            case _:
                raise ParseError(f"failed to parse add user request. unexpected field [{field}]")
    return UserChange(**found)


def _read_password(body: bytes) -> tuple[Secret | None, str | None]:
    """A password or a hash. Raises ParseError, ValidationError, IllegalArgument, ActionRequestValidation."""
    given = bodies.walked_object(body)
    found: dict[str, Any] = {}
    for field, value in given.items():
        match field:
            case "password":
                _once(found)
                found[field] = _password(bodies.text(field, value))
            case "password_hash":
                found[field] = _hash(bodies.text(field, value), found)
            case _:
                raise ParseError(
                    f"failed to parse change password request. unexpected field [{field}]"
                )
    if not found:
        raise ActionRequestValidation(["password is missing"])
    return found.get("password"), found.get("password_hash")


def _password(text: str) -> Secret:
    secret = Secret(text)
    check_password(secret)
    return secret


def _hash(text: str, found: Mapping[str, Any]) -> str:
    check_given_hash(text)
    _once(found)
    return text


def _once(found: Mapping[str, Any]) -> None:
    if "password" in found or "password_hash" in found:
        raise ValidationError("Validation Failed: 1: password_hash has already been set;")


def _check_user(name: str, change: UserChange, subject: Subject) -> None:
    """Raises ActionRequestValidation."""
    problems = problems_of_name("User", name)
    if change.roles is None:
        problems.append("roles are missing")
    if any(key.startswith("_") for key in change.metadata):
        problems.append("metadata keys may not start with [_]")
    for role in change.roles or ():
        problems += problems_of_name("Role", role)
    if not problems and not change.enabled and _is_own_account(subject, name):
        problems.append(
            "native and reserved realm users may not update the enabled status of their own account"
        )
    if problems:
        raise ActionRequestValidation(problems)
