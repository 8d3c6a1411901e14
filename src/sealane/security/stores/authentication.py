"""From what a request shows to who asks: by a key, a password, a certificate, or nothing at all; and as whom.

Nothing here says what a subject may do: whether one may act as another is found out with the rest, later.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from sealane.clock import Clock
from sealane.errors import AuthenticationFailed, Rejected
from sealane.model.credentials import Credentials
from sealane.model.security import (
    ApiKeyIdentity,
    AuthenticationType,
    Realm,
    Secret,
    Side,
    Subject,
)
from sealane.security.rules.backoff import LoginBackoff
from sealane.security.stores import authorization_header as header
from sealane.security.stores.api_key_checks import REST, KeyChecks, Refused
from sealane.security.stores.api_keys import API_KEY_REALM
from sealane.security.stores.hashing import Hashing
from sealane.security.stores.known import Known, Owner
from sealane.security.stores.realms import Found, Realms
from sealane.security.stores.records import ApiKeyRecord

KEY_KIND: Final = "api_key"
HELD_BACK_MAX: Final = 64
"""Logins of those who guess that wait at a time; one more is not tried at all."""
_KEY_REALM: Final = Realm(name=API_KEY_REALM, type=API_KEY_REALM)
_ANONYMOUS_REALM: Final = Realm(name="__anonymous", type="__anonymous")
NOBODYS_REALM: Final = Realm(name="", type="")
"""Of a user to act as who is not there: nobody may."""


async def pause(wait_s: float) -> None:
    """What one who guesses is made to wait."""
    await asyncio.sleep(wait_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the settings say."""

    users_ttl_ms: int
    keys_ttl_ms: int
    run_as: bool
    api_keys: bool
    anonymous_name: str
    anonymous_roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Proven:
    """Somebody, what that rests on, and until when it may be remembered."""

    subject: Subject
    owners: tuple[Owner, ...]
    until_ms: int


