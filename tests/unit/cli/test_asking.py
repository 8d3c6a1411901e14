"""Who asks a node from the command line."""

import argparse
from base64 import b64decode
from pathlib import Path

import pytest

from sealane.cli.asking import Asker, UsageError

URL = "https://localhost:9200"


def asker(
    monkeypatch: pytest.MonkeyPatch, *, password: str = "", key: str = "", **given: str
) -> Asker:
    monkeypatch.setenv("ELASTIC_PASSWORD", password)
    monkeypatch.setenv("ES_API_KEY", key)
    options = {"user": None, "api_key": None, "cacert": None, **given}
    return Asker.of(argparse.Namespace(**options), URL)


def shown(made: Asker) -> str:
    if made.authorization is None:
        return ""
    scheme, _, value = made.authorization.reveal().partition(" ")
    return f"{scheme} {b64decode(value).decode()}" if scheme == "Basic" else f"{scheme} {value}"


def test_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(asker(monkeypatch)) == ""
    assert shown(asker(monkeypatch, user="ann:a:b")) == "Basic ann:a:b"
    assert shown(asker(monkeypatch, user="ann", password="p")) == "Basic ann:p"
    assert shown(asker(monkeypatch, password="p")) == "Basic elastic:p"
    assert shown(asker(monkeypatch, api_key="k")) == "ApiKey k"
    assert shown(asker(monkeypatch, key="k", password="p")) == "ApiKey k"
    assert shown(asker(monkeypatch, key="k", user="ann:p")) == "Basic ann:p"


def test_two_ways_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="give one of them"):
        asker(monkeypatch, user="ann:p", api_key="k")


def test_no_secret_shows_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """X-111"""
    assert "planted" not in repr(asker(monkeypatch, user="ann:planted"))


def test_an_authority_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot use"):
        asker(monkeypatch, cacert=str(tmp_path / "none")).ask("GET", "/")
