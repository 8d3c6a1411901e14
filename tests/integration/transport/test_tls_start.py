"""TLS in the file of a node that is started as users start it."""

import hashlib
import ssl
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import orjson
import pytest
from elasticsearch8 import AuthenticationException, ConnectionError, Elasticsearch

from sealane.node.config import config_folder, load_settings
from sealane.testing.process import NodeFailedError, NodeProcess, register
from tests.integration.transport.certificates import Authority

TLS = "xpack.security.transport.ssl"


def configured(folder: Path, **members: str) -> Path:
    """The folder, with a `sealane.yml` that names its files as they lie beside it."""
    lines = [f"{TLS}.{member}: {value}" for member, value in members.items()]
    (folder / "sealane.yml").write_text("\n".join([f"{TLS}.enabled: true", *lines]) + "\n")
    return folder


def test_two_nodes_with_tls(tmp_path: Path) -> None:
    """Sniff mode: the publish address is what the certificate must be for."""
    authority = Authority(tmp_path)
    issued = authority.issue("127.0.0.1", "localhost")
    conf = configured(
        tmp_path,
        key=issued.key.name,
        certificate=issued.certificate.name,
        certificate_authorities=f"[{authority.path.name}]",
    )
    settings = {"path.conf": str(conf)}
    with (
        NodeProcess("near", tmp_path / "near", **settings) as near,
        NodeProcess("far", tmp_path / "far", **settings) as far,
    ):
        register(near, far)
        far.call("PUT", "/cities/_doc/1?refresh=true", {"name": "Quito"})
        found = near.call("GET", "/far:cities/_search")
        assert [hit["_id"] for hit in found["hits"]["hits"]] == ["1"]
        defaults = near.call("GET", "/_cluster/settings?include_defaults=true&flat_settings=true")
        shown = {key for part in defaults.values() for key in part if key.startswith(TLS)}
        assert shown <= {f"{TLS}.enabled"}


def test_a_node_without_its_certificate_does_not_start(tmp_path: Path) -> None:
    conf = configured(tmp_path, key="node.key", certificate="node.crt")
    with pytest.raises(NodeFailedError) as raised:
        NodeProcess("far", tmp_path / "far", **{"path.conf": str(conf)}).start()
    assert str(raised.value).strip() == (
        f"sealane: failed to load SSL configuration [{TLS}] - cannot read configured PEM certificate "
        f"[{conf / 'node.crt'}] because the file does not exist: "
        f"create it, or correct [{TLS}.certificate]"
    )


def test_tls_without_a_certificate_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(NodeFailedError) as raised:
        NodeProcess("far", tmp_path / "far", **{f"{TLS}.enabled": "true"}).start()
    assert "server ssl configuration requires a key and certificate" in str(raised.value)


def test_relative_names_are_of_the_configuration_folder(tmp_path: Path) -> None:
    """`path.conf`, else the folder of the file that was named."""
    file = tmp_path / "sealane.yml"
    file.write_text("cluster.name: far\n")
    assert config_folder(load_settings(file, [])) == tmp_path
    other = tmp_path / "other"
    assert config_folder(load_settings(file, [f"path.conf={other}"])) == other
    assert config_folder(load_settings(None, [f"path.conf={other}"])) == other


def asked(url: str, tls: ssl.SSLContext) -> bytes:
    with urlopen(url, context=tls, timeout=60) as answer:
        body: bytes = answer.read()
        return body


def shown(path: str, subject: str, issuer: str, *, own: bool) -> dict[str, Any]:
    return {
        "path": path,
        "format": "PEM",
        "alias": None,
        "subject_dn": f"CN={subject}",
        "has_private_key": own,
        "expiry": "2120-01-01T00:00:00.000Z",
        "issuer": f"CN={issuer}",
    }


