"""Fuzzes every target in turn and prints how many cases each took: `python -m scripts.fuzz --cases 5000000`.

Ends with 1 when a case broke a target, took too long, or memory grew. Needs atheris; docs/fuzzing.md.
"""

import argparse
import importlib.util
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.registry import TARGETS

from scripts.fuzz.run import Run, fuzz

_HEAD = (
    f"{'target':<22}{'cases':>10}{'seconds':>9}{'cases/s':>9}{'edges':>7}{'kept':>6}{'memory':>14}"
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=5_000_000, help="cases over all targets")
    parser.add_argument("--target", action="append", choices=sorted(TARGETS), help="only this one")
    parser.add_argument("--findings", type=Path, default=Path(".fuzz"), help="where they are left")
    asked = parser.parse_args(arguments)
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: there is none for this version of Python", file=sys.stderr)
        return 2
    chosen = [TARGETS[name] for name in asked.target or TARGETS]
    shares = sum(each.share for each in chosen)
    print(_HEAD, flush=True)
    runs = []
    for target in chosen:
        begin = time.monotonic()
        run = fuzz(target, -(-asked.cases * target.share // shares), asked.findings)
        run.seconds = time.monotonic() - begin
        runs.append(run)
        print(_line(run), flush=True)
    print(_sum(runs))
    return 0 if all(run.is_good for run in runs) else 1


def _line(run: Run) -> str:
    rate = run.cases / run.seconds if run.seconds else 0
    memory = f"{run.memory_early_mb} -> {run.memory_mb} MB"
    line = (
        f"{run.target:<22}{run.cases:>10,}{run.seconds:>9.0f}{rate:>9,.0f}"
        f"{run.coverage:>7}{run.kept:>6}{memory:>14}"
    )
    return line if run.is_good else f"{line}\n{run.said}\nFINDING {run.finding or 'memory grew'}"


def _sum(runs: Sequence[Run]) -> str:
    cases, seconds = sum(run.cases for run in runs), sum(run.seconds for run in runs)
    bad = [run.target for run in runs if not run.is_good]
    found = f"findings in {', '.join(bad)}" if bad else "no crash, no hang, no growth"
    return f"{len(runs)} targets, {cases:,} cases in {seconds:.0f} s: {found}"


if __name__ == "__main__":
    sys.exit(main())
