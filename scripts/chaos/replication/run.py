"""One run: clients write while faults come and go, then every follower must be level, and the same as its leader."""

import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scripts.chaos import leaks
from scripts.chaos.replication.faults import disturb_links, disturb_nodes
from scripts.chaos.replication.judge import compared, level
from scripts.chaos.replication.users import insist, use
from scripts.chaos.replication.watch import RSS_PER_SHARD, Watched
from scripts.chaos.replication.world import (
    World,
    build,
    close,
    follow_all,
)
from scripts.chaos.replication.writers import Writer

LEVEL_WITHIN_S: Final = 90.0
"""After the last write. Nodes that share a busy machine need some of it."""
_WARM_UP_S: Final = 3.0
_NEW_WRITERS_EVERY_S: Final = 1.0
_FILES_PER_INDEX: Final = 24
_PROBLEMS_MAX: Final = 30


@dataclass
class Report:
    """`writes` by what was acknowledged, `problems` are differences, losses and followers that stopped for good."""

    seed: int
    seconds: float
    writes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    compared: int = 0
    level_s: float = 0.0
    watched: Watched = field(default_factory=Watched)
    disk: str = ""

    @property
    def acknowledged(self) -> int:
        return self.writes.total() - self.writes["without an answer"]

    def lines(self) -> list[str]:
        """The counts for people."""
        rss = ", ".join(f"{name} {each >> 20}" for name, each in sorted(self.watched.rss.items()))
        lag = max(self.watched.lag_ms.values(), default=0)
        return [
            f"seed {self.seed}: {self.acknowledged} operations acknowledged in {self.seconds:.0f} s",
            f"operations: {_counts(self.writes)}",
            f"faults: {self.faults.total()}: {_counts(self.faults)}",
            f"done by users: {self.deeds.total()}: {_counts(self.deeds)}",
            f"retried: {', '.join(sorted(self.watched.errors))}",
            f"disk: {self.disk}; memory in MB at most: {rss}; lag at most {lag / 1000:.1f} s",
            f"longest lag: {self.watched.longest[1][:400]}",
            f"memory in MB by minute: {self._memory()}",
            f"level {self.level_s:.1f} s after the last write; {self.compared} pairs compared",
            f"differences: {len(self.problems)}",
            *(each[:1200] for each in self.problems[:_PROBLEMS_MAX]),
        ]

    def _memory(self) -> str:
        minutes = sorted(self.watched.rss_by_minute.items())
        return ", ".join(
            "/".join(str(each >> 20) for _, each in sorted(nodes.items())) for _, nodes in minutes
        )


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


async def run(*, seed: int, seconds: float, think_s: float, folder: Path | None = None) -> Report:
    """Starts clusters of its own and stops them at the end. Logs and data stay in `folder` where one is given."""
    if folder is not None:
        return await _run(seed, seconds, think_s, folder)
    with tempfile.TemporaryDirectory(prefix="sealane-chaos-") as made:
        return await _run(seed, seconds, think_s, Path(made))


async def _run(seed: int, seconds: float, think_s: float, folder: Path) -> Report:
    report = Report(seed, seconds)
    world = await build(folder)
    try:
        report.disk = "of its own" if world.places["a"].disk.mounted else "of everybody"
        await follow_all(world)
        writers = _writers(world, seed)
        loop = asyncio.get_running_loop()
        await _write(writers, loop.time() + _WARM_UP_S, think_s)
        report.problems += await level(world, world.pairs(), LEVEL_WITHIN_S)
        before = await leaks.holdings(world.nodes())
        await _serve(world, report, writers, think_s)
        since_s = loop.time()
        report.problems += await level(world, world.pairs(), LEVEL_WITHIN_S)
        report.level_s = loop.time() - since_s
        await _judge(world, report, writers)
        for name in world.places:
            await report.watched.look(world.places[name], name, report.problems)
        report.problems += report.watched.too_much(world)
        report.problems += await _left(world, before)
    finally:
        await close(world)
    return report


def _writers(world: World, seed: int) -> list[Writer]:
    wanted = (("a", "one"), ("a", "three"), ("a", "three"), ("b", "home"), ("a", "large"))
    return [_writer(world, seed, *each, number) for number, each in enumerate(wanted)]


def _writer(world: World, seed: int, place: str, index: str, number: int) -> Writer:
    chance = random.Random(f"{seed}/{number}")
    return Writer(f"w{number}", world.places[place], index, chance)


async def _write(writers: Sequence[Writer], until: float, think_s: float) -> None:
    async with asyncio.TaskGroup() as group:
        for writer in writers:
            group.create_task(writer.write_until(until, think_s))


async def _serve(world: World, report: Report, writers: list[Writer], think_s: float) -> None:
    seed, loop = report.seed, asyncio.get_running_loop()
    until = loop.time() + report.seconds
    async with asyncio.TaskGroup() as group:
        for writer in writers:
            group.create_task(writer.write_until(until, think_s))
        group.create_task(
            disturb_links(world, random.Random(f"{seed}/links"), until, report.faults)
        )
        group.create_task(
            disturb_nodes(world, random.Random(f"{seed}/nodes"), until, report.faults)
        )
        group.create_task(
            use(world, random.Random(f"{seed}/users"), until, report.deeds, report.problems)
        )
        for name in world.places:
            group.create_task(report.watched.watch(world, name, until, report.problems))
        known = 0
        while loop.time() < until:
            for pair in world.made[known:]:
                writers.append(_writer(world, seed, pair.leader, pair.index, len(writers)))
                group.create_task(writers[-1].write_until(until, think_s))
            known = len(world.made)
            await asyncio.sleep(_NEW_WRITERS_EVERY_S)


async def _judge(world: World, report: Report, writers: Sequence[Writer]) -> None:
    for writer in writers:
        report.writes += writer.counts
        report.problems += writer.problems
    for pair in world.pairs():
        try:
            report.problems += await compared(world, pair, writers)
        except (RuntimeError, KeyError, ValueError) as error:
            report.problems.append(f"{pair.copy} cannot be compared: {error!r}")
        report.compared += 1


async def _left(world: World, before: dict[str, leaks.Held]) -> list[str]:
    """What nodes still hold once nothing is followed any more."""
    await insist(world.places["b"], "DELETE", "/_ccr/auto_follow/new", None, "missing")
    for pair in world.pairs():
        path = f"/{pair.copy}/_ccr/pause_follow"
        await insist(world.places[pair.follower], "POST", path, None, "no shard follow tasks")
    after = await leaks.settle(world.nodes())
    spare = leaks.FDS_SPARE + _FILES_PER_INDEX * len(world.made)
    shards = sum(pair.shards for pair in world.made)
    rss_spare = leaks.RSS_SPARE_BYTES + RSS_PER_SHARD * shards
    return leaks.problems(after) + leaks.growth(before, after, fds_spare=spare, rss_spare=rss_spare)
