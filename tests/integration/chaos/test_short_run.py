"""The short form of `make chaos`: real processes, faults for some seconds, every answer judged."""

import pytest
from scripts.chaos.run import run


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_every_answer_is_right_or_says_what_is_missing() -> None:
    """S-66 .. S-75, S-80, S-84, S-88, S-89: and nothing is left at the end."""
    report = await run(seed=20, seconds=15, clients_count=6, remotes=2)
    assert not report.problems, "\n".join(report.lines())
    assert report.asked > 50
    assert sum(report.faults.values()) > 2
