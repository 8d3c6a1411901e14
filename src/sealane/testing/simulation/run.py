"""One run of the simulation from its seed, and what came of it."""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sealane.testing.simulation.loop import Hang, SimulatedLoop, simulate
from sealane.testing.simulation.members.scenario import MembersScenario
from sealane.testing.simulation.scenario import Scenario
from sealane.testing.simulation.trace import Trace
from sealane.testing.simulation.world import Violation

_FAULT_EVENTS = [
    "cut",
    "dark",
    "half_open",
    "down",
    "partition",
    "slow",
    "freeze",
    "corked",
    "kill",
    "restart",
    "power_loss",
    "descriptors",
    "proxy_dies",
    "name_fails",
    "name_hangs",
    "name_moves",
    "name_grows",
    "local_restart",
    "settings",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Of one run. `failure` is empty where every invariant held."""

    seed: int
    digest: str
    virtual_s: float
    faults: Counter[str]
    outcomes: Counter[str]
    checks: Counter[str]
    failure: str
    log: list[str]


def run_seed(seed: int, *, everything: bool = False) -> Report:
    """One run of remote clusters from its seed to its end."""
    return _run(Scenario, seed, everything)


def run_members_seed(seed: int, *, everything: bool = False) -> Report:
    """One run of nodes that form a cluster from its seed to its end."""
    return _run(MembersScenario, seed, everything)


def _run(kind: type[Scenario] | type[MembersScenario], seed: int, everything: bool) -> Report:
    loop = SimulatedLoop()
    trace = Trace(loop.time, everything=everything)
    scenario = kind(loop, seed, trace)
    failure = ""
    with Watch(loop) as watch:
        try:
            simulate(scenario.run(), loop=loop)
        except (Violation, Hang) as found:
            failure = str(found)
        except BaseExceptionGroup as found:
            failure = "; ".join(f"{type(each).__name__}: {each}" for each in found.exceptions)
    failure = failure or watch.failure
    return Report(
        seed=seed,
        digest=trace.digest,
        virtual_s=loop.time(),
        faults=Counter({kind: trace.counts[kind] for kind in _FAULT_EVENTS if trace.counts[kind]}),
        outcomes=scenario.requests.outcomes,
        checks=scenario.invariants.checks,
        failure=failure,
        log=trace.lines() if failure or everything else [],
    )


class Watch(logging.Handler):
    """Exceptions that nobody took, errors in the log, tasks that ignore their cancel."""

    def __init__(self, loop: SimulatedLoop, expected: tuple[str, ...] = ()) -> None:
        """`expected` are beginnings of errors in the log that are no failure."""
        super().__init__(logging.WARNING)
        self._loop = loop
        self._expected = expected
        self.failure = ""

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        is_error = record.levelno >= logging.ERROR and not message.startswith(self._expected)
        if is_error or "ignores its cancel" in message:
            self._fail(self.format(record))

    def _unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Violation):
            self._fail(str(error))
        else:
            self._fail(f"{context['message']}: {error!r}")

    def _fail(self, text: str) -> None:
        self.failure = self.failure or f"at {self._loop.time():.6f}: {text}"

    def __enter__(self) -> "Watch":
        self._loop.set_exception_handler(self._unhandled)
        self._logger = logging.getLogger("sealane")
        self._was = (self._logger.level, self._logger.propagate)
        self._logger.setLevel(logging.WARNING)
        self._logger.propagate = False
        self._logger.addHandler(self)
        return self

    def __exit__(self, *exc: object) -> None:
        self._logger.removeHandler(self)
        self._logger.setLevel(self._was[0])
        self._logger.propagate = self._was[1]
