"""Whole dialogues of a shard's tail, as texts: a command, dashes, and all that it prints.

`python -m tests.unit.replication.follower.test_transcripts --rewrite` writes the outputs anew. Commit the difference
only if you can explain it.
"""

import sys
from pathlib import Path

import pytest

from tests.unit.replication.follower.dialogue import Dialogue

FOLDER = Path(__file__).parent / "transcripts"
_LINE = "----"


def replay(text: str) -> str:
    """The transcript with the outputs of its commands as they are now. Comments stay where they are."""
    dialogue = Dialogue()
    blocks = []
    for block in text.strip().split("\n\n"):
        head, _, _ = block.partition(f"\n{_LINE}")
        command = head.splitlines()[-1]
        if command.startswith("#"):
            blocks.append(head)
        else:
            blocks.append(f"{head}\n{_LINE}\n{dialogue.run(command)}")
    return "\n\n".join(blocks) + "\n"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_transcript(path: Path) -> None:
    """R-42, R-48, R-50, R-51, R-58, R-60, R-63, R-65: the dialogue goes as it is written down."""
    text = path.read_text()
    assert replay(text) == text


def test_there_are_transcripts() -> None:
    assert len(list(FOLDER.glob("*.txt"))) >= 10


if __name__ == "__main__" and "--rewrite" in sys.argv:
    for each in FOLDER.glob("*.txt"):
        each.write_text(replay(each.read_text()))
