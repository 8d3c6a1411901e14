"""Clusters that follow each other under faults drawn from seeds: every invariant holds in each run.

`SEALANE_SEEDS=4711-4711` runs one seed; `python -m scripts.simulate --what replication --trace 4711` shows all of it.
"""

import pytest

from sealane.testing.replication_simulation import run_replication_seed
from tests.properties.search.seeds import seeds

_DEFAULT = 500
_BLOCK = 20
_SEEDS = seeds(_DEFAULT)


@pytest.mark.parametrize("first", _SEEDS[::_BLOCK])
def test_invariants_hold(first: int) -> None:
    """R-43, R-44, R-52, R-54, R-58, R-59, R-64, R-65, R-66, R-67, R-70, R-71, R-72, R-73, R-92, R-93, R-94, R-96,
    R-97, R-98, R-99, R-100, R-101, R-102, R-103, R-104, R-105, R-106, R-108, R-109, R-110: a follower's operations are
    always a beginning of its leader's, each applied once and in order; what can be level becomes level; what was lost
    is told.
    """
    for seed in _SEEDS[_SEEDS.index(first) :][:_BLOCK]:
        report = run_replication_seed(seed)
        log = "\n".join(report.log[-60:])
        assert not report.failure, f"seed {seed} at {report.virtual_s:.6f}: {report.failure}\n{log}"
