"""The keystore's file: read whole, replaced whole, and for its owner only."""

import os
from pathlib import Path

import pytest

from sealane.errors import IOFailure, KeystoreError
from sealane.model.security import Secret
from sealane.security.stores.keystore import Keystore
from sealane.security.stores.keystore_file import NO_PASSWORD, KeystoreFile, new_keystore

PASSWORD = Secret("a password")


def test_saved_and_opened(tmp_path: Path) -> None:
    file = KeystoreFile(tmp_path / "conf")
    assert not file.exists()
    file.save(Keystore().with_text("a", "1"), PASSWORD)
    assert file.exists()
    assert file.has_password()
    opened = file.open(PASSWORD)
    assert opened.keystore.texts == {"a": Secret("1")}
    assert len(opened.digest) == 64
    assert opened.modified_ms == file.path.stat().st_mtime_ns // 1_000_000


def test_each_save_is_another_file(tmp_path: Path) -> None:
    """Salt and nonce are new each time, so that equal contents are not seen to be equal."""
    file = KeystoreFile(tmp_path)
    digests = set()
    for _ in range(3):
        file.save(Keystore(), NO_PASSWORD)
        digests.add(file.open(NO_PASSWORD).digest)
    assert len(digests) == 3


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    """Whatever the umask says, and also where a file anybody may read was there before."""
    file = KeystoreFile(tmp_path)
    before = os.umask(0)
    try:
        file.save(Keystore(), NO_PASSWORD)
        assert file.path.stat().st_mode & 0o777 == 0o600
        file.path.chmod(0o644)
        file.save(Keystore(), NO_PASSWORD)
    finally:
        os.umask(before)
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["sealane.keystore"]


def test_roots_keystore_belongs_to_whom_the_folder_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that runs as its own user could not read it otherwise."""
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda number, user, group: given.append((user, group)))
    file = KeystoreFile(tmp_path)
    file.save(Keystore(), NO_PASSWORD)
    file.save(Keystore(), NO_PASSWORD)
    owner = tmp_path.stat()
    assert given == [(owner.st_uid, owner.st_gid)] * 2
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    file.save(Keystore(), NO_PASSWORD)
    assert len(given) == 2


def test_one_changes_it_at_a_time(tmp_path: Path) -> None:
    """What two add at once would be one's alone."""
    file, other = KeystoreFile(tmp_path), KeystoreFile(tmp_path)
    with file.change():
        file.save(Keystore(), NO_PASSWORD)
        with pytest.raises(KeystoreError, match="another command"), other.change():
            raise AssertionError("both change it")
        assert other.open(NO_PASSWORD).keystore == Keystore(), "reading goes on"
    with other.change():
        other.save(Keystore(), NO_PASSWORD)
    with KeystoreFile(tmp_path / "not there").change():
        pass


def test_a_failed_save_keeps_the_old_one(tmp_path: Path) -> None:
    file = KeystoreFile(tmp_path)
    file.save(Keystore().with_text("a", "1"), NO_PASSWORD)
    with pytest.raises(KeystoreError):
        file.save(Keystore().with_file("a", bytes(11 << 20)), NO_PASSWORD)
    assert file.open(NO_PASSWORD).keystore.texts == {"a": Secret("1")}


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    file = KeystoreFile(tmp_path)
    with pytest.raises(IOFailure, match="cannot read"):
        file.open(NO_PASSWORD)
    file.path.mkdir()
    with pytest.raises(IOFailure, match="cannot read"):
        file.open(NO_PASSWORD)
    with pytest.raises(IOFailure, match="cannot write"):
        file.save(Keystore(), NO_PASSWORD)
    assert [each.name for each in tmp_path.iterdir()] == ["sealane.keystore"]


def test_a_new_one_has_a_seed_of_its_own() -> None:
    one, other = new_keystore(), new_keystore()
    assert one.names() == ["keystore.seed"]
    assert len(one.texts["keystore.seed"].reveal()) == 20
    assert one != other
