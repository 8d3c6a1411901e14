"""The TLS groups: defaults, values, and what must be set together."""

import pytest

from sealane.errors import IllegalArgument
from sealane.settings import EMPTY, Registry, Settings
from sealane.settings.tls_rules import TLS_RULES
from sealane.settings.tls_settings import (
    REMOTE_CLIENT_TLS,
    REMOTE_SERVER_TLS,
    TLS_SETTINGS,
    TRANSPORT_TLS,
    ClientAuthentication,
    VerificationMode,
)

P = "xpack.security.transport.ssl"
REGISTRY = Registry(TLS_SETTINGS, TLS_RULES)


def refusal(**members: str) -> str:
    given = {f"{P}.{member}": value for member, value in members.items()}
    with pytest.raises(IllegalArgument) as raised:
        REGISTRY.validate(Settings(given))
    return raised.value.reason


def test_defaults_are_the_references() -> None:
    transport = TRANSPORT_TLS.read(EMPTY)
    assert transport.enabled is False
    assert transport.client_authentication is ClientAuthentication.REQUIRED
    assert transport.verification_mode is VerificationMode.FULL
    assert transport.supported_protocols == ("TLSv1.3", "TLSv1.2")
    assert transport.certificate_authorities is None
    server = REMOTE_SERVER_TLS.read(EMPTY)
    assert server.enabled is True
    assert server.client_authentication is ClientAuthentication.NONE
    assert REMOTE_CLIENT_TLS.read(EMPTY).enabled is True


def test_a_whole_group() -> None:
    settings = Settings(
        {
            f"{P}.enabled": "true",
            f"{P}.key": "a.key",
            f"{P}.certificate": "a.crt",
            f"{P}.certificate_authorities": "a.pem, b.pem",
            f"{P}.verification_mode": "CERTIFICATE",
            f"{P}.client_authentication": "optional",
            f"{P}.supported_protocols": "TLSv1.3",
        }
    )
    REGISTRY.validate(settings)
    values = TRANSPORT_TLS.read(settings)
    assert values.certificate_authorities == ("a.pem", "b.pem")
    assert values.verification_mode is VerificationMode.CERTIFICATE
    assert values.client_authentication is ClientAuthentication.OPTIONAL
    assert values.supported_protocols == ("TLSv1.3",)


def test_unknown_values() -> None:
    assert refusal(verification_mode="foo") == (
        f"Failed to parse value for setting [{P}.verification_mode]: could not resolve ssl client "
        "verification mode, unknown value [foo], recognised values are [none,certificate,full]"
    )
    assert refusal(client_authentication="maybe") == (
        f"Failed to parse value for setting [{P}.client_authentication]: could not resolve ssl client "
        "authentication, unknown value [maybe], recognised values are [none,optional,required]"
    )
    assert refusal(supported_protocols="TLSv1.4") == (
        f"[{P}.supported_protocols] names [TLSv1.4], which is not known: use [TLSv1.3, TLSv1.2]"
    )


@pytest.mark.parametrize("old", ["SSLv3", "TLSv1", "TLSv1.1"])
def test_broken_protocols_are_refused(old: str) -> None:
    assert refusal(supported_protocols=f"TLSv1.2,{old}") == (
        f"[{P}.supported_protocols] names [{old}], which is not secure: use [TLSv1.3, TLSv1.2]"
    )


def test_what_must_be_set_together() -> None:
    assert refusal(enabled="true", key="a.key") == (
        f"failed to load SSL configuration [{P}] - "
        f"cannot specify [{P}.key] without also setting [{P}.certificate]"
    )
    assert refusal(enabled="true") == (
        f"invalid SSL configuration for {P} - server ssl configuration requires a key and "
        "certificate, but these have not been configured; "
        f"you must set either [{P}.keystore.path], or both [{P}.key] and [{P}.certificate]"
    )
    assert refusal(key="a.key", certificate="a.crt") == (
        f"invalid configuration for {P} - [{P}.enabled] is not set, but the following settings "
        f"have been configured in the node's file : [{P}.certificate,{P}.key]"
    )


def test_nothing_is_asked_of_groups_that_are_off_or_only_call() -> None:
    REGISTRY.validate(EMPTY)
    REGISTRY.validate(Settings({f"{P}.enabled": "false", f"{P}.verification_mode": "none"}))
    client = "xpack.security.remote_cluster_client.ssl"
    REGISTRY.validate(Settings({f"{client}.certificate_authorities": "ca.pem"}))


def test_only_whether_it_is_enabled_is_ever_shown() -> None:
    """Paths and passphrases are no reader's business; the reference hides them too."""
    shown = REGISTRY.defaults(EMPTY)
    assert sorted(shown) == [
        "xpack.security.http.ssl.enabled",
        "xpack.security.remote_cluster_client.ssl.enabled",
        "xpack.security.remote_cluster_server.ssl.enabled",
        "xpack.security.ssl.diagnose.trust",
        f"{P}.enabled",
    ]


def test_a_client_group_has_no_client_authentication() -> None:
    assert REGISTRY.get("xpack.security.remote_cluster_client.ssl.client_authentication") is None
