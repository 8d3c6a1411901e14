"""TLS of PKCS#12 files, cipher suites and versions, as settings of any group have them."""

import asyncio
import logging
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from sealane.clock import SystemClock
from sealane.errors import ConnectTransport, SettingsError
from sealane.model.security import Secret
from sealane.settings import Settings, Value
from sealane.settings.tls_settings import REMOTE_CLIENT_TLS, REMOTE_SERVER_TLS, TlsGroup
from sealane.transport import AsyncioNetwork, TlsFiles
from sealane.transport.network import as_link
from sealane.transport.tls import PEER_CERTIFICATE, TlsReceiver
from tests.integration.transport.certificates import Authority, Issued
from tests.integration.transport.test_tls_files import ONE, connects, refusal, tls_cause
from tests.transport_nodes import two_nodes, until

SERVER, CLIENT = REMOTE_SERVER_TLS, REMOTE_CLIENT_TLS
PASSWORD = "opensesame"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def files(
    group: TlsGroup, folder: Path, *, secrets: dict[str, str] | None = None, **members: Value
) -> TlsFiles:
    given = {f"{group.prefix}.{name.replace('__', '.')}": each for name, each in members.items()}
    held = {f"{group.prefix}.{name}": Secret(text) for name, text in (secrets or {}).items()}
    settings = Settings(given).with_secrets(held)
    return TlsFiles(group.read(settings), folder, SystemClock())


def store(
    folder: Path, name: str, issued: Issued | None, *trusted: Path, password: str = PASSWORD
) -> str:
    """Writes a PKCS#12 file, and returns its name."""
    key = certificate = None
    if issued is not None:
        key = serialization.load_pem_private_key(issued.key.read_bytes(), None)
        certificate = x509.load_pem_x509_certificate(issued.certificate.read_bytes())
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password.encode())
    authorities = [x509.load_pem_x509_certificate(each.read_bytes()) for each in trusted]
    data = pkcs12.serialize_key_and_certificates(b"node", key, certificate, authorities, encryption)
    (folder / name).write_bytes(data)
    return name


KEYSTORE = {"keystore.secure_password": PASSWORD}
TRUSTSTORE = {"truststore.secure_password": PASSWORD}


def server(authority: Authority, folder: Path, **members: Value) -> TlsFiles:
    issued = authority.issue("127.0.0.1", "localhost")
    own: dict[str, Value] = {
        "certificate": issued.certificate.name,
        "key": issued.key.name,
        "certificate_authorities": authority.path.name,
    }
    return files(SERVER, folder, **{**own, **members})


def client(authority: Authority, folder: Path, **members: Value) -> TlsFiles:
    given: dict[str, Value] = {"certificate_authorities": authority.path.name, **members}
    return files(CLIENT, folder, **given)


async def test_a_keystore_and_a_truststore(authority: Authority, tmp_path: Path) -> None:
    """As with PEM: both ends show and check."""
    own = store(tmp_path, "a.p12", authority.issue("127.0.0.1"), authority.path)
    trusted = store(tmp_path, "trust.p12", None, authority.path)
    both = files(
        SERVER,
        tmp_path,
        keystore__path=own,
        truststore__path=trusted,
        client_authentication="required",
        secrets={**KEYSTORE, **TRUSTSTORE},
    )
    caller = files(
        CLIENT,
        tmp_path,
        keystore__path=own,
        truststore__path=trusted,
        secrets={**KEYSTORE, **TRUSTSTORE},
    )
    await connects(both, caller)
    stranger = Authority(tmp_path, "stranger")
    other = store(tmp_path, "other.p12", stranger.issue("127.0.0.1"))
    outsider = files(
        CLIENT,
        tmp_path,
        keystore__path=other,
        truststore__path=trusted,
        secrets={**KEYSTORE, **TRUSTSTORE},
    )
    assert (await refusal(both, outsider))[0] == "certificate_refused"


