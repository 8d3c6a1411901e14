"""What must hold across the settings of one TLS group, judged before any file is read.

The texts are the reference's.
"""

from collections.abc import Callable, Iterator
from typing import Final

from sealane.errors import ApiError, IllegalArgument
from sealane.settings.node_settings import REMOTE_CLUSTER_SERVER_ENABLED
from sealane.settings.registry import Rule
from sealane.settings.setting import Setting
from sealane.settings.tls_settings import (
    HTTP_TLS,
    JKS,
    PKCS12,
    REMOTE_CLIENT_TLS,
    REMOTE_SERVER_TLS,
    TRANSPORT_TLS,
    StoreValues,
    TlsGroup,
)
from sealane.settings.values import Settings


def group_rules(
    group: TlsGroup, *, serves: Callable[[Settings], bool] | None, told: bool = False
) -> tuple[Rule, ...]:
    """The rules of one group.

    `serves` tells whether a server uses it, which needs a certificate; None for a group of callers
    only. `told`: where it is off by default, whoever sets more of it must say that it is on.
    """

    def complete(settings: Settings) -> Iterator[ApiError]:
        assert serves is not None
        if serves(settings) and not _has_identity(group, settings):
            yield IllegalArgument(
                f"invalid SSL configuration for {group.prefix} - server ssl configuration requires "
                "a key and certificate, but these have not been configured; you must set either "
                f"[{group.keystore_path.key}], or both [{group.key.key}] and "
                f"[{group.certificate.key}]"
            )

    def enabled_is_said(settings: Settings) -> Iterator[ApiError]:
        """Other settings of it alone were meant to be in force, and are not."""
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

    found: list[Rule] = [enabled_is_said] if told else []
    found += [
        lambda settings: _pairs(group, settings),
        lambda settings: _either(group, settings),
        lambda settings: _stores(group, settings),
    ]
    if serves is not None:
        found.append(complete)
    return tuple(found)


def _has_identity(group: TlsGroup, settings: Settings) -> bool:
    forms = (group.key, group.certificate, group.keystore_path)
    return any(each.is_set(settings) for each in forms)


def _pairs(group: TlsGroup, settings: Settings) -> Iterator[ApiError]:
    """What needs another setting beside it."""
    for one, other in (
        (group.key, group.certificate),
        (group.certificate, group.key),
        (group.key_passphrase, group.key),
        (group.secure_key_passphrase, group.key),
        (group.keystore_password, group.keystore_path),
        (group.keystore_secure_password, group.keystore_path),
        (group.truststore_password, group.truststore_path),
        (group.truststore_secure_password, group.truststore_path),
    ):
        if one.is_set(settings) and not other.is_set(settings):
            yield _problem(group, f"cannot specify [{one.key}] without also setting [{other.key}]")


def _either(group: TlsGroup, settings: Settings) -> Iterator[ApiError]:
    """Two ways to say the same thing."""
    both: tuple[tuple[Setting[str], Setting[str] | Setting[tuple[str, ...]]], ...] = (
        (group.certificate, group.keystore_path),
        (group.key, group.keystore_path),
        (group.truststore_path, group.certificate_authorities),
        *group.passwords,
    )
    for one, other in both:
        if one.is_set(settings) and other.is_set(settings):
            yield _problem(group, f"cannot specify both [{one.key}] and [{other.key}]")


def _stores(group: TlsGroup, settings: Settings) -> Iterator[ApiError]:
    values = group.read(settings)
    for name, store, authorities in (
        ("keystore", values.keystore, "-nocerts -out key.pem, then again -nokeys -out chain.pem"),
        ("truststore", values.truststore, "-nokeys -out authorities.pem"),
    ):
        if store is not None and store.type != PKCS12:
            yield _problem(group, _unknown_store(f"{group.prefix}.{name}", store, authorities))
        elif store is not None and store.key_password != store.password:
            yield _problem(
                group,
                f"[{group.prefix}.{name}] has a key password of its own, but what is in a PKCS12 "
                "file has the password of that file: leave it out",
            )


def _unknown_store(member: str, store: StoreValues, options: str) -> str:
    if store.type != JKS:
        return f"[{member}.type] is [{store.type}], which is not known: use [PKCS12]"
    return (
        f"[{member}.path] is [{store.path}], a Java keystore by its name or [{member}.type], which "
        "cannot be read: convert it with [keytool -importkeystore -srckeystore <file> "
        f"-destkeystore store.p12 -deststoretype PKCS12], or to PEM with [openssl pkcs12 -in "
        f"store.p12 {options}]; a PKCS12 file of another name needs [{member}.type: PKCS12]"
    )


def _problem(group: TlsGroup, what: str) -> IllegalArgument:
    return IllegalArgument(f"failed to load SSL configuration [{group.prefix}] - {what}")


def _serves_remotes(settings: Settings) -> bool:
    on = REMOTE_CLUSTER_SERVER_ENABLED.get(settings)
    return on and REMOTE_SERVER_TLS.enabled.get(settings)


TLS_RULES: Final[tuple[Rule, ...]] = (
    *group_rules(HTTP_TLS, serves=HTTP_TLS.enabled.get, told=True),
    *group_rules(TRANSPORT_TLS, serves=TRANSPORT_TLS.enabled.get, told=True),
    *group_rules(REMOTE_SERVER_TLS, serves=_serves_remotes),
    *group_rules(REMOTE_CLIENT_TLS, serves=None),
)
"""For the registry."""
