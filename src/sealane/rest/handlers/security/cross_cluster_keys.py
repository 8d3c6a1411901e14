"""`_security/cross_cluster/api_key`: keys by which other clusters come in. Each grants its `access`, and no more."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from sealane.errors import ApiError, IllegalArgument, XContentParseError
from sealane.model.lucene_regexp import parse as parse_regexp
from sealane.rest.bodies import require_body
from sealane.rest.handlers.security import bodies
from sealane.rest.handlers.security.api_keys import check_change, require_user
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.security.rules import key_access
from sealane.security.rules.descriptors import role_json
from sealane.security.stores.api_key_checks import CROSS_CLUSTER
from sealane.security.stores.api_keys import (
    KeyChange,
    NewKey,
    check_metadata,
    check_name,
    raise_problems,
)
from sealane.security.stores.security import Security

_ACTION: Final = "cluster:admin/xpack/security/cross_cluster/api_key/"
_UPDATE_KIND: Final = "update_cross_cluster_api_key_request_payload"


def routes(security: Security) -> list[Route]:
    async def create(request: Request) -> Response:
        fields = bodies.read_fields(request.body, "cross_cluster_api_key_request", _NEW)
        fields.require("name", "access")
        lasts_ms = bodies.lasts_ms(fields)
        metadata = fields.get("metadata", {})
        raise_problems([*check_name(fields.get("name")), *check_metadata(metadata)])
        identity = fields.get("certificate_identity")
        _check_identity(identity)
        require_user(
            request.ctx.subject, "An API key cannot be used to create a cross-cluster API key"
        )
        new = NewKey(
            name=fields.get("name"),
            type=CROSS_CLUSTER,
            descriptors=_descriptors(fields.get("access")),
            limited_by=None,
            lasts_ms=lasts_ms,
            metadata=metadata,
            certificate_identity=identity,
        )
        return json_response((await security.api_keys.create(new, request.ctx.subject)).shown())

    async def update(request: Request) -> Response:
        key_id = request.path_params["id"]
        change = _read_change(require_body(request.body))
        require_user(request.ctx.subject, "only the owner user can update an API key")
        outcome = await security.api_keys.update([key_id], change, request.ctx.subject)
        if key_id in outcome.errors:
            raise outcome.errors[key_id]
        return json_response({"updated": bool(outcome.updated)})

    return [
        Route(
            methods=("POST",),
            paths=("/_security/cross_cluster/api_key",),
            handler=create,
            action=f"{_ACTION}create",
            indices=no_indices,
            body=True,
        ),
        Route(
            methods=("PUT",),
            paths=("/_security/cross_cluster/api_key/{id}",),
            handler=update,
            action=f"{_ACTION}update",
            indices=no_indices,
            body=True,
        ),
    ]


def _read_change(body: bytes) -> KeyChange:
    """Raises XContentParseError, ActionRequestValidation, IllegalArgument."""
    fields = bodies.read_fields(body, _UPDATE_KIND, _CHANGE)
    lasts_ms = bodies.lasts_ms(fields)
    missing = () if any(name in fields for name in _CHANGE) else (_NOTHING,)
    check_change(fields.get("metadata"), lasts_ms, problems=missing)
    identity: str | msgspec.UnsetType | None = msgspec.UNSET
    if "certificate_identity" in fields:
        identity = fields.get("certificate_identity")
        _check_identity(identity)
    access = fields.get("access")
    return KeyChange(
        type=CROSS_CLUSTER,
        descriptors=None if access is None else _descriptors(access),
        lasts_ms=lasts_ms,
        metadata=fields.get("metadata"),
        certificate_identity=identity,
    )


_NOTHING: Final = "must update either [access] or [metadata] for cross-cluster API keys"


def _descriptors(access: key_access.KeyAccess) -> dict[str, dict[str, Any]]:
    role = key_access.access_descriptor(access)
    return {role.name: role_json(role)}


def _access(fields: bodies.Fields, name: str, value: Any) -> key_access.KeyAccess:
    return key_access.parse_access(value, fields.kind, place=fields.place(name))


def _changed_access(fields: bodies.Fields, name: str, value: Any) -> key_access.KeyAccess:
    try:
        return _access(fields, name, value)
    except XContentParseError as error:
        # Where nothing is made of the fields, the reference says what is wrong itself.
        if isinstance(error.caused_by, IllegalArgument) and error.reason.startswith("Failed to"):
            raise error.caused_by from None
        raise


def _identity(fields: bodies.Fields, name: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        fields.unsupported(name, value)
    return value


def _check_identity(identity: str | msgspec.UnsetType | None) -> None:
    """Raises IllegalArgument for a pattern that cannot be one."""
    if not isinstance(identity, str):
        return
    try:
        parse_regexp(identity)
    except ApiError as error:
        raise IllegalArgument(
            f"Invalid certificate_identity format: [{identity}]. Must be a valid regex.",
            caused_by=error,
        ) from None


_NEW: Final[Mapping[str, bodies.Read]] = {
    "name": bodies.a_text,
    "access": _access,
    "expiration": bodies.a_text,
    "metadata": bodies.an_object,
    "certificate_identity": _identity,
}
_CHANGE: Final[Mapping[str, bodies.Read]] = {
    "access": _changed_access,
    "metadata": bodies.an_object,
    "expiration": bodies.a_text,
    "certificate_identity": _identity,
}