async def test_a_store_without_a_password(authority: Authority, tmp_path: Path) -> None:
    own = store(tmp_path, "a.p12", authority.issue("127.0.0.1"), password="")
    await connects(files(SERVER, tmp_path, keystore__path=own), client(authority, tmp_path))


async def test_a_keystore_is_trusted_itself(authority: Authority, tmp_path: Path) -> None:
    """Without other words on trust, as with PEM."""
    own = store(tmp_path, "a.p12", authority.issue("127.0.0.1"), authority.path)
    both = files(SERVER, tmp_path, keystore__path=own, secrets=KEYSTORE)
    caller = files(CLIENT, tmp_path, keystore__path=own, secrets=KEYSTORE)
    await connects(both, caller)


def problem(group: TlsGroup, folder: Path, **given: Value | dict[str, str]) -> str:
    with pytest.raises(SettingsError) as raised:
        files(group, folder, **given)  # type: ignore[arg-type]
    beginning = f"failed to load SSL configuration [{group.prefix}] - "
    assert raised.value.reason.startswith(beginning)
    return raised.value.reason.removeprefix(beginning)


def test_stores_that_do_not_fit(authority: Authority, tmp_path: Path) -> None:
    own = store(tmp_path, "a.p12", authority.issue("127.0.0.1"))
    trusted = store(tmp_path, "trust.p12", None, authority.path)
    (tmp_path / "junk.p12").write_bytes(b"\x30\x82junk")
    prefix = SERVER.prefix
    text = problem(SERVER, tmp_path, keystore__path=own, secrets={"keystore.secure_password": "x"})
    assert text == (
        f"cannot read configured [PKCS12] keystore [{tmp_path / own}]: the password is wrong, or it "
        f"is no PKCS#12 file: correct [{prefix}.keystore.path] or [{prefix}.keystore.secure_password]"
    )
    assert "no password is set for it" in problem(SERVER, tmp_path, keystore__path=own)
    assert "no PKCS#12 file" in problem(
        SERVER, tmp_path, keystore__path="junk.p12", secrets=KEYSTORE
    )
    assert "the file does not exist" in problem(SERVER, tmp_path, keystore__path="gone.p12")
    text = problem(SERVER, tmp_path, keystore__path=trusted, secrets=KEYSTORE)
    assert text.startswith(f"the keystore [{tmp_path / trusted}] does not contain a private key")
    text = problem(CLIENT, tmp_path, truststore__path=own, secrets=TRUSTSTORE)
    assert text.startswith(
        f"the truststore [{tmp_path / own}] does not contain any trusted certificate entries"
    )


