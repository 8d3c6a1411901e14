"""A seed is all there is to a run: nothing depends on the process, its hashes or addresses."""

import os
import subprocess
import sys

from sealane.testing.simulation import run_seed

_SEEDS = (3, 14, 20, 33)
_PROGRAM = f"""
from sealane.testing.simulation import run_seed
print([run_seed(seed).digest for seed in {_SEEDS}])
"""


def _digests(hash_seed: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_seed_gives_the_same_events_again() -> None:
    assert [run_seed(seed).digest for seed in _SEEDS] == [run_seed(seed).digest for seed in _SEEDS]


def test_a_seed_gives_the_same_events_in_another_process() -> None:
    assert _digests("1") == _digests("2") == str([run_seed(seed).digest for seed in _SEEDS])


def test_another_seed_gives_other_events() -> None:
    assert len({run_seed(seed).digest for seed in range(20)}) == 20
