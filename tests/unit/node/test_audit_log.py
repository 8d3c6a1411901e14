"""The audit log's file."""

import stat
from pathlib import Path

from sealane.node.private_log import PrivateFileHandler


def test_each_file_of_the_log_is_for_its_owner_alone(tmp_path: Path) -> None:
    """T-34: also those that come after the first, whatever the umask says of new files."""
    path = tmp_path / "a.json"
    handler = PrivateFileHandler(path, maxBytes=10, backupCount=2, encoding="ascii")
    try:
        handler.stream.write("one line\n")
        handler.doRollover()
        handler.stream.write("another\n")
    finally:
        handler.close()
    kept = sorted(tmp_path.iterdir())
    assert [each.name for each in kept] == ["a.json", "a.json.1"]
    assert {stat.S_IMODE(each.stat().st_mode) for each in kept} == {0o600}
    assert path.read_text() == "another\n"
