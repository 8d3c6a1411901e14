"""Who asks a node from the command line."""

import argparse
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from sealane.cli.asking import Asker, AskError, NotAdmittedError, UsageError
from sealane.model.security import Secret

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


@contextmanager
def redirecting() -> Iterator[tuple[str, list[str]]]:
    """The address of a server that sends everybody back to itself, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def test_no_other_host_is_shown_who_asks() -> None:
    """T-33: a redirect is an answer as any other, and not followed with the same header."""
    with redirecting() as (url, asked), pytest.raises(AskError, match="status 302"):
        Asker(url=url, authorization=Secret("ApiKey planted")).ask("GET", "/here")
    assert asked == ["/here"]


@contextmanager
def answering(status: int) -> Iterator[str]:
    """The address of a server that answers everybody like this."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        thread.join()


def test_who_said_nothing_is_told_how_to() -> None:
    with answering(401) as address, pytest.raises(NotAdmittedError, match="say who asks with -u"):
        Asker(url=f"http://{address}").ask("GET", "/")


def test_who_was_not_believed_is_not() -> None:
    with answering(401) as address, pytest.raises(NotAdmittedError, match="key right") as raised:
        Asker(url=f"http://{address}", authorization=Secret("ApiKey planted")).ask("GET", "/")
    assert "planted" not in str(raised.value)


def test_a_plain_port_at_an_https_url() -> None:
    with answering(200) as address, pytest.raises(AskError, match="is it an http URL"):
        Asker(url=f"https://{address}").ask("GET", "/")
