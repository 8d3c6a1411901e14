"""What signatures are made with and judged by, as it changes under those who ask."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sealane.clock import SystemClock
from sealane.model.security import Secret
from sealane.node import signing
from sealane.node.signing import Signing
from sealane.settings import Settings
from sealane.settings.secure_settings import SecureSettings
from tests.integration.transport.certificates import Authority


class Changing:
    """A SettingsSource that tests change."""

    def __init__(self, settings: Settings) -> None:
        self.current = settings

    def subscribe(self, subscriber: Callable[[Settings, Settings], None]) -> Callable[[], None]:
        return lambda: None


def of(authority: Authority, name: str) -> Settings:
    issued = authority.issue(name)
    prefix = "cluster.remote.east.signing"
    return Settings(
        {f"{prefix}.certificate": str(issued.certificate), f"{prefix}.key": str(issued.key)}
    )


def test_a_slow_look_at_old_files_does_not_undo_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X-74: a thread looks at the files while the settings change in the event loop."""
    authority = Authority(tmp_path, "signing ca")
    old, new = of(authority, "old"), of(authority, "new")
    source = Changing(Settings())
    made = Signing(source, SecureSettings(), tmp_path, SystemClock())
    reading, go_on, read = threading.Event(), threading.Event(), signing._read

    def slowly(path: Path) -> bytes:
        if "old" in path.name:
            reading.set()
            go_on.wait(10)
        return read(path)

    monkeypatch.setattr(signing, "_read", slowly)
    source.current = old
    first = threading.Thread(target=made.refresh)
    first.start()
    assert reading.wait(10)
    source.current = new
    second = threading.Thread(target=made.refresh)
    second.start()
    second.join(0.2)
    go_on.set()
    first.join(10)
    second.join(10)
    assert "CN=new" in repr(made.current("east"))


def test_what_a_signer_was_read_by_does_not_show_the_password(tmp_path: Path) -> None:
    """X-111"""
    secure = SecureSettings(
        {"cluster.remote.east.signing.secure_key_passphrase": Secret("planted")}
    )
    source = Changing(of(Authority(tmp_path, "signing ca"), "west"))
    made = Signing(source, secure, tmp_path, SystemClock())
    assert "planted" not in repr(vars(made))