def test_a_key_is_never_in_clear_on_the_disk(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T-33: OpenSSL reads files alone, so what is in a store is in one for a moment."""
    seen: list[bytes] = []
    load = ssl.SSLContext.load_cert_chain

    def watching(self: ssl.SSLContext, chain: Path, key: Path, password: object) -> None:
        seen.append(key.read_bytes())
        assert key.stat().st_mode & 0o777 == 0o600
        load(self, chain, key, password)  # type: ignore[arg-type]

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watching)
    own = store(tmp_path, "a.p12", authority.issue("127.0.0.1"))
    files(SERVER, tmp_path, keystore__path=own, secrets=KEYSTORE)
    assert seen
    assert all(b"BEGIN ENCRYPTED PRIVATE KEY" in each for each in seen)


def test_what_a_store_holds_is_listed(authority: Authority, tmp_path: Path) -> None:
    own = store(tmp_path, "a.p12", authority.issue("127.0.0.1"), authority.path)
    made = files(SERVER, tmp_path, keystore__path=own, secrets=KEYSTORE)
    shown = [
        (each.path, each.format, each.alias, each.subject, each.has_private_key)
        for each in made.certificates()
    ]
    assert sorted(shown) == [
        ("a.p12", "PKCS12", "node", "CN=127.0.0.1", True),
        ("a.p12", "PKCS12", "node", "CN=test authority", False),
    ]


async def test_a_changed_store_is_taken_up(authority: Authority, tmp_path: Path) -> None:
    """X-97: also in this form."""
    own = store(tmp_path, "a.p12", authority.issue("east.example"))
    made = files(SERVER, tmp_path, keystore__path=own, secrets=KEYSTORE)
    caller = client(authority, tmp_path)
    assert (await refusal(made, caller))[0] == "wrong_server_name"
    store(tmp_path, "a.p12", authority.issue("127.0.0.1"))
    made.refresh()
    assert (made.reloads, made.last_error) == (1, None)
    await connects(made, caller)


# -- who must show a certificate -------------------------------------------------------------------


async def test_a_client_certificate_on_the_port_for_keys(
    authority: Authority, tmp_path: Path
) -> None:
    """X-95: asked for only where it is said."""
    issued = authority.issue("client")
    shows = client(authority, tmp_path, certificate=issued.certificate.name, key=issued.key.name)
    shows_none = client(authority, tmp_path)
    await connects(server(authority, tmp_path), shows_none)
    strict = server(authority, tmp_path, client_authentication="required")
    assert (await refusal(strict, shows_none))[0] == "client_certificate_missing"
    await connects(strict, shows)


async def test_who_has_shown_a_certificate_is_known_on_the_link(
    authority: Authority, tmp_path: Path
) -> None:
    """To whoever accepted the connection; not where nobody asked, or nobody showed one."""
    issued = authority.issue("node-7")
    shows = client(authority, tmp_path, certificate=issued.certificate.name, key=issued.key.name)
    shows_none = client(authority, tmp_path)
    der = ssl.PEM_cert_to_DER_cert(issued.certificate.read_text())
    for mode, caller, expected in (
        ("required", shows, der),
        ("optional", shows, der),
        ("optional", shows_none, None),
        ("none", shows, None),
    ):
        made = server(authority, tmp_path, client_authentication=mode)
        assert await known_of(made, caller) == expected


class Waiting(asyncio.BufferedProtocol):
    """Takes a connection, and nothing else."""

    def __init__(self) -> None:
        self.made: asyncio.Future[asyncio.BaseTransport] = (
            asyncio.get_running_loop().create_future()
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.made.set_result(transport)

    def get_buffer(self, sizehint: int) -> bytearray:
        return bytearray(1024)


async def known_of(made: TlsFiles, caller: TlsFiles) -> bytes | None:
    """What the accepting side knows of the certificate of `caller`."""
    network, inner = AsyncioNetwork(), Waiting()
    listener = await network.listen(
        "127.0.0.1", 0, lambda: TlsReceiver(inner, made.server(), server_side=True)
    )
    dialled = Waiting()
    await network.dial(
        listener.address,
        lambda: TlsReceiver(dialled, caller.client(), server_side=False, server_name="127.0.0.1"),
    )
    links = [as_link(await each.made) for each in (inner, dialled)]
    found: bytes | None = links[0].get_extra_info(PEER_CERTIFICATE)
    for link in links:
        link.abort()
    listener.close()
    return found


async def test_modes_of_the_remote_client(authority: Authority, tmp_path: Path) -> None:
    """X-94: names and addresses, the server name that is sent, and what each mode lets pass."""
    right = server(authority, tmp_path)
    issued = authority.issue("east.example")
    named = server(authority, tmp_path, certificate=issued.certificate.name, key=issued.key.name)
    full = client(authority, tmp_path)
    await connects(right, full)
    await connects(named, full, server_name="east.example")
    assert (await refusal(named, full))[0] == "wrong_server_name"
    assert (await refusal(right, full, server_name="east.example"))[0] == "wrong_server_name"
    await connects(named, client(authority, tmp_path, verification_mode="certificate"))
    stranger = Authority(tmp_path, "stranger")
    untrusting = client(stranger, tmp_path)
    assert (await refusal(right, untrusting))[0] == "unknown_authority"
    await connects(right, client(stranger, tmp_path, verification_mode="none"))


async def test_without_authorities_a_private_one_is_not_trusted(
    authority: Authority, tmp_path: Path
) -> None:
    """X-94: the system's authorities are, and not whom the transport trusts."""
    caller = files(CLIENT, tmp_path)
    assert (await refusal(server(authority, tmp_path), caller))[0] == "unknown_authority"


def test_no_verification_is_warned_of_at_each_start(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        caplog.clear()
        client(authority, tmp_path, verification_mode="none")
        assert f"[{CLIENT.prefix}.verification_mode] is [none]" in caplog.text


async def test_nothing_is_said_to_whom_is_not_trusted(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """T-5, X-114: no byte of a message, and so no key, before the certificate and its name were right;
    P10: the log says which name was sent, and which the certificate has.
    """
    issued = Authority(tmp_path, "stranger").issue("127.0.0.1")
    elsewhere = authority.issue("east.example")
    callers = client(authority, tmp_path)
    for each in (issued, elsewhere):
        hostile = server(authority, tmp_path, certificate=each.certificate.name, key=each.key.name)
        async with two_nodes() as (near, far):
            address = await far.transport.listen("127.0.0.1", 0, tls=hostile.server)
            before = far.transport.statistics()
            with pytest.raises(ConnectTransport):
                await near.transport.connect(
                    address, ONE, tls=callers.client(), server_name="west.example"
                )
            after = far.transport.statistics()
        assert (after.rx_bytes, after.channels_in) == (before.rx_bytes, before.channels_in)
    told = [each for each in caplog.messages if "the server name [west.example] was sent" in each]
    assert len(told) == 2
    assert "it is for [east.example], not for [west.example]" in told[1]
    assert "cluster.remote.<alias>.server_name" in told[1]


# -- versions and suites ---------------------------------------------------------------------------


def old_client() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


async def test_tls_1_1_is_refused(authority: Authority, tmp_path: Path) -> None:
    """X-96, T-14: whatever the caller wants."""
    made = server(authority, tmp_path)
    async with two_nodes() as (near, far):
        address = await far.transport.listen("127.0.0.1", 0, tls=made.server)
        with pytest.raises(ConnectTransport) as raised:
            await near.transport.connect(address, ONE, tls=old_client())
    assert tls_cause(raised.value).metadata["problem"] == "no_common_protocol"


async def agreed(made: TlsFiles, caller: TlsFiles) -> tuple[str, str]:
    """Version and suite."""
    to_caller, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = made.server().wrap_bio(to_server, to_caller, server_side=True)
    other = caller.client().wrap_bio(to_caller, to_server, server_hostname="127.0.0.1")
    for end in (other, one, other, one):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    cipher = other.cipher()
    assert cipher is not None
    return cipher[1], cipher[0]


async def test_suites_are_as_set(authority: Authority, tmp_path: Path) -> None:
    caller = client(authority, tmp_path)
    assert (await agreed(server(authority, tmp_path), caller))[0] == "TLSv1.3"
    limited = server(
        authority, tmp_path, cipher_suites=("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",)
    )
    assert await agreed(limited, caller) == ("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256")
    newer = server(authority, tmp_path, cipher_suites=("TLS_AES_256_GCM_SHA384",))
    assert (await agreed(newer, caller))[0] == "TLSv1.3"
    old = client(authority, tmp_path, supported_protocols=("TLSv1.2",))
    assert (await refusal(newer, old))[0] == "no_common_protocol"
    other = client(authority, tmp_path, cipher_suites=("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",))
    assert (await refusal(limited, other))[0] == "no_common_cipher"


def test_suites_that_cannot_be(authority: Authority, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        server(authority, tmp_path, cipher_suites=("TLS_RSA_WITH_RC4_128_MD5", "TLS_FOO"))
    assert raised.value.reason == (
        f"failed to load SSL configuration [{SERVER.prefix}] - unsupported cipher suites "
        f"[TLS_RSA_WITH_RC4_128_MD5, TLS_FOO]: correct [{SERVER.prefix}.cipher_suites]"
    )
    with pytest.raises(SettingsError, match="has any of the suites"):
        server(
            authority,
            tmp_path,
            supported_protocols=("TLSv1.3",),
            cipher_suites=("TLS_RSA_WITH_AES_128_GCM_SHA256",),
        )


# -- what the log says -----------------------------------------------------------------------------


async def test_the_log_says_all_that_is_known(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """X-98, P11: peer, subject, fingerprint, names, dates, issuer, context and a hint, on either side."""
    stranger = Authority(tmp_path, "stranger")
    issued = stranger.issue("127.0.0.1")
    made = server(authority, tmp_path, certificate=issued.certificate.name, key=issued.key.name)
    caplog.set_level(logging.WARNING)
    caller = client(authority, tmp_path)
    async with two_nodes() as (near, far):
        address = await far.transport.listen("127.0.0.1", 0, tls=made.server)
        with pytest.raises(ConnectTransport):
            await near.transport.connect(address, ONE, tls=caller.client())
        await until(lambda: "client did not trust this server's certificate" in caplog.text)
    (line,) = [each for each in caplog.messages if each.startswith("failed to establish trust")]
    certificate = x509.load_pem_x509_certificate(issued.certificate.read_bytes())
    fingerprint = certificate.fingerprint(hashes.SHA1()).hex()
    for words in (
        "failed to establish trust with server at [127.0.0.1, 127.0.0.1:",
        "; no server name was sent; ",
        f"the server provided a certificate with subject name [CN=127.0.0.1], fingerprint [{fingerprint}]",
        "valid between [2020-01-01T00:00:00Z] and [2120-01-01T00:00:00Z] (current time is [20",
        "certificate dates are valid)",
        "the certificate has subject alternative names [127.0.0.1]",
        "the certificate is issued by [CN=stranger] but the server did not provide a copy",
        "protocol [TLSv1.3]",
        f"this ssl context ([{CLIENT.prefix}] (with trust configuration: "
        f"PEM-trust{{{authority.path}}})) trusts [1] certificates",
        f"add the certificate of the remote's authority to [{CLIENT.prefix}.certificate_authorities]",
    ):
        assert words in line, line
    assert "\n" not in line


async def test_an_untrusted_caller_is_told_in_full_too(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """X-82, X-98: a peer of an authority that is not trusted fails, and the log says who it was."""
    stranger = Authority(tmp_path, "stranger")
    issued = stranger.issue("mallory")
    strict = server(authority, tmp_path, client_authentication="required")
    caller = client(authority, tmp_path, certificate=issued.certificate.name, key=issued.key.name)
    assert (await refusal(strict, caller))[0] == "certificate_refused"
    (line,) = [each for each in caplog.messages if each.startswith("failed to establish trust")]
    assert "failed to establish trust with client at [127.0.0.1:" in line
    assert "client certificate verification failed: its authority is not trusted here" in line
    assert f"this ssl context ([{SERVER.prefix}] (with trust configuration: PEM-trust" in line


async def test_a_subject_cannot_write_a_line_of_the_log(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """T-34: what a stranger puts into its certificate is shown, but not as it is."""
    stranger = Authority(tmp_path, "stranger")
    issued = stranger.issue("evil\n[ERROR] all is lost\x1b[2J")
    made = server(authority, tmp_path, certificate=issued.certificate.name, key=issued.key.name)
    await refusal(made, client(authority, tmp_path))
    (line,) = [each for each in caplog.messages if each.startswith("failed to establish trust")]
    assert line.isprintable()
    assert "evil\\n[ERROR] all is lost\\x1b[2J" in line


async def test_the_diagnosis_can_be_turned_off(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = Authority(tmp_path, "stranger")
    values = CLIENT.read(Settings({f"{CLIENT.prefix}.certificate_authorities": stranger.path.name}))
    quiet = TlsFiles(values, tmp_path, SystemClock(), diagnoses=False)
    assert (await refusal(server(authority, tmp_path), quiet))[0] == "unknown_authority"
    assert "failed to establish trust" not in caplog.text
