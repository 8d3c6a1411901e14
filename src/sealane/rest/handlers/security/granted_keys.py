"""`_security/api_key/grant`: a key made for somebody else, who proves to agree by a password."""

from collections.abc import Mapping
from typing import Any, Final

from sealane.errors import ApiError, AuthenticationFailed, SecurityError
from sealane.model.security import Secret, Subject
from sealane.rest.handlers.security import api_keys, bodies
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.security.stores.api_keys import raise_problems
from sealane.security.stores.security import Security

_ACTION: Final = "cluster:admin/xpack/security/api_key/grant"
_CREATE: Final = "cluster:admin/xpack/security/api_key/create"
_PASSWORD: Final = "password"
_TOKEN: Final = "access_token"


def routes(security: Security) -> list[Route]:
    async def grant(request: Request) -> Response:
        fields = bodies.read_fields(request.body, "grant_api_key_request", _FIELDS)
        wanted = fields.get("api_key") or _UNNAMED
        problems = [*api_keys.new_key_problems(wanted), *_problems(fields)]
        raise_problems(problems)
        creator = await _granting(security, fields)
        return json_response(await api_keys.create_key(security, wanted, creator))

    return [
        Route(
            methods=("POST",),
            paths=("/_security/api_key/grant",),
            handler=grant,
            action=_ACTION,
            indices=no_indices,
            params=api_keys.REFRESH,
            body=True,
        )
    ]


async def _granting(security: Security, fields: bodies.Fields) -> Subject:
    """The user the key is to be of. Raises SecurityError."""
    what = f"for action [{_ACTION}]"
    try:
        if fields.get("grant_type") == _TOKEN:
            raise AuthenticationFailed(
                f"unable to authenticate user [_bearer_token] {what}",
                tried="oauth2 token: invalid token",
            )
        subject = await security.authentication.by_password(
            fields.get("username"), Secret(fields.get("password")), what
        )
    except AuthenticationFailed as error:
        raise SecurityError(
            "Failed to authenticate api key grant", caused_by=error, root_causes=[error]
        ) from error
    user = fields.get("run_as")
    if user is None:
        return subject
    acting = security.authentication.acting_as(subject, user, what)
    security.access(acting, _CREATE)
    return acting


def _problems(fields: bodies.Fields) -> list[str]:
    """What is wrong with the kind of proof."""
    kind = fields.get("grant_type")
    if kind is None:
        return ["[grant_type] is required"]
    if kind not in (_PASSWORD, _TOKEN):
        return [f"grant_type [{kind}] is not supported"]
    needed = ("username", "password") if kind == _PASSWORD else ("access_token",)
    others = ("access_token",) if kind == _PASSWORD else ("username", "password")
    return [
        *(f"[{name}] is required for grant_type [{kind}]" for name in needed if name not in fields),
        *(
            f"[{name}] is not supported for grant_type [{kind}]"
            for name in others
            if name in fields
        ),
    ]


def _api_key(fields: bodies.Fields, name: str, value: Any) -> dict[str, Any]:
    try:
        inner = bodies.Fields(value, "api_key_request", api_keys.NEW_KEY, place=fields.place(name))
        return api_keys.read_new_key(inner)
    except ApiError as error:
        end = getattr(value, "end", None)
        raise fields.failed(name, error, end) from None


_UNNAMED: Final[Mapping[str, Any]] = {"name": None, "roles": (), "lasts_ms": None, "metadata": {}}
_FIELDS: Final[Mapping[str, bodies.Read]] = {
    "grant_type": bodies.a_text,
    "username": bodies.a_text,
    "password": bodies.a_text,
    "access_token": bodies.a_text,
    "run_as": bodies.a_text,
    "client_authentication": bodies.an_object,
    "api_key": _api_key,
}
