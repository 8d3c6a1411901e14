"""What each node holds: tasks, contexts, sockets, memory. It must come back to what it was."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from scripts.chaos.http import ask
from sealane.testing.process import NodeProcess

GAUGES = ("sealane_tasks", "sealane_open_contexts", "sealane_async_search_bytes")
"""Of these nothing may be left; a node runs one task itself, the request for its figures."""
FDS_SPARE = 24
RSS_SPARE_BYTES = 64 << 20
RSS_SPARE_SHARE = 0.35
_SETTLE_S = 80.0
"""A context of whose closing its node did not hear ends by itself after a minute."""


@dataclass(frozen=True, slots=True)
class Held:
    """Of one node."""

    gauges: Mapping[str, float]
    in_flight: float
    fds: float
    rss: float


async def held_by(address: str) -> Held:
    answer = await ask(address, "GET", "/_metrics")
    figures: dict[str, float] = {}
    for line in str(answer.body).splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            figures[name] = float(value)
    in_flight = sum(
        value
        for name, value in figures.items()
        if name.startswith("sealane_remote_requests_in_flight")
    )
    return Held(
        gauges={name: figures[name] for name in GAUGES},
        in_flight=in_flight,
        fds=figures["process_open_fds"],
        rss=figures["process_resident_memory_bytes"],
    )


async def holdings(nodes: Mapping[str, NodeProcess]) -> dict[str, Held]:
    return {name: await held_by(node.http) for name, node in nodes.items()}


async def settle(nodes: Mapping[str, NodeProcess]) -> dict[str, Held]:
    """What is held once nothing is under way any more, or when waiting for that was in vain."""
    deadline = asyncio.get_running_loop().time() + _SETTLE_S
    while True:
        now = await holdings(nodes)
        if not problems(now) or asyncio.get_running_loop().time() > deadline:
            return now
        await asyncio.sleep(0.25)


def problems(now: Mapping[str, Held]) -> list[str]:
    """What is left that must not be."""
    found = []
    for name, held in now.items():
        for gauge, value in held.gauges.items():
            allowed = 1 if gauge == "sealane_tasks" else 0
            if value > allowed:
                found.append(f"[{name}] {gauge} is {value:g}")
        if held.in_flight:
            found.append(f"[{name}] has {held.in_flight:g} requests to remotes under way")
    return found


def growth(
    before: Mapping[str, Held],
    after: Mapping[str, Held],
    *,
    fds_spare: int = FDS_SPARE,
    rss_spare: int = RSS_SPARE_BYTES,
) -> list[str]:
    """Sockets and memory that have grown beyond what a run may keep. A node that was restarted began anew."""
    found = []
    for name, held in after.items():
        was = before[name]
        if held.fds > was.fds + fds_spare:
            found.append(f"[{name}] has {held.fds:g} open files, it had {was.fds:g}")
        if held.rss > was.rss * (1 + RSS_SPARE_SHARE) + rss_spare:
            found.append(f"[{name}] uses {held.rss / 2**20:.0f} MB, it had {was.rss / 2**20:.0f}")
    return found
