"""The corpus as it is kept: one text file a target, one input a line, in base64, shortest first."""

import base64
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"


def read_corpus(name: str) -> list[bytes]:
    """The inputs kept for the target of that name; none where there is no file yet."""
    file = FOLDER / f"{name}.txt"
    if not file.exists():
        return []
    return [base64.b64decode(line) for line in file.read_text("ascii").splitlines()]


def write_corpus(name: str, inputs: Iterable[bytes]) -> None:
    """Replaces the target's inputs."""
    kept = sorted(set(inputs), key=lambda each: (len(each), each))
    lines = (base64.b64encode(each).decode("ascii") + "\n" for each in kept)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.txt").write_text("".join(lines), "ascii")
