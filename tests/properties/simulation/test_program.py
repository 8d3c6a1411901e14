"""`python -m scripts.simulate`."""

import json
import subprocess
import sys

import pytest


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.simulate", *arguments], capture_output=True, text=True
    )


def test_it_says_what_the_seeds_did() -> None:
    done = _run("--seeds", "0-4", "--jobs", "1", "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["seconds"] > 0
    for world, seeds in (("remotes", 5), ("members", 2)):
        figures = shown[world]
        assert (figures["seeds"], figures["failures"]) == (seeds, [])
        counted = ("faults", "requests", "invariants_checked", "virtual_hours")
        assert all(figures[key] for key in counted)


@pytest.mark.parametrize("world", ["remotes", "members"])
def test_one_seed_can_be_watched(world: str) -> None:
    done = _run("--world", world, "--trace", "3")
    assert done.returncode == 0, done.stderr
    *events, digest = done.stdout.splitlines()
    assert digest.startswith("digest ")
    assert len(events) == int(digest.split()[1].partition("-")[0])
