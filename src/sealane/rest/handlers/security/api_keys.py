"""`_security/api_key`: keys that act for whoever made them, changed, shown and invalidated."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sealane.errors import ActionRequestValidation, ApiError, IllegalArgument
from sealane.model.security import AuthenticationType, RoleDescriptor, Subject
from sealane.rest.handlers.documents import WRITE_PARAMS
from sealane.rest.handlers.security import bodies, key_answers
from sealane.rest.params import Parser, boolean, string
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.security.rules.descriptors import check_role, role_json
from sealane.security.stores import own_keys
from sealane.security.stores.api_key_checks import REST
from sealane.security.stores.api_keys import (
    Descriptors,
    KeyChange,
    KeyFilter,
    NewKey,
    Owner,
    Updated,
    check_metadata,
    check_name,
    owner_of,
    raise_problems,
)
from sealane.security.stores.security import Security

REFRESH: Final[dict[str, Parser]] = {"refresh": WRITE_PARAMS["refresh"]}
IDS_MAX: Final = 10_000
NEW_KEY: Final[Mapping[str, bodies.Read]] = {
    "name": bodies.a_text,
    "role_descriptors": bodies.descriptors_of,
    "expiration": bodies.a_text,
    "metadata": bodies.an_object,
}
_CHANGE: Final[Mapping[str, bodies.Read]] = {
    "role_descriptors": bodies.descriptors_of,
    "metadata": bodies.an_object,
    "expiration": bodies.a_text,
}
_UPDATE_KIND: Final = "update_api_key_request_payload"
_BULK_KIND: Final = "bulk_update_api_key_request"


def routes(security: Security) -> list[Route]:
    return [*_made(security), *_shown(security), *_changed(security), *_invalidated(security)]


# -- made ------------------------------------------------------------------------------------------------------


def _made(security: Security) -> list[Route]:
    async def create(request: Request) -> Response:
        fields = bodies.read_fields(request.body, "api_key_request", NEW_KEY)
        new = read_new_key(fields)
        raise_problems(new_key_problems(new))
        made = await create_key(security, new, request.ctx.subject)
        return json_response(made)

    return [
        Route(
            methods=("POST", "PUT"),
            paths=("/_security/api_key",),
            handler=create,
            action=own_keys.CREATE,
            indices=no_indices,
            params=REFRESH,
            body=True,
        )
    ]


def read_new_key(fields: bodies.Fields) -> dict[str, Any]:
    """What a request for a key says, judged but for its privileges. Raises IllegalArgument, XContentParseError."""
    fields.require("name")
    return {
        "name": fields.get("name"),
        "roles": fields.get("role_descriptors", ()),
        "lasts_ms": bodies.lasts_ms(fields),
        "metadata": fields.get("metadata", {}),
    }


def new_key_problems(wanted: Mapping[str, Any]) -> list[str]:
    """What is wrong with a key as `read_new_key` has it."""
    return [
        *check_name(wanted["name"]),
        *check_metadata(wanted["metadata"]),
        *(problem for role in wanted["roles"] for problem in check_role(role)),
    ]


async def create_key(
    security: Security, wanted: Mapping[str, Any], creator: Subject
) -> dict[str, Any]:
    """Makes a key that has no problems. Raises IllegalArgument, Rejected, IOFailure."""
    roles: tuple[RoleDescriptor, ...] = wanted["roles"]
    if creator.type is AuthenticationType.API_KEY and not _grants_nothing(roles):
        raise IllegalArgument(
            "creating derived api keys requires an explicit role descriptor that is empty (has no privileges)"
        )
    new = NewKey(
        name=wanted["name"],
        type=REST,
        descriptors=_bodies(roles),
        limited_by=rights_of(security, creator),
        lasts_ms=wanted["lasts_ms"],
        metadata=wanted["metadata"],
    )
    return (await security.api_keys.create(new, creator)).shown()


def rights_of(security: Security, subject: Subject) -> Descriptors:
    """What `subject` may do now, in the form in which it is kept with a key."""
    if subject.sides is None:
        return security.roles.snapshot(subject.roles)
    # Of a key, which may make only keys without any privileges: its own limits go with them.
    return _bodies(subject.sides[0])


def _bodies(roles: tuple[RoleDescriptor, ...]) -> dict[str, dict[str, Any]]:
    return {role.name: role_json(role) for role in roles}


def _grants_nothing(roles: tuple[RoleDescriptor, ...]) -> bool:
    """Whether there are descriptors, and all of them are empty."""
    return bool(roles) and all(
        not (
            role.cluster
            or role.indices
            or role.remote_indices
            or role.remote_cluster
            or role.run_as
            or role.applications
            or role.global_
        )
        for role in roles
    )


# -- shown -----------------------------------------------------------------------------------------------------


def _shown(security: Security) -> list[Route]:
    async def get(request: Request) -> Response:
        params = request.params
        wanted, _ = _read_filter(params, request.ctx.subject)
        found = security.api_keys.find(wanted)
        limited_by = params.get("with_limited_by", False)
        shown = [key_answers.shown(key_id, key, limited_by=limited_by) for key_id, key in found]
        return json_response({"api_keys": shown}, 404 if wanted.ids and not shown else 200)

    def whose(request: Request) -> Sequence[str]:
        _, own = _read_filter(request.params, request.ctx.subject)
        return own_keys.OWN if own else ()

    return [
        Route(
            methods=("GET",),
            paths=("/_security/api_key",),
            handler=get,
            action=own_keys.GET,
            indices=whose,
            params={
                "id": string,
                "name": string,
                "username": string,
                "realm_name": string,
                "owner": boolean,
                "active_only": boolean,
                "with_limited_by": boolean,
                "with_profile_uid": boolean,
            },
        )
    ]


def _read_filter(params: Mapping[str, Any], subject: Subject) -> tuple[KeyFilter, bool]:
    """Which keys are wanted, and whether they are the caller's own. Raises ActionRequestValidation."""
    key_id, name = params.get("id") or None, params.get("name") or None
    user, realm = params.get("username") or None, params.get("realm_name") or None
    problems = []
    if (key_id or name) and (user or realm):
        problems.append(
            "username or realm name must not be specified when the api key id or api key name is specified"
        )
    if params.get("owner", False) and (user or realm):
        problems.append(
            "neither username nor realm-name may be specified when retrieving owned API keys"
        )
    if key_id and name:
        problems.append("only one of [api key id, api key name] can be specified")
    raise_problems(problems)
    owner = owner_of(subject) if params.get("owner", False) else None
    own = _are_own(subject, user, realm, (key_id,) if key_id else (), owned=owner is not None)
    wanted = KeyFilter(
        ids=(key_id,) if key_id else (),
        name=name,
        principal=user,
        realm=realm,
        owner=owner,
        active_only=params.get("active_only", False),
    )
    return wanted, own


