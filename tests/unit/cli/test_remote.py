"""`sealane remote`: which options make a test, and what is printed."""

import io
import json
import socketserver
import threading
from typing import Any

import pytest
from rich.console import Console

from sealane.cli.main import main
from sealane.cli.remote_show import Shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a:b"], "failed to parse port"),
        ([":9300"], "the host is empty"),
        (["http://a:9200"], "leave out the URL scheme [http://]"),
        (["a:9300", "--timeout", "5"], "unit is missing or unrecognized"),
        (["a:9300", "--timeout", "61s"], "at most 60s"),
        (["a:9300", "--server-name", "b"], "add --proxy"),
        (["a:9300", "--key", "b.pem"], "--key goes with --cert"),
        (["a:9300", "--ca", "/does/not/exist.pem"], "cannot use [/does/not/exist.pem]"),
        (["a:9300", "--cert", __file__], "--cert goes with --key"),
        (["a:9300", "--cert", __file__, "--key", __file__], "are they PEM files"),
        (["a:9300", "--tls", "--url", "http://b:1"], "--tls has no effect with --url"),
        (["far", "--proxy"], "--proxy has no effect of a registered remote"),
        (["far", "--url", "b:9200"], "must begin with http:// or https://"),
        (["far", "--url", "http://b:x"], "--url cannot be read: nonnumeric port"),
    ],
)
def test_wrong_usage(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and one line that says what is wrong."""
    assert main(["remote", "test", *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert message in told.err
    assert told.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["test"], ["test", "a:1", "--nope"], ["info", "x"]])
def test_wrong_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["remote", *arguments])
    assert ended.value.code == 2
    assert "usage: sealane" in capsys.readouterr().err


STEP = {"step": "tcp", "ok": True, "took": "1.2ms", "took_nanos": 1_200_000}
NODE = {
    "name": "a[1]",
    "transport_address": "10.0.0.1:9300",
    "version": "8.19.0",
    "eligible": True,
    "reachable": True,
}
FAILED: dict[str, Any] = {
    "ok": False,
    "summary": "s",
    "error": {"explanation": "nothing listens on [a:1]", "next_step": "check [that]"},
    "targets": [{"role": "seed", "address": "a:1", "steps": [STEP, {**STEP, "ok": False}]}],
    "nodes": [NODE, {**NODE, "eligible": False, "reachable": None, "reason": "a master"}],
    "warnings": ["an odd [thing]"],
}


def printed(show: Any, **options: Any) -> str:
    out = io.StringIO()
    console = Console(file=out, highlight=False, width=120, **options)
    show(Shown(as_json=False, console=console))
    return out.getvalue()


def test_a_line_a_step() -> None:
    lines = printed(lambda shown: shown.steps(FAILED)).splitlines()
    assert lines[0].split() == ["ok", "seed", "a:1", "tcp", "1.2ms"]
    assert lines[1].split()[0] == "FAIL"


def test_the_outcome_of_a_test_that_failed() -> None:
    """Brackets are shown as they are."""
    text = printed(lambda shown: shown.outcome(FAILED))
    assert "failed: nothing listens on [a:1]\nnext step: check [that]\n" in text
    assert "warning: an odd [thing]" in text
    assert "a[1]" in text
    assert "no: a master" in text


def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    def show(shown: Shown) -> None:
        shown.steps(FAILED)

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" not in printed(show)
    assert "\x1b[32m" in printed(show, force_terminal=True, color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    coloured = printed(show, force_terminal=True, color_system="standard")
    assert "\x1b[32m" not in coloured


def test_json_is_all_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Shown(as_json=True)
    shown.steps(FAILED)
    shown.outcome(FAILED)
    assert json.loads(capsys.readouterr().out) == FAILED


def test_the_table_of_remotes() -> None:
    remotes = {
        "far": {
            "connected": False,
            "mode": "sniff",
            "seeds": ["a:1", "b:1"],
            "num_nodes_connected": 0,
            "max_connections_per_cluster": 3,
            "last_error": {"explanation": "nothing listens on [a:1]", "next_step": "look"},
        },
        "near": {
            "connected": True,
            "mode": "proxy",
            "proxy_address": "p:1",
            "num_proxy_sockets_connected": 4,
            "max_proxy_socket_connections": 18,
            "cluster_name": "eu",
            "remote_version": "8.19.0",
        },
    }
    lines = printed(lambda shown: shown.info(remotes)).splitlines()
    assert lines[1].split() == ["far", "sniff", "no", "0", "of", "3", "a:1,", "b:1"]
    assert lines[2].split() == ["near", "proxy", "yes", "4", "of", "18", "p:1", "eu", "8.19.0"]
    assert lines[3:] == ["far: nothing listens on [a:1]", "next step: look"]


def test_no_remotes() -> None:
    assert printed(lambda shown: shown.info({})) == "no remote clusters are registered\n"


class _NoHttp(socketserver.StreamRequestHandler):
    """As a transport port answers a client that speaks HTTP."""

    def handle(self) -> None:
        self.rfile.readline()
        self.wfile.write(b"This is not an HTTP port")


def test_a_url_that_leads_to_no_http_port(capsys: pytest.CaptureFixture[str]) -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), _NoHttp) as server:
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        assert main(["remote", "info", "--url", url]) == 1
        answering.join()
    assert "is it a node's HTTP port?" in capsys.readouterr().err


def test_an_address_without_a_port_is_taken_for_an_alias(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it was taken for is said, since it may have been meant as an address."""
    monkeypatch.setattr("sealane.cli.remote.DEFAULT_URL", "http://127.0.0.1:1")
    assert main(["remote", "test", "10.0.0.1"]) == 1
    told = capsys.readouterr().err
    assert "[10.0.0.1] is taken for an alias: cannot ask [http://127.0.0.1:1]" in told
    assert "an address is HOST:PORT" in told
