"""Remote clusters, transport and wire under faults drawn from seeds: every invariant holds in each run.

`SEALANE_SEEDS=4711-4711` runs one seed; `python -m scripts.simulate --trace 4711` shows all of it.
"""

import pytest

from sealane.testing.simulation import run_seed
from tests.properties.search.seeds import seeds

_DEFAULT = 500
_BLOCK = 20
_SEEDS = seeds(_DEFAULT)


@pytest.mark.parametrize("first", _SEEDS[::_BLOCK])
def test_invariants_hold(first: int) -> None:
    """C-41, C-46, C-54, C-57, C-62: never more sockets than allowed, none left when an alias goes;
    never without a gateway while one is reachable; one outcome for each request, and its own."""
    for seed in _SEEDS[_SEEDS.index(first) :][:_BLOCK]:
        report = run_seed(seed)
        log = "\n".join(report.log[-40:])
        assert not report.failure, f"seed {seed} at {report.virtual_s:.6f}: {report.failure}\n{log}"
