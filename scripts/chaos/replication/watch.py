"""What is looked at as long as a run lasts: no follower stops for good or goes back, and memory stays within bounds."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from scripts.chaos.replication import judge
from scripts.chaos.replication.world import PAIRS, Place, World
from sealane.testing.process import NodeFailedError

_LOOK_EVERY_S: Final = 0.5
_ANSWER_WITHIN_S: Final = 20.0
_RSS_BASE: Final = 300 << 20
RSS_PER_SHARD: Final = 40 << 20
"""What a shard that is written to may take: its index has a writer with memory of its own."""


@dataclass(slots=True)
class Watched:
    """`rss` by node and `lag_ms` by follower are the highest seen."""

    looks: int = 0
    rss: dict[str, int] = field(default_factory=dict)
    lag_ms: dict[str, int] = field(default_factory=dict)
    longest: tuple[int, str] = (0, "")
    """The longest lag, and what the follower said of it."""
    buffered: int = 0
    rss_by_minute: dict[int, dict[str, int]] = field(default_factory=dict)
    errors: set[str] = field(default_factory=set)
    """Types of what has failed, and was tried again."""
    _fatal: set[str] = field(default_factory=set)
    _reached: dict[tuple[str, str, int], int] = field(default_factory=dict)

    async def watch(self, world: World, name: str, until: float, problems: list[str]) -> None:
        """One node, until that loop time."""
        loop = asyncio.get_running_loop()
        place = world.places[name]
        while loop.time() < until:
            await self.look(place, name, problems)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def look(self, place: Place, name: str, problems: list[str]) -> None:
        """Once. A node that does not answer is not judged."""
        self._weigh(place, name)
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                answer = await place.ask("GET", "/_ccr/stats")
        except (OSError, TimeoutError):
            return
        if answer.status != 200:
            return
        self.looks += 1
        for where, why in judge.fatal_errors(answer):
            if f"{name}/{where} {why}" not in self._fatal:
                self._fatal.add(f"{name}/{where} {why}")
                problems.append(f"{name}/{where} has stopped for good: {why}")
        for index in answer.body["follow_stats"]["indices"]:
            for shard in index["shards"]:
                self._judge(name, index["index"], shard, problems)

    def _judge(self, name: str, index: str, shard: Mapping[str, Any], problems: list[str]) -> None:
        lag = shard["sealane"]["lag_millis"]
        if lag is not None and lag > self.lag_ms.get(index, -1):
            self.lag_ms[index] = lag
            if lag > self.longest[0]:
                self.longest = (lag, f"{name}/{index}: {judge.state(shard)}")
        self.buffered = max(self.buffered, shard["write_buffer_size_in_bytes"])
        for each in shard["read_exceptions"]:
            self.errors.add(each["exception"]["type"])
        if "last_error" in shard["sealane"]:
            self.errors.add(shard["sealane"]["last_error"]["type"])
        if any(pair.copy == index and pair.again for pair in PAIRS):
            return
        key, reached = (name, index, shard["shard_id"]), shard["follower_global_checkpoint"]
        if reached < 0 and shard["sealane"]["phase"] in ("starting", "waiting"):
            return  # it has not been looked at yet, or was closed when the node started
        if reached < self._reached.get(key, -1):
            problems.append(f"{key} went back from {self._reached[key]} to {reached}: {shard}")
        self._reached[key] = max(reached, self._reached.get(key, -1))

    def _weigh(self, place: Place, name: str) -> None:
        try:
            status = Path(f"/proc/{place.node.pid}/status").read_text()
        except (OSError, NodeFailedError):
            return
        for line in status.splitlines():
            if line.startswith("VmRSS:"):
                rss = int(line.split()[1]) << 10
                self.rss[name] = max(self.rss.get(name, 0), rss)
                minute = int(asyncio.get_running_loop().time() // 60)
                self.rss_by_minute.setdefault(minute, {})[name] = rss

    def too_much(self, world: World) -> list[str]:
        """Nodes that used more memory than one with so many shards may."""
        found = []
        for name, rss in self.rss.items():
            pairs = world.pairs()
            leads = {pair.index: pair.shards for pair in pairs if pair.leader == name}
            follows = {pair.copy: pair.shards for pair in pairs if pair.follower == name}
            shards = sum({**leads, **follows}.values())
            if rss > _RSS_BASE + RSS_PER_SHARD * shards:
                found.append(f"[{name}] used {rss >> 20} MB for {shards} shards")
        return found
