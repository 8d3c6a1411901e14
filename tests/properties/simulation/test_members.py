"""Nodes that form a cluster under faults drawn from seeds: every invariant holds in each run.

`SEALANE_SEEDS=4711-4711` runs one seed; `python -m scripts.simulate --world members --trace 4711` shows all of it.
"""

import pytest

from sealane.testing.simulation import run_members_seed
from tests.properties.search.seeds import seeds

_DEFAULT = 100
_BLOCK = 10
_SEEDS = seeds(_DEFAULT)


@pytest.mark.parametrize("first", _SEEDS[::_BLOCK])
def test_invariants_hold(first: int) -> None:
    """States come in order and from one master, acknowledged settings are in force, who goes is removed and who comes
    back is let in, each search runs once."""
    for seed in _SEEDS[_SEEDS.index(first) :][:_BLOCK]:
        report = run_members_seed(seed)
        log = "\n".join(report.log[-40:])
        assert not report.failure, f"seed {seed} at {report.virtual_s:.6f}: {report.failure}\n{log}"


def test_a_seed_gives_the_same_events_again() -> None:
    assert run_members_seed(3).digest == run_members_seed(3).digest
