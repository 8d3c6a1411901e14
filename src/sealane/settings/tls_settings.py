"""The settings of TLS: one group of keys, `<prefix>.*`, for each use that a node makes of it.

What the values mean together is judged here; the files they name are read by `transport.tls_files`.
Names, defaults and error texts are Elasticsearch's. A stored key or path is never shown by an API.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from sealane.errors import ApiError, IllegalArgument
from sealane.settings.parse import Parse, as_bool, as_list, as_text
from sealane.settings.registry import AnySetting, Rule
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsValues:
    """One group as it is set. Paths are as written."""

    prefix: str
    enabled: bool
    key: str | None
    key_passphrase: str | None
    certificate: str | None
    certificate_authorities: tuple[str, ...] | None
    """None where it is not set: whom the system trusts, and what is in the own certificate's file."""
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
    answers.
    """

    def __init__(
        self, prefix: str, *, enabled: bool, client_authentication: ClientAuthentication | None
    ) -> None:
        self.prefix = prefix
        self.enabled: Setting[bool] = Setting(
            key=f"{prefix}.enabled",
            default="true" if enabled else "false",
            parse=as_bool,
            help="Whether TLS is spoken.",
        )
        self.key: Setting[str] = self._hidden(
            "key", None, as_text, "File of the private key, PEM; from the configuration folder."
        )
        self.key_passphrase: Setting[str] = self._hidden(
            "key_passphrase", None, as_text, "What the private key is encrypted with."
        )
        self.certificate: Setting[str] = self._hidden(
            "certificate", None, as_text, "File of the certificate and its chain, PEM."
        )
        self.certificate_authorities: Setting[tuple[str, ...]] = self._hidden(
            "certificate_authorities", None, as_list, "Files of the certificates to trust, PEM."
        )
        self.verification_mode: Setting[VerificationMode] = self._hidden(
            "verification_mode",
            VerificationMode.FULL,
            _as_mode(VerificationMode, "ssl client verification mode"),
            "full: chain and name of a peer must be right. certificate: the chain. none.",
        )
        self._default_client_authentication = client_authentication
        self.client_authentication: Setting[ClientAuthentication] = self._hidden(
            "client_authentication",
            client_authentication or ClientAuthentication.NONE,
            _as_mode(ClientAuthentication, "ssl client authentication"),
            "Whether a caller must show a certificate: required, optional or none.",
        )
        self.supported_protocols: Setting[tuple[str, ...]] = self._hidden(
            "supported_protocols", PROTOCOLS, _as_protocols, "The TLS versions that are spoken."
        )

    def _hidden(self, name: str, default: Value | None, parse: Parse[T], help: str) -> Setting[T]:
        key = f"{self.prefix}.{name}"
        return Setting(key=key, default=default, parse=parse, help=help, secret=True)

    @property
    def settings(self) -> tuple[AnySetting, ...]:
        """All of them, for the registry."""
        both: tuple[AnySetting, ...] = (
            self.enabled,
            self.key,
            self.key_passphrase,
            self.certificate,
            self.certificate_authorities,
            self.verification_mode,
            self.supported_protocols,
        )
        answers = self._default_client_authentication is not None
        return (*both, self.client_authentication) if answers else both

    def read(self, settings: Settings) -> TlsValues:
        """The group as `settings` have it. Raises IllegalArgument."""
        return TlsValues(
            prefix=self.prefix,
            enabled=self.enabled.get(settings),
            key=_if_set(self.key, settings),
            key_passphrase=_if_set(self.key_passphrase, settings),
            certificate=_if_set(self.certificate, settings),
            certificate_authorities=_if_set(self.certificate_authorities, settings),
            verification_mode=self.verification_mode.get(settings),
            client_authentication=self.client_authentication.get(settings),
            supported_protocols=self.supported_protocols.get(settings),
        )

    def rules(self, *, serves: Callable[[Settings], bool] | None) -> tuple[Rule, ...]:
        """What must hold across the group. `serves` tells whether a server uses it, which needs a
        certificate; None for a group of callers only."""

        def pairs(settings: Settings) -> Iterator[ApiError]:
            for one, other in (
                (self.key, self.certificate),
                (self.certificate, self.key),
                (self.key_passphrase, self.key),
            ):
                if one.is_set(settings) and not other.is_set(settings):
                    yield IllegalArgument(
                        f"failed to load SSL configuration [{self.prefix}] - "
                        f"cannot specify [{one.key}] without also setting [{other.key}]"
                    )

        def complete(settings: Settings) -> Iterator[ApiError]:
            assert serves is not None
            if not serves(settings):
                return
            if not self.key.is_set(settings) and not self.certificate.is_set(settings):
                yield IllegalArgument(
                    f"invalid SSL configuration for {self.prefix} - server ssl configuration requires a key and "
                    "certificate, but these have not been configured; "
                    f"you must set [{self.key.key}] and [{self.certificate.key}]"
                )

        return (pairs,) if serves is None else (pairs, complete)


def _if_set(setting: Setting[T], settings: Settings) -> T | None:
    return setting.get(settings) if setting.is_set(settings) else None


TRANSPORT_TLS: Final = TlsGroup(
    "xpack.security.transport.ssl",
    enabled=False,
    client_authentication=ClientAuthentication.REQUIRED,
)
"""Between the nodes of a cluster, and with remotes that have no API key."""
REMOTE_SERVER_TLS: Final = TlsGroup(
    "xpack.security.remote_cluster_server.ssl",
    enabled=True,
    client_authentication=ClientAuthentication.NONE,
)
"""On the port for callers that come with an API key."""
REMOTE_CLIENT_TLS: Final = TlsGroup(
    "xpack.security.remote_cluster_client.ssl", enabled=True, client_authentication=None
)
"""Towards remotes that have an API key of ours."""


def _enabled_is_said(settings: Settings) -> Iterator[ApiError]:
    """TLS is off by default: other settings of it alone were meant to be in force, and are not."""
    group = TRANSPORT_TLS
    if group.enabled.is_set(settings):
        return
    others = [each.key for each in group.settings if isinstance(each, Setting)]
    configured = sorted(key for key in others if key in settings)
    if configured:
        yield IllegalArgument(
            f"invalid configuration for {group.prefix} - [{group.enabled.key}] is not set, "
            f"but the following settings have been configured in the node's file : "
            f"[{','.join(configured)}]"
        )


TLS_SETTINGS: Final[tuple[AnySetting, ...]] = (
    *TRANSPORT_TLS.settings,
    *REMOTE_SERVER_TLS.settings,
    *REMOTE_CLIENT_TLS.settings,
)
TLS_RULES: Final[tuple[Rule, ...]] = (
    _enabled_is_said,
    *TRANSPORT_TLS.rules(serves=TRANSPORT_TLS.enabled.get),
    *REMOTE_SERVER_TLS.rules(serves=None),
    *REMOTE_CLIENT_TLS.rules(serves=None),
)
"""For the registry. That the port for API keys has a certificate is asked by who opens it."""
