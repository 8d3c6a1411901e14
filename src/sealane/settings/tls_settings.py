"""The settings of TLS: one group of keys, `<prefix>.*`, for each use that a node makes of it.

What must hold across a group is judged by `tls_rules`; the files that are named are read by
`transport.tls_files`. Names, defaults and error texts are Elasticsearch's. A stored key or path is
never shown by an API.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from sealane.errors import IllegalArgument
from sealane.model.security import Secret
from sealane.settings.parse import Parse, as_bool, as_list, as_text
from sealane.settings.registry import AnySetting
from sealane.settings.setting import Setting
from sealane.settings.text import Value, value_text
from sealane.settings.values import Settings

PROTOCOLS: Final = ("TLSv1.3", "TLSv1.2")
"""All that are spoken, best first. Older ones are broken."""
_OLD_PROTOCOLS: Final = frozenset({"SSLv2Hello", "SSLv3", "TLSv1", "TLSv1.1"})


class VerificationMode(StrEnum):
    """How much of the peer's certificate must be right."""

    NONE = "none"
    CERTIFICATE = "certificate"
    """Its chain and its dates."""
    FULL = "full"
    """And the name of the one that was dialled."""


class ClientAuthentication(StrEnum):
    """Whether a caller must show a certificate."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


PKCS12: Final = "pkcs12"
JKS: Final = "jks"
_PKCS12_NAMES: Final = (".p12", ".pfx", ".pkcs12")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreValues:
    """A file that holds keys or certificates under one password. The path is as written."""

    path: str
    type: str
    """As it is set, in lower case; without that what the path ends with says it."""
    password: Secret
    key_password: Secret
    """Of the private key inside, where it has one of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsValues:
    """One group as it is set. Paths are as written."""

    prefix: str
    enabled: bool
    key: str | None = None
    key_passphrase: Secret | None = None
    certificate: str | None = None
    keystore: StoreValues | None = None
    certificate_authorities: tuple[str, ...] | None = None
    truststore: StoreValues | None = None
    """Where neither this nor `certificate_authorities` is set: whom the system trusts, and what is
    in the own certificate's file."""
    cipher_suites: tuple[str, ...] | None = None
    """By the names of their standard; None leaves them to OpenSSL."""
    verification_mode: VerificationMode
    client_authentication: ClientAuthentication
    supported_protocols: tuple[str, ...]


M = TypeVar("M", bound=StrEnum)
T = TypeVar("T")


def _as_mode(kind: type[M], what: str) -> Parse[M]:
    def parse(value: Value, key: str) -> M:
        text = value_text(value)
        try:
            return kind(text.lower())
        except ValueError:
            known = ",".join(kind)
            raise IllegalArgument(
                f"Failed to parse value for setting [{key}]: could not resolve {what}, "
                f"unknown value [{text}], recognised values are [{known}]"
            ) from None

    return parse


def _as_protocols(value: Value, key: str) -> tuple[str, ...]:
    names = as_list(value, key)
    for name in names:
        if name in _OLD_PROTOCOLS:
            raise IllegalArgument(
                f"[{key}] names [{name}], which is not secure: use [{', '.join(PROTOCOLS)}]"
            )
        if name not in PROTOCOLS:
            raise IllegalArgument(
                f"[{key}] names [{name}], which is not known: use [{', '.join(PROTOCOLS)}]"
            )
    if not names:
        raise IllegalArgument(f"[{key}] must name at least one of [{', '.join(PROTOCOLS)}]")
    return names


