"""TLS as the settings of one group and the files they name have it, also after the files change.

Made when a node starts, which it does not where something is missing or does not fit. Later changes
of the files are taken up by `watch`; a broken file leaves what was there in force. What the
settings are is `settings.tls_settings`'.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sealane.clock import Clock
from sealane.errors import SettingsError
from sealane.settings.tls_settings import ClientAuthentication, TlsValues, VerificationMode
from sealane.transport.certificates import own_certificate, time_text
from sealane.transport.tls_failures import TRANSPORT_GROUP

_log = logging.getLogger(__name__)

WATCH_INTERVAL_S = 5.0
"""How often the files are looked at, as the reference does by default."""
_FILE_MAX_BYTES = 8 * 1024 * 1024

_VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
_CLIENT_MODES = {
    ClientAuthentication.NONE: ssl.CERT_NONE,
    ClientAuthentication.OPTIONAL: ssl.CERT_OPTIONAL,
    ClientAuthentication.REQUIRED: ssl.CERT_REQUIRED,
}

ContextSource = Callable[[], ssl.SSLContext]
"""Gives the context for the next connection."""


class GroupContext(ssl.SSLContext):
    """A context that knows which settings it was made from, for the texts of its failures."""

    group: str = TRANSPORT_GROUP


def group_of(context: ssl.SSLContext) -> str:
    """The settings to name where a handshake with this context fails."""
    return context.group if isinstance(context, GroupContext) else TRANSPORT_GROUP


@dataclass(frozen=True, slots=True)
class _Contexts:
    server: ssl.SSLContext | None
    client: ssl.SSLContext


class TlsFiles:
    """The contexts of one group. `server` and `client` give those for the next connection."""

    def __init__(self, values: TlsValues, folder: Path, clock: Clock) -> None:
        """Relative paths are read from `folder`. Raises SettingsError with a sentence that names
        the setting and the file."""
        self._values = values
        self._folder = folder
        self._clock = clock
        self._signature = self._sign()
        self._contexts = self._load()
        self.reloads = 0
        self.last_error: str | None = None

    def server(self) -> ssl.SSLContext:
        """For connections that are accepted. Raises SettingsError for a group without a certificate."""
        context = self._contexts.server
        if context is None:
            prefix = self._values.prefix
            raise SettingsError(f"set [{prefix}.certificate] and [{prefix}.key] to listen with TLS")
        return context

    def client(self) -> ssl.SSLContext:
        """For connections that are opened."""
        return self._contexts.client

    # -- changes -----------------------------------------------------------------------------------

    async def watch(self, interval_s: float = WATCH_INTERVAL_S) -> None:
        """Takes up changes of the files for ever. New connections see them, open ones live on."""
        while True:
            await asyncio.sleep(interval_s)
            await asyncio.to_thread(self.refresh)

    def refresh(self) -> None:
        """Reads the files again if one has changed since the last time."""
        signature = self._sign()
        if signature == self._signature:
            return
        self._signature = signature
        try:
            self._contexts = self._load()
        except SettingsError as error:
            self.last_error = error.reason
            _log.error("%s; what was read before stays in force", error.reason)
            return
        self.last_error = None
        self.reloads += 1
        _log.info("reloaded the files of [%s]", self._values.prefix)

    def _sign(self) -> tuple[tuple[int, ...] | None, ...]:
        """Differs when a file was changed, replaced, made or removed."""
        values = self._values
        named = [values.key, values.certificate, *(values.certificate_authorities or ())]
        return tuple(_stat(self._path(each)) for each in named if each is not None)

    # -- loading -----------------------------------------------------------------------------------

    def _path(self, text: str) -> Path:
        return self._folder / Path(text).expanduser()

    def _load(self) -> _Contexts:
        values = self._values
        client = self._context(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname = values.verification_mode is VerificationMode.FULL
        if values.verification_mode is VerificationMode.NONE:
            client.verify_mode = ssl.CERT_NONE
        self._trust(client)
        if values.certificate is None or values.key is None:
            return _Contexts(None, client)
        server = self._context(ssl.PROTOCOL_TLS_SERVER)
        # Sessions are not resumed: tickets would only cost memory and bytes.
        server.num_tickets = 0
        if values.verification_mode is not VerificationMode.NONE:
            server.verify_mode = _CLIENT_MODES[values.client_authentication]
        self._trust(server)
        certificate, key = self._path(values.certificate), self._path(values.key)
        self._identify(certificate, key, [server, client])
        self._judge_dates(certificate, key)
        return _Contexts(server, client)

    def _context(self, protocol: int) -> GroupContext:
        context = GroupContext(protocol)
        context.group = self._values.prefix
        versions = [_VERSIONS[each] for each in self._values.supported_protocols]
        context.minimum_version, context.maximum_version = min(versions), max(versions)
        # Whoever is named is trusted, be it a root, an authority below one, or a single node.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        # In the middle of a write it would look like a failure.
        context.options |= ssl.OP_NO_RENEGOTIATION
        return context

    def _trust(self, context: ssl.SSLContext) -> None:
        values = self._values
        files: Sequence[str]
        if values.certificate_authorities is None:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
            files, member = [values.certificate] if values.certificate else [], "certificate"
        else:
            files, member = values.certificate_authorities, "certificate_authorities"
        for each in files:
            data = self._read(self._path(each), f"PEM {member}", member)
            try:
                context.load_verify_locations(cadata=data.decode("ascii", "replace"))
            except (ssl.SSLError, ValueError) as error:
                raise self._problem(
                    f"[{self._path(each)}] holds no certificate that can be read ({_said(error)})",
                    f"put certificates in PEM form there, or correct [{values.prefix}.{member}]",
                ) from error

    def _identify(self, certificate: Path, key: Path, contexts: Sequence[ssl.SSLContext]) -> None:
        prefix = self._values.prefix
        self._read(certificate, "PEM certificate", "certificate")
        if b"PRIVATE KEY-----" not in self._read(key, "PEM private key", "key"):
            raise self._problem(
                f"[{key}] holds no private key in PEM form", f"correct [{prefix}.key]"
            )
        asked = False

        def passphrase() -> str:
            nonlocal asked
            asked = True
            return self._values.key_passphrase or ""

        try:
            for context in contexts:
                context.load_cert_chain(certificate, key, passphrase)
        except (ssl.SSLError, OSError, ValueError) as error:
            if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
                problem = f"[{key}] is not the private key of the certificate in [{certificate}]"
                step = f"make [{prefix}.key] and [{prefix}.certificate] name files that belong together"
            elif asked and self._values.key_passphrase is None:
                problem = f"the private key in [{key}] is encrypted"
                step = f"set [{prefix}.key_passphrase]"
            elif asked:
                problem = f"the private key in [{key}] cannot be decrypted"
                step = f"correct [{prefix}.key_passphrase]"
            else:
                problem = (
                    f"the key in [{key}] and the certificate in [{certificate}] cannot be used"
                )
                problem = f"{problem} ({_said(error)})"
                step = f"correct [{prefix}.key] and [{prefix}.certificate]"
            raise self._problem(problem, step) from error

    def _judge_dates(self, certificate: Path, key: Path) -> None:
        """A node starts with a certificate that its peers will refuse: some may not check."""
        try:
            own = own_certificate(certificate, key, self._values.key_passphrase or "")
        except OSError:
            return  # replaced since it was loaded: the next look at the files sees that
        if own is None:
            return
        now_ms = self._clock.now_ms()
        if own.not_after_ms < now_ms:
            word = "has expired"
        elif own.not_before_ms > now_ms:
            word = "is not yet valid"
        else:
            return
        _log.warning(
            "the certificate [%s] of [%s.certificate] in [%s] %s: it is valid from [%s] to [%s], "
            "the clock here says [%s]; peers that check it will refuse this node",
            own.subject,
            self._values.prefix,
            certificate,
            word,
            time_text(own.not_before_ms),
            time_text(own.not_after_ms),
            time_text(now_ms),
        )

    def _read(self, path: Path, what: str, member: str) -> bytes:
        setting = f"{self._values.prefix}.{member}"
        cannot = f"cannot read configured {what} [{path}] because"
        try:
            with path.open("rb") as file:
                data = file.read(_FILE_MAX_BYTES + 1)
        except FileNotFoundError as error:
            step = f"create it, or correct [{setting}]"
            raise self._problem(f"{cannot} the file does not exist", step) from error
        except PermissionError as error:
            step = f"let the user that runs this node read it, or correct [{setting}]"
            raise self._problem(f"{cannot} permission to read it is denied", step) from error
        except OSError as error:
            step = f"correct [{setting}]"
            raise self._problem(f"{cannot} of an error: {error.strerror}", step) from error
        if len(data) > _FILE_MAX_BYTES:
            raise self._problem(f"{cannot} it is larger than 8mb", f"correct [{setting}]")
        return data

    def _problem(self, what: str, step: str) -> SettingsError:
        prefix = self._values.prefix
        return SettingsError(f"failed to load SSL configuration [{prefix}] - {what}: {step}")


def _stat(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev)


def _said(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return reason.lower().replace("_", " ") if isinstance(reason, str) else str(error)