class Authentication:
    """`users` and `keys` remember who was authenticated before. What they remember is theirs to forget when records
    change: whoever changes them says so.
    """

    def __init__(
        self,
        rules: Rules,
        *,
        realms: Realms,
        checks: KeyChecks,
        hashing: Hashing,
        users: Known[Subject],
        keys: Known[Subject],
        sides: Callable[[str, ApiKeyRecord], tuple[Side, ...]],
        clock: Clock,
        backoff: LoginBackoff | None = None,
    ) -> None:
        """`sides` are those of a key's grants. `backoff` counts failures, and lets those wait who guess."""
        self._rules = rules
        self._realms = realms
        self._checks = checks
        self._hashing = hashing
        self._users = users
        self._keys = keys
        self._sides = sides
        self._clock = clock
        self._backoff = backoff
        self._held_back = 0
        self._anonymous = _anonymous(rules) if rules.anonymous_roles else None

    def authenticated(self, credentials: Credentials) -> Subject | None:
        """Who asks, where that is known without waiting. None, and nothing is said, otherwise."""
        digest = self._users.digest(credentials)
        if digest is None:
            if self._anonymous is not None and credentials.authorization is None:
                return self._anonymous if credentials.secondary is None else None
            return None
        now_ms = self._clock.now_ms()
        return self._users.get(digest, now_ms) or self._keys.get(digest, now_ms)

    async def authenticate(self, credentials: Credentials) -> Subject:
        """Raises AuthenticationFailed; Rejected where too many are being checked."""
        what = f"for REST request [{credentials.uri}]"
        if credentials.secondary is not None:
            await self._check_secondary(credentials, what)
        proven = await self._prove(credentials, what)
        if proven is None:
            if self._anonymous is not None:
                return self._anonymous
            raise AuthenticationFailed(f"missing authentication credentials {what}")
        if credentials.run_as is not None and self._rules.run_as:
            proven = self._acting_as(proven, credentials.run_as, what)
        digest = self._users.digest(credentials)
        if digest is not None:
            by_key = any(owner.kind == KEY_KIND for owner in proven.owners)
            kept = self._keys if by_key else self._users
            kept.put(digest, proven.subject, proven.until_ms, proven.owners)
        return proven.subject

    async def by_password(self, name: str, password: Secret, what: str, peer: str = "") -> Subject:
        """Who gets in by a password. `what` ends the sentence of a failure. Raises AuthenticationFailed, Rejected."""
        return (await self._by_password(name, password, what, peer)).subject

    def acting_as(self, subject: Subject, name: str, what: str) -> Subject:
        """`subject`, as it acts as the user of that name. Raises AuthenticationFailed for one who is disabled."""
        return self._acting_as(_Proven(subject, (), 0), name, what).subject

    # -- ways in -----------------------------------------------------------------------------------------------

    async def _prove(self, credentials: Credentials, what: str) -> _Proven | None:
        shown = header.read(credentials.authorization)
        if isinstance(shown, header.Bearer):
            raise _refused("oauth2 token: invalid token")
        if isinstance(shown, header.ApiKey) and self._rules.api_keys:
            return await self._by_key(shown, credentials.peer)
        certificate = credentials.certificate
        first = self._realms.certificate_first
        if isinstance(shown, header.Basic) and not (first and certificate is not None):
            return await self._by_password(shown.user, shown.password, what, credentials.peer)
        if certificate is not None and self._realms.with_certificates:
            return self._by_certificate(certificate, what)
        if isinstance(shown, header.Basic):
            return await self._by_password(shown.user, shown.password, what, credentials.peer)
        return None

    async def _by_password(self, name: str, password: Secret, what: str, peer: str) -> _Proven:
        await self._hold_back(peer, name)
        found = await self._realms.check_password(name, password, self._hashing)
        if found is None:
            self._count_failure(peer, name)
            raise AuthenticationFailed(f"unable to authenticate user [{name}] {what}")
        return self._proven(found)

    def _by_certificate(self, certificate: bytes, what: str) -> _Proven | None:
        for realm in self._realms.with_certificates:
            found = realm.read(certificate)
            if found is not None:
                return self._proven(found)
        return None

    async def _by_key(self, shown: header.ApiKey, peer: str) -> _Proven:
        if shown.id is None or shown.secret is None:
            raise _refused("API key: invalid ApiKey value")
        await self._hold_back(peer, shown.id)
        now_ms = self._clock.now_ms()
        judged = self._checks.at_once(shown.id, shown.secret, REST, now_ms)
        if judged is None:
            judged = await self._checks.check(shown.id, shown.secret, REST, now_ms)
        if isinstance(judged, Refused):
            self._count_failure(peer, shown.id)
            if judged.final:
                raise AuthenticationFailed(judged.reason)
            raise _refused(f"API key: {judged.reason}")
        until_ms = now_ms + self._rules.keys_ttl_ms
        if judged.expiration is not None:
            until_ms = min(until_ms, judged.expiration)
        subject = self._key_subject(shown.id, judged)
        return _Proven(subject, (Owner(KEY_KIND, shown.id),), until_ms)

    async def _hold_back(self, peer: str, name: str) -> None:
        """Lets one who has guessed too often wait; the answer is what it would have been. Raises Rejected where too
        many wait already.
        """
        if self._backoff is None:
            return
        wait_s = self._backoff.wait_s(peer, name, self._clock.now_ms() / 1000)
        if wait_s <= 0:
            return
        if self._held_back >= HELD_BACK_MAX:
            raise Rejected(
                f"too many logins have failed from here: this one is not tried, the next may be in [{wait_s:.1f}s]"
            )
        self._held_back += 1
        try:
            await pause(wait_s)
        finally:
            self._held_back -= 1

    def _count_failure(self, peer: str, name: str) -> None:
        if self._backoff is not None:
            self._backoff.failed(peer, name, self._clock.now_ms() / 1000)

    async def _check_secondary(self, credentials: Credentials, what: str) -> None:
        """A second identity that comes along must be a good one; nothing here asks for it."""
        try:
            await self._prove(
                replace(
                    credentials, authorization=credentials.secondary, certificate=None, run_as=None
                ),
                what,
            )
        except AuthenticationFailed as error:
            raise AuthenticationFailed(
                "Failed to authenticate secondary user",
                challenges=(),
                caused_by=error,
                root_causes=[error],
            ) from error

    # -- subjects ----------------------------------------------------------------------------------------------

    def _proven(self, found: Found) -> _Proven:
        subject = self._with_anonymous_roles(found.subject)
        return _Proven(subject, (found.owner,), self._clock.now_ms() + self._rules.users_ttl_ms)

    def _with_anonymous_roles(self, subject: Subject) -> Subject:
        if not self._rules.anonymous_roles:
            return subject
        roles = tuple(dict.fromkeys((*subject.roles, *self._rules.anonymous_roles)))
        return replace(subject, roles=roles)

    def _acting_as(self, proven: _Proven, name: str, what: str) -> _Proven:
        by = proven.subject
        if not name:
            raise AuthenticationFailed(f"unable to authenticate user [{by.name}] {what}")
        found = self._realms.find(name)
        if found is not None and not found.subject.enabled:
            raise AuthenticationFailed(f"unable to authenticate user [{by.name}] {what}")
        if found is None:
            nobody = Subject(name=name, realm=NOBODYS_REALM, type=by.type, authenticated_by=by)
            # Not remembered: the user may be made at any time.
            return _Proven(nobody, proven.owners, 0)
        effective = self._with_anonymous_roles(found.subject)
        subject = replace(effective, type=by.type, authenticated_by=by)
        return _Proven(subject, (*proven.owners, found.owner), proven.until_ms)

    def _key_subject(self, key_id: str, record: ApiKeyRecord) -> Subject:
        creator = record.creator
        return Subject(
            name=creator.principal,
            realm=_KEY_REALM,
            type=AuthenticationType.API_KEY,
            sides=self._sides(key_id, record),
            api_key=ApiKeyIdentity(
                id=key_id,
                name=record.name,
                creator=creator.principal,
                creator_realm=Realm(name=creator.realm, type=creator.realm_type),
            ),
            full_name=creator.full_name,
            email=creator.email,
            metadata=creator.metadata,
        )


def _anonymous(rules: Rules) -> Subject:
    return Subject(
        name=rules.anonymous_name,
        realm=_ANONYMOUS_REALM,
        type=AuthenticationType.ANONYMOUS,
        roles=rules.anonymous_roles,
        metadata={"_reserved": True},
    )


def _refused(tried: str) -> AuthenticationFailed:
    return AuthenticationFailed(
        "unable to authenticate with provided credentials and anonymous access is not allowed for this request",
        tried=tried,
    )
