"""One run: clients search while faults come and go, then all must be whole again and nothing be left."""

import asyncio
import random
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from scripts.chaos import clients, leaks
from scripts.chaos.faults import disturb
from scripts.chaos.judge import WrongAnswerError
from scripts.chaos.world import World, build, close

_THINK_S = 0.05
_WHOLE_WITHIN_S = 30.0
_WHOLE_IN_A_ROW = 3
_WARM_UP_S = 2.0
_PROBLEMS_MAX = 20


@dataclass
class Report:
    """`answers` by request and kind, `problems` are wrong answers and leaks."""

    seed: int
    seconds: float
    clients: int
    answers: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    rss_mb: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def asked(self) -> int:
        return sum(self.answers.values())

    def lines(self) -> list[str]:
        """The counts for people."""
        by_kind: Counter[str] = Counter()
        for name, count in self.answers.items():
            by_kind[name.partition(" ")[2]] += count
        shown = [
            f"seed {self.seed}: {self.asked} answers to {self.clients} clients in {self.seconds:.0f} s",
            "faults: "
            + ", ".join(f"{name} {count}" for name, count in sorted(self.faults.items())),
            "answers: " + ", ".join(f"{name} {count}" for name, count in by_kind.most_common()),
            *(f"  {name}: {count}" for name, count in sorted(self.answers.items())),
            "memory in MB: "
            + ", ".join(f"{name} {was} -> {now}" for name, (was, now) in self.rss_mb.items()),
            f"problems: {len(self.problems)}",
            *self.problems[:_PROBLEMS_MAX],
        ]
        return shown


async def run(*, seed: int, seconds: float, clients_count: int, remotes: int) -> Report:
    """Starts clusters of its own and stops them at the end."""
    report = Report(seed, seconds, clients_count)
    with tempfile.TemporaryDirectory(prefix="sealane-chaos-") as folder:
        world = await build(Path(folder), remotes)
        try:
            await _until_whole(world)
            await _serve(world, report, _WARM_UP_S, calm=True)
            before = await leaks.settle(world.nodes())
            await _serve(world, report, seconds, calm=False)
            await _until_whole(world)
            after = await leaks.settle(world.nodes())
            report.problems += leaks.problems(after) + leaks.growth(before, after)
            report.rss_mb = {
                name: (int(before[name].rss) >> 20, int(held.rss) >> 20)
                for name, held in after.items()
            }
        finally:
            await close(world)
    return report


async def _serve(world: World, report: Report, seconds: float, *, calm: bool) -> None:
    until = asyncio.get_running_loop().time() + seconds
    async with asyncio.TaskGroup() as group:
        for number in range(report.clients):
            chance = random.Random(f"{report.seed}/{calm}/{number}")
            group.create_task(_client(world, report, chance, until, calm=calm))
        if not calm:
            chance = random.Random(f"{report.seed}/faults")
            group.create_task(disturb(world, chance, until, report.faults))


async def _client(
    world: World, report: Report, chance: random.Random, until: float, *, calm: bool
) -> None:
    kinds = [request for request, _ in clients.REQUESTS]
    weights = [weight for _, weight in clients.REQUESTS]
    loop = asyncio.get_running_loop()
    while loop.time() < until:
        (request,) = chance.choices(kinds, weights)
        name = request.__name__
        try:
            kind = await request(world, chance)
        except WrongAnswerError as error:
            report.problems.append(f"{name}: {error}")
            kind = "wrong"
        except TimeoutError:
            report.problems.append(f"{name}: no answer")
            kind = "hangs"
        if calm and kind not in ("whole", "left", "stayed", "deleted"):
            report.problems.append(f"{name}: {kind} though nothing was wrong")
        report.answers[f"{name} {kind}"] += 1
        await asyncio.sleep(chance.uniform(0, 2 * _THINK_S))


async def _until_whole(world: World) -> None:
    """Raises TimeoutError where the clusters do not come together again."""
    chance = random.Random(0)
    async with asyncio.timeout(_WHOLE_WITHIN_S):
        in_a_row = 0
        while in_a_row < _WHOLE_IN_A_ROW:
            kind = await clients.search(world, chance)
            in_a_row = in_a_row + 1 if kind == "whole" else 0
            await asyncio.sleep(0.1)