def is_owner(subject: Subject, user: str | None, realm: str | None) -> bool:
    """Whether user and realm, both of them given, are the caller's."""
    if subject.type is AuthenticationType.API_KEY or not user or not realm:
        return False
    return owner_of(subject) == Owner(user, realm)


def _are_own(
    subject: Subject, user: str | None, realm: str | None, ids: Sequence[str], *, owned: bool
) -> bool:
    """Whether a request is about keys of whoever asks. Who comes with a key has no other than that."""
    if subject.type is AuthenticationType.API_KEY:
        return subject.api_key is not None and tuple(ids) == (subject.api_key.id,)
    return owned or is_owner(subject, user, realm)


# -- changed ---------------------------------------------------------------------------------------------------


def _changed(security: Security) -> list[Route]:
    async def update(request: Request) -> Response:
        key_id = request.path_params["id"]
        fields = (
            bodies.read_fields(request.body, _UPDATE_KIND, _CHANGE)
            if request.body
            else bodies.Fields({}, _UPDATE_KIND, _CHANGE)
        )
        outcome = await _update(security, [key_id], fields, request.ctx.subject)
        if key_id in outcome.errors:
            raise outcome.errors[key_id]
        return json_response({"updated": bool(outcome.updated)})

    async def bulk_update(request: Request) -> Response:
        known = {**_CHANGE, "ids": bodies.some_texts}
        fields = bodies.read_fields(request.body, _BULK_KIND, known)
        fields.require("ids")
        ids = fields.get("ids")
        if not ids:
            raise ActionRequestValidation(["Field [ids] cannot be empty"])
        if len(ids) > IDS_MAX:
            raise IllegalArgument(f"[ids] may have at most [{IDS_MAX}] elements")
        outcome = await _update(security, ids, fields, request.ctx.subject)
        return json_response(_bulk_answer(outcome))

    return [
        Route(
            methods=("PUT",),
            paths=("/_security/api_key/{id}",),
            handler=update,
            action=own_keys.UPDATE,
            indices=no_indices,
            body=True,
        ),
        Route(
            methods=("POST",),
            paths=("/_security/api_key/_bulk_update",),
            handler=bulk_update,
            action=own_keys.BULK_UPDATE,
            indices=no_indices,
            body=True,
        ),
    ]


async def _update(
    security: Security, ids: list[str], fields: bodies.Fields, subject: Subject
) -> Updated:
    lasts_ms = bodies.lasts_ms(fields)
    roles = fields.get("role_descriptors")
    check_change(fields.get("metadata"), lasts_ms, roles or ())
    require_user(subject, "only the owner user can update an API key")
    change = KeyChange(
        type=REST,
        descriptors=None if roles is None else _bodies(roles),
        limited_by=rights_of(security, subject),
        lasts_ms=lasts_ms,
        metadata=fields.get("metadata"),
    )
    return await security.api_keys.update(ids, change, subject)


