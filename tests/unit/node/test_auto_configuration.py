"""The first start with security: what is made, when it is, and that nothing is ever replaced."""

import ssl
from pathlib import Path

import pytest
from cryptography import x509

from sealane.clock import SystemClock
from sealane.node.auto_configuration import AutoConfigured, auto_configure, is_wanted
from sealane.node.start_error import StartError
from sealane.node.tls import NodeTls
from sealane.settings import EMPTY, Settings, Value
from sealane.settings.file import read_file

NOW_MS = 1_795_348_800_000
ON = "xpack.security.enabled"


def configure(folder: Path, *, joins: bool = False, **given: Value) -> AutoConfigured | None:
    settings = Settings({key.replace("__", "."): value for key, value in given.items()})
    return auto_configure(
        settings, folder=folder, file=folder / "sealane.yml", joins=joins, now_ms=NOW_MS
    )


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, False),
        ({ON: "false"}, False),
        ({ON: "true"}, True),
        ({"http.host": "0.0.0.0"}, True),
        ({"transport.host": "0.0.0.0", "http.host": "127.0.0.1"}, True),
        ({"network.host": "0.0.0.0", ON: "false"}, False),
        ({ON: "true", "xpack.security.http.ssl.enabled": "false"}, False),
        ({ON: "true", "xpack.security.transport.ssl.key": "a.key"}, False),
        ({ON: "true", "xpack.security.remote_cluster_server.ssl.enabled": "true"}, False),
        ({ON: "true", "xpack.security.remote_cluster_client.ssl.key": "a.key"}, True),
    ],
)
def test_when(given: dict[str, str], wanted: bool) -> None:
    """A node with security, said or because others can reach it, of whose TLS nothing is set."""
    assert is_wanted(Settings(given)) is wanted


def test_nothing_is_done_where_nothing_is_wanted(tmp_path: Path) -> None:
    assert configure(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_what_is_made(tmp_path: Path) -> None:
    """Keys for their owner alone; each use has an authority of its own; the settings are read at the next start."""
    (tmp_path / "sealane.yml").write_text(
        "cluster.name: east\nxpack:\n  security:\n    enabled: true"
    )
    made = configure(tmp_path, xpack__security__enabled="true", cluster__name="east")
    assert made is not None
    certs = tmp_path / "certs"
    assert sorted(each.name for each in certs.iterdir()) == [
        "http.crt",
        "http.key",
        "http_ca.crt",
        "http_ca.key",
        "transport.crt",
        "transport.key",
        "transport_ca.crt",
        "transport_ca.key",
    ]
    for each in certs.glob("*.key"):
        assert each.stat().st_mode & 0o777 == 0o600
    read = read_file(tmp_path / "sealane.yml")
    assert read[ON] == "true"
    assert read["cluster.name"] == "east"
    assert {key: read[key] for key in made.settings} == dict(made.settings)
    assert made.settings["xpack.security.http.ssl.certificate"] == "certs/http.crt"
    assert ON not in made.settings
    authorities = [
        x509.load_pem_x509_certificate((certs / name).read_bytes())
        for name in ("http_ca.crt", "transport_ca.crt")
    ]
    assert authorities[0].public_key() != authorities[1].public_key()
    own = x509.load_pem_x509_certificate((certs / "http.crt").read_bytes())
    own.verify_directly_issued_by(authorities[0])
    names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    assert "127.0.0.1" in map(str, names.get_values_for_type(x509.IPAddress))
    assert made.ca_file.read_bytes() == (certs / "http_ca.crt").read_bytes()
    assert len(made.ca_fingerprint) == 64


def test_the_node_starts_with_them(tmp_path: Path) -> None:
    made = configure(tmp_path, xpack__security__enabled="true")
    assert made is not None
    tls = NodeTls(made.settings, tmp_path, SystemClock())
    assert tls.http is not None
    assert tls.transport is not None
    assert tls.transport.server().verify_mode is ssl.CERT_REQUIRED
    assert not tls.transport.client().check_hostname


def test_the_port_for_keys_gets_its_own(tmp_path: Path) -> None:
    made = configure(
        tmp_path, xpack__security__enabled="true", remote_cluster_server__enabled="true"
    )
    assert made is not None
    assert (tmp_path / "certs" / "remote_cluster_ca.crt").exists()
    settings = made.settings.merged({"remote_cluster_server.enabled": "true"})
    assert NodeTls(settings, tmp_path, SystemClock()).remote_server is not None


def test_security_that_follows_from_the_addresses_is_written_down(tmp_path: Path) -> None:
    made = configure(tmp_path, network__host="0.0.0.0")
    assert made is not None
    assert made.settings[ON] == "true"
    assert read_file(tmp_path / "sealane.yml")[ON] == "true"


def test_the_second_start_makes_nothing(tmp_path: Path) -> None:
    first = configure(tmp_path, xpack__security__enabled="true")
    assert first is not None
    text = (tmp_path / "sealane.yml").read_text()
    again = auto_configure(
        read_file(tmp_path / "sealane.yml").merged({ON: "true"}),
        folder=tmp_path,
        file=tmp_path / "sealane.yml",
        joins=False,
        now_ms=NOW_MS,
    )
    assert again is None
    assert (tmp_path / "sealane.yml").read_text() == text


def test_files_that_are_there_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs" / "http.key").write_text("mine")
    with pytest.raises(StartError, match=r"holds \[http.key\], but no setting names them"):
        configure(tmp_path, xpack__security__enabled="true")
    assert [each.name for each in (tmp_path / "certs").iterdir()] == ["http.key"]
    assert not (tmp_path / "sealane.yml").exists()


def test_a_file_that_cannot_be_added_to_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "sealane.yml"
    file.write_text("{xpack.security.enabled: true}")
    with pytest.raises(StartError, match="write one key a line"):
        configure(tmp_path, xpack__security__enabled="true")
    assert file.read_text() == "{xpack.security.enabled: true}"
    assert not (tmp_path / "certs").exists()


def test_what_was_written_is_taken_back_where_the_settings_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*paths: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(StartError, match="No space left on device"):
        configure(tmp_path, xpack__security__enabled="true")
    assert list((tmp_path / "certs").iterdir()) == []
    assert [each.name for each in tmp_path.iterdir()] == ["certs"]


def test_the_rights_of_the_file_stay(tmp_path: Path) -> None:
    file = tmp_path / "sealane.yml"
    file.write_text("# mine\n")
    file.chmod(0o640)
    configure(tmp_path, xpack__security__enabled="true")
    assert file.stat().st_mode & 0o777 == 0o640
    assert file.read_text().startswith("# mine\n")


def test_a_node_that_joins_is_told_what_it_needs(tmp_path: Path) -> None:
    """The authority is that of the cluster: one of its own would let it speak with nobody."""
    with pytest.raises(
        StartError, match="sealane certutil cert --pem --ca-cert certs/transport_ca"
    ):
        configure(tmp_path, joins=True, xpack__security__enabled="true")
    assert configure(tmp_path, joins=True) is None


def test_nothing_configured_needs_no_file(tmp_path: Path) -> None:
    """A node without TLS makes no contexts, and watches nothing."""
    tls = NodeTls(EMPTY, tmp_path, SystemClock())
    assert (tls.http, tls.transport, tls.remote_server) == (None, None, None)
    assert tls.https() is None
    assert tls.watch.groups == []
    assert list(tls.families()) == []
