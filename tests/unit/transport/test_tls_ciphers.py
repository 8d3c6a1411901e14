"""Cipher suites by the names of their standard."""

import pytest

from sealane.transport.tls_ciphers import Suites, openssl_name, suites_of


@pytest.mark.parametrize(
    ("name", "openssl"),
    [
        ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"),
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
        ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"),
        ("TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "DHE-RSA-CHACHA20-POLY1305"),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "ECDHE-ECDSA-AES256-SHA384"),
        ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"),
        ("TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"),
        ("TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256"),
        ("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"),
    ],
)
def test_names(name: str, openssl: str) -> None:
    assert openssl_name(name) == openssl
    assert suites_of([name]) == Suites(openssl, newer=False)


def test_those_of_tls_1_3_are_apart() -> None:
    assert suites_of(["TLS_AES_256_GCM_SHA384"]) == Suites("", newer=True)
    both = ["TLS_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256"]
    assert suites_of(both) == Suites("AES128-GCM-SHA256", newer=True)


def test_the_order_stays_and_signals_are_no_suites() -> None:
    names = [
        "TLS_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    ]
    assert suites_of(names).older == "AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"


@pytest.mark.parametrize(
    "name",
    [
        "SSL_RSA_WITH_RC4_128_MD5",
        "SSL_RSA_WITH_3DES_EDE_CBC_SHA",
        "TLS_RSA_WITH_NULL_SHA256",
        "TLS_DH_anon_WITH_AES_128_GCM_SHA256",
        "TLS_PSK_WITH_AES_128_GCM_SHA256",
        "ALL",
        "HIGH:!aNULL",
        "",
        "TLS__WITH_",
    ],
)
def test_what_is_weak_or_unknown_is_named(name: str) -> None:
    """T-14: a list for OpenSSL is no suite either."""
    with pytest.raises(LookupError) as raised:
        suites_of(["TLS_RSA_WITH_AES_128_GCM_SHA256", name])
    assert raised.value.args == (name,)
