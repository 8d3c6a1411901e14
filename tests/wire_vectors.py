"""The dumps of docs/wire-protocol.md by name: what the page shows is what the tests check."""

import re
from pathlib import Path

_PAGE = Path(__file__).parents[1] / "docs" / "wire-protocol.md"
_GOLDEN = Path(__file__).parent / "unit" / "wire" / "golden"


def _read_page() -> dict[str, bytes]:
    blocks = re.findall(
        r"^```hex (\S+)\n(.*?)^```", _PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return {name: bytes.fromhex("".join(dump.split())) for name, dump in blocks}


VECTORS = _read_page()
RECORDED = sorted(file.stem for file in _GOLDEN.glob("*.hex"))
"""Names for `recorded`."""


def recorded(name: str) -> bytes:
    """A frame recorded from a real server that is too long for the page."""
    return bytes.fromhex("".join((_GOLDEN / f"{name}.hex").read_text("ascii").split()))
