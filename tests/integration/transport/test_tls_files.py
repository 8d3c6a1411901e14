"""TLS made of the settings of a node: which files it takes, and what it says of those it cannot."""

import datetime as dt
import logging
import socket
import ssl
from pathlib import Path

import pytest

from sealane.clock import SystemClock
from sealane.errors import ApiError, ConnectTransport, SettingsError, TlsHandshake
from sealane.model.node import Address
from sealane.settings import Settings, Value
from sealane.settings.tls_settings import TRANSPORT_TLS
from sealane.transport import ConnectionProfile, TaskScope, TlsFiles
from sealane.transport.certificate_watch import CertificateWatch
from tests.integration.transport.certificates import FOR_SERVERS, Authority, Issued
from tests.transport_nodes import two_nodes, until

PREFIX = "xpack.security.transport.ssl"
ONE = ConnectionProfile(1)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def files(folder: Path, **members: Value) -> TlsFiles:
    given = {f"{PREFIX}.{member}": value for member, value in members.items()}
    settings = Settings({f"{PREFIX}.enabled": "true", **given})
    return TlsFiles(TRANSPORT_TLS.read(settings), folder, SystemClock())


def identity(issued: Issued) -> dict[str, Value]:
    """Relative names, as users write them."""
    return {"certificate": issued.certificate.name, "key": issued.key.name}


def trusted(authority: Authority) -> dict[str, Value]:
    return {"certificate_authorities": authority.path.name}


async def connects(server: TlsFiles, client: TlsFiles, **options: str) -> None:
    """Raises what the connect raises."""
    async with two_nodes() as (near, far):
        address = await far.transport.listen("127.0.0.1", 0, tls=server.server)
        connection = await near.transport.connect(address, ONE, tls=client.client(), **options)
        connection.close()


async def refusal(server: TlsFiles, client: TlsFiles, **options: str) -> tuple[str, str]:
    """The stable name of the problem, and the sentence."""
    with pytest.raises(ConnectTransport) as raised:
        await connects(server, client, **options)
    cause = tls_cause(raised.value)
    return cause.metadata["problem"], cause.reason


def tls_cause(error: ApiError) -> TlsHandshake:
    """What is wrong with TLS, below the reference's own wrappings."""
    found: ApiError | None = error
    while found is not None and not isinstance(found, TlsHandshake):
        found = found.caused_by
    assert found is not None
    return found


async def test_mutual_tls_by_settings(authority: Authority, tmp_path: Path) -> None:
    one = files(tmp_path, **identity(authority.issue("127.0.0.1")), **trusted(authority))
    other = files(tmp_path, **identity(authority.issue("127.0.0.1")), **trusted(authority))
    await connects(one, other)


async def test_the_error_has_the_references_shape(authority: Authority, tmp_path: Path) -> None:
    """As a real node wraps what its TLS library says."""
    server = files(tmp_path, **identity(authority.issue("east.example")), **trusted(authority))
    with pytest.raises(ConnectTransport) as raised:
        await connects(server, server)
    body = raised.value.to_body()["error"]
    reason = "certificate verification failed: it is for [east.example], not for [127.0.0.1]"
    assert body["reason"].endswith("] connect_exception")
    assert body["root_cause"] == [
        {"type": "uncategorized_execution_exception", "reason": "Failed execution"}
    ]
    executed = body["caused_by"]["caused_by"]
    assert executed["type"] == "execution_exception"
    assert executed["reason"] == f"javax.net.ssl.SSLHandshakeException: {reason}"
    assert executed["caused_by"]["type"] == "s_s_l_handshake_exception"
    assert executed["caused_by"]["reason"] == reason


async def test_a_caller_without_a_certificate(authority: Authority, tmp_path: Path) -> None:
    """X-82: asked for by default; not where client authentication is optional or none."""
    mine = identity(authority.issue("127.0.0.1"))
    caller = files(tmp_path, **trusted(authority))
    strict = files(tmp_path, **mine, **trusted(authority))
    problem, text = await refusal(strict, caller)
    assert problem == "client_certificate_missing"
    assert text == (
        "TLS handshake failed: the remote demands a certificate, and this node has none to show"
    )
    for mode in ("optional", "none"):
        lenient = files(tmp_path, **mine, **trusted(authority), client_authentication=mode)
        await connects(lenient, caller)


