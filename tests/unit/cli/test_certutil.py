"""`sealane certutil`, as it is called: what it writes, what it refuses, what it says."""

import io
import zipfile
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from sealane.cli.main import main


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No terminal, and a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    return tmp_path


def run(*words: str) -> int:
    return main(["certutil", *words])


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert run(*words) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    return said.err.removeprefix("sealane certutil: ").strip()


def unpack(name: str) -> dict[str, bytes]:
    with zipfile.ZipFile(name) as archive:
        modes = {each.filename: each.external_attr >> 16 & 0o777 for each in archive.infolist()}
        assert set(modes.values()) <= {0o600, 0o700}
        return {each: archive.read(each) for each in modes if not each.endswith("/")}


def certificate(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


def names_of(made: x509.Certificate | x509.CertificateSigningRequest) -> list[str]:
    found = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [
        *found.get_values_for_type(x509.DNSName),
        *map(str, found.get_values_for_type(x509.IPAddress)),
    ]


def test_an_authority(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    """RSA 2048, 1095 days, PKCS#12, for its owner alone; the answer shows how to recognize it."""
    assert run("ca", "--pass", "secret") == 0
    said = capsys.readouterr().out
    path = here / "sealane-ca.p12"
    assert path.stat().st_mode & 0o777 == 0o600
    key, made, _ = pkcs12.load_key_and_certificates(path.read_bytes(), b"secret")
    assert isinstance(key, rsa.RSAPrivateKey)
    assert made is not None
    assert key.key_size == 2048
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days == 1095
    assert made.subject.rfc4514_string() == "CN=Sealane Certificate Authority"
    assert made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert made.fingerprint(hashes.SHA256()).hex() in said
    with pytest.raises(ValueError, match="password"):
        pkcs12.load_key_and_certificates(path.read_bytes(), b"wrong")


def test_nothing_is_overwritten(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    (here / "sealane-ca.p12").write_text("mine")
    assert refusal(capsys, "ca") == (
        "[sealane-ca.p12] exists already: name another file with --out, or move it away"
    )
    assert (here / "sealane-ca.p12").read_text() == "mine"
    assert run("ca", "--out", "other.p12", "--silent") == 0
    assert capsys.readouterr().out == ""


def test_an_authority_in_pem(here: Path) -> None:
    """The key is encrypted if, and only if, there is a password."""
    assert (
        run("ca", "--pem", "--ca-dn", "CN=root,O=example", "--days", "10", "--keysize", "3072") == 0
    )
    files = unpack("sealane-ca.zip")
    assert sorted(files) == ["ca/ca.crt", "ca/ca.key"]
    made = certificate(files["ca/ca.crt"])
    assert made.subject.rfc4514_string() == "CN=root,O=example"
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days == 10
    key = serialization.load_pem_private_key(files["ca/ca.key"], None)
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 3072
    assert run("ca", "--pem", "--pass", "x", "--out", "locked.zip") == 0
    locked = unpack("locked.zip")["ca/ca.key"]
    assert b"ENCRYPTED" in locked
    assert serialization.load_pem_private_key(locked, b"x")


@pytest.fixture
def authority(here: Path) -> list[str]:
    """The options that name one."""
    assert run("ca", "--pem", "--silent") == 0
    for name, data in unpack("sealane-ca.zip").items():
        path = here / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return ["--ca-cert", "ca/ca.crt", "--ca-key", "ca/ca.key"]


def test_a_node_certificate(here: Path, authority: list[str]) -> None:
    """Options may be repeated and hold lists; both ends of a connection may use it."""
    names = [
        "--dns",
        "a.example,b.example",
        "--dns",
        "c.example",
        "--ip",
        "10.0.0.1",
        "--ip",
        "::1",
    ]
    assert run("cert", *authority, "--name", "node-1", *names, "--pass", "pw") == 0
    path = here / "sealane-certificates.p12"
    assert path.stat().st_mode & 0o777 == 0o600
    found = pkcs12.load_pkcs12(path.read_bytes(), b"pw")
    assert found.cert is not None
    made = found.cert.certificate
    assert found.cert.friendly_name == b"node-1"
    assert made.subject.rfc4514_string() == "CN=node-1"
    assert names_of(made) == ["a.example", "b.example", "c.example", "10.0.0.1", "::1"]
    root = certificate((here / "ca/ca.crt").read_bytes())
    made.verify_directly_issued_by(root)
    assert [each.certificate for each in found.additional_certs] == [root]
    usages = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {each.dotted_string for each in usages} == {"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"}


def test_node_certificates_in_pem(authority: list[str]) -> None:
    assert run("cert", *authority, "--name", "node-1", "--pem", "--pass", "pw") == 0
    files = unpack("certificate-bundle.zip")
    assert sorted(files) == ["ca/ca.crt", "node-1/node-1.crt", "node-1/node-1.key"]
    assert serialization.load_pem_private_key(files["node-1/node-1.key"], b"pw")


def test_many_nodes_at_once(here: Path, authority: list[str]) -> None:
    (here / "instances.yml").write_text(
        "instances:\n"
        "  - name: one\n"
        "    dns: [one.example, uno.example]\n"
        "    ip: 10.0.0.1\n"
        "  - name: The second\n"
        "    filename: two\n"
        "    cn: CN=two,OU=nodes\n"
    )
    assert run("cert", *authority, "--in", "instances.yml", "--pem") == 0
    files = unpack("certificate-bundle.zip")
    assert sorted(files) == [
        "ca/ca.crt",
        "one/one.crt",
        "one/one.key",
        "two/two.crt",
        "two/two.key",
    ]
    assert names_of(certificate(files["one/one.crt"])) == ["one.example", "uno.example", "10.0.0.1"]
    assert certificate(files["two/two.crt"]).subject.rfc4514_string() == "CN=two,OU=nodes"
    assert run("cert", *authority, "--in", "instances.yml", "--out", "p12.zip") == 0
    assert sorted(unpack("p12.zip")) == ["one/one.p12", "two/two.p12"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "is not valid YAML"),
        ("[]", "must hold a list [instances]"),
        ("instances: []", "must hold a list [instances]"),
        ("instances: [{dns: a}]", "must have a [name]"),
        ("instances: [{name: a}, {name: a}]", "names [a] twice"),
        ("instances: [{name: a, foo: b}]", "has unknown members [foo]"),
        ("instances: [{name: ../../etc/passwd}]", "cannot be the name of a file"),
        ("instances: [{name: .hidden}]", "cannot be the name of a file"),
        ("instances: [{name: a, ip: 10.0.0.256}]", "[10.0.0.256] is no IP address"),
        ("instances: [{name: a, dns: 'a b'}]", "[a b] is no host name"),
        ("instances: [{name: a, dns: [1]}]", "must be a list of texts"),
        ("instances: [{name: a, ip: 7}]", "must be a list of texts"),
    ],
)
def test_lists_that_cannot_be(
    here: Path, authority: list[str], capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    (here / "instances.yml").write_text(text)
    assert words in refusal(capsys, "cert", *authority, "--in", "instances.yml")
    assert not (here / "certificate-bundle.zip").exists()


def test_a_certificate_that_signs_itself(here: Path) -> None:
    assert run("cert", "--self-signed", "--name", "me", "--pem") == 0
    files = unpack("certificate-bundle.zip")
    assert sorted(files) == ["me/me.crt", "me/me.key"]
    made = certificate(files["me/me.crt"])
    made.verify_directly_issued_by(made)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "must specify either --ca, or --ca-cert with --ca-key, or --self-signed"),
        (["--ca-cert", "ca/ca.crt"], "--ca-cert and --ca-key belong together"),
        (["--self-signed", "--ca", "x.p12"], "--self-signed is without an authority"),
        (["--ca", "gone.p12"], "No such file or directory [gone.p12]"),
        (["--ca", "ca/ca.crt"], "is no PKCS#12, or its password is wrong"),
        (["--ca-cert", "ca/ca.key", "--ca-key", "ca/ca.key"], "holds no certificate in PEM form"),
        (["--ca-cert", "ca/ca.crt", "--ca-key", "ca/ca.crt"], "the authority's key cannot be read"),
        (
            ["--ca-cert", "ca/ca.crt", "--ca-key", "ca/ca.key", "--ca-pass", "x"],
            "a password is given, but the authority's key is not encrypted",
        ),
        (["--self-signed", "--days", "0"], "a certificate is valid for [1] to"),
        (["--self-signed", "--keysize", "1024"], "a key has between [2048] and [8192] bits"),
        (["--self-signed", "--in", "i.yml", "--name", "a"], "--in says name, dns and ip"),
    ],
)
def test_wrong_options_are_told_in_a_line(
    authority: list[str], capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    said = refusal(capsys, "cert", *words)
    assert told in said
    assert "\n" not in said


def test_only_an_authority_signs(authority: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("cert", *authority, "--name", "node", "--pass", "x") == 0
    said = refusal(capsys, "cert", "--ca", "sealane-certificates.p12", "--ca-pass", "x")
    assert said == "the certificate [CN=node] is not that of an authority"


def test_requests_for_another_authority(capsys: pytest.CaptureFixture[str]) -> None:
    """The key of a request is encrypted with the password that was given: CVE-2024-23444."""
    assert (
        run("csr", "--name", "node", "--dns", "a.example", "--ip", "10.0.0.1", "--pass", "pw") == 0
    )
    files = unpack("csr-bundle.zip")
    assert sorted(files) == ["node/node.csr", "node/node.key"]
    request = x509.load_pem_x509_csr(files["node/node.csr"])
    assert request.is_signature_valid
    assert names_of(request) == ["a.example", "10.0.0.1"]
    with pytest.raises(TypeError):
        serialization.load_pem_private_key(files["node/node.key"], None)
    key = serialization.load_pem_private_key(files["node/node.key"], b"pw")
    assert key.public_key() == request.public_key()


def test_a_certificate_for_https(capsys: pytest.CaptureFixture[str]) -> None:
    """Without questions where the options say it all."""
    assert run("http", "--dns", "localhost", "--ip", "127.0.0.1", "--pass", "pw") == 0
    files = unpack("sealane-http.zip")
    assert sorted(files) == [
        "README.txt",
        "ca/ca.crt",
        "ca/ca.key",
        "client/ca.pem",
        "sealane/http.p12",
        "sealane/sample-sealane.yml",
    ]
    found = pkcs12.load_pkcs12(files["sealane/http.p12"], b"pw")
    assert found.cert is not None
    found.cert.certificate.verify_directly_issued_by(certificate(files["client/ca.pem"]))
    assert files["sealane/sample-sealane.yml"].decode().splitlines() == [
        "xpack.security.http.ssl.enabled: true",
        "xpack.security.http.ssl.keystore.path: http.p12",
    ]
    assert b"add xpack.security.http.ssl.keystore.secure_password" in files["README.txt"]
    assert serialization.load_pem_private_key(files["ca/ca.key"], b"pw")
    assert refusal(capsys, "http") == "name the hosts that clients dial with --dns or --ip"


def test_https_with_an_authority_that_is_there(authority: list[str]) -> None:
    assert run("http", *authority, "--dns", "localhost", "--pem") == 0
    files = unpack("sealane-http.zip")
    assert "ca/ca.key" not in files
    assert files["client/ca.pem"] == Path("ca/ca.crt").read_bytes()
    certificate(files["sealane/http.crt"]).verify_directly_issued_by(
        certificate(files["client/ca.pem"])
    )


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_at_a_terminal_it_asks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For the names, and twice for the password of a PKCS#12 file; an empty line takes what is proposed."""
    monkeypatch.setattr("sys.stdin", Terminal("search.example, 10.0.0.1\n\n"))
    typed = iter(["pw", "pw", "pw", "other", ""])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    assert run("http", "--out", "one.zip") == 0
    found = pkcs12.load_pkcs12(unpack("one.zip")["sealane/http.p12"], b"pw")
    assert found.cert is not None
    assert names_of(found.cert.certificate) == ["search.example", "10.0.0.1"]
    assert refusal(capsys, "ca") == "the passwords differ"
    assert run("http", "--out", "two.zip") == 0
    found = pkcs12.load_pkcs12(unpack("two.zip")["sealane/http.p12"], None)
    assert found.cert is not None
    assert "127.0.0.1" in names_of(found.cert.certificate)


def test_a_password_can_come_on_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    """T-33: what stands on the command line, others can see."""
    monkeypatch.setattr("sys.stdin", io.StringIO("from stdin\n"))
    assert run("ca", "--pass") == 0
    assert pkcs12.load_pkcs12(Path("sealane-ca.p12").read_bytes(), b"from stdin").key is not None