def test_a_node_with_https(tmp_path: Path) -> None:
    """It serves clients, lists its certificates as the reference does, and says when they end."""
    authority = Authority(tmp_path)
    issued = authority.issue("127.0.0.1", "localhost")
    group = "xpack.security.http.ssl"
    (tmp_path / "sealane.yml").write_text(
        f"{group}.enabled: true\n{group}.key: {issued.key.name}\n"
        f"{group}.certificate: {issued.certificate.name}\n"
        f"{group}.certificate_authorities: {authority.path.name}\n"
    )
    tls = authority.client_context()
    with NodeProcess("east", tmp_path / "east", **{"path.conf": str(tmp_path)}) as node:
        url = f"https://{node.http}"
        assert orjson.loads(asked(url, tls))["cluster_name"] == "east"
        listed = orjson.loads(asked(f"{url}/_ssl/certificates", tls))
        serials = [each.pop("serial_number") for each in listed]
        assert all(int(each, 16) for each in serials)
        assert listed == [
            shown(issued.certificate.name, "127.0.0.1", "test authority", own=True),
            shown(authority.path.name, "test authority", "test authority", own=False),
        ]
        stats = orjson.loads(asked(f"{url}/_nodes/stats/certificates", tls))
        (section,) = [each["certificates"] for each in stats["nodes"].values()]
        assert (section["reloads"], section["last_error"]) == ({group: 0}, None)
        assert section["files"][0]["expiry"] == "2120-01-01T00:00:00Z"
        every = orjson.loads(asked(f"{url}/_nodes/stats", tls))
        assert all("certificates" not in each for each in every["nodes"].values())
        figures = asked(f"{url}/metrics", tls).decode()
        assert (
            f'sealane_certificate_expiry_timestamp_seconds{{context="{group}",'
            f'path="{issued.certificate.name}",subject="CN=127.0.0.1",serial="{serials[0]}"}} 4733510400'
        ) in figures


def test_the_first_start_of_a_node_that_others_reach(tmp_path: Path) -> None:
    """It makes its certificates, which clients can check, and lets nobody in without a password; the
    second start finds them."""
    conf = {"path.conf": str(tmp_path), "network.host": "0.0.0.0"}
    node = NodeProcess("east", tmp_path / "east", **conf)
    for _ in range(2):
        with node:
            port = node.http.rpartition(":")[2]
            tls = ssl.create_default_context(cafile=str(tmp_path / "certs" / "http_ca.crt"))
            with pytest.raises(HTTPError) as raised:
                asked(f"https://127.0.0.1:{port}/", tls)
            assert raised.value.code == 401
            raised.value.close()
            assert knows_by_fingerprint(f"https://127.0.0.1:{port}", tmp_path / "certs")
    assert (tmp_path / "certs" / "transport.key").stat().st_mode & 0o777 == 0o600


def knows_by_fingerprint(url: str, certs: Path) -> bool:
    """Whether the official client takes the node for the right one by its authority's fingerprint."""
    der = ssl.PEM_cert_to_DER_cert((certs / "http_ca.crt").read_text())
    fingerprint = hashlib.sha256(der).hexdigest()
    with Elasticsearch(url, ssl_assert_fingerprint=fingerprint, max_retries=0) as client:
        try:
            client.info()
        except AuthenticationException:
            return True
        except ConnectionError:
            return False
    return False


def test_a_client_is_known_by_its_certificate(tmp_path: Path) -> None:
    """The realm for certificates, from the socket to the roles that a file gives to a name."""
    authority = Authority(tmp_path)
    issued = authority.issue("127.0.0.1")
    group = "xpack.security.http.ssl"
    (tmp_path / "sealane.yml").write_text(
        "xpack.security.enabled: true\nxpack.security.authc.realms.pki.pki1.order: 1\n"
        f"{group}.enabled: true\n{group}.client_authentication: optional\n"
        f"{group}.key: {issued.key.name}\n{group}.certificate: {issued.certificate.name}\n"
        f"{group}.certificate_authorities: {authority.path.name}\n"
    )
    (tmp_path / "role_mapping.yml").write_text('viewer: ["CN=kim"]\n')
    with NodeProcess("east", tmp_path / "east", **{"path.conf": str(tmp_path)}) as node:
        url = f"https://{node.http}/_security/_authenticate"
        found = orjson.loads(asked(url, authority.client_context("kim")))
        assert (found["username"], found["roles"]) == ("kim", ["viewer"])
        assert found["authentication_realm"] == {"name": "pki1", "type": "pki"}
        with pytest.raises(HTTPError) as raised:
            asked(url, authority.client_context())
        assert raised.value.code == 401
        raised.value.close()
