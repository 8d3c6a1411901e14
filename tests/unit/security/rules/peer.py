"""What a server of version 8.19 with security answered, as `answers.json` keeps it."""

import json
from pathlib import Path
from typing import Any

from sealane.errors import ApiError

ANSWERS: dict[str, list[Any]] = json.loads((Path(__file__).parent / "answers.json").read_bytes())


def chain(error: ApiError | None) -> list[list[str]]:
    """Type and reason of an error and of what caused it."""
    found = []
    while error is not None:
        found.append([error.es_type, error.reason])
        error = error.caused_by
    return found
