"""The keys and authorities of signatures as settings, keystore and files have them now.

Files are looked at again and again, settings and secrets when they change; what cannot be read leaves what was there in
force and says so in the log.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, NamedTuple, TypeVar

from cryptography import x509

from sealane.clock import Clock
from sealane.errors import SettingsError
from sealane.inbound.cross_cluster import VerifiedKey
from sealane.remote import signing_settings as keys
from sealane.remote.protocols import SettingsSource
from sealane.security import signatures
from sealane.settings import Settings
from sealane.settings.secure_settings import SecureSettings

_log = logging.getLogger("sealane.security")

WATCH_INTERVAL_S: Final = 5.0
_FILE_MAX_BYTES: Final = 1024 * 1024
T = TypeVar("T")


@dataclass(slots=True)
class _Kept(Generic[T]):
    """What was read last, and of what; `error` says why something newer was not."""

    value: T
    of: Hashable = field(default=None, repr=False)
    error: str | None = field(default=None)


class _Trusted(NamedTuple):
    """What a good signature rests on."""

    authorities: Sequence[x509.Certificate]
    until_ms: int


class Signing:
    """Implements `remote.credentials.Signer` and `inbound.cross_cluster.Signatures`."""

    def __init__(
        self, settings: SettingsSource, secure: SecureSettings, folder: Path, clock: Clock
    ) -> None:
        """Relative paths are read from `folder`."""
        self._settings = settings
        self._secure = secure
        self._folder = folder
        self._clock = clock
        self._refreshing = threading.Lock()
        """Settings and secrets change in the event loop, files are looked at in a thread."""
        self._signers: dict[str, _Kept[signatures.Signer | None]] = {}
        self._authorities: _Kept[Sequence[x509.Certificate]] = _Kept(())
        self.refresh()

    # -- what is asked ---------------------------------------------------------------------------------------------

    def current(self, alias: str) -> signatures.Signer | None:
        """With what requests to an alias are signed; the same object until that changes."""
        kept = self._signers.get(alias)
        return None if kept is None else kept.value

    def sign(self, alias: str, subject_info: str, credentials: str) -> str | None:
        signer = self.current(alias)
        return None if signer is None else signer.sign(subject_info, credentials)

    def check(
        self, key: VerifiedKey, subject_info: str, credentials: str, shown: str | None
    ) -> object:
        """See `inbound.cross_cluster.Signatures`. Raises AuthenticationFailed."""
        authorities = self._authorities.value
        if shown is not None and not authorities:
            _log.warning(
                "a request by API key [%s] is signed, but this cluster has not trust configuration for signatures: "
                "set [%s]",
                key.id,
                keys.AUTHORITIES.key,
            )
        until_ms = signatures.check(
            shown,
            subject_info,
            credentials,
            key_id=key.id,
            identity=key.certificate_identity,
            authorities=authorities,
            now_ms=self._clock.now_ms(),
        )
        return None if until_ms is None else _Trusted(authorities, until_ms)

    def holds(self, rests_on: object) -> bool:
        """See `inbound.cross_cluster.Signatures`."""
        if not isinstance(rests_on, _Trusted):
            return True
        is_same = rests_on.authorities is self._authorities.value
        return is_same and self._clock.now_ms() <= rests_on.until_ms

    def problems(self) -> list[str]:
        """What could not be read, for people."""
        kept: list[_Kept[Any]] = [*self._signers.copy().values(), self._authorities]
        return [each.error for each in kept if each.error is not None]

    # -- what changes ----------------------------------------------------------------------------------------------

    async def watch(self) -> None:
        """Looks at the files for ever."""
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            await asyncio.to_thread(self.refresh)

    def refresh(self) -> None:
        """Reads again what has changed."""
        with self._refreshing:
            self._refresh()

    def _refresh(self) -> None:
        settings = self._settings.current
        named = {*keys.CERTIFICATE.namespaces(settings), *keys.KEYSTORE_PATH.namespaces(settings)}
        for alias in self._signers.keys() - named:
            del self._signers[alias]
        for alias in sorted(named):
            kept = self._signers.setdefault(alias, _Kept(None))
            self._renew(kept, f"cluster.remote.{alias}.signing", *self._signer(settings, alias))
        self._renew(self._authorities, "cluster.remote.signing", *self._trust(settings))

    def _renew(self, kept: "_Kept[Any]", what: str, of: Hashable, read: Callable[[], Any]) -> None:
        if of == kept.of:
            return
        kept.of = of
        try:
            kept.value, kept.error = read(), None
        except SettingsError as error:
            kept.error = f"[{what}]: {error.reason}"
            _log.error("%s; what was read before stays in force", kept.error)

    def _signer(self, settings: Settings, alias: str) -> tuple[Hashable, Callable[[], Any]]:
        """What decides over a signer, and how it is read."""
        store = keys.KEYSTORE_PATH.concrete(alias).raw(settings)
        if store is not None:
            password = self._secret(keys.secure_name(alias, keys.KEYSTORE_PASSWORD))
            path = self._path(str(store))
            return (path, _stat(path), password), lambda: signatures.pkcs12_signer(
                _read(path), password
            )
        certificate = self._path(str(keys.CERTIFICATE.concrete(alias).raw(settings)))
        named = keys.KEY.concrete(alias).raw(settings)
        key = None if named is None else self._path(str(named))
        passphrase = self._secret(keys.secure_name(alias, keys.KEY_PASSPHRASE))

        def read() -> signatures.Signer:
            if key is None:
                raise SettingsError(f"set [{keys.KEY.key(alias)}] too")
            return signatures.pem_signer(_read(certificate), _read(key), passphrase)

        stats = (_stat(certificate), None if key is None else _stat(key))
        return (certificate, key, stats, passphrase), read

    def _trust(self, settings: Settings) -> tuple[Hashable, Callable[[], Any]]:
        if keys.TRUSTSTORE_PATH.is_set(settings):
            path = self._path(keys.TRUSTSTORE_PATH.get(settings))
            password = self._secret(keys.TRUSTSTORE_PASSWORD)
            return (path, _stat(path), password), lambda: signatures.pkcs12_authorities(
                _read(path), password
            )
        named = keys.AUTHORITIES.get(settings) if keys.AUTHORITIES.is_set(settings) else ()
        paths = [self._path(each) for each in named]

        def read() -> Sequence[x509.Certificate]:
            return [found for path in paths for found in signatures.pem_authorities(_read(path))]

        return (tuple(paths), tuple(map(_stat, paths))), read

    def _secret(self, name: str) -> str | None:
        found = self._secure.get(name)
        return None if found is None else found.reveal()

    def _path(self, text: str) -> Path:
        return self._folder / Path(text).expanduser()


def _read(path: Path) -> bytes:
    """Raises SettingsError."""
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_MAX_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"cannot read [{path}]: {error.strerror}") from error
    if len(data) > _FILE_MAX_BYTES:
        raise SettingsError(f"cannot read [{path}]: it is larger than 1mb")
    return data


def _stat(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
