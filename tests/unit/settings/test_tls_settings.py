"""The TLS groups: defaults, values, and what must be set together."""

import pytest

from sealane.errors import IllegalArgument
from sealane.model.security import Secret
from sealane.settings import EMPTY, Registry, Settings
from sealane.settings.node_settings import NODE_SETTINGS
from sealane.settings.tls_rules import TLS_RULES
from sealane.settings.tls_settings import (
    HTTP_TLS,
    REMOTE_CLIENT_TLS,
    REMOTE_SERVER_TLS,
    TLS_GROUPS,
    TLS_SETTINGS,
    TRANSPORT_TLS,
    ClientAuthentication,
    TlsGroup,
    VerificationMode,
)

P = "xpack.security.transport.ssl"
REGISTRY = Registry(TLS_SETTINGS, TLS_RULES)
RULED = Registry((*NODE_SETTINGS, *TLS_SETTINGS), TLS_RULES)


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


def with_secrets(given: dict[str, str], **secrets: str) -> Settings:
    """`secrets` are of the transport group, as the keystore gives them."""
    held = {f"{P}.{name.replace('__', '.')}": Secret(text) for name, text in secrets.items()}
    return Settings(given).with_secrets(held)


def test_all_four_uses_have_a_group() -> None:
    assert [each.prefix for each in TLS_GROUPS] == [
        "xpack.security.http.ssl",
        "xpack.security.transport.ssl",
        "xpack.security.remote_cluster_server.ssl",
        "xpack.security.remote_cluster_client.ssl",
    ]
    http = HTTP_TLS.read(EMPTY)
    assert (http.enabled, http.client_authentication) == (False, ClientAuthentication.NONE)


@pytest.mark.parametrize("group", [HTTP_TLS, TRANSPORT_TLS, REMOTE_SERVER_TLS])
def test_a_server_needs_a_certificate(group: TlsGroup) -> None:
    """X-93: the error names the settings, of either form."""
    given = {group.enabled.key: "true", "remote_cluster_server.enabled": "true"}
    if group is not REMOTE_SERVER_TLS:
        given["xpack.security.remote_cluster_server.ssl.enabled"] = "false"
    with pytest.raises(IllegalArgument) as raised:
        RULED.validate(Settings(given))
    assert raised.value.reason == (
        f"invalid SSL configuration for {group.prefix} - server ssl configuration requires a key and "
        "certificate, but these have not been configured; you must set either "
        f"[{group.prefix}.keystore.path], or both [{group.prefix}.key] and [{group.prefix}.certificate]"
    )


def test_the_remote_server_asks_for_nothing_while_it_is_off() -> None:
    RULED.validate(Settings({"remote_cluster_server.enabled": "false"}))
    plain = {
        "remote_cluster_server.enabled": "true",
        "xpack.security.remote_cluster_server.ssl.enabled": "false",
    }
    RULED.validate(Settings(plain))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("certificate", "keystore.path"),
        ("truststore.path", "certificate_authorities"),
    ],
)
def test_pem_and_stores_exclude_each_other(one: str, other: str) -> None:
    given = {"enabled": "true", "key": "a.key", "certificate": "a.crt", "keystore.path": "a.p12"}
    if one.startswith("truststore"):
        given = {
            "enabled": "true",
            "keystore.path": "a.p12",
            "truststore.path": "b.p12",
            "certificate_authorities": "b.pem",
        }
    with pytest.raises(IllegalArgument) as raised:
        REGISTRY.validate(Settings({f"{P}.{key}": value for key, value in given.items()}))
    assert raised.value.reason == (
        f"failed to load SSL configuration [{P}] - cannot specify both [{P}.{one}] and [{P}.{other}]"
    )


def test_java_keystores_are_refused_with_the_way_out() -> None:
    given = {f"{P}.enabled": "true", f"{P}.keystore.path": "certs/node.jks"}
    with pytest.raises(IllegalArgument) as raised:
        REGISTRY.validate(Settings(given))
    assert f"[{P}.keystore.path] is [certs/node.jks], a Java keystore" in raised.value.reason
    assert "keytool -importkeystore" in raised.value.reason
    REGISTRY.validate(Settings(given | {f"{P}.keystore.type": "PKCS12"}))
    with pytest.raises(IllegalArgument, match=r"which is not known: use \[PKCS12\]"):
        REGISTRY.validate(Settings(given | {f"{P}.keystore.type": "bcfks"}))


@pytest.mark.parametrize("name", ["a.p12", "a.PFX", "a.pkcs12"])
def test_the_type_follows_from_the_name(name: str) -> None:
    values = TRANSPORT_TLS.read(Settings({f"{P}.keystore.path": name}))
    assert values.keystore is not None
    assert values.keystore.type == "pkcs12"


def test_passwords_come_from_the_keystore() -> None:
    settings = with_secrets(
        {f"{P}.keystore.path": "a.p12", f"{P}.truststore.path": "b.p12"},
        keystore__secure_password="sesame",
        truststore__secure_password="two",
    )
    values = TRANSPORT_TLS.read(settings)
    assert values.keystore is not None
    assert values.truststore is not None
    assert values.keystore.password == Secret("sesame")
    assert values.truststore.password == Secret("two")
    assert "sesame" not in repr(values)


def test_a_password_that_is_said_twice_or_for_nothing() -> None:
    both = with_secrets(
        {f"{P}.enabled": "true", f"{P}.keystore.path": "a.p12", f"{P}.keystore.password": "x"},
        keystore__secure_password="y",
    )
    with pytest.raises(IllegalArgument) as raised:
        REGISTRY.validate(both)
    assert raised.value.reason.endswith(
        f"cannot specify both [{P}.keystore.secure_password] and [{P}.keystore.password]"
    )
    alone = with_secrets({f"{P}.enabled": "false"}, truststore__secure_password="y")
    with pytest.raises(IllegalArgument) as raised:
        REGISTRY.validate(alone)
    assert raised.value.reason.endswith(
        f"cannot specify [{P}.truststore.secure_password] without also setting [{P}.truststore.path]"
    )


def test_a_key_in_a_store_has_no_password_of_its_own() -> None:
    settings = with_secrets(
        {f"{P}.enabled": "true", f"{P}.keystore.path": "a.p12"},
        keystore__secure_password="x",
        keystore__secure_key_password="y",
    )
    with pytest.raises(IllegalArgument, match="has a key password of its own"):
        REGISTRY.validate(settings)
    REGISTRY.validate(
        with_secrets(
            {f"{P}.enabled": "true", f"{P}.keystore.path": "a.p12"},
            keystore__secure_password="x",
            keystore__secure_key_password="x",
        )
    )


@pytest.mark.parametrize("group", [REMOTE_SERVER_TLS, REMOTE_CLIENT_TLS])
@pytest.mark.parametrize("name", ["key_passphrase", "keystore.password", "truststore.password"])
def test_groups_for_keys_know_no_password_in_clear(group: TlsGroup, name: str) -> None:
    """T-33: what would stand in the node's file is no setting."""
    assert REGISTRY.get(f"{group.prefix}.{name}") is None
    secure = {"key_passphrase": "secure_key_passphrase"}.get(
        name, name.replace("password", "secure_password")
    )
    found = REGISTRY.get(f"{group.prefix}.{secure}")
    assert found is not None
    assert found.secure
