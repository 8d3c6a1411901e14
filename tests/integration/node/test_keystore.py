"""A real process with a keystore: its password, what stops the start, and a password that was forgotten."""

import subprocess
import sys
from pathlib import Path

import pytest

from sealane.cli.main import main
from sealane.model.security import Secret
from sealane.security.stores.keystore_file import NO_PASSWORD, KeystoreFile, new_keystore
from sealane.testing.process import NodeFailedError, NodeProcess, basic

BOOTSTRAP = "bootstrap-password"


def conf_of(tmp_path: Path, password: Secret = NO_PASSWORD) -> Path:
    keystore = new_keystore().with_text("bootstrap.password", BOOTSTRAP)
    KeystoreFile(tmp_path / "conf").save(keystore, password)
    return tmp_path / "conf"


def status(node: NodeProcess, password: str) -> int:
    header = {"Authorization": basic("elastic", password)}
    return node.request("GET", "/_security/_authenticate", headers=header).status


def test_the_password_of_the_keystore_comes_from_stdin(tmp_path: Path) -> None:
    """Its first line; without it the start ends with a sentence that says how to give it."""
    conf = conf_of(tmp_path, Secret("open"))
    command = [sys.executable, "-m", "sealane", "start", "-E", f"path.conf={conf}"]
    command += [
        "-E",
        f"path.data={tmp_path / 'data'}",
        "-E",
        "http.port=0",
        "-E",
        "transport.port=0",
    ]
    for given, code, told in (
        (b"", 1, b"sealane: the keystore has a password: set ES_KEYSTORE_PASSPHRASE_FILE"),
        (b"hush\n", 1, b"sealane: Provided keystore password was incorrect"),
    ):
        ended = subprocess.run(command, input=given, capture_output=True, check=False)
        assert (ended.returncode, ended.stdout) == (code, b"")
        assert told in ended.stderr
        assert b"hush" not in ended.stderr
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"open\n")
        process.stdin.flush()
        assert b'"event":"ready"' in process.stdout.readline()
        process.terminate()
        assert process.wait(60) == 0


def test_a_secret_after_e_stops_the_start(tmp_path: Path) -> None:
    """X-104."""
    conf = conf_of(tmp_path)
    node = NodeProcess(
        "one", tmp_path / "one", path__conf=str(conf), bootstrap__password="hush-hush"
    )
    with pytest.raises(NodeFailedError) as failed:
        node.start()
    assert (
        "sealane: Setting [bootstrap.password] is a secure setting and must be stored inside the keystore"
        in str(failed.value)
    )
    assert "hush" not in str(failed.value)


@pytest.mark.slow
def test_a_forgotten_password(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """X-90: the command sets a new one on the running node, and the one of the keystore stops working."""
    conf = conf_of(tmp_path)
    with NodeProcess(
        "one", tmp_path / "one", path__conf=str(conf), xpack__security__enabled="true"
    ) as node:
        assert status(node, BOOTSTRAP) == 200
        arguments = ["--conf", str(conf), "--url", node.url, "-s"]
        assert main(["reset-password", "-u", "elastic", *arguments]) == 0
        password = capsys.readouterr().out.strip()
        assert status(node, password) == 200
        assert status(node, BOOTSTRAP) == 401
        assert [each.name for each in conf.iterdir()] == ["sealane.keystore"]
        assert main(["reset-password", "-u", "nobody", *arguments]) == 1
        assert "user must exist in order to change password" in capsys.readouterr().err
