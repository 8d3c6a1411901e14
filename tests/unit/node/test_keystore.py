"""The keystore as a node starts: whose password is asked for, what stops the start, and where its values are."""

from pathlib import Path

import pytest

from sealane.errors import ApiError, IllegalArgument, IOFailure, KeystoreError
from sealane.model.security import Secret
from sealane.node import StartError, load_settings
from sealane.node.keystore import PASSWORD_FILE
from sealane.security.stores import keystore as format_of
from sealane.security.stores.keystore import Keystore
from sealane.security.stores.keystore_file import KeystoreFile, new_keystore
from sealane.settings import Settings

KEY = "cluster.remote.eu.credentials"
OPEN = Secret("open")


def saved(folder: Path, keystore: Keystore, password: str = "") -> KeystoreFile:
    file = KeystoreFile(folder)
    file.save(keystore, Secret(password))
    return file


def loaded(folder: Path, *overrides: str) -> Settings:
    return load_settings(None, [f"path.conf={folder}", *overrides])


@pytest.fixture(autouse=True)
def no_password_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD_FILE, raising=False)


def test_its_values_are_beside_the_settings(tmp_path: Path) -> None:
    saved(tmp_path, new_keystore().with_text(KEY, "hush"))
    settings = loaded(tmp_path)
    assert settings.secrets[KEY] == Secret("hush")
    assert KEY not in settings
    assert "hush" not in repr(settings)


def test_beside_the_file_that_is_named(tmp_path: Path) -> None:
    """With --config the folder of that file is the configuration folder."""
    saved(tmp_path, new_keystore().with_text(KEY, "1"))
    (tmp_path / "sealane.yml").write_text("cluster.name: a\n")
    assert load_settings(tmp_path / "sealane.yml", []).secrets[KEY] == Secret("1")


def test_no_keystore_is_no_secrets(tmp_path: Path) -> None:
    assert not loaded(tmp_path).secrets
    assert list(tmp_path.iterdir()) == [], "none is made"


def test_no_password_is_asked_for_where_there_is_none(tmp_path: Path) -> None:
    saved(tmp_path, new_keystore())

    def fail() -> Secret:
        raise AssertionError("asked")

    load_settings(None, [f"path.conf={tmp_path}"], fail)


def test_the_password_is_asked_for(tmp_path: Path) -> None:
    saved(tmp_path, new_keystore().with_text(KEY, "1"), "open")
    overrides = [f"path.conf={tmp_path}"]
    assert load_settings(None, overrides, lambda: OPEN).secrets[KEY] == Secret("1")
    with pytest.raises(KeystoreError, match="Provided keystore password was incorrect"):
        load_settings(None, overrides, lambda: Secret("hush"))
    with pytest.raises(StartError, match=f"set {PASSWORD_FILE}"):
        load_settings(None, overrides)


def test_the_password_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its first line; the person is not asked then. One that anybody may read is warned of."""
    saved(tmp_path, new_keystore().with_text(KEY, "1"), "open")
    file = tmp_path / "password"
    file.write_text("open\r\nmore\n")
    file.chmod(0o600)
    monkeypatch.setenv(PASSWORD_FILE, str(file))
    assert loaded(tmp_path).secrets[KEY] == Secret("1")
    assert caplog.text == ""
    file.chmod(0o644)
    assert loaded(tmp_path).secrets[KEY] == Secret("1")
    assert "may be read by anybody" in caplog.text
    for content, problem in ((b"", "is empty"), (b"\n", "is empty"), (b"\xff\n", "is not UTF-8")):
        file.write_bytes(content)
        with pytest.raises(StartError, match=problem):
            loaded(tmp_path)
    file.unlink()
    with pytest.raises(StartError, match="cannot read"):
        loaded(tmp_path)


@pytest.mark.parametrize("where", ["file", "command line"])
def test_a_secret_among_the_settings_stops_the_start(tmp_path: Path, where: str) -> None:
    """X-104: also where the keystore holds it too. The value is not in the message."""
    saved(tmp_path, new_keystore().with_text(KEY, "1"))
    given = []
    if where == "file":
        (tmp_path / "sealane.yml").write_text(f"{KEY}: hush\n")
    else:
        given = [f"{KEY}=hush"]
    with pytest.raises(IllegalArgument, match="must be stored inside the keystore") as refused:
        loaded(tmp_path, *given)
    assert "hush" not in refused.value.reason


def test_unknown_names_stop_the_start(tmp_path: Path) -> None:
    """All of them are listed, with the nearest known; those of files too."""
    keystore = new_keystore().with_text("bootstrap.passwort", "hush").with_file("x.y", b"hush")
    saved(tmp_path, keystore)
    with pytest.raises(IllegalArgument) as refused:
        loaded(tmp_path)
    told = [refused.value.reason, *(each.reason for each in refused.value.suppressed)]
    assert told[0] == (
        "unknown secure setting [bootstrap.passwort] did you mean [bootstrap.password]?"
    )
    assert told[1].startswith("unknown secure setting [x.y]")
    assert "hush" not in str(told)


def test_a_keystore_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    file = saved(tmp_path, new_keystore())
    file.path.write_bytes(b"hush" * 20)
    with pytest.raises(KeystoreError, match="not a keystore"):
        loaded(tmp_path)
    file.path.unlink()
    file.path.mkdir()
    with pytest.raises(IOFailure, match="cannot read"):
        loaded(tmp_path)


def test_rules_see_what_the_keystore_holds(tmp_path: Path) -> None:
    """A passphrase without its key is wrong wherever it is kept."""
    saved(tmp_path, new_keystore().with_text("xpack.security.http.ssl.secure_key_passphrase", "x"))
    with pytest.raises(ApiError, match=r"without also setting"):
        loaded(tmp_path, "xpack.security.http.ssl.enabled=true")


def test_a_keystore_without_a_password_costs_no_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start computes the few rounds of such a file, not those that make guessing slow."""
    saved(tmp_path, new_keystore())
    rounds: list[int] = []
    pbkdf2 = format_of.hashlib.pbkdf2_hmac

    def counting(name: str, password: bytes, salt: bytes, count: int, length: int) -> bytes:
        rounds.append(count)
        return pbkdf2(name, password, salt, count, length)

    monkeypatch.setattr(format_of.hashlib, "pbkdf2_hmac", counting)
    loaded(tmp_path)
    assert sum(rounds) <= 1_000
