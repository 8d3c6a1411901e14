"""Security of a node that has no users, roles and keys: it asks the node of its cluster that does, and remembers.

It speaks as `security.stores.security` does, so that whatever asks it need not know which of the two it is. What is
remembered goes when the cluster publishes that something has changed; while there is no master, nobody new gets in.
Roles are asked for anew at once then: requests that run go on by what these grant now.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from sealane.clock import Clock
from sealane.cluster.authentication_messages import (
    AUTHENTICATE,
    FIND_ROLES,
    VERIFY_KEY,
    AuthenticateRequest,
    RolesRequest,
    VerifyKeyRequest,
    encode,
    read_authenticated,
    read_roles_there,
    read_verified_key,
    roles_from_wire,
)
from sealane.cluster.fellows import Fellows
from sealane.errors import ApiError, AuthenticationFailed, MasterNotDiscovered
from sealane.model.access import Access
from sealane.model.credentials import Credentials
from sealane.model.node import NodeInfo
from sealane.model.security import (
    SYSTEM,
    Realm,
    RoleDescriptor,
    Secret,
    Subject,
)
from sealane.model.task import Context, TaskRegistry
from sealane.security.rules.permission import Permission
from sealane.security.rules.subject_codec import decode_subject
from sealane.security.stores.cross_cluster_keys import VerifiedKey
from sealane.security.stores.decisions import Decisions
from sealane.security.stores.known import USERS_MAX, Known

_log = logging.getLogger("sealane.security")

TIMEOUT_S: Final = 10.0
ROLES_TIMEOUT_S: Final = 1.0
"""For the roles that running requests go by: without an answer within this time they grant nothing."""
Start = Callable[[Coroutine[Any, Any, None]], object]
_SERVER_ERRORS: Final = 500
_CAUSES_MAX: Final = 5
KEY_TTL_MS: Final = 60_000
ROLES_MAX: Final = 10_000


class AskedSecurity:
    """Lives in one event loop. `take_version` hears of each published state."""

    def __init__(
        self,
        *,
        fellows: Callable[[], Fellows],
        master: Callable[[], NodeInfo | None],
        tasks: TaskRegistry,
        clock: Clock,
        start: Start,
        denies_anonymous_as_403: bool = True,
    ) -> None:
        """`master` is the node that holds the data, while it is there. `start` runs something beside requests."""
        self._start = start
        self._fellows = fellows
        self._master = master
        self._tasks = tasks
        self._clock = clock
        self._version = 0
        self._subjects = Known[Subject](USERS_MAX)
        self._keys = Known[VerifiedKey](ROLES_MAX)
        self._roles: dict[str, RoleDescriptor] = {}
        self._decisions = Decisions(self._find, denies_anonymous_as_403=denies_anonymous_as_403)
        self.last_error: ApiError | None = None
        """Why the last question had no answer, where that was no fault of whoever was asked about."""

    def take_version(self, version: int) -> None:
        """What the cluster has published. Another one than before: everything is asked anew."""
        if version == self._version:
            return
        self._version = version
        self._subjects.clear()
        self._keys.clear()
        if self._roles:
            self._start(self._ask_roles(version))

    def forget(self) -> None:
        """Everything: for another master, whose versions have nothing to do with those of the one before."""
        self._subjects.clear()
        self._keys.clear()
        self._roles = {}
        self._decisions.forget()

    async def _ask_roles(self, version: int) -> None:
        """What the known roles grant now. Answers to those who ask who somebody is may come ahead of this one, and
        tell the same.
        """
        names = list(self._roles)
        try:
            async with asyncio.timeout(ROLES_TIMEOUT_S):
                answer = read_roles_there(await self._ask(FIND_ROLES, encode(RolesRequest(names))))
            found = roles_from_wire(answer.roles)
        except (ApiError, TimeoutError):
            found = {}
        if version == self._version:  # else the next one is on its way
            for name in names:
                self._roles.pop(name, None)
            self._roles.update(found)
            self._decisions.roles_changed()

    # -- who asks ----------------------------------------------------------------------------------------------

    def authenticated(self, credentials: Credentials) -> Subject | None:
        """The subject where it is known without asking."""
        digest = self._subjects.digest(credentials)
        return None if digest is None else self._subjects.get(digest, self._clock.now_ms())

    async def authenticate(self, credentials: Credentials) -> Subject:
        """Raises AuthenticationFailed; MasterNotDiscovered where nobody can be asked."""
        request = AuthenticateRequest(
            authorization=_revealed(credentials.authorization),
            run_as=credentials.run_as,
            secondary=_revealed(credentials.secondary),
            certificate=credentials.certificate,
            peer=credentials.peer,
            uri=credentials.uri,
        )
        answer = read_authenticated(await self._ask(AUTHENTICATE, encode(request)))
        if not self._takes(answer.version):
            # It was on its way while something changed, roles perhaps: those of before must not be learned again.
            answer = read_authenticated(await self._ask(AUTHENTICATE, encode(request)))
        subject = decode_subject(answer.subject)
        known = self._takes(answer.version)
        self._learn(roles_from_wire(answer.roles))
        digest = self._subjects.digest(credentials)
        if known and digest is not None and answer.lasts_ms > 0:
            self._subjects.put(digest, subject, self._clock.now_ms() + answer.lasts_ms, ())
        return subject

    def verified_cross_cluster_key(self, credentials: Secret) -> VerifiedKey | None:
        """The key where it is known without asking. The same object as long as nothing changes."""
        now_ms = self._clock.now_ms()
        key = self._keys.get(self._keys.digest_of(credentials.reveal()), now_ms)
        if key is None or (key.expires_ms is not None and now_ms >= key.expires_ms):
            return None
        return key

    async def verify_cross_cluster_key(self, credentials: Secret, action: str) -> VerifiedKey:
        """Raises as `authenticate` does."""
        request = VerifyKeyRequest(credentials.reveal(), action)
        answer = read_verified_key(await self._ask(VERIFY_KEY, encode(request)))
        name, type = answer.creator_realm
        key = VerifiedKey(
            id=answer.id,
            name=answer.name,
            creator=answer.creator,
            creator_realm=Realm(name=name, type=type),
            side=tuple(roles_from_wire(answer.side).values()),
            certificate_identity=answer.certificate_identity,
            expires_ms=answer.expires_ms,
        )
        if self._takes(answer.version):
            digest = self._keys.digest_of(credentials.reveal())
            self._keys.put(digest, key, self._clock.now_ms() + KEY_TTL_MS, ())
        return key

    def _takes(self, version: int) -> bool:
        """Whether an answer of that version may be remembered: an older one is of before a change that was published.
        A newer one comes ahead of its state.
        """
        if version > self._version:
            self.take_version(version)
        return version == self._version

    async def _ask(self, action: str, payload: bytes) -> bytes:
        node = self._master()
        if node is None:
            raise MasterNotDiscovered()
        with self._tasks.start(action, start_ms=self._clock.now_ms()) as task:
            ctx = Context(task=task, subject=SYSTEM, start_ms=task.start_ms)
            try:
                answer = await self._fellows().ask(node, action, payload, ctx, timeout_s=TIMEOUT_S)
            except ApiError as error:
                raise self._told(error, node) from None
        self.last_error = None
        return answer

    def _told(self, error: ApiError, node: NodeInfo) -> ApiError:
        """What the caller is told. Addresses and certificates are nothing for those whom nobody has let in yet."""
        failed = as_authentication_failure(error)
        if failed is not None or error.status < _SERVER_ERRORS:
            return failed or error
        if self.last_error is None or self.last_error.reason != error.reason:
            _log.warning("cannot ask node [%s] who somebody is: %s", node.name, _causes(error))
        self.last_error = error
        return MasterNotDiscovered()

    # -- what they may do --------------------------------------------------------------------------------------

    def _find(self, names: Sequence[str]) -> dict[str, RoleDescriptor]:
        return {name: self._roles[name] for name in names if name in self._roles}

    def _learn(self, roles: dict[str, RoleDescriptor]) -> None:
        if any(self._roles.get(name) != role for name, role in roles.items()):
            self._decisions.roles_changed()
        if len(self._roles) + len(roles) > ROLES_MAX:
            self.forget()
        self._roles.update(roles)

    def access(self, subject: Subject, action: str, indices: Sequence[str] = ()) -> Access:
        """See `Decisions`. Raises SecurityError."""
        return self._decisions.access(subject, action, indices)

    def permission(self, subject: Subject) -> Permission:
        """What the subject's roles grant, as far as they have been told here; what has not grants nothing."""
        return self._decisions.permission(subject)


def as_authentication_failure(error: ApiError) -> AuthenticationFailed | None:
    """The failure that another node found, so that it is answered as one of this node's; None for other errors."""
    if error.status != AuthenticationFailed.status or error.es_type != AuthenticationFailed.es_type:
        return None
    failed = AuthenticationFailed(
        error.reason, caused_by=error.caused_by, challenges=(), root_causes=error.root_causes
    )
    failed.metadata.update(error.metadata)
    return failed


def _causes(error: BaseException) -> str:
    """Its reason, and those below it."""
    said: list[str] = []
    link: BaseException | None = error
    while link is not None and len(said) < _CAUSES_MAX:
        said.append(link.reason if isinstance(link, ApiError) else str(link))
        link = (link.caused_by if isinstance(link, ApiError) else None) or link.__cause__
    return ": ".join(said)


def _revealed(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()
