"""`python -m scripts.chaos --minutes 10 --clients 32 --seed 1`: ends with 1 where an answer was wrong or something is
left.

Real processes on loopback: a coordinator, and remotes behind proxies that are cut, slowed, stalled, stopped, killed and
restarted while clients search, count, scroll and leave.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from scripts.chaos.run import run


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--remotes", type=int, default=3)
    asked = parser.parse_args(arguments)
    report = asyncio.run(
        run(
            seed=asked.seed,
            seconds=asked.minutes * 60,
            clients_count=asked.clients,
            remotes=asked.remotes,
        )
    )
    print("\n".join(report.lines()))
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