class TlsGroup:
    """The settings `<prefix>.*` of one use.

    `client_authentication` is the default of that setting, None where this end calls and never
    answers. `clear_text` says whether passwords may stand in the node's file too, as the older
    groups of the reference allow.
    """

    def __init__(
        self,
        prefix: str,
        *,
        enabled: bool,
        client_authentication: ClientAuthentication | None,
        clear_text: bool,
    ) -> None:
        self.prefix = prefix
        self._clear_text = clear_text
        self._default_client_authentication = client_authentication
        self.enabled: Setting[bool] = Setting(
            key=f"{prefix}.enabled",
            default="true" if enabled else "false",
            parse=as_bool,
            help="Whether TLS is spoken.",
        )
        self._declare_identity()
        self._declare_trust()
        self.verification_mode: Setting[VerificationMode] = self._hidden(
            "verification_mode",
            VerificationMode.FULL,
            _as_mode(VerificationMode, "ssl client verification mode"),
            "full: chain and name of a peer must be right. certificate: the chain. none.",
        )
        self.client_authentication: Setting[ClientAuthentication] = self._hidden(
            "client_authentication",
            client_authentication or ClientAuthentication.NONE,
            _as_mode(ClientAuthentication, "ssl client authentication"),
            "Whether a caller must show a certificate: required, optional or none.",
        )
        self.supported_protocols: Setting[tuple[str, ...]] = self._hidden(
            "supported_protocols", PROTOCOLS, _as_protocols, "The TLS versions that are spoken."
        )
        self.cipher_suites: Setting[tuple[str, ...]] = self._hidden(
            "cipher_suites", None, as_list, "The cipher suites that are offered, best first."
        )

    def _declare_identity(self) -> None:
        self.key = self._text("key", "File of the private key, PEM; from the configuration folder.")
        self.key_passphrase = self._text(
            "key_passphrase", "What the private key is encrypted with."
        )
        self.secure_key_passphrase = self._secure(
            "secure_key_passphrase", "What the private key is encrypted with."
        )
        self.certificate = self._text("certificate", "File of the certificate and its chain, PEM.")
        self.keystore_path = self._text("keystore.path", "File of key and certificate, PKCS#12.")
        self.keystore_type = self._text("keystore.type", "PKCS12; else what the path ends with.")
        self.keystore_password = self._text("keystore.password", "Password of the keystore.")
        self.keystore_secure_password = self._secure(
            "keystore.secure_password", "Password of the keystore."
        )
        self.keystore_key_password = self._text(
            "keystore.key_password", "Password of the key in the keystore, where it is another."
        )
        self.keystore_secure_key_password = self._secure(
            "keystore.secure_key_password",
            "Password of the key in the keystore, where it is another.",
        )

    def _declare_trust(self) -> None:
        self.certificate_authorities: Setting[tuple[str, ...]] = self._hidden(
            "certificate_authorities", None, as_list, "Files of the certificates to trust, PEM."
        )
        self.truststore_path = self._text(
            "truststore.path", "File of the certificates to trust, PKCS#12."
        )
        self.truststore_type = self._text(
            "truststore.type", "PKCS12; else what the path ends with."
        )
        self.truststore_password = self._text("truststore.password", "Password of the truststore.")
        self.truststore_secure_password = self._secure(
            "truststore.secure_password", "Password of the truststore."
        )

    def _hidden(self, name: str, default: Value | None, parse: Parse[T], help: str) -> Setting[T]:
        key = f"{self.prefix}.{name}"
        return Setting(key=key, default=default, parse=parse, help=help, secret=True)

    def _text(self, name: str, help: str) -> Setting[str]:
        return self._hidden(name, None, as_text, help)

    def _secure(self, name: str, help: str) -> Setting[str]:
        key = f"{self.prefix}.{name}"
        return Setting(key=key, default=None, parse=as_text, help=help, secret=True, secure=True)

    @property
    def passwords(self) -> tuple[tuple[Setting[str], Setting[str]], ...]:
        """Each one as it stands in the keystore of the node, and as it may stand in its file."""
        return (
            (self.secure_key_passphrase, self.key_passphrase),
            (self.keystore_secure_password, self.keystore_password),
            (self.keystore_secure_key_password, self.keystore_key_password),
            (self.truststore_secure_password, self.truststore_password),
        )

    @property
    def settings(self) -> tuple[AnySetting, ...]:
        """All of them, for the registry."""
        found: list[AnySetting] = [
            self.enabled,
            self.key,
            self.certificate,
            self.keystore_path,
            self.keystore_type,
            self.certificate_authorities,
            self.truststore_path,
            self.truststore_type,
            self.verification_mode,
            self.supported_protocols,
            self.cipher_suites,
            *(secure for secure, _ in self.passwords),
        ]
        if self._clear_text:
            found += [clear for _, clear in self.passwords]
        if self._default_client_authentication is not None:
            found.append(self.client_authentication)
        return tuple(found)

    def is_configured(self, settings: Settings) -> bool:
        """Whether any of them is set."""
        return any(isinstance(each, Setting) and each.is_set(settings) for each in self.settings)

    def read(self, settings: Settings) -> TlsValues:
        """The group as `settings` have it. Raises IllegalArgument."""
        passphrase = self._password(self.secure_key_passphrase, self.key_passphrase, settings)
        return TlsValues(
            prefix=self.prefix,
            enabled=self.enabled.get(settings),
            key=_if_set(self.key, settings),
            key_passphrase=passphrase,
            certificate=_if_set(self.certificate, settings),
            keystore=self._keystore(settings),
            certificate_authorities=_if_set(self.certificate_authorities, settings),
            truststore=self._truststore(settings),
            cipher_suites=_if_set(self.cipher_suites, settings),
            verification_mode=self.verification_mode.get(settings),
            client_authentication=self.client_authentication.get(settings),
            supported_protocols=self.supported_protocols.get(settings),
        )

    def _keystore(self, settings: Settings) -> StoreValues | None:
        path = _if_set(self.keystore_path, settings)
        if path is None:
            return None
        own = self._password(self.keystore_secure_password, self.keystore_password, settings)
        key = self._password(
            self.keystore_secure_key_password, self.keystore_key_password, settings
        )
        password = own or Secret("")
        return StoreValues(
            path=path,
            type=_store_type(path, _if_set(self.keystore_type, settings)),
            password=password,
            key_password=key or password,
        )

    def _truststore(self, settings: Settings) -> StoreValues | None:
        path = _if_set(self.truststore_path, settings)
        if path is None:
            return None
        own = self._password(self.truststore_secure_password, self.truststore_password, settings)
        password = own or Secret("")
        return StoreValues(
            path=path,
            type=_store_type(path, _if_set(self.truststore_type, settings)),
            password=password,
            key_password=password,
        )

    def _password(
        self, secure: Setting[str], clear: Setting[str], settings: Settings
    ) -> Secret | None:
        text = _if_set(secure, settings)
        if text is None and self._clear_text:
            text = _if_set(clear, settings)
        return None if text is None else Secret(text)


