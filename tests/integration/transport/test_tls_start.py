"""TLS in the file of a node that is started as users start it."""

from pathlib import Path

import pytest

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
