"""What a first start with security says."""

from pathlib import Path

import pytest

from sealane.cli.first_start import FirstStart
from sealane.model.security import Secret
from sealane.node.auto_configuration import AutoConfigured
from sealane.settings import EMPTY

CONF = Path("/etc/sea lane")
CERTS = CONF / "certs"


def said(
    capsys: pytest.CaptureFixture[str],
    *,
    to_terminal: bool,
    made: AutoConfigured | None = None,
    password: Secret | None = None,
) -> str:
    first = FirstStart(to_terminal=to_terminal)
    if made is not None:
        first.configured(made)
    ca_file = None if made is None else made.ca_file
    first.tell(password, url="https://localhost:9200", folder=CONF, ca_file=ca_file)
    out, err = capsys.readouterr()
    assert not out
    return err


def made(*, remote: bool = False) -> AutoConfigured:
    return AutoConfigured(
        settings=EMPTY,
        file=CONF / "sealane.yml",
        certificates=CERTS,
        ca_fingerprint="ab12",
        ca_file=CERTS / "http_ca.crt",
        remote_ca_file=CERTS / "remote_cluster_ca.crt" if remote else None,
    )


def test_nothing_where_nothing_was_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, to_terminal=True) == ""


def test_a_person_is_told_the_password(capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, to_terminal=True, made=made(), password=Secret("s3cret"))
    assert "not shown again:\n  s3cret\n" in told
    assert (
        "curl --cacert '/etc/sea lane/certs/http_ca.crt' -u elastic https://localhost:9200/" in told
    )
    assert "ab12" in told
    assert "API key" not in told


def test_a_file_or_journal_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    """X-111: it is said how to set one instead."""
    told = said(capsys, to_terminal=False, made=made(), password=Secret("s3cret"))
    assert "s3cret" not in told
    reset = "sealane reset-password -u elastic --url https://localhost:9200 --conf '/etc/sea lane'"
    assert f"  {reset}\n" in told


def test_clusters_that_come_with_a_key_have_an_authority_to_trust(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = said(capsys, to_terminal=True, made=made(remote=True))
    assert f"Clusters that come with an API key trust {CERTS}/remote_cluster_ca.crt:" in told
    assert "password" not in told
