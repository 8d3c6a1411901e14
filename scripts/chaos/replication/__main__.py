"""`python -m scripts.chaos.replication --minutes 30 --seed 1`: ends with 1 where anything was lost, differs or is left.

Real processes on loopback: three clusters in a chain, and one index the other way round, each link behind a proxy.
Clients index, update and delete at the leaders while nodes are killed and stopped, links cut, stalled, torn and
damaged, disks filled, and followers paused, closed and begun anew. At the end every follower has the ids, versions,
sequence numbers, terms, routings and sources of its leader, and leaders have all that they acknowledged.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.chaos.replication.run import run


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.chaos.replication", description=__doc__
    )
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--think", type=float, default=0.03, help="rest between writes in seconds")
    parser.add_argument("--keep", type=Path, help="a folder for data and logs, which stay there")
    asked = parser.parse_args(arguments)
    report = asyncio.run(
        run(seed=asked.seed, seconds=asked.minutes * 60, think_s=asked.think, folder=asked.keep)
    )
    print("\n".join(report.lines()))
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
