"""The clusters of a run and who follows whom: a chain of three, and one index the other way round.

`a` leads, `b` follows it, `c` follows b's copies; a follows one index of b. Each link goes through a proxy.
"""

import asyncio
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from scripts.chaos.http import Answer, ask
from scripts.chaos.proxy import Proxy
from scripts.chaos.replication.disk import Disk
from sealane.testing.process import NodeProcess

NAMES: Final = ("a", "b", "c")
LINKS: Final = (("b", "a"), ("c", "b"), ("a", "b"))
LEASE_PERIOD: Final = "90s"
"""Longer than any fault: a lease that runs out nevertheless is a mistake."""
_SETTINGS: Final = {
    "ccr.retention_lease.renew_interval": "1s",
    "ccr.max_buffered_bytes": "16mb",
    "ccr.indices.recovery.max_bytes_per_sec": "40mb",
}
_RULE: Final = {
    "remote_cluster": "a",
    "leader_index_patterns": ["new-*"],
    "follow_index_pattern": "{{leader_index}}-copy",
}


@dataclass(frozen=True, slots=True)
class Followed:
    """One index and who copies it. `again` is whether the follower may begin anew within the run."""

    leader: str
    index: str
    follower: str
    copy: str
    shards: int
    again: bool = False


PAIRS: Final = (
    Followed("a", "one", "b", "one-copy", 1),
    Followed("a", "three", "b", "three-copy", 3),
    Followed("b", "one-copy", "c", "one-far", 1),
    Followed("b", "three-copy", "c", "three-far", 3),
    Followed("b", "home", "a", "home-copy", 1),
    Followed("a", "large", "b", "large-copy", 2, again=True),
)
_LARGE_DOCUMENTS: Final = 4000
_BATCH: Final = 1000


@dataclass(slots=True)
class Place:
    """A cluster of one node."""

    node: NodeProcess
    disk: Disk

    async def ask(self, method: str, target: str, body: Any = None) -> Answer:
        """Raises OSError or TimeoutError where no answer comes."""
        return await ask(self.node.http, method, target, body)

    async def call(self, method: str, target: str, body: Any = None) -> Any:
        """The body of a success. Raises RuntimeError for another answer."""
        answer = await self.ask(method, target, body)
        if answer.status >= 400:
            raise RuntimeError(f"{method} {target} answered {answer.status}: {answer.body}")
        return answer.body


@dataclass(slots=True)
class World:
    places: Mapping[str, Place]
    proxies: Mapping[tuple[str, str], Proxy]
    made: list[Followed] = field(default_factory=list)
    """What a rule is to follow, as it was created within the run."""

    def nodes(self) -> Mapping[str, NodeProcess]:
        return {name: place.node for name, place in self.places.items()}

    def pairs(self) -> tuple[Followed, ...]:
        return (*PAIRS, *self.made)


async def build(
    folder: Path, names: Sequence[str] = NAMES, links: Sequence[tuple[str, str]] = LINKS
) -> World:
    """Starts all clusters and links them, the first of each link to the second; nothing is followed yet."""
    places = {}
    for name in names:
        disk = await asyncio.to_thread(Disk.made, folder / name)
        places[name] = Place(NodeProcess(name, folder / name), disk)
    world = World(places, {link: Proxy() for link in links})
    try:
        await _start(world)
    except BaseException:
        await close(world)
        raise
    return world


async def _start(world: World) -> None:
    places = world.places
    for place in places.values():
        place.node.launch()
    for place in places.values():
        await asyncio.to_thread(place.node.wait_ready)
        place.node.keep_addresses()
    for (here, there), proxy in world.proxies.items():
        await proxy.start()
        host, _, port = places[there].node.transport.rpartition(":")
        proxy.target = (host, int(port))
        keys = {
            "mode": "proxy",
            "proxy_address": proxy.address,
            "proxy_socket_connections": 3,
            "breaker.pause": "1s",
        }
        flat = {f"cluster.remote.{there}.{key}": value for key, value in keys.items()}
        await places[here].call("PUT", "/_cluster/settings", {"persistent": flat})
    for place in places.values():
        await place.call("PUT", "/_cluster/settings", {"persistent": _SETTINGS})
    await _connected(world)


async def _connected(world: World) -> None:
    async with asyncio.timeout(30):
        for here, there in world.proxies:
            connected = False
            while not connected:
                await asyncio.sleep(0.1)
                info = await world.places[here].call("GET", "/_remote/info")
                connected = info[there]["connected"]


async def follow_all(world: World) -> None:
    """Makes the leaders, with as little history kept as leases allow, and the followers and the rule."""
    await world.places["b"].call("PUT", "/_ccr/auto_follow/new", _RULE)
    for pair in PAIRS:
        leader = world.places[pair.leader]
        if not any(pair.index == other.copy for other in PAIRS):
            await leader.call("PUT", f"/{pair.index}", new_index(pair.shards))
        if pair.again:
            await _fill(leader, pair.index)
        await follow(world, pair)


async def _fill(place: Place, index: str) -> None:
    """With what a follower that begins anew has to copy."""
    for start in range(0, _LARGE_DOCUMENTS, _BATCH):
        lines = "".join(
            f'{{"index":{{"_id":"before-{n}"}}}}\n{{"n":{n},"text":"{"large " * 40}"}}\n'
            for n in range(start, start + _BATCH)
        )
        await place.call("POST", f"/{index}/_bulk", lines.encode())


def new_index(shards: int) -> dict[str, Any]:
    settings = {
        "number_of_shards": shards,
        "number_of_replicas": 0,
        "soft_deletes.retention.operations": 0,
        "soft_deletes.retention_lease.period": LEASE_PERIOD,
    }
    return {"settings": settings, "mappings": {"properties": {"n": {"type": "long"}}}}


async def follow(world: World, pair: Followed, **parameters: Any) -> None:
    """With small portions, so that many are under way, where `parameters` do not say otherwise."""
    body = {
        "remote_cluster": pair.leader,
        "leader_index": pair.index,
        "max_read_request_operation_count": 64,
        "max_write_request_operation_count": 128,
        "max_outstanding_read_requests": 4,
        "read_poll_timeout": "5s",
        **parameters,
    }
    path = f"/{pair.copy}/_ccr/follow?wait_for_active_shards=1"
    await world.places[pair.follower].call("PUT", path, body)


async def close(world: World) -> None:
    for proxy in world.proxies.values():
        if proxy.address:
            await proxy.close()
    for place in world.places.values():
        await asyncio.to_thread(place.disk.relieve)
        try:
            await asyncio.to_thread(place.node.stop)
        finally:
            await asyncio.to_thread(place.disk.remove)


async def restart(place: Place) -> None:
    """A node that was killed, on the same folder and the same ports."""
    await asyncio.to_thread(place.node.start)


def signal_node(place: Place, number: signal.Signals) -> None:
    place.node.send_signal(number)
