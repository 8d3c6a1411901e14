"""One run of the simulation of replication from its seed, and what came of it."""

from collections import Counter
from random import Random

from sealane.testing.replication_simulation.loop import InlineLoop
from sealane.testing.replication_simulation.scenario import Scenario
from sealane.testing.simulation.loop import Hang, simulate
from sealane.testing.simulation.run import Report, Watch
from sealane.testing.simulation.trace import Trace
from sealane.testing.simulation.world import Violation

_FAULT_EVENTS = (
    "kill",
    "crash_at",
    "stop",
    "disk_full",
    "slow",
    "clock",
    "link",
    "cut",
    "lossy",
    "lost",
    "double",
    "garbled",
    "replaced",
    "expired",
)
_EXPECTED = ("the follower has stopped", "index [")
"""What the log tells of as an error because a user has to see it."""


def run_replication_seed(seed: int, *, everything: bool = False) -> Report:
    """One run of clusters that follow each other, from its seed to its end."""
    loop = InlineLoop(Random(seed ^ 0xC0FFEE))
    trace = Trace(loop.time, everything=everything)
    scenario = Scenario(loop, seed, trace)
    failure = ""
    with Watch(loop, _EXPECTED) as watch:
        try:
            simulate(scenario.run(), loop=loop)
        except (Violation, Hang) as found:
            failure = str(found)
        except BaseExceptionGroup as found:
            failure = "; ".join(f"{type(each).__name__}: {each}" for each in found.exceptions)
    failure = scenario.world.first_violation or failure or watch.failure
    return Report(
        seed=seed,
        digest=trace.digest,
        virtual_s=loop.time(),
        faults=Counter({kind: trace.counts[kind] for kind in _FAULT_EVENTS if trace.counts[kind]}),
        outcomes=scenario.world.outcomes,
        checks=scenario.world.checks,
        failure=failure,
        log=trace.lines() if failure or everything else [],
    )
