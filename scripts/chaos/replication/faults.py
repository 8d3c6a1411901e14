"""What is done to links, nodes, disks and followers, in an order that the seed decides. At most one at once to
links, and one to nodes and their disks.
"""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final

from scripts.chaos.proxy import Proxy
from scripts.chaos.replication.disk import allow_writes, refuse_writes
from scripts.chaos.replication.world import Place, World, restart, signal_node

LinkFault = Callable[[Proxy, float], Awaitable[None]]
NodeFault = Callable[[Place, float], Coroutine[Any, Any, None]]
_SHORTEST_S, _LONGEST_S = 0.3, 4.0
_REST_S: Final = (0.3, 2.0)


async def cut(proxy: Proxy, for_s: float) -> None:
    """Connections are reset and new ones refused."""
    proxy.refuses = True
    proxy.cut()
    await asyncio.sleep(for_s)


async def reset(proxy: Proxy, for_s: float) -> None:
    """Connections are reset; new ones may come at once."""
    proxy.cut()
    await asyncio.sleep(for_s / 4)


async def slow(proxy: Proxy, for_s: float) -> None:
    """Each packet waits."""
    proxy.delay_s = 0.1
    await asyncio.sleep(for_s)


async def stall(proxy: Proxy, for_s: float) -> None:
    """Nothing passes, and nothing says so."""
    proxy.stall()
    await asyncio.sleep(for_s)


async def lose_answers(proxy: Proxy, for_s: float) -> None:
    """What is asked arrives, and nothing comes back; then all that was under way is lost."""
    proxy.stall(asks=False)
    await asyncio.sleep(for_s)
    proxy.cut()


async def lose_requests(proxy: Proxy, for_s: float) -> None:
    proxy.stall(answers=False)
    await asyncio.sleep(for_s)
    proxy.cut()


async def tear(proxy: Proxy, for_s: float) -> None:
    """Answers end in the middle, again and again."""
    for _ in range(5):
        proxy.tears = True
        await asyncio.sleep(for_s / 5)


async def flip(proxy: Proxy, for_s: float) -> None:
    """A bit of an answer with operations is another, again and again."""
    for _ in range(5):
        proxy.flips = True
        await asyncio.sleep(for_s / 5)


async def stop(place: Place, for_s: float) -> None:
    """The process hangs."""
    signal_node(place, signal.SIGSTOP)
    try:
        await asyncio.sleep(for_s)
    finally:
        signal_node(place, signal.SIGCONT)


async def kill(place: Place, for_s: float) -> None:
    """The process dies and comes back."""
    await asyncio.to_thread(place.node.kill)
    try:
        await asyncio.sleep(for_s / 2)
    finally:
        await restart(place)


async def kill_often(place: Place, for_s: float) -> None:
    """As soon as it is back."""
    for _ in range(3):
        await kill(place, for_s / 8)


async def fill_disk(place: Place, for_s: float) -> None:
    """No room is left; on a machine where no file system of its own can be had, every write fails."""
    if not place.disk.mounted:
        await fail_writes(place, for_s)
        return
    await asyncio.to_thread(place.disk.fill)
    try:
        await asyncio.sleep(for_s)
    finally:
        await asyncio.to_thread(place.disk.relieve)


async def fill_disk_and_kill(place: Place, for_s: float) -> None:
    """It dies while nothing can be written, and comes back to a disk with room."""
    await fill_disk(place, for_s)
    await kill(place, for_s)


async def fail_writes(place: Place, for_s: float) -> None:
    """Every write to a file fails, on whatever disk."""
    refuse_writes(place.node.pid)
    try:
        await asyncio.sleep(for_s)
    finally:
        allow_writes(place.node.pid)


LINK_FAULTS: Final[Sequence[LinkFault]] = (
    cut,
    reset,
    slow,
    stall,
    lose_answers,
    lose_requests,
    tear,
    flip,
)
NODE_FAULTS: Final[Sequence[NodeFault]] = (
    stop,
    kill,
    kill_often,
    fill_disk,
    fill_disk_and_kill,
    fail_writes,
)


async def disturb_links(
    world: World, chance: random.Random, until: float, counts: Counter[str]
) -> None:
    """Until that loop time. Each link is whole again at the end."""
    loop = asyncio.get_running_loop()
    waiting: list[LinkFault] = []
    while loop.time() < until:
        if not waiting:
            waiting = chance.sample(LINK_FAULTS, len(LINK_FAULTS))
        fault, proxy = waiting.pop(), world.proxies[chance.choice(list(world.proxies))]
        counts[fault.__name__] += 1
        try:
            await fault(proxy, _length(chance))
        finally:
            proxy.heal()
        await asyncio.sleep(chance.uniform(*_REST_S))


async def disturb_nodes(
    world: World, chance: random.Random, until: float, counts: Counter[str]
) -> None:
    """Until that loop time. One node at a time, now and then two at once."""
    loop = asyncio.get_running_loop()
    waiting: list[NodeFault] = []
    while loop.time() < until:
        if not waiting:
            waiting = chance.sample(NODE_FAULTS, len(NODE_FAULTS))
        hit = chance.sample(list(world.places), 2 if chance.random() < 0.15 else 1)
        fault, for_s = waiting.pop(), _length(chance)
        counts[fault.__name__ + (" of two" if len(hit) > 1 else "")] += 1
        async with asyncio.TaskGroup() as group:
            for name in hit:
                group.create_task(fault(world.places[name], for_s))
        await asyncio.sleep(chance.uniform(*_REST_S))


def _length(chance: random.Random) -> float:
    return chance.uniform(_SHORTEST_S, _LONGEST_S)
