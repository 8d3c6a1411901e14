"""The contexts of one group of TLS settings, made of the files that they name: PEM, or PKCS#12.

A file that is missing, cannot be read or does not fit is told with the setting that names it. When
contexts are made again is `tls_files`'.
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sealane.errors import SettingsError
from sealane.model.security import Secret
from sealane.settings.tls_settings import (
    ClientAuthentication,
    StoreValues,
    TlsValues,
    VerificationMode,
)
from sealane.transport.tls_ciphers import suites_of
from sealane.transport.tls_failures import TRANSPORT_GROUP
from sealane.transport.tls_stores import Store, UnreadableStoreError, as_files, read_store

_FILE_MAX_BYTES: Final = 8 * 1024 * 1024
_VERSIONS: Final = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
_CLIENT_MODES: Final = {
    ClientAuthentication.NONE: ssl.CERT_NONE,
    ClientAuthentication.OPTIONAL: ssl.CERT_OPTIONAL,
    ClientAuthentication.REQUIRED: ssl.CERT_REQUIRED,
}


class GroupContext(ssl.SSLContext):
    """A context that knows which settings it was made from, for the texts of its failures."""

    group: str = TRANSPORT_GROUP
    trusts: str = ""
    """Whom it trusts, in words: the files that say so."""
    diagnoses: bool = True
    """Whether the log says in full why a certificate was not trusted."""


def group_of(context: ssl.SSLContext) -> str:
    """The settings to name where a handshake with this context fails."""
    return context.group if isinstance(context, GroupContext) else TRANSPORT_GROUP


def diagnoses(context: ssl.SSLContext) -> bool:
    """Whether a failure of this context is told in full."""
    return not isinstance(context, GroupContext) or context.diagnoses


@dataclass(frozen=True, slots=True)
class Contexts:
    """`server` is None for a group without a certificate."""

    server: GroupContext | None
    client: GroupContext


class ContextMaker:
    """Of one group. Relative paths are read from `folder`."""

    def __init__(self, values: TlsValues, folder: Path, *, diagnoses: bool = True) -> None:
        self.values = values
        self._folder = folder
        self._diagnoses = diagnoses

    def path(self, text: str) -> Path:
        return self._folder / Path(text).expanduser()

    @property
    def paths(self) -> list[Path]:
        """All files that the group names."""
        values = self.values
        stores = [each.path for each in (values.keystore, values.truststore) if each is not None]
        single = [each for each in (values.key, values.certificate) if each is not None]
        return [
            self.path(each) for each in (*single, *stores, *(values.certificate_authorities or ()))
        ]

    @property
    def own_path(self) -> Path | None:
        """Where the own certificate is."""
        values = self.values
        named = values.certificate if values.keystore is None else values.keystore.path
        return None if named is None else self.path(named)

    def make(self) -> Contexts:
        """Raises SettingsError with a sentence that names the setting and the file."""
        values = self.values
        own = None if values.keystore is None else self.store(values.keystore, "keystore")
        client = self._context(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname = values.verification_mode is VerificationMode.FULL
        if values.verification_mode is VerificationMode.NONE:
            client.verify_mode = ssl.CERT_NONE
        self._trust(client, own)
        if values.certificate is None and own is None:
            return Contexts(None, client)
        server = self._context(ssl.PROTOCOL_TLS_SERVER)
        # Sessions are not resumed: tickets would only cost memory and bytes.
        server.num_tickets = 0
        if values.verification_mode is not VerificationMode.NONE:
            server.verify_mode = _CLIENT_MODES[values.client_authentication]
        self._trust(server, own)
        if own is not None:
            self._identify_by_store(own, [server, client])
        else:
            assert values.certificate is not None
            assert values.key is not None
            certificate, key = self.path(values.certificate), self.path(values.key)
            self._identify(certificate, key, [server, client])
        return Contexts(server, client)

    def _context(self, protocol: int) -> GroupContext:
        values = self.values
        context = GroupContext(protocol)
        context.group = values.prefix
        context.diagnoses = self._diagnoses
        versions = {_VERSIONS[each] for each in values.supported_protocols}
        if values.cipher_suites is not None:
            versions &= self._limit_ciphers(context, values.cipher_suites)
        if not versions:
            raise self._problem(
                f"no version of [{', '.join(values.supported_protocols)}] has any of the suites "
                f"[{', '.join(values.cipher_suites or ())}]",
                f"correct [{values.prefix}.supported_protocols] or [{values.prefix}.cipher_suites]",
            )
        context.minimum_version, context.maximum_version = min(versions), max(versions)
        # Whoever is named is trusted, be it a root, an authority below one, or a single node.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        # In the middle of a write it would look like a failure.
        context.options |= ssl.OP_NO_RENEGOTIATION
        return context

    def _limit_ciphers(self, context: ssl.SSLContext, names: Sequence[str]) -> set[ssl.TLSVersion]:
        """Returns the versions that have any of those suites."""
        setting = f"{self.values.prefix}.cipher_suites"
        try:
            suites = suites_of(names)
        except LookupError as unknown:
            shown = ", ".join(map(str, unknown.args))
            raise self._problem(
                f"unsupported cipher suites [{shown}]", f"correct [{setting}]"
            ) from None
        versions = set()
        if suites.newer:
            versions.add(ssl.TLSVersion.TLSv1_3)
        if suites.older:
            context.set_ciphers(suites.older)
            versions.add(ssl.TLSVersion.TLSv1_2)
        return versions

    def _trust(self, context: GroupContext, own: Store | None) -> None:
        values = self.values
        if values.truststore is not None:
            self._trust_store(context, values.truststore)
            return
        files: Sequence[str]
        if values.certificate_authorities is None:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
            files, member = [values.certificate] if values.certificate else [], "certificate"
            context.trusts = "the system's authorities"
            if own is not None:
                context.load_verify_locations(cadata=own.chain.decode("ascii"))
                files, member = [], "keystore.path"
        else:
            files, member = values.certificate_authorities, "certificate_authorities"
            context.trusts = f"PEM-trust{{{', '.join(str(self.path(each)) for each in files)}}}"
        for each in files:
            data = self.read(self.path(each), f"PEM {member}", member)
            try:
                context.load_verify_locations(cadata=data.decode("ascii", "replace"))
            except (ssl.SSLError, ValueError) as error:
                raise self._problem(
                    f"[{self.path(each)}] holds no certificate that can be read ({_said(error)})",
                    f"put certificates in PEM form there, or correct [{values.prefix}.{member}]",
                ) from error

    def _trust_store(self, context: GroupContext, named: StoreValues) -> None:
        path = self.path(named.path)
        store = self.store(named, "truststore")
        trusted = [each for each in store.entries if not each.has_key]
        if not trusted:
            raise self._problem(
                f"the truststore [{path}] does not contain any trusted certificate entries",
                f"correct [{self.values.prefix}.truststore.path]",
            )
        context.trusts = f"Store-trust{{path={path}, type={named.type.upper()}}}"
        context.load_verify_locations(cadata=b"".join(each.certificate for each in trusted))

    def store(self, named: StoreValues, member: str) -> Store:
        """What is in a PKCS#12 file. Raises SettingsError."""
        path = self.path(named.path)
        data = self.read(path, f"[PKCS12] {member}", f"{member}.path")
        try:
            return read_store(data, named.password)
        except UnreadableStoreError as error:
            prefix = f"{self.values.prefix}.{member}"
            raise self._problem(
                f"cannot read configured [PKCS12] {member} [{path}]: {error}",
                f"correct [{prefix}.path] or [{prefix}.secure_password]",
            ) from error

    def _identify_by_store(self, store: Store, contexts: Sequence[ssl.SSLContext]) -> None:
        assert self.values.keystore is not None
        path, setting = self.path(self.values.keystore.path), f"{self.values.prefix}.keystore.path"
        if store.key is None:
            raise self._problem(
                f"the keystore [{path}] does not contain a private key entry",
                f"correct [{setting}]",
            )
        try:
            with as_files(store) as (chain, key):
                for context in contexts:
                    context.load_cert_chain(chain, key, store.passphrase.reveal)
        except OSError as error:  # of OpenSSL, or of the files that it reads
            raise self._problem(
                f"the key and certificate in [{path}] cannot be used ({_said(error)})",
                f"correct [{setting}]",
            ) from error

    def _identify(self, certificate: Path, key: Path, contexts: Sequence[ssl.SSLContext]) -> None:
        prefix, given = self.values.prefix, self.values.key_passphrase or Secret("")
        self.read(certificate, "PEM certificate", "certificate")
        if b"PRIVATE KEY-----" not in self.read(key, "PEM private key", "key"):
            raise self._problem(
                f"[{key}] holds no private key in PEM form", f"correct [{prefix}.key]"
            )
        asked = False

        def passphrase() -> str:
            nonlocal asked
            asked = True
            return given.reveal()

        try:
            for context in contexts:
                context.load_cert_chain(certificate, key, passphrase)
        except (ssl.SSLError, OSError, ValueError) as error:
            if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
                problem = f"[{key}] is not the private key of the certificate in [{certificate}]"
                step = f"make [{prefix}.key] and [{prefix}.certificate] name files that belong together"
            elif asked and self.values.key_passphrase is None:
                problem = f"the private key in [{key}] is encrypted"
                step = f"set [{prefix}.secure_key_passphrase]"
            elif asked:
                problem = f"the private key in [{key}] cannot be decrypted"
                step = f"correct [{prefix}.secure_key_passphrase]"
            else:
                problem = (
                    f"the key in [{key}] and the certificate in [{certificate}] cannot be used"
                )
                problem = f"{problem} ({_said(error)})"
                step = f"correct [{prefix}.key] and [{prefix}.certificate]"
            raise self._problem(problem, step) from error

    def read(self, path: Path, what: str, member: str) -> bytes:
        """A file's bytes. Raises SettingsError, which calls it `what` and names the setting `member`."""
        setting = f"{self.values.prefix}.{member}"
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
        prefix = self.values.prefix
        return SettingsError(f"failed to load SSL configuration [{prefix}] - {what}: {step}")


def _said(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return reason.lower().replace("_", " ") if isinstance(reason, str) else str(error)
