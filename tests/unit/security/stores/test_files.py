"""The files of the config folder."""

import logging
import os
from pathlib import Path

import pytest

from sealane.security.stores import files
from sealane.security.stores.files import (
    WatchedFile,
    read_role_mapping,
    read_roles,
    read_users,
    read_users_roles,
)


def test_lines_that_cannot_be_read_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """The log names their number, and nothing that stands in them."""
    text = "\n# c\nann:$2a$10$x:y\nnocolon-secret\n:x\nb ob:h\nbad \u00e9:h\ncat:\n dan :h2\n"
    with caplog.at_level(logging.ERROR, "sealane.security"):
        found = read_users(text)
    assert found == {"ann": "$2a$10$x:y", "b ob": "h"}
    assert "secret" not in caplog.text
    assert "line [4]" in caplog.text


def test_roles_of_users() -> None:
    text = "admin : ann, bob\nreader:ann,,\nbroken\nadmin:cat\n"
    assert read_users_roles(text) == {
        "ann": ("admin", "reader"),
        "bob": ("admin",),
        "cat": ("admin",),
    }


@pytest.mark.parametrize("text", ["- a\n", "1: {}\n", "a: [\n", "text"])
def test_roles_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not hold roles by name|is not YAML"):
        read_roles(text)


def test_mapped_names() -> None:
    assert read_roles("") == {}
    assert read_role_mapping("a: [CN=x, CN=y]\nb: CN=z\n") == {
        "a": ("CN=x", "CN=y"),
        "b": ("CN=z",),
    }
    with pytest.raises(ValueError, match="does not list names"):
        read_role_mapping("a: {b: c}\n")


def test_a_file_is_read_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "users"
    file = WatchedFile(path, read_users)
    assert not file.look()
    path.write_text("a:1\n")
    assert file.look()
    assert not file.look()
    path.write_text("a:1\nb:2\n")
    assert file.look()
    assert file.content == {"a": "1", "b": "2"}
    path.unlink()
    assert file.look()
    assert file.content == {}


def test_a_file_that_cannot_be_used_leaves_what_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "roles.yml"
    file = WatchedFile(path, read_roles)
    path.write_text("a: {}\n")
    assert file.look()
    for data, why in ((b"a: [", "is not YAML"), (b"\xff\xfe\xff", "is not UTF-8")):
        path.write_bytes(data)
        os.utime(path, ns=(1, len(data)))
        assert not file.look()
        assert file.content == {"a": {}}
        assert file.last_error is not None
        assert why in file.last_error
    monkeypatch.setattr(files, "FILE_MAX_BYTES", 3)
    path.write_text("b: {}\n")
    assert not file.look()
    assert file.last_error == "is larger than [3] bytes"


def test_a_file_that_could_not_be_opened_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rights to read it may come without the file looking any different."""
    path = tmp_path / "users"
    path.write_text("ann:hash\n")
    file = WatchedFile(path, read_users)

    def refuse(self: Path, encoding: str) -> str:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_text", refuse)
        assert not file.look()
        assert file.last_error == "Permission denied"
    assert file.look()
    assert (file.content, file.last_error) == ({"ann": "hash"}, None)
    assert not file.look()
