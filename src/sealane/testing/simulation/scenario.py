"""What happens in a run, drawn from its seed: a world is built, disturbed and used for some minutes,
then left in peace, and taken down.
"""

import asyncio

from sealane.testing.simulation.disturbances import Disturbances, restart_local
from sealane.testing.simulation.drawing import Drawing
from sealane.testing.simulation.invariants import Invariants
from sealane.testing.simulation.loop import SimulatedLoop
from sealane.testing.simulation.requests import Requests
from sealane.testing.simulation.trace import Trace
from sealane.testing.simulation.world import LocalNode, Remote, Violation, World
from sealane.transport.tasks import TaskScope
from sealane.wire.families.sealane import NODES

_WATCH_S = 20.0
_AFTERWARDS_S = 45.0
"""For handlers whose asker has gone, and for cancels: the longest handler takes 40 seconds."""
_ANSWERED_S = 600.0
_AT_LAST_S = 1300.0
"""After which even keep-alive has found every connection that nobody else ended."""


class Scenario:
    def __init__(self, loop: SimulatedLoop, seed: int, trace: Trace) -> None:
        self.world = World(loop, seed, trace)
        self.chance = self.world.chance
        self.drawing = Drawing(self.world)
        self.invariants = Invariants(self.world)
        self.requests = Requests(self.world)
        loop.on_jump = self._at_rest

    def _at_rest(self) -> None:
        if self.world.network.changed:
            self.world.network.changed = False
            self.invariants.at_rest()

    async def run(self) -> None:
        async with TaskScope("scenario") as scope:
            disturbances = Disturbances(self.world, scope)
            async with asyncio.TaskGroup() as asking:
                await self.drawing.build()
                await self._disturb(disturbances, asking)
                await disturbances.heal_all()
                self.world.trace.note("quiet")
                await self._calm()
                await self._wait_answered()
            await self._judge_rest()
            await self._take_down()

    # -- the busy time -----------------------------------------------------------------------------

    async def _disturb(self, disturbances: Disturbances, asking: asyncio.TaskGroup) -> None:
        chance = self.chance
        for _ in range(chance.randint(5, 30)):
            kind = chance.random()
            if kind < 0.40:
                disturbances.begin()
            elif kind < 0.80:
                self._ask_some(asking)
            elif kind < 0.97:
                self._change_settings()
            else:
                await self._restart_local(disturbances)
            self.invariants.now_and_then()
            pause = chance.random()
            if pause < 0.05:
                await self._pass(chance.uniform(100, 400))
            elif pause < 0.75:
                await self._pass(10 ** chance.uniform(-4, 1))
            else:
                # The moment itself matters too: what meets what within the same one.
                for _ in range(chance.randrange(25)):
                    await asyncio.sleep(0)

    async def _pass(self, seconds: float) -> None:
        """Time goes by, and is watched."""
        until = self.world.loop.time() + seconds
        while (left := until - self.world.loop.time()) > 0:
            await asyncio.sleep(min(left, _WATCH_S))
            self.invariants.now_and_then()

    def _ask_some(self, asking: asyncio.TaskGroup) -> None:
        chance = self.chance
        local = chance.choice(self.world.locals)
        if local.clusters is None or not local.remotes:
            return
        remote = chance.choice(list(local.remotes.values()))
        for _ in range(chance.choice((1, 1, 2, 5, 12))):
            asking.create_task(self.requests.ask(local, remote, self.drawing.draw_plan()))

    def _change_settings(self) -> None:
        chance, world = self.chance, self.world
        local = chance.choice(world.locals)
        world.trace.note("settings", local.node.name)
        remotes = [each for each in world.clusters if each.identity.name != "home"]
        alias = chance.choice([f"l{world.locals.index(local) + 1}-{n}" for n in range(3)])
        remote = local.remotes.get(alias)
        if remote is None:
            local.remotes[alias] = self.drawing.draw_remote(alias, remotes)
        elif chance.random() < 0.2:
            del local.remotes[alias]
        else:
            self.drawing.change_one(remote, self.drawing.draw_remote(alias, remotes))
        world.change_settings(local)
        self.invariants.now_and_then()

    async def _restart_local(self, disturbances: Disturbances) -> None:
        local = self.chance.choice(self.world.locals)
        self.world.trace.note("local_restart", local.node.name)
        await restart_local(self.world, local)

    # -- the quiet time ----------------------------------------------------------------------------

    async def _calm(self) -> None:
        """Nothing happens any more: every remote fills up within its patience."""
        world = self.world
        for local in world.locals:
            for remote in local.remotes.values():
                await self._wait_full(local, remote)
        self.invariants.now_and_then()

    async def _wait_full(self, local: LocalNode, remote: Remote) -> None:
        world, clusters = self.world, local.clusters
        assert clusters is not None
        cluster = clusters.cluster(remote.alias)
        until = world.loop.time() + self.invariants.patience_s(local, remote)
        while True:
            wanted = self.invariants.reachable(local, remote)
            found = len(cluster.nodes)
            if found >= wanted:
                return
            if world.loop.time() > until:
                raise Violation(
                    f"[{remote.alias}] has {found} gateways of {wanted} in quiet times: "
                    f"{cluster.statistics()}"
                )
            await asyncio.sleep(1)

    async def _wait_answered(self) -> None:
        """Nobody waits longer than the longest round, handler and transfer together."""
        until = self.world.loop.time() + _ANSWERED_S
        while self.requests.open:
            if self.world.loop.time() > until:
                raise Violation(
                    f"requests without an outcome, by their beginning: {self.requests.open}"
                )
            await asyncio.sleep(1)

    async def _judge_rest(self) -> None:
        """Every request has its outcome, and nobody works for one."""
        await asyncio.sleep(_AFTERWARDS_S)
        world = self.world
        self.invariants.now_and_then()
        self.invariants.checks["every request has one outcome"] += 1
        if world.log.running:
            raise Violation(f"requests still run on {world.log.running}, nobody waits for them")
        self._judge_tasks(rounds_go_on=True)

    def _judge_tasks(self, *, rounds_go_on: bool = False) -> None:
        for node in (node for cluster in self.world.clusters for node in cluster.nodes):
            tasks = [task.action for task in node.tasks]
            if rounds_go_on:
                tasks = [action for action in tasks if action != NODES]
            if tasks:
                raise Violation(f"[{node.name}] still has tasks {tasks}")

    async def _take_down(self) -> None:
        world = self.world
        for local in world.locals:
            if local.remotes:
                alias = self.chance.choice(list(local.remotes))
                del local.remotes[alias]
                world.change_settings(local)
        await asyncio.sleep(20)
        self.invariants.now_and_then()
        for local in world.locals:
            await world.end_remotes(local)
        for cluster in world.clusters:
            for node in cluster.nodes:
                await node.stop()
        for proxy in world.proxies.values():
            proxy.host.kill()
            await proxy.stop()
        for host in world.network.hosts.values():
            host.kill()
        await asyncio.sleep(_AT_LAST_S)
        self.invariants.checks["nothing is left"] += 1
        self._judge_tasks()
        own = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not own]
        if tasks or world.network.links or world.loop.timers:
            raise Violation(
                f"left are tasks {tasks}, sockets {list(world.network.links)}, "
                f"timers {world.loop.timers}"
            )
