"""The differences that we know and accept, each with its reason, from `known_differences.toml`."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from scripts.peers.compare import Difference

FILE = Path(__file__).with_name("known_differences.toml")
_KEYS = {"request", "path", "reason"}


class KnownDifferencesError(Exception):
    """The file of known differences is not as it should be."""


@dataclass(frozen=True, slots=True)
class KnownDifference:
    """In both patterns `*` stands for any text; everything else stands for itself."""

    request: str
    path: str
    reason: str

    def covers(self, request_name: str, difference: Difference) -> bool:
        return _matches(self.request, request_name) and _matches(self.path, difference.path)


def load(file: Path = FILE) -> list[KnownDifference]:
    """Raises `KnownDifferencesError` for an entry without a reason or with a key of another
    name."""
    entries = tomllib.loads(file.read_text()).get("difference", [])
    for entry in entries:
        if set(entry) != _KEYS or not all(isinstance(entry[key], str) for key in _KEYS):
            raise KnownDifferencesError(
                f"each entry of {file.name} needs request, path and reason, found: {entry}"
            )
        if not entry["reason"].strip():
            raise KnownDifferencesError(f"an entry of {file.name} has no reason: {entry}")
    return [KnownDifference(**entry) for entry in entries]


def explain(
    request_name: str, difference: Difference, known: list[KnownDifference]
) -> KnownDifference | None:
    """The first entry that covers this difference, if there is one."""
    return next((entry for entry in known if entry.covers(request_name, difference)), None)


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None
