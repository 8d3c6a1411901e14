"""What the node with the users, roles and keys answers the other nodes of its cluster: who somebody is.

Only a node of the same cluster may ask, and only in its own name: credentials are what it is told.
"""

from typing import Any

from sealane.clock import Clock
from sealane.cluster.authentication_messages import (
    AUTHENTICATE,
    FIND_ROLES,
    VERIFY_KEY,
    AuthenticateAnswer,
    AuthenticateRequest,
    RolesAnswer,
    RolesRequest,
    VerifyKeyAnswer,
    VerifyKeyRequest,
    encode,
    read_authenticate,
    read_roles,
    read_verify_key,
    roles_to_wire,
)
from sealane.errors import SecurityError
from sealane.inbound.actions import Action, Registrar, register_actions
from sealane.model.credentials import Credentials
from sealane.model.security import AuthenticationType, Secret, Subject
from sealane.model.task import Context
from sealane.security.rules import Authorize
from sealane.security.rules.subject_codec import encode_subject
from sealane.security.stores.security import Security

_REMEMBERED_MS = 20 * 60_000
"""How long another node may remember a subject, if nothing changes."""


def register_security_handlers(
    registrar: Registrar, *, security: Security, clock: Clock, authorize: Authorize
) -> None:
    async def authenticate(request: AuthenticateRequest, ctx: Context) -> bytes:
        _require_node(ctx, AUTHENTICATE)
        subject = await security.authenticate(
            Credentials(
                authorization=_secret(request.authorization),
                run_as=request.run_as,
                secondary=_secret(request.secondary),
                certificate=request.certificate,
                peer=request.peer,
                uri=request.uri,
            )
        )
        by = subject.authenticated_by
        names = (*subject.roles, *(by.roles if by is not None else ()))
        answer = AuthenticateAnswer(
            subject=encode_subject(subject),
            roles=roles_to_wire(security.roles.find(names)),
            version=security.version,
            lasts_ms=_lasts_ms(security, subject, clock.now_ms()),
        )
        return encode(answer)

    async def verify_key(request: VerifyKeyRequest, ctx: Context) -> bytes:
        _require_node(ctx, VERIFY_KEY)
        key = await security.verify_cross_cluster_key(Secret(request.credentials), request.action)
        answer = VerifyKeyAnswer(
            id=key.id,
            name=key.name,
            creator=key.creator,
            creator_realm=(key.creator_realm.name, key.creator_realm.type),
            side=roles_to_wire({role.name: role for role in key.side}),
            certificate_identity=key.certificate_identity,
            expires_ms=key.expires_ms,
            version=security.version,
        )
        return encode(answer)

    async def roles(request: RolesRequest, ctx: Context) -> bytes:
        _require_node(ctx, FIND_ROLES)
        return encode(RolesAnswer(roles_to_wire(security.roles.find(request.names))))

    actions: list[Action[Any]] = [
        Action(name=AUTHENTICATE, read=read_authenticate, indices=_none, answer=authenticate),
        Action(name=VERIFY_KEY, read=read_verify_key, indices=_none, answer=verify_key),
        Action(name=FIND_ROLES, read=read_roles, indices=_none, answer=roles),
    ]
    register_actions(registrar, actions, authorize)


def _require_node(ctx: Context, action: str) -> None:
    """Raises SecurityError for one who asks in a user's name."""
    if ctx.subject.type is not AuthenticationType.INTERNAL:
        raise SecurityError(
            f"action [{action}] is for the nodes of a cluster among themselves, and unauthorized for user "
            f"[{ctx.subject.name}]"
        )


def _lasts_ms(security: Security, subject: Subject, now_ms: int) -> int:
    """A key is good until it expires; a user to act as who is not there may be made at any time."""
    if subject.authenticated_by is not None and not subject.realm.name:
        return 0
    key = (subject.authenticated_by or subject).api_key
    record = None if key is None else security.api_keys.get(key.id)
    if record is None or record.expiration is None:
        return _REMEMBERED_MS
    return max(0, min(_REMEMBERED_MS, record.expiration - now_ms))


def _secret(text: str | None) -> Secret | None:
    return None if text is None else Secret(text)


def _none(request: object) -> tuple[str, ...]:
    return ()
