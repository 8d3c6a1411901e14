"""The search for planted secrets finds them: a search that finds nothing proves nothing otherwise."""

import base64
import json
import logging
import sys
from pathlib import Path

import pytest

from tests.security.redaction.planted import Planted

SECRET = 'pl"änted/secret+value'
HEXED = SECRET.encode().hex()


@pytest.mark.parametrize(
    "leak",
    [
        SECRET,
        f"before {SECRET} after",
        HEXED,
        HEXED.upper(),
        json.dumps({"a": SECRET}),
        "pl%22%C3%A4nted%2Fsecret%2Bvalue",
        *(base64.b64encode(f"{'x' * n}{SECRET}yz".encode()).decode() for n in range(6)),
        *(base64.urlsafe_b64encode(f"{'x' * n}{SECRET}yz".encode()).decode() for n in range(3)),
    ],
)
def test_a_leak_is_found(leak: str) -> None:
    planted = Planted(one=SECRET, other="something else")
    assert planted.found_in(leak) == ["one"]
    assert planted.found_in(leak.encode()) == ["one"]
    assert planted.found_in("nothing of it") == []


def test_in_files_and_logs(tmp_path: Path) -> None:
    planted = Planted(one=SECRET)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"\xff" + SECRET.encode())
    (tmp_path / "c").write_text("x")
    assert planted.found_in_files(tmp_path) == {"a/b": ["one"]}

    def record(message: str, *args: object, error: bool = False) -> logging.LogRecord:
        caught = None
        if error:
            try:
                raise ValueError(SECRET)
            except ValueError:
                caught = sys.exc_info()
        return logging.LogRecord("x", 5, "f", 1, message, args, caught)

    assert planted.found_in_logs([record("fine %s", "x")]) == []
    for bad in (record(SECRET), record("%s", SECRET), record("", error=True)):
        assert len(planted.found_in_logs([bad])) == 1
