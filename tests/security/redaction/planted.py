"""Secrets that are planted, and a search for them in whatever a node lets out.

A secret is looked for as it is and in the forms in which it could leave by mistake: base64 at any of its three offsets,
hexadecimal, URL encoding, JSON.
"""

import base64
import json
import logging
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote


def forms(secret: str) -> Iterator[bytes]:
    """Each text by which a secret would be given away."""
    raw = secret.encode()
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    yield quote(secret, safe="").encode()
    yield json.dumps(secret)[1:-1].encode()
    for offset in range(3):
        # What comes before decides how the secret is cut into groups of three bytes; the edges depend on neighbours.
        text = base64.b64encode(b"\0" * offset + raw)
        inner = text[4 if offset else 0 : -4]
        yield inner
        yield inner.replace(b"+", b"-").replace(b"/", b"_")


class Planted:
    """Secrets, by what they are."""

    def __init__(self, **secrets: str) -> None:
        self._forms: dict[str, tuple[bytes, ...]] = {}
        for name, secret in secrets.items():
            self.plant(name, secret)

    def plant(self, name: str, secret: str) -> None:
        assert len(secret) >= 12, f"[{secret}] would be found by chance"
        self._forms[name] = tuple(dict.fromkeys(forms(secret)))

    def found_in(self, data: bytes | str) -> list[str]:
        """The names of those that `data` holds."""
        raw = data.encode(errors="surrogateescape") if isinstance(data, str) else data
        return [name for name, each in self._forms.items() if any(form in raw for form in each)]

    def found_in_files(self, folder: Path) -> dict[str, list[str]]:
        """By file, those that it holds."""
        files = (path for path in sorted(folder.rglob("*")) if path.is_file())
        found = {str(path.relative_to(folder)): self.found_in(path.read_bytes()) for path in files}
        return {path: names for path, names in found.items() if names}

    def found_in_logs(self, records: Iterable[logging.LogRecord]) -> list[str]:
        """Of records as a formatter would write them, and of their arguments and tracebacks as a debugger would."""
        found = []
        for record in records:
            shown = [record.getMessage(), repr(record.args)]
            if record.exc_info:
                shown += traceback.format_exception(*record.exc_info)
            if names := self.found_in("\n".join(shown)):
                found.append(f"{record.name}: {record.getMessage()[:200]}: {names}")
        return found
