"""Security with every verdict told to the audit log: who was let in, who was not, and what they were allowed.

Deciding is `security.stores`' business, writing `security.audit`'s. Without an audit log this costs a look into an
empty set.
"""

from collections.abc import Sequence
from contextvars import ContextVar

from sealane.cluster.authentication import AskedSecurity
from sealane.errors import ApiError, AuthenticationFailed, SecurityError
from sealane.model.access import Access
from sealane.model.audit import Event
from sealane.model.credentials import Credentials
from sealane.model.security import AuthenticationType, IndexLimits, Subject
from sealane.security.audit import NOWHERE, Audit, Origin
from sealane.security.stores import authorization_header
from sealane.security.stores.own_keys import ABOUT_KEYS
from sealane.security.stores.security import Security
from sealane.transport.gate import Peer

_asked_from: ContextVar[Origin] = ContextVar("asked from", default=NOWHERE)
"""Of the running request over HTTP, while something is audited."""


class AuditedSecurity:
    """Implements the gate of REST; `access` is what routes and inbound actions ask."""

    def __init__(self, security: Security | AskedSecurity, audit: Audit) -> None:
        self._security = security
        self._audit = audit

    def authenticated(self, credentials: Credentials) -> Subject | None:
        subject = self._security.authenticated(credentials)
        if subject is not None and self._audit.is_on:
            self._let_in(subject, credentials)
        return subject

    async def authenticate(self, credentials: Credentials) -> Subject:
        try:
            subject = await self._security.authenticate(credentials)
        except ApiError as error:
            self._kept_out(error, credentials)
            raise
        if self._audit.is_on:
            self._let_in(subject, credentials)
        return subject

    def access(self, subject: Subject, action: str, indices: Sequence[str]) -> Access:
        named = () if action in ABOUT_KEYS else indices
        try:
            access = self._security.access(subject, action, indices)
        except SecurityError as error:
            self._denied(subject, action, named, error)
            raise
        if self._audit.is_on:
            self._allowed(subject, action, named)
            return _AuditedAccess(access, subject, self._audit)
        return access

    def _denied(
        self, subject: Subject, action: str, indices: Sequence[str], error: SecurityError
    ) -> None:
        by = _acted_by(subject)
        denied_as = by is not None and not self._security.permission(by).run_as(subject.name)
        self._audit.event(
            Event.RUN_AS_DENIED if denied_as else Event.ACCESS_DENIED,
            subject=by if denied_as else subject,
            run_as=subject.name if denied_as else "",
            origin=_asked_from.get(),
            action=action,
            indices=indices,
            reason=error.reason,
        )

    def _allowed(self, subject: Subject, action: str, indices: Sequence[str]) -> None:
        event, by = Event.ACCESS_GRANTED, _acted_by(subject)
        if by is not None:
            self._audit.event(
                Event.RUN_AS_GRANTED,
                subject=by,
                run_as=subject.name,
                origin=_asked_from.get(),
                action=action,
                indices=indices,
            )
        if subject.type is AuthenticationType.INTERNAL:
            event = Event.SYSTEM_ACCESS_GRANTED
        self._audit.event(
            event, subject=subject, origin=_asked_from.get(), action=action, indices=indices
        )

    def refused(self, action: str, peer: Peer, error: ApiError) -> None:
        """A request of another node that its port did not let in."""
        self._audit.event(
            Event.AUTHENTICATION_FAILED,
            origin=Origin(type="transport", address=str(peer.peer)),
            action=action,
            reason=error.reason,
        )

    def _let_in(self, subject: Subject, credentials: Credentials) -> None:
        origin = _origin(credentials)
        _asked_from.set(origin)
        self._audit.event(
            Event.AUTHENTICATION_SUCCESS,
            subject=subject,
            origin=origin,
            realm=subject.realm.name,
            uri=credentials.uri,
        )

    def _kept_out(self, error: ApiError, credentials: Credentials) -> None:
        shown = credentials.authorization is not None or credentials.certificate is not None
        event = Event.AUTHENTICATION_FAILED if shown else Event.ANONYMOUS_ACCESS_DENIED
        if not self._audit.wants(event):
            return
        user, key_id = _claimed(credentials)
        self._audit.event(
            event,
            origin=_origin(credentials),
            user=user,
            key_id=key_id,
            run_as=credentials.run_as or "",
            uri=credentials.uri,
            reason=error.reason,
        )


class _AuditedAccess:
    """Tells of the names on which the action may not be done, which are known only once they have become indices: an
    action that is granted on some is told as granted before. Implements `model.access.Access`.
    """

    __slots__ = ("_access", "_audit", "_subject")

    def __init__(self, access: Access, subject: Subject, audit: Audit) -> None:
        self._access = access
        self._subject = subject
        self._audit = audit

    @property
    def action(self) -> str:
        return self._access.action

    @property
    def is_granted(self) -> bool:
        return self._access.is_granted

    def allows(self, name: str) -> bool:
        return self._access.allows(name)

    def limits(self, names: Sequence[str]) -> IndexLimits | None:
        return self._access.limits(names)

    def exceeds(self, name: str, other: str) -> bool:
        return self._access.exceeds(name, other)

    def denial(self, names: Sequence[str]) -> SecurityError:
        error = self._access.denial(names)
        self._audit.event(
            Event.ACCESS_DENIED,
            subject=self._subject,
            origin=_asked_from.get(),
            action=self.action,
            indices=names,
            reason=error.reason,
        )
        return error

    def acting(self, action: str) -> Access:
        return _AuditedAccess(self._access.acting(action), self._subject, self._audit)


def _acted_by(subject: Subject) -> Subject | None:
    """Who runs as this user here; on another cluster it was that one's to judge."""
    is_claim = subject.type is AuthenticationType.CROSS_CLUSTER_ACCESS
    return None if is_claim else subject.authenticated_by


def _claimed(credentials: Credentials) -> tuple[str, str]:
    """The user and the id of the key that somebody claimed to be or to have; empty where nothing was."""
    try:
        shown = authorization_header.read(credentials.authorization)
    except AuthenticationFailed:
        return "", ""
    match shown:
        case authorization_header.Basic():
            return shown.user, ""
        case authorization_header.ApiKey():
            return "", shown.id or ""
    return "", ""


def _origin(credentials: Credentials) -> Origin:
    return Origin(type="rest", address=credentials.peer)
