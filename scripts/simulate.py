"""Runs seeds of the simulation and says what they did: `python -m scripts.simulate --seeds 0-9999`.

Each seed is a world of remote clusters, and one in four also a world of nodes that form a cluster.
`--what replication` runs clusters that follow each other instead. Ends with 1 when an invariant does not hold; the
failing seed can be run again alone with `--trace`.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field

from sealane.testing.replication_simulation import run_replication_seed
from sealane.testing.simulation import Report, run_members_seed, run_seed

_AT_ONCE = 20
"""Seeds that one process is given together."""
_WORLDS = {
    "remotes": run_seed,
    "members": run_members_seed,
    "replication": run_replication_seed,
}
_WHAT = {"connections": ("remotes", "members"), "replication": ("replication",)}
"""Worlds that are run together."""
_MEMBERS_EACH = 4
"""Seeds of remote clusters to one of members."""
_FAILURES_MAX = 10


@dataclass
class Total:
    """The sum of many runs in one kind of world."""

    world: str
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

    def figures(self) -> dict[str, object]:
        return {
            "seeds": self.seeds,
            "virtual_hours": round(self.virtual_s / 3600, 1),
            "events": self.events,
            "faults": dict(self.faults.most_common()),
            "requests": dict(self.requests.most_common()),
            "invariants_checked": dict(self.checks.most_common()),
            "failures": [{"seed": each.seed, "what": each.failure} for each in self.failures],
        }

    def as_text(self) -> str:
        def block(title: str, counts: Counter[str]) -> str:
            rows = (f"  {count:>12,}  {name}" for name, count in counts.most_common())
            return "\n".join((f"{title}: {counts.total():,}", *rows))

        return "\n".join(
            (
                f"{self.world}: {self.seeds:,} seeds, {self.virtual_s / 3600:,.0f} virtual hours, "
                f"{self.events:,} events",
                block("faults injected", self.faults),
                block("requests", self.requests),
                block("invariants checked", self.checks),
                f"violations: {len(self.failures)}",
            )
        )


def _run_some(world: str, first: int, last: int) -> tuple[str, list[Report]]:
    return world, [_WORLDS[world](seed) for seed in range(first, last + 1)]


def _blocks(worlds: Sequence[str], first: int, last: int) -> Iterator[tuple[str, int, int]]:
    """Where both worlds are asked for, each block is followed by a shorter one of members."""
    share = _MEMBERS_EACH if len(worlds) > 1 else 1
    for start in range(first, last + 1, _AT_ONCE):
        end = min(last, start + _AT_ONCE - 1)
        for world in worlds:
            some = share if world == "members" else 1
            yield world, start, start + (end - start) // some


def run(
    worlds: Sequence[str], first: int, last: int, *, jobs: int, minutes: float | None
) -> dict[str, Total]:
    """All seeds from `first` to `last`, or as many as the time allows, in `jobs` processes."""
    totals, began = {world: Total(world) for world in worlds}, time.monotonic()
    blocks = _blocks(worlds, first, last)
    with ProcessPoolExecutor(jobs) as pool:
        running: set[Future[tuple[str, list[Report]]]] = set()
        while True:
            spent_s = time.monotonic() - began
            in_time = minutes is None or spent_s < minutes * 60
            failed = sum(len(total.failures) for total in totals.values())
            while in_time and failed < _FAILURES_MAX and len(running) < 2 * jobs:
                block = next(blocks, None)
                if block is None:
                    break
                running.add(pool.submit(_run_some, *block))
            if not running:
                return totals
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for world, reports in (done.result() for done in ended):
                for report in reports:
                    totals[world].add(report)
                    if report.failure:
                        _show_failure(world, report)
            _show_progress(totals, time.monotonic() - began)


def _show_progress(totals: Mapping[str, Total], wall_s: float) -> None:
    if sys.stderr.isatty():
        seeds = sum(total.seeds for total in totals.values())
        hours = sum(total.virtual_s for total in totals.values()) / 3600
        failures = sum(len(total.failures) for total in totals.values())
        print(
            f"\r{seeds:,} seeds, {seeds / max(wall_s, 0.001):.1f} a second, {hours:,.0f} virtual "
            f"hours, {failures} violations ",
            end="",
            file=sys.stderr,
            flush=True,
        )


def _show_failure(world: str, report: Report) -> None:
    tail = "\n".join(report.log[-30:])
    print(
        f"\n{world}, seed {report.seed} at {report.virtual_s:.6f} s: {report.failure}\n{tail}\n"
        f"again: python -m scripts.simulate --world {world} --trace {report.seed}",
        file=sys.stderr,
    )


def trace(world: str, seed: int) -> int:
    """Prints everything that happens in one run."""
    report = _WORLDS[world](seed, everything=True)
    print("\n".join(report.log))
    print(f"digest {report.digest}")
    if report.failure:
        print(f"seed {seed} at {report.virtual_s:.6f} s: {report.failure}")
    return 1 if report.failure else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="0-9999", help="first and last, both included")
    parser.add_argument("--what", choices=tuple(_WHAT), default="connections", help="what is run")
    parser.add_argument("--world", choices=tuple(_WORLDS), help="one kind of world alone")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--minutes", type=float, help="begin no more seeds after so long")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--trace", type=int, metavar="SEED", help="run one and print all events")
    given = parser.parse_args()
    if given.trace is not None:
        return trace(given.world or _WHAT[given.what][0], given.trace)
    worlds = (given.world,) if given.world else _WHAT[given.what]
    first, _, last = given.seeds.partition("-")
    began = time.monotonic()
    totals = run(
        worlds, int(first), int(last or first), jobs=given.jobs, minutes=given.minutes
    ).values()
    wall_s = time.monotonic() - began
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if given.json:
        figures = {total.world: total.figures() for total in totals}
        print(json.dumps({"seconds": round(wall_s, 1), **figures}, indent=2))
    else:
        print("\n\n".join((*(total.as_text() for total in totals), f"in {wall_s:.0f} s")))
    return 1 if any(total.failures for total in totals) else 0


if __name__ == "__main__":
    sys.exit(main())
