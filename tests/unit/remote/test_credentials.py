"""Which model an alias has, what is sent for whom, and what is remembered of it. Without sockets."""

import logging

import pytest
from msgspec.structs import replace

from sealane.errors import IllegalArgument, SecurityError
from sealane.model.node import Address
from sealane.model.security import (
    SYSTEM,
    IndexPrivileges,
    Realm,
    RemoteIndexPrivileges,
    RoleDescriptor,
    Secret,
    Subject,
)
from sealane.remote.certificate_model import (
    AUTHENTICATION_HEADER,
    CLUSTER_HEADER,
    CertificateHeaders,
)
from sealane.remote.config import Model
from sealane.remote.credentials import (
    CREDENTIALS_HEADER,
    SUBJECT_INFO_HEADER,
    CredentialSource,
    KeyHeaders,
    KeyLinks,
    RemoteSecurity,
)
from sealane.remote.eligible import address_warning
from sealane.security.rules.permission import Permission
from tests.unit.remote.fakes import FakeDialer, cluster_of, node
from tests.unit.remote.registries import remotes, sniff

ANN = Subject(name="ann", realm=Realm(name="native1", type="native"))
SEARCH = "indices:data/read/search"


class Keys:
    """A CredentialSource that changes when it is told to."""

    def __init__(self, **keys: str) -> None:
        self.keys = keys
        self.tell = lambda aliases: None

    def credentials(self, alias: str) -> Secret | None:
        found = self.keys.get(alias)
        return None if found is None else Secret(found)

    def aliases(self) -> frozenset[str]:
        return frozenset(self.keys)

    def on_change(self, callback) -> None:  # type: ignore[no-untyped-def]
        self.tell = callback


class Info:
    """A SubjectInfo that counts."""

    def __init__(self) -> None:
        self.written = 0

    def system(self) -> str:
        return "system"

    def user(self, subject: Subject, permission: Permission, alias: str, action: str) -> str:
        self.written += 1
        if not permission.toward(alias):
            raise SecurityError("no remote privileges apply")
        return f"info of {subject.name}"


class AllRights:
    """Everybody's rights are one object, until somebody puts another there."""

    def __init__(self) -> None:
        self.now = permission("*")

    def permission(self, subject: Subject) -> Permission:
        return self.now


def permission(*clusters: str) -> Permission:
    entry = IndexPrivileges(names=("*",), privileges=("read",))
    role = RoleDescriptor(
        name="r", remote_indices=(RemoteIndexPrivileges(clusters=clusters, entry=entry),)
    )
    return Permission(((role,),))


def links(rights: AllRights, info: Info) -> KeyLinks:
    return KeyLinks(client_tls=None, rights=rights, info=lambda family: info)


def security(source: CredentialSource) -> RemoteSecurity:
    return RemoteSecurity(source, links(AllRights(), Info()))


def test_what_is_sent_is_written_once_for_as_long_as_the_rights_stay() -> None:
    rights, info = AllRights(), Info()
    headers = KeyHeaders("eu", Secret("key"), links(rights, info))
    first = headers.headers(SEARCH, ANN, "sealane")
    assert dict(first) == {CREDENTIALS_HEADER: "ApiKey key", SUBJECT_INFO_HEADER: "info of ann"}
    assert headers.headers(SEARCH, ANN, "sealane") is first
    assert info.written == 1
    rights.now = permission("*")
    assert headers.headers(SEARCH, ANN, "sealane") is not first
    rights.now = permission("us")
    with pytest.raises(SecurityError):
        headers.headers(SEARCH, ANN, "sealane")


def test_the_node_itself_and_nobody_else_within_asks_as_such() -> None:
    """T-11: another internal user is never sent; the cluster's state is always asked for by the node."""
    info = Info()
    headers = KeyHeaders("eu", Secret("key"), links(AllRights(), info))
    system = headers.headers(SEARCH, SYSTEM, "sealane")
    assert dict(system)[SUBJECT_INFO_HEADER] == "system"
    assert headers.headers("cluster:monitor/state", ANN, "sealane") is system
    assert info.written == 0
    other = Subject(name="_xpack", realm=SYSTEM.realm, type=SYSTEM.type)
    with pytest.raises(SecurityError, match="should not be used for cross cluster requests"):
        headers.headers(SEARCH, other, "sealane")


