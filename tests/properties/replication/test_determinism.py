"""A seed is all there is to a run: nothing depends on the process, its hashes or addresses."""

import os
import subprocess
import sys

from sealane.testing.replication_simulation import run_replication_seed

_SEEDS = (3, 14, 20)
_PROGRAM = f"""
from sealane.testing.replication_simulation import run_replication_seed
print([run_replication_seed(seed).digest for seed in {_SEEDS}])
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
    assert [run_replication_seed(seed).digest for seed in _SEEDS] == [
        run_replication_seed(seed).digest for seed in _SEEDS
    ]


def test_a_seed_gives_the_same_events_in_another_process() -> None:
    expected = str([run_replication_seed(seed).digest for seed in _SEEDS])
    assert _digests("1") == _digests("2") == expected


def test_another_seed_gives_other_events() -> None:
    assert len({run_replication_seed(seed).digest for seed in range(10)}) == 10
