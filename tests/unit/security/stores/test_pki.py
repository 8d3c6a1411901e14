"""Users with certificates: by the subject's structure, with the roles of mappings."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from sealane.clock import RandomIds, SystemClock
from sealane.cluster.store import MemoryStateStore
from sealane.errors import AuthenticationFailed
from sealane.model.credentials import Credentials
from sealane.model.security import Secret
from sealane.security.stores.certificate_names import read_subject
from sealane.security.stores.security import Security
from sealane.settings import Settings

REALM = "xpack.security.authc.realms.pki.pki1.order"
BASIC = Secret("Basic " + base64.b64encode(b"elastic:changeme-1").decode())


def certificate(*parts: tuple[x509.ObjectIdentifier, str]) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.DER)


ANN = certificate((NameOID.ORGANIZATION_NAME, "x"), (NameOID.COMMON_NAME, "ann"))


@pytest.fixture
async def security(tmp_path: Path) -> AsyncIterator[Security]:
    (tmp_path / "role_mapping.yml").write_text('filed:\n  - "CN=ann,O=x"\n')
    made = Security(
        Settings({REALM: "1", "xpack.security.authc.password_hashing.algorithm": "pbkdf2_1000"}),
        store=MemoryStateStore(),
        config=tmp_path,
        clock=SystemClock(),
        ids=RandomIds(),
        bootstrap_password=Secret("changeme-1"),
    )
    await made.start()
    yield made
    made.close()


def test_a_subject_is_read_by_its_structure() -> None:
    """A value that looks like another part of the name is still a value."""
    sly = certificate((NameOID.ORGANIZATION_NAME, "x,CN=admin"), (NameOID.COMMON_NAME, "eve"))
    found = read_subject(sly, "CN")
    assert found is not None
    assert found.user == "eve"
    assert found.dn == "CN=eve,O=x\\,CN=admin"
    two = certificate((NameOID.COMMON_NAME, "outer"), (NameOID.COMMON_NAME, "inner"))
    assert read_subject(two, "cn") == ("inner", "CN=inner,CN=outer")
    assert read_subject(ANN, "OU") is None
    assert read_subject(ANN, "nonsense") is None
    assert read_subject(b"no certificate", "CN") is None


async def test_a_certificate_lets_its_user_in(security: Security) -> None:
    rules = {"all": [{"field": {"realm.name": "pki1"}}, {"field": {"dn": "CN=ann,*"}}]}
    await security.role_mappings.put("m", enabled=True, roles=["viewer"], rules=rules, metadata={})
    await security.role_mappings.put(
        "off", enabled=False, roles=["superuser"], rules={"field": {"dn": "*"}}, metadata={}
    )
    subject = await security.authenticate(Credentials(certificate=ANN))
    assert (subject.name, subject.realm.name, subject.realm.type) == ("ann", "pki1", "pki")
    assert subject.roles == ("viewer", "filed")
    assert subject.metadata == {"pki_dn": "CN=ann,O=x"}
    assert security.authenticated(Credentials(certificate=ANN)) is subject


async def test_changed_mappings_hold_at_once(security: Security) -> None:
    """T-35."""
    first = await security.authenticate(Credentials(certificate=ANN))
    assert first.roles == ("filed",)
    await security.role_mappings.put(
        "m", enabled=True, roles=["viewer"], rules={"field": {"username": "ann"}}, metadata={}
    )
    assert security.authenticated(Credentials(certificate=ANN)) is None
    second = await security.authenticate(Credentials(certificate=ANN))
    assert second.roles == ("viewer", "filed")


async def test_a_password_counts_more_than_a_certificate_of_a_later_realm(
    security: Security,
) -> None:
    subject = await security.authenticate(Credentials(authorization=BASIC, certificate=ANN))
    assert subject.name == "elastic"


async def test_a_certificate_without_the_part_that_names_a_user(security: Security) -> None:
    nobody = certificate((NameOID.ORGANIZATION_NAME, "x"))
    with pytest.raises(AuthenticationFailed, match="missing authentication credentials"):
        await security.authenticate(Credentials(certificate=nobody))


async def test_without_such_a_realm_certificates_say_nothing(tmp_path: Path) -> None:
    made = Security(
        Settings({}),
        store=MemoryStateStore(),
        config=tmp_path,
        clock=SystemClock(),
        ids=RandomIds(),
        bootstrap_password=Secret("changeme-1"),
    )
    try:
        with pytest.raises(AuthenticationFailed, match="missing authentication credentials"):
            await made.authenticate(Credentials(certificate=ANN))
    finally:
        made.close()