def test_a_key_makes_the_model() -> None:
    """1. of the models: nothing but the key counts, unless the settings say so."""
    made = security(Keys(eu="key"))
    assert made.model("eu", None) is Model.API_KEY
    assert made.model("us", None) is Model.CERTIFICATE
    assert made.model("eu", Model.CERTIFICATE) is Model.CERTIFICATE
    assert made.link("us", Model.CERTIFICATE) is None
    link = made.link("eu", Model.API_KEY)
    assert link is not None
    assert link.by_key
    with pytest.raises(IllegalArgument, match=r"the keystore holds no \[cluster.remote.us"):
        made.link("us", Model.API_KEY)


def test_a_digest_tells_keys_apart_and_nothing_else() -> None:
    one, other = security(Keys(eu="key", us="key")), security(Keys(eu="other"))
    assert one.digest("eu") == security(Keys(eu="key")).digest("eu")
    assert len({one.digest("eu"), one.digest("us"), other.digest("eu")}) == 3
    assert one.digest("none") is None


def test_no_secret_shows_itself() -> None:
    """X-111"""
    made = security(Keys(eu="planted"))
    assert "planted" not in repr((made, made.link("eu", Model.API_KEY), Secret("planted")))


def test_a_certificate_speaks_for_the_subject_and_tells_the_cluster() -> None:
    uuid = "one"
    headers = CertificateHeaders(lambda: uuid, lambda subject, family: subject.name)
    first = headers.headers(SEARCH, ANN, "sealane")
    assert dict(first) == {AUTHENTICATION_HEADER: "ann", CLUSTER_HEADER: "one"}
    assert headers.headers(SEARCH, ANN, "sealane") is first
    uuid = "two"
    assert dict(headers.headers(SEARCH, ANN, "sealane"))[CLUSTER_HEADER] == "two"
    assert dict(headers.headers(SEARCH, ANN, "elasticsearch")) == {AUTHENTICATION_HEADER: "ann"}


@pytest.mark.parametrize(
    ("listed", "teller", "warned"),
    [
        ("127.0.0.1", "10.0.0.1", True),
        ("::1", "192.0.2.1", True),
        ("::ffff:127.0.0.1", "10.0.0.1", True),
        ("169.254.169.254", "10.0.0.1", True),
        ("0.0.0.0", "10.0.0.1", True),
        ("224.0.0.1", "10.0.0.1", True),
        ("fe80::1", "2001:db8::1", True),
        ("127.0.0.2", "127.0.0.1", False),
        ("10.0.0.2", "192.0.2.1", False),
        ("node-1.example", "10.0.0.1", False),
    ],
)
def test_a_key_is_not_shown_at_addresses_of_this_machine(
    listed: str, teller: str, warned: bool
) -> None:
    """T-5: of which another machine has no say."""
    told = replace(node("a", 9300), address=Address(listed, 9300))
    assert (address_warning(told, Address(teller, 9443)) is not None) is warned


async def test_a_remote_by_certificate_is_deprecated(caplog: pytest.LogCaptureFixture) -> None:
    """X-81: once for each configuration, and not where there is a key."""
    settings = sniff().merged({"xpack.security.transport.ssl.enabled": "true"})
    [eu] = cluster_of(node("a", 9300))
    with caplog.at_level(logging.WARNING, logger="sealane.deprecation"):
        async with remotes(FakeDialer(eu), settings) as made:
            made.apply(settings)
        [record] = caplog.records
        assert "connection to [eu] is using the certificate-based security model" in record.message
        caplog.clear()
        async with remotes(FakeDialer(eu), settings, security=security(Keys(eu="key"))):
            pass
        assert not caplog.records


async def test_a_key_without_a_remote_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """X-70, P6"""
    [eu] = cluster_of(node("a", 9300))
    keys = Keys(ue="key")
    with caplog.at_level(logging.WARNING, logger="sealane.remote"):
        async with remotes(FakeDialer(eu), sniff(), security=security(keys)) as made:
            keys.tell(frozenset({"ue"}))
            shown = made.describe(verbose=True)["eu"]["warnings"]
        told = [record.message for record in caplog.records if "[ue]" in record.message]
    assert len(told) == 1
    assert told == [each for each in shown if "[ue]" in each]


async def test_an_alias_without_a_key_on_the_port_for_keys_is_told_of_the_keystore() -> None:
    """X-71"""
    settings = sniff().merged({"cluster.remote.eu.seeds": ("10.0.0.1:9443",)})
    async with remotes(FakeDialer(), settings) as made:
        [warning] = made.describe(verbose=True)["eu"]["warnings"]
    assert "sealane keystore add cluster.remote.eu.credentials" in warning