def _store_type(path: str, given: str | None) -> str:
    """By what the path ends with where nothing is said, as the reference."""
    if given is not None:
        return given.lower()
    return PKCS12 if path.lower().endswith(_PKCS12_NAMES) else JKS


def _if_set(setting: Setting[T], settings: Settings) -> T | None:
    return setting.get(settings) if setting.is_set(settings) else None


HTTP_TLS: Final = TlsGroup(
    "xpack.security.http.ssl",
    enabled=False,
    client_authentication=ClientAuthentication.NONE,
    clear_text=True,
)
"""Towards clients."""
TRANSPORT_TLS: Final = TlsGroup(
    "xpack.security.transport.ssl",
    enabled=False,
    client_authentication=ClientAuthentication.REQUIRED,
    clear_text=True,
)
"""Between the nodes of a cluster, and with remotes that have no API key."""
REMOTE_SERVER_TLS: Final = TlsGroup(
    "xpack.security.remote_cluster_server.ssl",
    enabled=True,
    client_authentication=ClientAuthentication.NONE,
    clear_text=False,
)
"""On the port for callers that come with an API key."""
REMOTE_CLIENT_TLS: Final = TlsGroup(
    "xpack.security.remote_cluster_client.ssl",
    enabled=True,
    client_authentication=None,
    clear_text=False,
)
"""Towards remotes that have an API key of ours."""

TLS_GROUPS: Final = (HTTP_TLS, TRANSPORT_TLS, REMOTE_SERVER_TLS, REMOTE_CLIENT_TLS)

DIAGNOSE_TRUST: Final[Setting[bool]] = Setting(
    key="xpack.security.ssl.diagnose.trust",
    default="true",
    parse=as_bool,
    help="Whether the log says in full why a certificate was not trusted.",
)
TLS_SETTINGS: Final[tuple[AnySetting, ...]] = (
    DIAGNOSE_TRUST,
    *(setting for group in TLS_GROUPS for setting in group.settings),
)
