"""`sealane reset-password`, against what a node does with its files and its HTTP port."""

import base64
import io
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from sealane.cli.keystore_options import add_reset_password_options
from sealane.cli.main import main
from sealane.cli.reset_password import reset_password
from sealane.cli.temporary_user import temporary_user
from sealane.security.stores.files import read_users, read_users_roles
from sealane.security.stores.passwords import verify
from tests.integration.transport.certificates import Authority


class FakeNode:
    """Knows the users of a folder's files, as they were when it looked last, and nobody else."""

    def __init__(self, folder: Path, context: ssl.SSLContext | None = None) -> None:
        self.folder = folder
        self.passwords: dict[str, str] = {}
        self.refused = 0
        self.looks_after = 0
        self.answer: tuple[int, Any] = (200, {})
        node = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = node.put(self.path, self.headers["Authorization"], body)
                sent = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def put(self, path: str, authorization: str, body: bytes) -> tuple[int, Any]:
        name, _, password = base64.b64decode(authorization.split()[1]).decode().partition(":")
        if self.refused < self.looks_after:
            self.refused += 1
            return 401, {"error": {"reason": f"unable to authenticate user [{name}]"}}
        hashed = read_users((self.folder / "users").read_text()).get(name)
        roles = read_users_roles((self.folder / "users_roles").read_text()).get(name, ())
        if hashed is None or not verify(password, hashed) or "superuser" not in roles:
            return 401, {}
        if self.answer[0] == 200:
            self.passwords[path] = json.loads(body)["password"]
        return self.answer

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    folder = tmp_path / "conf"
    folder.mkdir()
    return folder


@pytest.fixture
def node(conf: Path) -> Iterator[FakeNode]:
    node = FakeNode(conf)
    (conf / "sealane.yml").write_text(f"http.port: {node.port}\n")
    yield node
    node.close()


