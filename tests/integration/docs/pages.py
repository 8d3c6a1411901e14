"""The shell blocks of a page of the documentation, run as a reader would paste them: in one shell, in an empty folder.

Ports are replaced by free ones, and `sealane` is this environment's. What the blocks are to print is the tests'
business.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

_DOCS = Path(__file__).resolve().parents[3] / "docs"
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PORT = re.compile(r"\b9[234]\d\d\b")
_MARK = "==== block"
_LIMIT_S = 100


class Output(NamedTuple):
    """What one block printed on stdout and stderr."""

    text: str

    def answers(self) -> list[Any]:
        """The JSON objects in it, in order."""
        decoder, found, at = json.JSONDecoder(), [], 0
        while (at := self.text.find("{", at)) >= 0:
            try:
                value, at = decoder.raw_decode(self.text, at)
            except ValueError:
                at += 1
            else:
                found.append(value)
        return found


class Page:
    """A page under `docs/`, its ports replaced: one that goes on where another ended has that one's `ports`."""

    def __init__(self, name: str, ports: Mapping[str, str] | None = None) -> None:
        known = dict(ports or {})
        text = (_DOCS / name).read_text()
        for port in sorted(set(_PORT.findall(text)) - set(known)):
            known[port] = _free_port()
        self.text = _PORT.sub(lambda match: known[match[0]], text)
        self.ports: Mapping[str, str] = known
        """What stands for a port of the page."""

    def blocks(self, heading: str) -> list[str]:
        """Of the section that begins with this line, up to the next heading of its depth or above."""
        depth = heading.index(" ")
        start = self.text.index(f"\n{heading}\n") + 1
        end = re.compile(rf"^#{{1,{depth}}} ", re.MULTILINE).search(self.text, start + len(heading))
        return _BLOCK.findall(self.text[start : end.start() if end else None])


def run(blocks: Sequence[str], folder: Path) -> list[Output]:
    """The output of each block. All nodes that they start are stopped at the end."""
    home = folder / "home"
    (home / "bin").mkdir(parents=True)
    program = home / "bin" / "sealane"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m sealane "$@"\n')
    program.chmod(0o755)
    script = "exec 2>&1\n" + "".join(f"echo; echo {_MARK}\n{block}" for block in blocks)
    environment = {
        "HOME": str(home),
        "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
        "PYTHONUNBUFFERED": "1",
        "no_proxy": "*",
    }
    place = folder / "empty"
    place.mkdir()
    shell = subprocess.Popen(
        ["bash", "-m", "-c", f"{script}\njobs -p | xargs -r kill; wait\n"],
        cwd=place,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment,
    )
    try:
        out, _ = shell.communicate(timeout=_LIMIT_S)
    finally:
        _stop_nodes(place)
        shell.kill()
    first, *parts = out.split(f"{_MARK}\n")
    assert not first.strip()
    return [Output(part) for part in parts]


def _stop_nodes(folder: Path) -> None:
    """Those that still run, where the shell did not come to its end."""
    for ready in folder.rglob("ready"):
        for pid in re.findall(r'"pid":(\d+)', ready.read_text()):
            try:
                os.kill(int(pid), signal.SIGTERM)
            except ProcessLookupError:
                pass  # as it should be


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
