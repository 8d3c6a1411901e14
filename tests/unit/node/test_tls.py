"""The TLS of a node as a whole: which groups are made at a start, and what is warned of."""

from pathlib import Path

import pytest

from sealane.clock import SystemClock
from sealane.errors import SettingsError
from sealane.model.security import Secret
from sealane.node.tls import NodeTls
from sealane.settings import EMPTY, Settings, Value
from tests.integration.transport.certificates import Authority


def made(folder: Path, **groups: dict[str, Value]) -> NodeTls:
    given = {
        f"xpack.security.{group}.ssl.{name}": value
        for group, members in groups.items()
        for name, value in members.items()
    }
    return NodeTls(Settings(given), folder, SystemClock())


def own(authority: Authority) -> dict[str, Value]:
    issued = authority.issue("127.0.0.1")
    return {"enabled": "true", "key": issued.key.name, "certificate": issued.certificate.name}


def test_only_what_is_on_is_made(tmp_path: Path) -> None:
    tls = made(tmp_path, http=own(Authority(tmp_path)))
    assert tls.http is not None
    assert tls.https() is not None
    assert (tls.transport, tls.remote_server) == (None, None)
    assert [each.values.prefix for each in tls.watch.groups] == ["xpack.security.http.ssl"]


def test_a_client_group_that_nobody_configured_is_made_when_it_is_needed(tmp_path: Path) -> None:
    tls = NodeTls(EMPTY, tmp_path, SystemClock())
    assert tls.watch.groups == []
    assert tls.remote_client is not None
    assert tls.remote_client is tls.remote_client


@pytest.mark.parametrize("by", ["settings", "credentials"])
def test_a_client_group_that_will_be_needed_is_made_at_the_start(tmp_path: Path, by: str) -> None:
    """So that what does not fit stops it, and no search waits for it."""
    group = "xpack.security.remote_cluster_client.ssl"
    if by == "settings":
        settings = Settings({f"{group}.certificate_authorities": "gone.pem"})
        with pytest.raises(SettingsError, match="the file does not exist"):
            NodeTls(settings, tmp_path, SystemClock())
    else:
        settings = EMPTY.with_secrets({"cluster.remote.eu.credentials": Secret("x")})
        tls = NodeTls(settings, tmp_path, SystemClock())
        assert [each.values.prefix for each in tls.watch.groups] == [group]


def test_a_client_group_that_is_off(tmp_path: Path) -> None:
    tls = made(tmp_path, remote_cluster_client={"enabled": "false"})
    assert tls.remote_client is None


def test_clients_of_any_authority_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority(tmp_path)
    members = {**own(authority), "client_authentication": "optional"}
    made(tmp_path, http={**members, "certificate_authorities": authority.path.name})
    assert caplog.messages == []
    made(tmp_path, http=members)
    assert "certificates of every authority that this system trusts are accepted" in caplog.text
