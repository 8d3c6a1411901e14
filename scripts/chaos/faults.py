"""What is done to the remotes, one thing to one of them at a time, in an order that the seed decides."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable

from scripts.chaos.world import Remote, World, restart, signal_node

Fault = Callable[[Remote, float], Awaitable[None]]


async def cut(remote: Remote, for_s: float) -> None:
    """Connections are reset and new ones refused."""
    remote.proxy.refuses = True
    remote.proxy.cut()
    await asyncio.sleep(for_s)


async def reset(remote: Remote, for_s: float) -> None:
    """Connections are reset; new ones may come at once."""
    remote.proxy.cut()
    await asyncio.sleep(for_s / 4)


async def slow(remote: Remote, for_s: float) -> None:
    """Each packet waits."""
    remote.proxy.delay_s = 0.15
    await asyncio.sleep(for_s)


async def stall(remote: Remote, for_s: float) -> None:
    """Nothing passes, and nothing says so."""
    remote.proxy.stall()
    await asyncio.sleep(for_s)


async def stop(remote: Remote, for_s: float) -> None:
    """The process hangs."""
    signal_node(remote, signal.SIGSTOP)
    try:
        await asyncio.sleep(for_s)
    finally:
        signal_node(remote, signal.SIGCONT)


async def kill(remote: Remote, for_s: float) -> None:
    """The process dies and comes back."""
    await asyncio.to_thread(remote.node.kill)
    try:
        await asyncio.sleep(for_s / 2)
    finally:
        await restart(remote)


FAULTS: tuple[Fault, ...] = (cut, reset, slow, stall, stop, kill)


async def disturb(world: World, chance: random.Random, until: float, counts: Counter[str]) -> None:
    """Until that loop time. Each remote is whole again at the end."""
    loop = asyncio.get_running_loop()
    waiting: list[Fault] = []
    while loop.time() < until:
        if not waiting:
            waiting = list(FAULTS)
            chance.shuffle(waiting)
        fault, remote = waiting.pop(), chance.choice(world.remotes)
        name = fault.__name__
        remote.trouble = name
        counts[name] += 1
        try:
            await fault(remote, min(chance.uniform(0.5, 4.0), max(0.5, until - loop.time())))
        finally:
            remote.proxy.heal()
            remote.trouble = ""
        await asyncio.sleep(chance.uniform(0.2, 1.0))