def check_change(
    metadata: Mapping[str, Any] | None,
    lasts_ms: int | None,
    roles: tuple[RoleDescriptor, ...] = (),
    problems: tuple[str, ...] = (),
) -> None:
    """Raises ActionRequestValidation."""
    found = [*problems, *check_metadata(metadata)]
    if lasts_ms is not None and lasts_ms <= 0:
        found.append("API key expiration must be in the future")
    raise_problems([*found, *(problem for role in roles for problem in check_role(role))])


def require_user(subject: Subject, why: str) -> None:
    """Raises IllegalArgument for one who comes with a key."""
    if subject.type is AuthenticationType.API_KEY:
        raise IllegalArgument(f"authentication via API key not supported: {why}")


def _bulk_answer(outcome: Updated) -> dict[str, Any]:
    shown: dict[str, Any] = {"updated": outcome.updated, "noops": outcome.unchanged}
    if outcome.errors:
        details = {key_id: error.to_cause() for key_id, error in outcome.errors.items()}
        shown["errors"] = {"count": len(details), "details": details}
    return shown


# -- invalidated -----------------------------------------------------------------------------------------------


def _invalidated(security: Security) -> list[Route]:
    async def invalidate(request: Request) -> Response:
        fields = bodies.read_fields(request.body, "invalidate_api_key", _INVALIDATE)
        subject = request.ctx.subject
        wanted, _ = _read_invalidated(fields, subject)
        permission = security.permission(subject)
        outcome = await security.api_keys.invalidate(
            wanted, cross_cluster=permission.cluster(_MANAGE_SECURITY)
        )
        return json_response(
            _invalidated_answer(outcome.invalidated, outcome.before, outcome.errors)
        )

    def whose(request: Request) -> Sequence[str]:
        fields = bodies.read_fields(request.body, "invalidate_api_key", _INVALIDATE)
        _, own = _read_invalidated(fields, request.ctx.subject)
        return own_keys.OWN if own else ()

    return [
        Route(
            methods=("DELETE",),
            paths=("/_security/api_key",),
            handler=invalidate,
            action=own_keys.INVALIDATE,
            indices=whose,
            body=True,
        )
    ]


_MANAGE_SECURITY: Final = "cluster:admin/xpack/security/cross_cluster/api_key/create"
"""What only `manage_security` and above grant: who may make keys for other clusters may invalidate them."""
_INVALIDATE: Final[Mapping[str, bodies.Read]] = {
    "realm_name": bodies.a_text,
    "username": bodies.a_text,
    "name": bodies.a_text,
    "owner": bodies.a_flag,
    "ids": bodies.some_texts,
}


def _read_invalidated(fields: bodies.Fields, subject: Subject) -> tuple[KeyFilter, bool]:
    """Which keys are meant, and whether they are the caller's own. Raises ActionRequestValidation."""
    ids, name = fields.get("ids"), fields.get("name") or None
    user, realm = fields.get("username") or None, fields.get("realm_name") or None
    owned = fields.get("owner", False)
    if ids is not None:
        _check_ids(fields, ids)
    problems = []
    if not (ids or name or user or realm or owned):
        problems.append(
            "One of [api key id(s), api key name, username, realm name] must be specified if [owner] flag is false"
        )
    if (ids or name) and (user or realm):
        problems.append(
            "username or realm name must not be specified when the api key id(s) or api key name are specified"
        )
    if owned and (user or realm):
        problems.append(
            "neither username nor realm-name may be specified when invalidating owned API keys"
        )
    if ids and name:
        problems.append("only one of [api key id(s), api key name] can be specified")
    raise_problems(problems)
    own = _are_own(subject, user, realm, ids or (), owned=owned)
    wanted = KeyFilter(
        ids=ids or (),
        name=name,
        principal=user,
        realm=realm,
        owner=owner_of(subject) if owned else None,
    )
    return wanted, own


def _check_ids(fields: bodies.Fields, ids: tuple[str, ...]) -> None:
    blank = [str(at) for at, each in enumerate(ids) if not each.strip()]
    problem = None
    if not ids:
        problem = "Field [ids] cannot be an empty array"
    elif blank:
        positions = ", ".join(blank)
        problem = f"Field [ids] must not contain blank id, but got blank id at index position: [{positions}]"
    elif len(ids) > IDS_MAX:
        problem = f"Field [ids] may have at most [{IDS_MAX}] elements"
    if problem is not None:
        raise fields.not_built(ActionRequestValidation([problem]))


def _invalidated_answer(
    invalidated: list[str], before: list[str], errors: list[ApiError]
) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "invalidated_api_keys": invalidated,
        "previously_invalidated_api_keys": before,
        "error_count": len(errors),
    }
    if errors:
        shown["error_details"] = [error.to_cause() for error in errors]
    return shown