async def test_an_untrusted_caller(authority: Authority, tmp_path: Path) -> None:
    """X-82: of an authority that is not trusted, whether a certificate is demanded or not."""
    stranger = Authority(tmp_path, "stranger")
    server = files(tmp_path, **identity(authority.issue("127.0.0.1")), **trusted(authority))
    caller = files(tmp_path, **identity(stranger.issue("127.0.0.1")), **trusted(authority))
    problem, text = await refusal(server, caller)
    assert problem == "certificate_refused"
    assert "does not trust the authority that issued this node's certificate" in text
    optional = files(
        tmp_path,
        **identity(authority.issue("127.0.0.1")),
        **trusted(authority),
        client_authentication="optional",
    )
    assert (await refusal(optional, caller))[0] == "certificate_refused"


async def test_an_untrusted_server(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    server = files(tmp_path, **identity(stranger.issue("127.0.0.1")), **trusted(authority))
    caller = files(tmp_path, **identity(authority.issue("127.0.0.1")), **trusted(authority))
    problem, text = await refusal(server, caller)
    assert problem == "unknown_authority"
    assert text == (
        "certificate verification failed: its authority is not trusted here "
        "(unable to get local issuer certificate): [CN=127.0.0.1], issued by [CN=stranger]"
    )
    unchecked = files(
        tmp_path,
        **identity(authority.issue("127.0.0.1")),
        **trusted(authority),
        verification_mode="none",
    )
    await connects(
        files(
            tmp_path,
            **identity(stranger.issue("127.0.0.1")),
            **trusted(authority),
        ),
        unchecked,
    )


@pytest.mark.parametrize("name", ["west.example", None])
async def test_names_are_checked_in_full_mode_only(
    authority: Authority, tmp_path: Path, name: str | None
) -> None:
    """X-94: without a server name it is the address that must be in the certificate."""
    mine = identity(authority.issue("east.example"))
    server = files(tmp_path, **mine, **trusted(authority))
    options = {} if name is None else {"server_name": name}
    full = files(tmp_path, **mine, **trusted(authority))
    problem, text = await refusal(server, full, **options)
    assert problem == "wrong_server_name"
    assert text == (
        "certificate verification failed: "
        f"it is for [east.example], not for [{name or '127.0.0.1'}]"
    )
    await connects(server, full, server_name="east.example")
    chain = files(tmp_path, **mine, **trusted(authority), verification_mode="certificate")
    await connects(server, chain, **options)


@pytest.mark.parametrize(
    ("start", "end", "problem", "words"),
    [
        (2020, 2021, "certificate_expired", "has expired: it is valid from [2020-01-01T00:00:00Z]"),
        (2119, 2120, "certificate_not_yet_valid", "is not yet valid: it is valid from [2119-"),
    ],
)
async def test_dates(
    authority: Authority,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    start: int,
    end: int,
    problem: str,
    words: str,
) -> None:
    """A node starts with such a certificate and warns; who calls it is told the dates and its own
    time."""
    issued = authority.issue(
        "127.0.0.1", start=dt.datetime(start, 1, 1), end=dt.datetime(end, 1, 1)
    )
    server = files(tmp_path, **identity(issued), **trusted(authority))
    assert "peers that check it will refuse this node" in caplog.text
    assert f"[{issued.certificate}]" in caplog.text
    caller = files(tmp_path, **identity(authority.issue("127.0.0.1")), **trusted(authority))
    found, text = await refusal(server, caller)
    assert found == problem
    assert words in text
    assert ", the clock here says [20" in text


async def test_a_certificate_that_clients_may_not_use(authority: Authority, tmp_path: Path) -> None:
    server = files(tmp_path, **identity(authority.issue("127.0.0.1")), **trusted(authority))
    limited = authority.issue("127.0.0.1", purpose=FOR_SERVERS)
    caller = files(tmp_path, **identity(limited), **trusted(authority))
    assert (await refusal(server, caller))[0] == "certificate_refused"


async def test_no_protocol_in_common(authority: Authority, tmp_path: Path) -> None:
    """X-96: the list of each side is honoured."""
    both = {**identity(authority.issue("127.0.0.1")), **trusted(authority)}
    new = files(tmp_path, **both, supported_protocols=("TLSv1.3",))
    old = files(tmp_path, **both, supported_protocols=("TLSv1.2",))
    assert (await refusal(new, old))[0] == "no_common_protocol"
    assert (await refusal(old, new))[0] == "no_common_protocol"
    await connects(old, old)


async def test_whoever_is_named_is_trusted(authority: Authority, tmp_path: Path) -> None:
    """As the reference: a single node's certificate may be given as an authority. Without the
    setting, the own certificate is trusted."""
    mine = authority.issue("127.0.0.1")
    named = files(tmp_path, **identity(mine), certificate_authorities=str(mine.certificate))
    await connects(named, named)
    alone = files(tmp_path, **identity(mine))
    await connects(alone, alone)


async def test_an_encrypted_key(authority: Authority, tmp_path: Path) -> None:
    issued = authority.issue("127.0.0.1", passphrase="open sesame")
    both = {**identity(issued), **trusted(authority)}
    opened = files(tmp_path, **both, key_passphrase="open sesame")
    await connects(opened, opened)
    assert problem_with(tmp_path, **both) == (
        f"the private key in [{issued.key}] is encrypted: set [{PREFIX}.secure_key_passphrase]"
    )
    text = problem_with(tmp_path, **both, key_passphrase="wrong")
    assert text == (
        f"the private key in [{issued.key}] cannot be decrypted: "
        f"correct [{PREFIX}.secure_key_passphrase]"
    )


def problem_with(folder: Path, **members: Value) -> str:
    """What follows the beginning that all problems share."""
    with pytest.raises(SettingsError) as raised:
        files(folder, **members)
    beginning = f"failed to load SSL configuration [{PREFIX}] - "
    assert raised.value.reason.startswith(beginning)
    return raised.value.reason.removeprefix(beginning)


async def test_files_that_cannot_be_used(authority: Authority, tmp_path: Path) -> None:
    """Each sentence names the file, the setting and what to do."""
    mine, other = authority.issue("127.0.0.1"), authority.issue("127.0.0.1")
    good = {**identity(mine), **trusted(authority)}
    (tmp_path / "empty").touch()
    empty = tmp_path / "empty"
    for member, what in (
        ("certificate", "PEM certificate"),
        ("key", "PEM private key"),
        ("certificate_authorities", "PEM certificate_authorities"),
    ):
        assert problem_with(tmp_path, **{**good, member: "gone"}) == (
            f"cannot read configured {what} [{tmp_path / 'gone'}] because the file does not exist: "
            f"create it, or correct [{PREFIX}.{member}]"
        )
    assert problem_with(tmp_path, **{**good, "key": other.key.name}) == (
        f"[{other.key}] is not the private key of the certificate in [{mine.certificate}]: "
        f"make [{PREFIX}.key] and [{PREFIX}.certificate] name files that belong together"
    )
    assert problem_with(tmp_path, **{**good, "key": mine.certificate.name}) == (
        f"[{mine.certificate}] holds no private key in PEM form: correct [{PREFIX}.key]"
    )
    text = problem_with(tmp_path, **{**good, "certificate": "empty"})
    assert text.startswith(f"the key in [{mine.key}] and the certificate in [{empty}] cannot be")
    text = problem_with(tmp_path, **{**good, "certificate_authorities": "empty"})
    assert text.startswith(f"[{empty}] holds no certificate that can be read")
    text = problem_with(tmp_path, **{**good, "certificate": str(tmp_path)})
    assert text == (
        f"cannot read configured PEM certificate [{tmp_path}] because of an error: "
        f"Is a directory: correct [{PREFIX}.certificate]"
    )


async def test_changed_files_are_taken_up(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """X-97: new connections use them; a broken one leaves what was there in force."""
    caplog.set_level(logging.INFO)
    mine = authority.issue("127.0.0.1")
    node = files(tmp_path, **identity(mine), **trusted(authority))
    outsider = Authority(tmp_path, "outsider")
    caller = files(
        tmp_path,
        **identity(outsider.issue("127.0.0.1")),
        certificate_authorities=outsider.path.name,
    )
    node.refresh()
    assert node.reloads == 0
    assert (await refusal(node, caller))[0] == "unknown_authority"

    moved = outsider.issue("127.0.0.1")
    mine.certificate.write_bytes(moved.certificate.read_bytes())
    node.refresh()
    assert node.reloads == 0
    assert node.last_error is not None
    assert "is not the private key of the certificate" in node.last_error
    assert "what was read before stays in force" in caplog.text
    assert (await refusal(node, caller))[0] == "unknown_authority"

    mine.key.write_bytes(moved.key.read_bytes())
    authority.path.write_bytes(outsider.path.read_bytes())
    node.refresh()
    assert (node.reloads, node.last_error) == (1, None)
    await connects(node, caller)


async def test_a_listener_takes_up_changed_files(authority: Authority, tmp_path: Path) -> None:
    """X-97: while it listens, open connections live on, the next is asked for what is trusted now."""
    mine = authority.issue("127.0.0.1")
    node = files(tmp_path, **identity(mine), **trusted(authority))
    outsider = Authority(tmp_path, "outsider")
    caller = files(tmp_path, **identity(outsider.issue("127.0.0.1")), **trusted(authority))
    friend = files(tmp_path, **identity(authority.issue("127.0.0.1")), **trusted(authority))
    async with two_nodes() as (near, far):
        address = await far.transport.listen("127.0.0.1", 0, tls=node.server)
        first = await near.transport.connect(address, ONE, tls=friend.client())
        with pytest.raises(ConnectTransport):
            await near.transport.connect(address, ONE, tls=caller.client())
        both = authority.path.read_bytes() + outsider.path.read_bytes()
        authority.path.write_bytes(both)
        node.refresh()
        second = await near.transport.connect(address, ONE, tls=caller.client())
        assert first.is_open
        assert second.is_open


async def test_the_watch_takes_them_up_by_itself(authority: Authority, tmp_path: Path) -> None:
    """X-97: nobody has to ask for it."""
    mine, next_one = authority.issue("127.0.0.1"), authority.issue("127.0.0.1")
    node = files(tmp_path, **identity(mine), **trusted(authority))
    before = node.server()
    async with TaskScope("test") as scope:
        watch = CertificateWatch(SystemClock())
        watch.groups.append(node)
        scope.start(watch.run(interval_s=0.01))
        mine.key.write_bytes(next_one.key.read_bytes())
        mine.certificate.write_bytes(next_one.certificate.read_bytes())
        await until(lambda: node.reloads > 0 and node.last_error is None)
    assert node.server() is not before


async def test_a_group_without_a_certificate_only_calls(
    authority: Authority, tmp_path: Path
) -> None:
    caller = files(tmp_path, **trusted(authority))
    assert caller.client().verify_mode is ssl.CERT_REQUIRED
    with pytest.raises(SettingsError) as raised:
        caller.server()
    assert raised.value.reason == (
        f"set [{PREFIX}.certificate] and [{PREFIX}.key] to listen with TLS"
    )


async def test_one_side_without_tls(authority: Authority, tmp_path: Path) -> None:
    """Both directions, as the service's own default makes them."""
    node = files(tmp_path, **identity(authority.issue("127.0.0.1")), **trusted(authority))
    async with two_nodes() as (near, far):
        with pytest.raises(ConnectTransport) as raised:
            await near.transport.connect(far.address, ONE, tls=node.client())
        assert tls_cause(raised.value).metadata["problem"] == "remote_is_plain"
        address = await far.transport.listen("127.0.0.1", 0, tls=node.server)
        with pytest.raises(ConnectTransport) as raised:
            await near.transport.connect(address, ONE)
        assert tls_cause(raised.value).metadata == {
            "problem": "remote_is_tls",
            "next_step": f"set [{PREFIX}.enabled: true] here, with a key, a certificate and the "
            "authorities to trust",
        }


def loopback_v6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not loopback_v6(), reason="this machine has no IPv6 loopback address")
async def test_ipv6_with_an_address_in_the_certificate(
    authority: Authority, tmp_path: Path
) -> None:
    """X-94."""
    right = files(tmp_path, **identity(authority.issue("::1")), **trusted(authority))
    wrong = files(tmp_path, **identity(authority.issue("127.0.0.1")), **trusted(authority))
    async with two_nodes() as (near, far):
        address = await far.transport.listen("::1", 0, tls=right.server)
        assert str(address) == f"[::1]:{address.port}"
        await near.transport.connect(Address("::1", address.port), ONE, tls=right.client())
        other = await far.transport.listen("::1", 0, tls=wrong.server)
        with pytest.raises(ConnectTransport) as raised:
            await near.transport.connect(other, ONE, tls=right.client())
        assert tls_cause(raised.value).reason == (
            "certificate verification failed: it is for [127.0.0.1], not for [::1]"
        )
