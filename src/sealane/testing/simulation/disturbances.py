"""What may go wrong in a simulated world, each for a while: links, hosts, names, descriptors.

Every disturbance tells the world whom it concerns, and heals by itself or when all must be well.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from sealane.testing.simulation.network import Host
from sealane.testing.simulation.path import State
from sealane.testing.simulation.strangers import Layer4Proxy
from sealane.testing.simulation.world import PROXY_PORT, LocalNode, World
from sealane.transport.tasks import TaskScope

Heal = Callable[[], Coroutine[Any, Any, None]]


class Program(Protocol):
    """What runs on a host, and may go and come back."""

    host: Host
    is_running: bool

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class Disturbances:
    """`begin` draws one and starts it. Use `async with`; `heal_all` ends those that still last."""

    def __init__(self, world: World, scope: TaskScope) -> None:
        self._world = world
        self._scope = scope
        self._lasting: dict[int, tuple[Heal, asyncio.TimerHandle]] = {}
        self._healing: dict[asyncio.Task[None], None] = {}
        self._busy: dict[str, None] = {}
        """Hosts and names that something happens to already."""
        self._next = 0

    def begin(self) -> None:
        """One disturbance, drawn."""
        kinds: tuple[tuple[Callable[[], None], int], ...] = (
            (self._cut, 8),
            (self._dark, 4),
            (self._half_open, 4),
            (self._down, 3),
            (self._partition, 2),
            (self._slow_path, 2),
            (self._freeze, 3),
            (self._slow_reader, 4),
            (self._kill, 4),
            (self._restart, 3),
            (self._power_loss, 3),
            (self._descriptors, 2),
            (self._name, 4),
            (self._proxy_dies, 2),
        )
        (kind,) = self._world.chance.choices(
            [kind for kind, _ in kinds], [weight for _, weight in kinds]
        )
        kind()

    async def heal_all(self) -> None:
        """Everything is well afterwards, and stays so."""
        for number in list(self._lasting):
            self._heal(number)
        while self._healing:
            await asyncio.wait(list(self._healing))

    def _last(self, name: str, hosts: tuple[str, ...], heal: Heal) -> None:
        """Something has begun that lasts for a while."""
        world = self._world
        world.trace.note(name, *hosts)
        over = world.begin_disturbing(*hosts)
        self._next += 1
        number = self._next

        async def end() -> None:
            await heal()
            over()

        lasts_s = 10 ** world.chance.uniform(-1.5, 2.4)
        timer = world.loop.call_later(lasts_s, self._heal, number)
        self._lasting[number] = (end, timer)

    def _heal(self, number: int) -> None:
        heal, timer = self._lasting.pop(number)
        timer.cancel()
        self._world.trace.note("heal", number)
        task = self._scope.start(heal())
        self._healing[task] = None
        task.add_done_callback(lambda done: self._healing.pop(done, None))

    # -- links -------------------------------------------------------------------------------------

    def _cut(self) -> None:
        """Some connections are reset: on both ends, or on one that the other does not hear of."""
        world = self._world
        links = list(world.network.links.values())
        if not links:
            return
        for link in world.chance.sample(links, min(len(links), world.chance.choice((1, 1, 2, 9)))):
            world.trace.note("cut", link.serial)
            world.disturb(link.local.host, link.peer.host)
            link.reset()
            if world.chance.random() < 0.7:
                link.out.dst.reset()
            else:
                link.out.dst.expect_nothing()

    def _pair(self) -> tuple[str, str]:
        """A local node, and a host that it may reach."""
        world = self._world
        near = world.chance.choice(world.locals).node.host.ip
        others = [ip for ip in world.network.hosts if ip != near]
        return near, world.chance.choice(others)

    def _turned(self, name: str, ways: list[tuple[str, str]], state: State) -> None:
        network = self._world.network
        was = [network.path(*way).state for way in ways]
        if any(each is not State.UP for each in was):
            return
        for way in ways:
            network.turn(*way, state)

        async def heal() -> None:
            for way in ways:
                network.turn(*way, State.UP)

        hosts = tuple(dict.fromkeys(ip for way in ways for ip in way))
        self._last(name, hosts, heal)

    def _dark(self) -> None:
        near, far = self._pair()
        self._turned("dark", [(near, far), (far, near)], State.DARK)

    def _half_open(self) -> None:
        ends = list(self._pair())
        self._world.chance.shuffle(ends)
        self._turned("half_open", [(ends[0], ends[1])], State.DARK)

    def _down(self) -> None:
        near, far = self._pair()
        self._turned("down", [(near, far), (far, near)], State.DOWN)

    def _partition(self) -> None:
        """A local node from a whole cluster."""
        near, _ = self._pair()
        cluster = self._world.chance.choice(self._world.clusters)
        hosts = [node.host.ip for node in cluster.nodes if node.host.ip != near]
        ways = [way for far in hosts for way in ((near, far), (far, near))]
        if ways:
            self._turned("partition", ways, self._world.chance.choice((State.DARK, State.DOWN)))

    def _slow_path(self) -> None:
        near, far = self._pair()
        path = self._world.network.path(near, far)
        was = path.delay_s
        if was > 0.2:
            return
        path.delay_s = self._world.chance.uniform(0.3, 6)

        async def heal() -> None:
            path.delay_s = was

        self._last("slow", (near, far), heal)

    # -- programs and hosts ------------------------------------------------------------------------

    def _node(self) -> Program | None:
        """One that is up and that nobody else is handling. No local node: those are restarted by
        the scenario."""
        near = {local.node.host.ip for local in self._world.locals}
        free = [
            node
            for cluster in self._world.clusters
            for node in cluster.nodes
            if node.host.ip not in near and node.host.ip not in self._busy and node.is_running
        ]
        return self._world.chance.choice(free) if free else None

    def _freeze(self) -> None:
        node = self._node()
        if node is None:
            return
        host = node.host
        self._busy[host.ip] = None
        host.freeze()

        async def heal() -> None:
            host.thaw()
            del self._busy[host.ip]

        self._last("freeze", (host.ip,), heal)

    def _slow_reader(self) -> None:
        links = list(self._world.network.links.values())
        if not links:
            return
        link = self._world.chance.choice(links)
        link.corked = True

        async def heal() -> None:
            link.corked = False
            link.take_received()

        self._last("corked", (link.local.host, link.peer.host), heal)

    def _kill(self) -> None:
        self._goes("kill", lambda node: node.host.kill())

    def _restart(self) -> None:
        self._goes("restart", lambda node: None)

    def _power_loss(self) -> None:
        answers = self._world.chance.random() < 0.5
        self._goes("power_loss", lambda node: node.host.lose_power(answers=answers))

    def _goes(self, name: str, how: Callable[[Program], None]) -> None:
        node = self._node()
        if node is None:
            return
        self._busy[node.host.ip] = None
        how(node)
        stopping = self._scope.start(node.stop())

        async def heal() -> None:
            await asyncio.wait({stopping})
            if node.host.is_dead:
                node.host.return_power()
            await node.start()
            del self._busy[node.host.ip]

        self._last(name, (node.host.ip,), heal)

    def _descriptors(self) -> None:
        hosts = list(self._world.network.hosts.values())
        host = self._world.chance.choice(hosts)
        was = host.descriptors_max
        if was < 1000:
            return
        host.descriptors_max = max(0, host.descriptors + self._world.chance.randint(-2, 4))

        async def heal() -> None:
            host.descriptors_max = was

        self._last("descriptors", (host.ip,), heal)

    def _proxy_dies(self) -> None:
        proxies = [each for ip, each in self._world.proxies.items() if ip not in self._busy]
        if not proxies:
            return
        proxy: Layer4Proxy = self._world.chance.choice(proxies)
        self._busy[proxy.host.ip] = None
        proxy.host.kill()
        stopping = self._scope.start(proxy.stop())

        async def heal() -> None:
            await asyncio.wait({stopping})
            await proxy.start(PROXY_PORT)
            del self._busy[proxy.host.ip]

        self._last("proxy_dies", (proxy.host.ip,), heal)

    # -- names -------------------------------------------------------------------------------------

    def _name(self) -> None:
        """A name fails, hangs, or leads elsewhere: to a dead address, or to another cluster."""
        world = self._world
        if not world.network.names:
            return
        text = world.chance.choice(list(world.network.names))
        name = world.network.names[text]
        if text in self._busy:
            return
        self._busy[text] = None
        was = list(name.addresses)
        kind = world.chance.choice(("fails", "hangs", "moves", "grows"))
        number = int(text.rpartition(".c")[2])
        others = [
            node.host.ip
            for cluster in world.clusters
            if cluster is not world.clusters[number - 1]
            for node in cluster.nodes
        ]
        elsewhere = world.chance.choice(others + list(world.network.hosts))
        if kind == "fails":
            name.fails = True
        elif kind == "hangs":
            name.hangs = True
        elif kind == "moves":
            name.addresses = [elsewhere]
        else:
            name.addresses = [elsewhere, *was]
        concerned = f"names of {world.clusters[number - 1].identity.uuid}"

        async def heal() -> None:
            name.fails = name.hangs = False
            name.addresses = was
            del self._busy[text]

        self._last(f"name_{kind}", (concerned,), heal)


async def restart_local(world: World, local: LocalNode) -> None:
    """A local node stops and comes back as another."""
    await world.end_remotes(local)
    await local.node.stop()
    world.disturb(local.node.host.ip)
    await local.node.start()
    world.begin_remotes(local)
