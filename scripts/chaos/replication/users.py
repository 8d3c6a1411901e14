"""What users do meanwhile: followers are paused, closed, begun anew; leaders get fields, aliases and settings;
new indices are made.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from scripts.chaos.replication.world import (
    PAIRS,
    Followed,
    Place,
    World,
    follow,
    new_index,
)

_WITHIN_S: Final = 60.0
_AGAIN_S: Final = 0.3
_REST_S: Final = (0.5, 3.0)
_NEW_MAX: Final = 12
Deed = Callable[[World, random.Random], Awaitable[None]]


async def insist(place: Place, method: str, target: str, body: Any = None, *done: str) -> None:
    """Until it is done, or the answer is an error with one of the texts of `done`, which say that it is so already.

    Raises TimeoutError where that takes too long: nothing a run does lasts.
    """
    seen: object = None
    until = asyncio.get_running_loop().time() + _WITHIN_S
    while asyncio.get_running_loop().time() < until:
        try:
            answer = await place.ask(method, target, body)
        except (OSError, TimeoutError) as error:
            seen = error
        else:
            if answer.status < 300 or any(each in str(answer.body) for each in done):
                return
            seen = answer
        await asyncio.sleep(_AGAIN_S)
    raise TimeoutError(f"{method} {target} has not come through within {_WITHIN_S:.0f} s: {seen}")


async def pause_and_resume(world: World, chance: random.Random) -> None:
    pair = chance.choice(PAIRS)
    here = world.places[pair.follower]
    await insist(
        here, "POST", f"/{pair.copy}/_ccr/pause_follow", None, "no shard follow tasks", "not open"
    )
    await asyncio.sleep(chance.uniform(0, 2))
    body = {
        "max_read_request_operation_count": chance.choice((1, 10, 64, 500)),
        "max_outstanding_read_requests": chance.choice((1, 4, 12)),
        "max_write_request_operation_count": chance.choice((1, 20, 128)),
        "max_write_buffer_count": chance.choice((10, 1000, 2147483647)),
        "read_poll_timeout": chance.choice(("500ms", "5s", "1m")),
    }
    await insist(here, "POST", f"/{pair.copy}/_ccr/resume_follow", body, "already exist")


async def resume_quickly(world: World, chance: random.Random) -> None:
    """Paused and resumed without a rest between."""
    pair = chance.choice(PAIRS)
    here = world.places[pair.follower]
    for _ in range(4):
        await insist(here, "POST", f"/{pair.copy}/_ccr/pause_follow", None, "no shard follow tasks")
        await insist(here, "POST", f"/{pair.copy}/_ccr/resume_follow", None, "already exist")


async def close_follower(world: World, chance: random.Random) -> None:
    pair = chance.choice(PAIRS)
    await _close(world.places[pair.follower], pair.copy, chance)


async def close_leader(world: World, chance: random.Random) -> None:
    pair = chance.choice(PAIRS)
    await _close(world.places[pair.leader], pair.index, chance)


async def _close(place: Place, index: str, chance: random.Random) -> None:
    await insist(place, "POST", f"/{index}/_close")
    await asyncio.sleep(chance.uniform(0, 1.5))
    await insist(place, "POST", f"/{index}/_open")


async def begin_anew(world: World, chance: random.Random) -> None:
    """A full copy, under whatever happens meanwhile."""
    (pair,) = (each for each in PAIRS if each.again)
    here = world.places[pair.follower]
    until = asyncio.get_running_loop().time() + _WITHIN_S
    while True:
        try:
            await here.ask("POST", f"/{pair.copy}/_ccr/pause_follow")
            await here.ask("POST", f"/{pair.copy}/_close")
            await follow(world, pair)
        except (OSError, TimeoutError, RuntimeError):
            if asyncio.get_running_loop().time() > until:
                raise
            await asyncio.sleep(_AGAIN_S)
        else:
            return


async def change_leader(world: World, chance: random.Random) -> None:
    """Its mapping, an alias, and a setting that is replicated."""
    pair = chance.choice([each for each in PAIRS if not _is_copy(each)])
    there, index = world.places[pair.leader], pair.index
    field = {f"given_{chance.randrange(30)}": {"type": "keyword"}}
    await insist(there, "PUT", f"/{index}/_mapping", {"properties": field})
    alias = f"alias-{chance.randrange(4)}"
    if chance.random() < 0.3:
        await insist(there, "DELETE", f"/{index}/_alias/{alias}", None, "missing")
    else:
        body = {"filter": {"term": {"n": chance.randrange(100)}}, "routing": "r1"}
        await insist(there, "PUT", f"/{index}/_alias/{alias}", chance.choice((None, body)))
    limit = {"index.mapping.total_fields.limit": chance.randrange(900, 1100)}
    await insist(there, "PUT", f"/{index}/_settings", limit)


async def make_index(world: World, chance: random.Random) -> None:
    """One that a rule follows. Some have documents before it is looked at."""
    if len(world.made) >= _NEW_MAX:
        return
    there, name = world.places["a"], f"new-{len(world.made)}"
    shards = chance.choice((1, 3))
    await insist(there, "PUT", f"/{name}", new_index(shards), "resource_already_exists")
    for number in range(chance.choice((0, 5, 50))):
        await insist(there, "PUT", f"/{name}/_doc/before-{number}", {"n": number})
    world.made.append(Followed("a", name, "b", f"{name}-copy", shards))


DEEDS: Final[Sequence[tuple[Deed, int]]] = (
    (pause_and_resume, 4),
    (resume_quickly, 1),
    (close_follower, 2),
    (close_leader, 2),
    (begin_anew, 2),
    (change_leader, 6),
    (make_index, 2),
)
"""With how often each is done."""


async def use(
    world: World, chance: random.Random, until: float, counts: Counter[str], problems: list[str]
) -> None:
    """Until that loop time. What is paused or closed goes on again at the end of each deed."""
    deeds, weights = [deed for deed, _ in DEEDS], [weight for _, weight in DEEDS]
    loop = asyncio.get_running_loop()
    while loop.time() < until:
        (deed,) = chance.choices(deeds, weights)
        counts[deed.__name__] += 1
        try:
            await deed(world, chance)
        except (TimeoutError, RuntimeError) as error:
            problems.append(f"{deed.__name__}: {error}")
        await asyncio.sleep(chance.uniform(*_REST_S))


def _is_copy(pair: Followed) -> bool:
    return any(pair.index == other.copy for other in PAIRS)
