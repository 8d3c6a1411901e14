"""The limit of open files: raised as far as it goes, with a warning where that is not far."""

import resource
import subprocess
import sys

import pytest

_SCRIPT = """
import logging, resource, sys
logging.basicConfig(stream=sys.stdout, format="%(message)s")
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from sealane.transport.descriptors import allow_open_files
print(allow_open_files(), resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def run(soft: int, hard: int) -> str:
    """In a process of its own: a hard limit cannot be taken back."""
    script = _SCRIPT.format(soft=soft, hard=hard)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_soft_limit_becomes_the_hard_one() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < 4096:
        pytest.skip(f"this machine allows [{hard}] open files only")
    assert run(64, 4096) == "4096 (4096, 4096)\n"


def test_too_few_are_warned_of_with_what_to_do() -> None:
    said = run(64, 512)
    assert "this process may open [512] files and sockets" in said
    assert "ulimit -n 4096" in said
    assert said.endswith("512 (512, 512)\n")
