"""The README's tutorial, line by line: its shell blocks are run as they stand, on free ports in an empty folder."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def tutorial() -> list[str]:
    """The blocks of the tutorial, with free ports and this environment's program."""
    text = (ROOT / "README.md").read_text()
    section = text[text.index("## Tutorial") : text.index("## What works today")]
    ports = {port: free_port() for port in ("9200", "9201", "9300", "9301")}
    section = re.sub(r"\b(9200|9201|9300|9301)\b", lambda match: ports[match.group()], section)
    section = section.replace("make setup\n", "")
    section = section.replace(".venv/bin/sealane", f"{sys.executable} -m sealane")
    return _BLOCK.findall(section)


def test_the_tutorial_works_line_by_line(tmp_path: Path) -> None:
    blocks = tutorial()
    start, *steps = blocks
    # The nodes' ready lines go to a file of their own, so that each step's output is its own.
    start = start.replace(" &\n", " >>ready 2>>log &\n")
    waiting = 'until [ "$(grep -c ready ready 2>/dev/null)" = 2 ]; do sleep 0.05; done\n'
    script = start + waiting + "".join(f"echo; echo ==== step\n{step}" for step in steps)
    shell = subprocess.Popen(
        ["bash", "-m", "-c", script],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        env={**os.environ, "no_proxy": "*"},
    )
    try:
        out, _ = shell.communicate(timeout=60)
    finally:
        for pid in re.findall(r'"pid":(\d+)', (tmp_path / "ready").read_text()):
            try:
                os.kill(int(pid), signal.SIGTERM)
            except ProcessLookupError:
                pass  # the tutorial itself stops one
    answers = [json.loads(part) for part in out.split("==== step")[1:]]
    first_bulk, second_bulk, registered, info, search, after = answers
    assert first_bulk["errors"] is False
    assert second_bulk["errors"] is False
    assert registered["acknowledged"] is True
    assert "americas" in info
    found = [(hit["_index"], hit["_source"]["name"]) for hit in search["hits"]["hits"]]
    assert found == [("americas:cities", "Lima"), ("cities", "Hamburg"), ("cities", "Lisboa")]
    assert search["aggregations"]["people"]["value"] == 7737002 + 1845229 + 545796
    assert after["_clusters"]["details"]["americas"]["status"] == "skipped"
    assert after["hits"]["total"]["value"] == 2
