"""Where users are looked for, and in which order: the reserved ones first, then file, native and PKI realms.

A realm finds a user, checks a password or reads a certificate. What becomes of a whole request is left to
`authentication`.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from sealane.model.security import Realm, Secret, Subject
from sealane.security.stores.certificate_names import read_subject
from sealane.security.stores.files import ConfigFiles, WatchedFile
from sealane.security.stores.hashing import Hashing
from sealane.security.stores.known import Owner
from sealane.security.stores.role_mappings import RoleMappings
from sealane.security.stores.users import ELASTIC, Users
from sealane.settings import AffixSetting, Settings
from sealane.settings import authentication_settings as keys

RESERVED: Final = Realm(name="reserved", type="reserved")
_FIRST: Final = -(1 << 31)
RESERVED_KIND, FILE_KIND, NATIVE_KIND, PKI_KIND = "reserved", "file", "native", "pki"


class Found(NamedTuple):
    """A user as a realm has it. `hash` is what its password is checked with; None: it has none, and gets in by none."""

    subject: Subject
    hash: str | None
    owner: Owner


class PasswordRealm(Protocol):
    """A realm whose users have passwords."""

    @property
    def realm(self) -> Realm: ...
    @property
    def is_last(self) -> bool:
        """Whether no other realm is asked about the users of this one."""

    def find(self, name: str) -> Found | None: ...


class ReservedRealm:
    """The users of the product. `bootstrap` is the hash by which `elastic` gets in until something of it is stored."""

    realm = RESERVED
    is_last = True

    def __init__(self, users: Users) -> None:
        self._users = users
        self.bootstrap: str | None = None

    def find(self, name: str) -> Found | None:
        user = self._users.reserved.get(name)
        if user is None:
            return None
        state = self._users.reserved_state(name)
        untouched = name == ELASTIC and self._users.is_untouched(name)
        bootstrap = self.bootstrap if untouched else None
        subject = Subject(
            name=name,
            realm=self.realm,
            roles=user.roles,
            metadata=user.metadata,
            enabled=state.enabled,
        )
        return Found(subject, state.hash or bootstrap, Owner(RESERVED_KIND, name))


class NativeRealm:
    """The users that are made over REST."""

    is_last = False

    def __init__(self, name: str, users: Users) -> None:
        self.realm = Realm(name=name, type=NATIVE_KIND)
        self._users = users

    def find(self, name: str) -> Found | None:
        record = self._users.native(name)
        if record is None or name in self._users.reserved:
            return None
        subject = Subject(
            name=name,
            realm=self.realm,
            roles=record.roles,
            full_name=record.full_name,
            email=record.email,
            metadata=record.metadata,
            enabled=record.enabled,
        )
        return Found(subject, record.hash, Owner(NATIVE_KIND, name))


class FileRealm:
    """The users of the files `users` and `users_roles`."""

    is_last = False

    def __init__(
        self, name: str, users: WatchedFile[str], roles: WatchedFile[tuple[str, ...]]
    ) -> None:
        self.realm = Realm(name=name, type=FILE_KIND)
        self._hashes = users
        self._roles = roles

    def find(self, name: str) -> Found | None:
        hashed = self._hashes.content.get(name)
        if hashed is None:
            return None
        roles = self._roles.content.get(name, ())
        subject = Subject(name=name, realm=self.realm, roles=roles)
        return Found(subject, hashed, Owner(FILE_KIND, name))


class PkiRealm:
    """Users with a certificate that the HTTP server has verified."""

    def __init__(self, name: str, part: str, mappings: RoleMappings) -> None:
        self.realm = Realm(name=name, type=PKI_KIND)
        self._part = part
        self._mappings = mappings

    def read(self, certificate: bytes) -> Found | None:
        """None where the certificate names no user."""
        named = read_subject(certificate, self._part)
        if named is None:
            return None
        fields: dict[str, tuple[str, ...]] = {
            "username": (named.user,),
            "dn": (named.dn,),
            "realm.name": (self.realm.name,),
            "realm.type": (self.realm.type,),
        }
        subject = Subject(
            name=named.user,
            realm=self.realm,
            roles=self._mappings.roles(fields),
            metadata={"pki_dn": named.dn},
        )
        return Found(subject, None, Owner(PKI_KIND, named.user))


class Realms:
    """All of a node's realms, in their order."""

    def __init__(
        self, settings: Settings, users: Users, files: ConfigFiles, mappings: RoleMappings
    ) -> None:
        self.reserved = ReservedRealm(users)
        ordered: list[tuple[int, int, PasswordRealm | PkiRealm]] = []
        for name, order in _named(settings, keys.FILE_ORDER, keys.FILE_ENABLED, "default_file"):
            ordered.append((order, 0, FileRealm(name, files.users, files.users_roles)))
        for name, order in _named(
            settings, keys.NATIVE_ORDER, keys.NATIVE_ENABLED, "default_native"
        ):
            ordered.append((order, 1, NativeRealm(name, users)))
        for name, order in _named(settings, keys.PKI_ORDER, keys.PKI_ENABLED, None):
            part = keys.PKI_USERNAME_RDN.get(settings, name)
            ordered.append((order, 2, PkiRealm(name, part, mappings)))
        ordered.sort(key=lambda each: each[:2])
        self.in_order: Sequence[PasswordRealm | PkiRealm] = (
            self.reserved,
            *(realm for _, _, realm in ordered),
        )
        self.with_passwords: Sequence[PasswordRealm] = tuple(
            each for each in self.in_order if not isinstance(each, PkiRealm)
        )
        self.with_certificates: Sequence[PkiRealm] = tuple(
            each for each in self.in_order if isinstance(each, PkiRealm)
        )
        at = [isinstance(each, PkiRealm) for each in self.in_order[1:]]
        self.certificate_first = bool(at) and at[0]
        """Whether a certificate counts more than a password that comes with it."""

    def names(self) -> tuple[str, ...]:
        return tuple(each.realm.name for each in self.in_order)

    def find(self, name: str) -> Found | None:
        """The user of that name, by the first realm that has one: for acting as somebody else."""
        for realm in self.with_passwords:
            found = realm.find(name)
            if found is not None:
                return found
        return None

    async def check_password(self, name: str, password: Secret, hashing: Hashing) -> Found | None:
        """The user, if the password is right; None otherwise, after as much work as for one that is there.

        Raises Rejected where too many passwords are being checked.
        """
        tried = False
        for realm in self.with_passwords:
            found = realm.find(name)
            if found is None:
                continue
            if found.hash is not None:
                tried = True
                if await hashing.verify(password.reveal(), found.hash):
                    now = realm.find(name)
                    # Judged by what holds now, not by what held before it was hashed.
                    if now is None or now.hash != found.hash:
                        return None
                    if now.subject.enabled:
                        return now
            if realm.is_last:
                break
        if not tried:
            await hashing.verify_nobody(password.reveal())
        return None


def _named(
    settings: Settings,
    order: AffixSetting[int],
    enabled: AffixSetting[bool],
    default: str | None,
) -> list[tuple[str, int]]:
    """Names and places of the realms of one type that are asked. One that is not set up has a usual name, or is not
    there.
    """
    names = dict.fromkeys((*order.namespaces(settings), *enabled.namespaces(settings)))
    if not names and default is not None:
        return [(default, _FIRST)]
    return [(name, order.get(settings, name)) for name in names if enabled.get(settings, name)]
