"""Signatures of requests: what is right, and every way in which one is not."""

import base64
import datetime as dt
import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from sealane.errors import AuthenticationFailed, SettingsError
from sealane.security.signatures import Signer, check, matches, pem_signer

NOW_MS = 1_700_000_000_000
NOW = dt.datetime.fromtimestamp(NOW_MS / 1000, dt.UTC)
DAY = dt.timedelta(days=1)
Made = tuple[x509.Certificate, Any]


def made(
    name: str,
    issuer: Made | None = None,
    *,
    authority: bool = False,
    key: Any = None,
    until: dt.datetime = NOW + DAY,
) -> Made:
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 30 * DAY)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    signing = key if issuer is None else issuer[1]
    return builder.sign(signing, hashes.SHA256()), key


ROOT = made("root", authority=True)
LEAF = made("west", ROOT)


def judged(
    shown: str | None, *authorities: Made, identity: str | None = "CN=west", **more: Any
) -> str:
    """What is wrong; empty where nothing is."""
    told = {"subject_info": "info", "credentials": "ApiKey x", "key_id": "k", "now_ms": NOW_MS}
    trusted = [each[0] for each in authorities or (ROOT,)]
    try:
        check(shown, identity=identity, authorities=trusted, **{**told, **more})
    except AuthenticationFailed as error:
        return error.reason
    return ""


@pytest.mark.parametrize(
    "key",
    [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)],
    ids=["ec", "rsa"],
)
def test_what_was_signed_is_right_and_nothing_else(key: Any) -> None:
    """X-72: the subject and the key are signed, each of them."""
    leaf = made("west", ROOT, key=key)
    shown = Signer(leaf[1], (leaf[0],)).sign("info", "ApiKey x")
    assert judged(shown) == ""
    invalid = "Invalid cross cluster api key signature from [CN=west]"
    assert judged(shown, subject_info="forged") == invalid
    assert judged(shown, credentials="ApiKey y") == invalid


def test_chains() -> None:
    """An authority between is shown along; one that may not issue, or has ended, breaks the chain."""
    between = made("between", ROOT, authority=True)
    leaf = made("west", between)
    untrusted = "Failed to verify cross cluster api key signature certificate from [CN=west]"
    whole = Signer(leaf[1], (leaf[0], between[0])).sign("info", "ApiKey x")
    assert judged(whole) == ""
    assert judged(Signer(leaf[1], (leaf[0],)).sign("info", "ApiKey x")) == untrusted
    assert judged(whole, made("other", authority=True)) == untrusted
    assert judged(Signer(LEAF[1], (LEAF[0],)).sign("info", "ApiKey x"), LEAF) == ""
    no_authority = made("between", ROOT)
    forged = made("west", no_authority)
    shown = Signer(forged[1], (forged[0], no_authority[0])).sign("info", "ApiKey x")
    assert judged(shown) == untrusted
    ended = made("west", ROOT, until=NOW - DAY)
    assert judged(Signer(ended[1], (ended[0],)).sign("info", "ApiKey x")) == untrusted
    old_root = made("root", authority=True, until=NOW - DAY)
    under = made("west", old_root)
    assert judged(Signer(under[1], (under[0],)).sign("info", "ApiKey x"), old_root) == untrusted


def test_a_signature_is_good_until_the_first_certificate_of_its_chain_ends() -> None:
    def until(chain: list[Made], *authorities: Made) -> int | None:
        shown = Signer(chain[0][1], tuple(each[0] for each in chain)).sign("info", "ApiKey x")
        trusted = [each[0] for each in authorities]
        return check(
            shown,
            "info",
            "ApiKey x",
            key_id="k",
            identity=None,
            authorities=trusted,
            now_ms=NOW_MS,
        )

    def after(days: int) -> int:
        return int((NOW + days * DAY).timestamp() * 1000)

    root = made("root", authority=True, until=NOW + 5 * DAY)
    between = made("between", root, authority=True, until=NOW + 3 * DAY)
    assert until([made("west", root, until=NOW + 9 * DAY)], root) == after(5)
    assert until([made("west", root, until=NOW + 2 * DAY)], root) == after(2)
    assert until([made("west", between, until=NOW + 9 * DAY), between], root) == after(3)
    assert (
        check(
            None,
            "info",
            "ApiKey x",
            key_id="k",
            identity=None,
            authorities=[],
            now_ms=NOW_MS,
        )
        is None
    )


def test_no_signature() -> None:
    assert judged(None, identity=None) == ""
    assert "requires certificate identity matching [CN=west], but no certificate" in judged(None)


@pytest.mark.parametrize(
    "shown", ["", "x", "e30=", base64.b64encode(b"[" * 9000).decode(), "A" * 60_000]
)
def test_what_cannot_be_read(shown: str) -> None:
    assert judged(shown) == "cross cluster api key signature cannot be read"


def test_members_of_the_wrong_kind() -> None:
    good = json.loads(base64.b64decode(Signer(LEAF[1], (LEAF[0],)).sign("info", "ApiKey x")))
    for name, value in (
        ("v", 2),
        ("chain", []),
        ("chain", ["AAAA"]),
        ("signature", 7),
        ("v", None),
    ):
        told = base64.b64encode(json.dumps({**good, name: value}).encode()).decode()
        assert judged(told) != ""
    other = base64.b64encode(json.dumps({**good, "algorithm": "SHA256withRSA"}).encode()).decode()
    assert judged(other) == "Invalid cross cluster api key signature from [CN=west]"


@pytest.mark.parametrize(
    ("identity", "name", "fits"),
    [
        ("CN=west", "CN=west", True),
        ("CN=west", "CN=west,O=x", False),
        ("CN=w.*", "CN=west,O=x", True),
        ("cn=WEST", "CN=west", False),
        ("(?i)cn=WEST", "CN=west", True),
        ("", "CN=west", False),
        ("", "", False),
    ],
)
def test_identities(identity: str, name: str, fits: bool) -> None:
    """X-109: as a whole, with its case, and by a matcher whose time is linear."""
    assert matches(identity, name) is fits


def test_a_pattern_that_would_backtrack_for_ever() -> None:
    """X-109"""
    assert matches("(a|aa)+b", "a" * 2000) is False


def test_files_that_do_not_belong_together() -> None:
    key, other = ed25519.Ed25519PrivateKey.generate(), made("other")

    def pem(private: Any) -> bytes:
        data: bytes = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return data

    certificate = LEAF[0].public_bytes(serialization.Encoding.PEM)
    assert pem_signer(certificate, pem(LEAF[1]), None).chain == (LEAF[0],)
    with pytest.raises(SettingsError, match="RSA or EC"):
        pem_signer(certificate, pem(key), None)
    with pytest.raises(SettingsError, match="not the one of the first certificate"):
        pem_signer(certificate, pem(other[1]), None)
    with pytest.raises(SettingsError, match="cannot be read"):
        pem_signer(b"x", b"y", None)
