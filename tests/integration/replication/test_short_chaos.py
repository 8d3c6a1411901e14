"""The short form of `python -m scripts.chaos.replication`."""

import pytest
from scripts.chaos.replication.run import run


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_followers_are_the_same_as_their_leaders_after_faults_of_all_kinds() -> None:
    """R-37, R-40, R-92 .. R-99, R-104, R-106, R-108: and every acknowledged write is there, once."""
    report = await run(seed=7, seconds=40, think_s=0.03)
    assert not report.problems, "\n".join(report.lines())
    assert report.acknowledged > 1000
    assert report.faults.total() > 8
    assert report.compared >= 6
