"""The part `clusters`: what one more cluster costs the coordinator of a search, in CPU.

The coordinator is a real node in a process of its own; the clusters are played by another, over real sockets, and each
answers a page of ten hits at once. So what is measured is the coordinator alone: asking, reading, merging, rendering.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scripts.bench.played import PAGE
from scripts.bench.players import Players, cpu_seconds
from scripts.bench.rows import OURS, Row
from sealane.testing.process import NodeProcess

COUNTS = (2, 4, 8, 16, 32)
_SIZE = 10
_TARGET_MS = 0.1
_WARM_UP = 100
_ROUNDS = 3
_LEAST_TICKS_S = 0.2
"""CPU is told in ticks of 10 ms: a shorter measurement says nothing."""
_CONNECTED_WITHIN_S = 60.0
_POLL_S = 0.02
_SECTION = f"search over clusters, a page of {_SIZE}: the coordinator's CPU"


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds a search: the least of some rounds, for other work only ever adds to it."""

    clusters: int
    milliseconds: float


def measure(seconds: float, progress: Callable[[str], None]) -> tuple[list[Row], dict[str, Any]]:
    """Each number of clusters for `seconds` in all. Returns the rows and the same as numbers."""
    least: dict[int, float] = {}
    with (
        tempfile.TemporaryDirectory(prefix="sealane-bench-") as folder,
        Players(max(COUNTS)) as players,
        NodeProcess("local", Path(folder)) as node,
    ):
        aliases = list(players.addresses)
        seeds = {f"cluster.remote.{alias}.seeds": players.addresses[alias] for alias in aliases}
        node.call("PUT", "/_cluster/settings", {"persistent": seeds})
        _wait_connected(node, len(aliases))
        for each in range(_ROUNDS):
            for count in COUNTS:
                progress(f"clusters: {count}, round {each + 1} of {_ROUNDS}")
                found = _cost(node, aliases[:count], seconds / _ROUNDS)
                least[count] = min(found, least.get(count, found))
    costs = [Cost(count, least[count]) for count in COUNTS]
    return rows(costs), {
        "costs": [asdict(cost) for cost in costs],
        "milliseconds_a_cluster": slope(costs),
    }


def rows(costs: Sequence[Cost]) -> list[Row]:
    """A row for each number of clusters, and what one more of them adds."""
    made = [
        Row(_SECTION, f"{cost.clusters} clusters, ms", {OURS: f"{cost.milliseconds:,.2f}"})
        for cost in costs
    ]
    added = slope(costs)
    made.append(
        Row(
            _SECTION,
            "each cluster adds, ms",
            {OURS: f"{added:,.3f}"},
            target=f"<= {_TARGET_MS:g} ms",
            is_met=added <= _TARGET_MS,
        )
    )
    return made


def slope(costs: Sequence[Cost]) -> float:
    """Milliseconds a cluster, of the straight line that is nearest to all (least squares)."""
    mean_x = sum(cost.clusters for cost in costs) / len(costs)
    mean_y = sum(cost.milliseconds for cost in costs) / len(costs)
    above = sum((cost.clusters - mean_x) * (cost.milliseconds - mean_y) for cost in costs)
    return above / sum((cost.clusters - mean_x) ** 2 for cost in costs)


def _cost(node: NodeProcess, aliases: Sequence[str], seconds: float) -> float:
    """Raises RuntimeError where an answer is not that of all clusters."""
    path = f"/{','.join(f'{alias}:{PAGE}' for alias in aliases)}/_search?size={_SIZE}"
    for _ in range(_WARM_UP):
        _search(node, path, len(aliases))
    searches, began, cpu = 0, time.monotonic(), cpu_seconds(node.pid)
    used = 0.0
    while time.monotonic() - began < seconds or used < _LEAST_TICKS_S:
        _search(node, path, len(aliases))
        searches += 1
        used = cpu_seconds(node.pid) - cpu
    return 1000 * used / searches


def _search(node: NodeProcess, path: str, clusters: int) -> None:
    answer = node.call("GET", path)
    if answer["_clusters"]["successful"] != clusters or len(answer["hits"]["hits"]) != _SIZE:
        raise RuntimeError(f"not the answer of [{clusters}] clusters: {answer['_clusters']}")


def _wait_connected(node: NodeProcess, clusters: int) -> None:
    """Raises TimeoutError."""
    began = time.monotonic()
    while True:
        info = node.call("GET", "/_remote/info")
        if len(info) == clusters and all(each["connected"] for each in info.values()):
            return
        if time.monotonic() - began > _CONNECTED_WITHIN_S:
            raise TimeoutError(f"not all of [{clusters}] remotes became connected")
        time.sleep(_POLL_S)
