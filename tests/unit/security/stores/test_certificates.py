"""Certificates as they are made: for whom, for how long, by whom."""

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from sealane.errors import IllegalArgument
from sealane.model.security import Secret
from sealane.security.stores.certificates import (
    Subject,
    alternative_names,
    common_name,
    distinguished_name,
    issue,
    make_authority,
    read_authority,
    read_authority_store,
)

NOW_MS = 1_795_348_800_000
DAY_MS = 86_400_000


@given(st.text(min_size=1, max_size=64))
@settings(max_examples=300, deadline=None)
def test_any_name_is_a_common_name(text: str) -> None:
    """Whatever characters it has, it stays one name, and a part of no other."""
    try:
        name = distinguished_name(common_name(text))
    except IllegalArgument:
        # What no certificate can hold is refused, never changed.
        assert (
            len(text.encode("utf-8", "replace")) > 64 or not text.isprintable() or not text.strip()
        )
        return
    (attribute,) = list(name)
    assert (attribute.oid, attribute.value) == (NameOID.COMMON_NAME, text)


@pytest.mark.parametrize("text", ["", "node", "CN", "=x", "CN=a,,", "XX=1"])
def test_what_is_no_distinguished_name(text: str) -> None:
    with pytest.raises(IllegalArgument):
        distinguished_name(text)


def test_names_and_addresses() -> None:
    names = alternative_names(Subject(name="CN=a", dns=("a", "*.b", "a"), ips=("::1", "10.0.0.1")))
    assert names is not None
    assert names.get_values_for_type(x509.DNSName) == ["a", "*.b"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["::1", "10.0.0.1"]
    assert alternative_names(Subject(name="CN=a")) is None
    for bad in (Subject(name="CN=a", dns=("ö.example",)), Subject(name="CN=a", ips=("node",))):
        with pytest.raises(IllegalArgument):
            alternative_names(bad)


def test_time() -> None:
    """From a little before it was made, for clocks differ, to the days that were asked for."""
    made = make_authority("CN=root", now_ms=NOW_MS, days=10).certificate
    assert made.not_valid_after_utc.timestamp() * 1000 == NOW_MS + 10 * DAY_MS
    assert 0 < NOW_MS - made.not_valid_before_utc.timestamp() * 1000 <= 600_000


def test_an_authority_signs_no_other_authority_and_says_what_it_is() -> None:
    root = make_authority("CN=root", now_ms=NOW_MS)
    node = issue(root, Subject(name="CN=node"), now_ms=NOW_MS)
    assert node.chain == (root.certificate,)
    constraints = node.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca) == (True, False)
    usage = root.certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.digital_signature) == (True, False)
    identifier = node.certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    own = root.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert identifier.value.key_identifier == own.value.key_identifier
    numbers = {each.certificate.serial_number for each in (root, node)}
    assert len(numbers) == 2


def test_an_authority_is_read_as_it_was_written() -> None:
    root = make_authority("CN=root", now_ms=NOW_MS)
    password = Secret("pw")
    pem = read_authority(root.certificate_pem(), root.key_pem(password), password)
    store = read_authority_store(root.pkcs12("ca", password), password)
    for each in (pem, store):
        assert each.certificate == root.certificate
        assert each.fingerprint == root.fingerprint
    with pytest.raises(IllegalArgument, match="is encrypted: give its password"):
        read_authority(root.certificate_pem(), root.key_pem(password), None)
    with pytest.raises(IllegalArgument, match="wrong password"):
        read_authority(root.certificate_pem(), root.key_pem(password), Secret("no"))
    with pytest.raises(IllegalArgument, match="its password is wrong"):
        read_authority_store(root.pkcs12("ca", password), None)
    other = make_authority("CN=other", now_ms=NOW_MS)
    with pytest.raises(IllegalArgument, match="do not belong together"):
        read_authority(root.certificate_pem(), other.key_pem(), None)