class Tool:
    def __init__(self, conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.conf = conf
        self.slept: list[float] = []
        self._monkeypatch = monkeypatch

    def run(self, *arguments: str, stdin: str = "") -> int:
        import argparse

        parser = argparse.ArgumentParser()
        add_reset_password_options(parser)
        self._monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        options = parser.parse_args(["--conf", str(self.conf), *arguments])
        return reset_password(options, self.slept.append)


@pytest.fixture
def tool(conf: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    return Tool(conf, monkeypatch)


Captured = pytest.CaptureFixture[str]
PATH = "/_security/user/elastic/_password"


def test_a_made_up_password(tool: Tool, node: FakeNode, capsys: Captured) -> None:
    """Shown once, on stdout; the files are as they were."""
    assert tool.run("-u", "elastic") == 0
    shown = capsys.readouterr()
    [password] = node.passwords.values()
    assert len(password) == 20
    assert shown.out == (
        f"Password for the [elastic] user successfully reset.\nNew value: {password}\n"
    )
    assert list(node.passwords) == [PATH]
    assert [each.name for each in tool.conf.iterdir()] == ["sealane.yml"]
    assert tool.run("-u", "elastic", "-s") == 0
    assert capsys.readouterr().out == f"{node.passwords[PATH]}\n"
    assert node.passwords[PATH] != password


def test_a_chosen_password(tool: Tool, node: FakeNode, capsys: Captured) -> None:
    """From stdin, or asked for twice; it is not printed."""
    assert tool.run("-u", "a/b ü", "--stdin", stdin="chosen ü\n") == 0
    assert node.passwords == {"/_security/user/a%2Fb%20%C3%BC/_password": "chosen ü"}
    assert tool.run("-u", "elastic", "-i", stdin="other-1\nother-1\n") == 0
    assert node.passwords[PATH] == "other-1"
    assert tool.run("-u", "elastic", "-i", stdin="other-2\nother-3\n") == 65
    assert node.passwords[PATH] == "other-1"
    shown = capsys.readouterr()
    assert "Passwords do not match." in shown.err
    assert "other" not in shown.out
    assert "chosen" not in shown.out


def test_the_node_may_take_a_while_to_see_the_user(tool: Tool, node: FakeNode) -> None:
    node.looks_after = 5
    assert tool.run("-u", "elastic") == 0
    assert tool.slept == [2.0] * 6


def test_a_node_that_reads_other_files(tool: Tool, node: FakeNode, capsys: Captured) -> None:
    node.looks_after = 1_000
    assert tool.run("-u", "elastic") == 1
    assert "does not read the files of this configuration folder" in capsys.readouterr().err
    assert [each.name for each in tool.conf.iterdir()] == ["sealane.yml"]


def test_what_the_node_refuses_is_told(tool: Tool, node: FakeNode, capsys: Captured) -> None:
    node.answer = (400, {"error": {"reason": "passwords must be at least [6] characters long"}})
    assert tool.run("-u", "elastic", "--stdin", stdin="hush\n") == 1
    told = capsys.readouterr().err
    assert told == (
        "sealane reset-password: the node refused: passwords must be at least [6] characters long\n"
    )
    assert [each.name for each in tool.conf.iterdir()] == ["sealane.yml"]


def test_no_node(tool: Tool, node: FakeNode, capsys: Captured) -> None:
    (tool.conf / "sealane.yml").write_text("http.port: 1\n")
    assert tool.run("-u", "elastic") == 1
    assert "no node answers at [http://127.0.0.1:1]" in capsys.readouterr().err
    assert tool.run("-u", "elastic", "--url", f"http://127.0.0.1:{node.port}/") == 0


@pytest.mark.parametrize(
    ("file", "url"),
    [
        ("http.port: 9201", "http://127.0.0.1:9201"),
        ("network.host: 0.0.0.0", "http://127.0.0.1:9200"),
        ("network.host: 10.9.8.7\nhttp.host: '::1'", "http://[::1]:9200"),
    ],
)
def test_the_address_is_the_files(
    tool: Tool, file: str, url: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tool.conf / "sealane.yml").write_text(file)
    asked: list[str] = []

    def put(endpoint: Any, *_: object) -> tuple[int, bytes]:
        asked.append(endpoint.url)
        return 200, b"{}"

    monkeypatch.setattr("sealane.cli.reset_password._put", put)
    assert tool.run("-u", "elastic") == 0
    assert asked == [url]


@pytest.mark.parametrize(
    ("file", "arguments", "problem"),
    [
        ("http.port: 0", [], "name the node's address with --url"),
        ("", ["--url", "localhost:9200"], "must be of the form http://host:port"),
    ],
)
def test_wrong_usage(
    tool: Tool, file: str, arguments: list[str], problem: str, capsys: Captured
) -> None:
    (tool.conf / "sealane.yml").write_text(file)
    assert tool.run("-u", "elastic", *arguments) == 64
    assert problem in capsys.readouterr().err


def test_no_folder(tmp_path: Path, capsys: Captured) -> None:
    assert main(["reset-password", "-u", "elastic", "--conf", str(tmp_path / "x")]) == 1
    assert "there is no configuration folder" in capsys.readouterr().err


def test_over_tls_the_nodes_own_certificate_is_trusted_alone(
    tool: Tool, tmp_path: Path, capsys: Captured
) -> None:
    """Whatever name it is for; not another one, though it is of the same authority and of the right name."""
    authority = Authority(tmp_path)
    issued = authority.issue("node.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.path)
    node = FakeNode(tool.conf, context)
    http = "xpack.security.http.ssl"
    try:
        for certificate, code in ((issued, 0), (authority.issue("127.0.0.1"), 1)):
            (tool.conf / "sealane.yml").write_text(
                f"http.port: {node.port}\n{http}.enabled: true\n"
                f"{http}.certificate: {certificate.certificate}\n{http}.key: {certificate.key}\n"
            )
            assert tool.run("-u", "elastic") == code
    finally:
        node.close()
    assert "CERTIFICATE_VERIFY_FAILED" in capsys.readouterr().err
    assert len(node.passwords) == 1


def test_the_temporary_user_leaves_the_files_as_they_were(conf: Path) -> None:
    """Lines of others, also those without an end and those that are no text, and the files' modes."""
    (conf / "users").write_bytes(b"# ours\nann:$2a$10$\xff")
    (conf / "users").chmod(0o640)
    with temporary_user(conf) as (name, password):
        users = (conf / "users").read_bytes()
        assert users.startswith(b"# ours\nann:$2a$10$\xff\n")
        assert name.encode() in users
        assert password.reveal().encode() not in users
        assert (conf / "users").stat().st_mode & 0o777 == 0o640
        assert (conf / "users_roles").stat().st_mode & 0o777 == 0o600
        assert read_users_roles((conf / "users_roles").read_text()) == {name: ("superuser",)}
        (conf / "users_roles").write_text(f"superuser:{name}\nreader:ann\n")
    assert (conf / "users").read_bytes() == b"# ours\nann:$2a$10$\xff\n"
    assert (conf / "users_roles").read_text() == "reader:ann\n"


def test_the_temporary_user_is_gone_after_an_error(conf: Path) -> None:
    with pytest.raises(KeyboardInterrupt), temporary_user(conf):
        raise KeyboardInterrupt
    assert list(conf.iterdir()) == []
