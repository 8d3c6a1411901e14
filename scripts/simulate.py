"""Runs seeds of the simulation and says what they did: `python -m scripts.simulate --seeds 0-9999`.

Ends with 1 when an invariant does not hold; the failing seed can be run again alone with `--trace`.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field

from sealane.testing.simulation import Report, run_seed

_AT_ONCE = 20
"""Seeds that one process is given together."""
_FAILURES_MAX = 10


@dataclass
class Total:
    """The sum of many runs."""

    seeds: int = 0
    virtual_s: float = 0.0
    events: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    failures: list[Report] = field(default_factory=list)

    def add(self, report: Report) -> None:
        self.seeds += 1
        self.virtual_s += report.virtual_s
        self.events += int(report.digest.partition("-")[0])
        self.faults += report.faults
        self.requests += report.outcomes
        self.checks += report.checks
        if report.failure:
            self.failures.append(report)

    def as_json(self, wall_s: float) -> str:
        shown = {
            "seeds": self.seeds,
            "seconds": round(wall_s, 1),
            "virtual_hours": round(self.virtual_s / 3600, 1),
            "events": self.events,
            "faults": dict(self.faults.most_common()),
            "requests": dict(self.requests.most_common()),
            "invariants_checked": dict(self.checks.most_common()),
            "failures": [{"seed": each.seed, "what": each.failure} for each in self.failures],
        }
        return json.dumps(shown, indent=2)

    def as_text(self, wall_s: float) -> str:
        def block(title: str, counts: Counter[str]) -> str:
            rows = (f"  {count:>12,}  {name}" for name, count in counts.most_common())
            return "\n".join((f"{title}: {counts.total():,}", *rows))

        return "\n".join(
            (
                f"{self.seeds:,} seeds in {wall_s:.0f} s, {self.virtual_s / 3600:,.0f} virtual "
                f"hours, {self.events:,} events",
                block("faults injected", self.faults),
                block("requests", self.requests),
                block("invariants checked", self.checks),
                f"violations: {len(self.failures)}",
            )
        )


def _run_some(first: int, last: int) -> list[Report]:
    return [run_seed(seed) for seed in range(first, last + 1)]


def _blocks(first: int, last: int) -> Iterator[tuple[int, int]]:
    for start in range(first, last + 1, _AT_ONCE):
        yield start, min(last, start + _AT_ONCE - 1)


def run(first: int, last: int, *, jobs: int, minutes: float | None) -> Total:
    """All seeds from `first` to `last`, or as many as the time allows, in `jobs` processes."""
    total, began = Total(), time.monotonic()
    blocks = _blocks(first, last)
    with ProcessPoolExecutor(jobs) as pool:
        running: set[Future[list[Report]]] = set()
        while True:
            spent_s = time.monotonic() - began
            in_time = minutes is None or spent_s < minutes * 60
            while in_time and len(total.failures) < _FAILURES_MAX and len(running) < 2 * jobs:
                block = next(blocks, None)
                if block is None:
                    break
                running.add(pool.submit(_run_some, *block))
            if not running:
                return total
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for report in (each for done in ended for each in done.result()):
                total.add(report)
                if report.failure:
                    _show_failure(report)
            _show_progress(total, time.monotonic() - began)


def _show_progress(total: Total, wall_s: float) -> None:
    if sys.stderr.isatty():
        rate = total.seeds / max(wall_s, 0.001)
        print(
            f"\r{total.seeds:,} seeds, {rate:.1f} a second, {total.virtual_s / 3600:,.0f} virtual "
            f"hours, {len(total.failures)} violations ",
            end="",
            file=sys.stderr,
            flush=True,
        )


def _show_failure(report: Report) -> None:
    tail = "\n".join(report.log[-30:])
    print(
        f"\nseed {report.seed} at {report.virtual_s:.6f} s: {report.failure}\n{tail}\n"
        f"again: python -m scripts.simulate --trace {report.seed}",
        file=sys.stderr,
    )


def trace(seed: int) -> int:
    """Prints everything that happens in one run."""
    report = run_seed(seed, everything=True)
    print("\n".join(report.log))
    print(f"digest {report.digest}")
    if report.failure:
        print(f"seed {seed} at {report.virtual_s:.6f} s: {report.failure}")
    return 1 if report.failure else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="0-9999", help="first and last, both included")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--minutes", type=float, help="begin no more seeds after so long")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--trace", type=int, metavar="SEED", help="run one and print all events")
    given = parser.parse_args()
    if given.trace is not None:
        return trace(given.trace)
    first, _, last = given.seeds.partition("-")
    began = time.monotonic()
    total = run(int(first), int(last or first), jobs=given.jobs, minutes=given.minutes)
    wall_s = time.monotonic() - began
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(total.as_json(wall_s) if given.json else total.as_text(wall_s))
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
