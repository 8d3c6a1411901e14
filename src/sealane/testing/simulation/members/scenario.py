"""What happens in a world of members, drawn from its seed: nodes come and go while settings change and searches run;
then all is left in peace, some nodes but one or two are taken away, and everything is taken down.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from sealane.errors import ApiError
from sealane.testing.simulation.loop import SimulatedLoop
from sealane.testing.simulation.members.asks import Asks
from sealane.testing.simulation.members.gateway import Gateway
from sealane.testing.simulation.members.invariants import (
    BACK_AFTER_S,
    GONE_AFTER_S,
    MembersInvariants,
)
from sealane.testing.simulation.members.program import Node
from sealane.testing.simulation.members.world import AWAY, MembersFaults, MembersWorld
from sealane.testing.simulation.requests import Plan
from sealane.testing.simulation.trace import Trace
from sealane.testing.simulation.world import Violation
from sealane.transport.tasks import TaskScope

_OUTSIDE_S = 200.0
"""The longest pause of a remote connection, and a round."""
_ANSWERED_S = 1100.0
"""A connection without pings into a host that is gone lasts until TCP gives up."""
_AT_LAST_S = 1300.0


class MembersScenario:
    def __init__(self, loop: SimulatedLoop, seed: int, trace: Trace) -> None:
        self.world = MembersWorld(loop, seed, trace)
        self.chance = self.world.chance
        self.requests = Asks(self.world)
        self.invariants = MembersInvariants(self.world)
        self._changes = 0
        self._acts: list[asyncio.Task[None]] = []
        """Programs that are told to come or go: all of it is over before the quiet time."""
        loop.on_jump = self._at_rest

    def _at_rest(self) -> None:
        if self.world.is_built:
            self.invariants.at_rest()

    async def run(self) -> None:
        async with TaskScope("scenario") as scope:
            faults = MembersFaults(self.world, scope)
            async with asyncio.TaskGroup() as doing:
                await self.world.build()
                await self._disturb(faults, doing)
                await faults.heal_all()
                self.world.trace.note("quiet")
                await self._calm(faults, doing)
            await self._take_down()

    # -- the busy time -----------------------------------------------------------------------------

    async def _disturb(self, faults: MembersFaults, doing: asyncio.TaskGroup) -> None:
        chance = self.chance
        for _ in range(chance.randint(5, 25)):
            kind = chance.random()
            if kind < 0.30:
                faults.begin()
            elif kind < 0.55:
                self._ask_some(doing)
            elif kind < 0.70:
                doing.create_task(self._change_settings())
            elif kind < 0.90:
                self._acts.append(doing.create_task(self._come_or_go(faults)))
            else:
                self._much_at_once(faults, doing)
            pause = chance.random()
            if pause < 0.08:
                await asyncio.sleep(chance.uniform(20, 100))
            elif pause < 0.8:
                await asyncio.sleep(10 ** chance.uniform(-4, 1))
            else:
                for _ in range(chance.randrange(25)):
                    await asyncio.sleep(0)
        if self._acts:
            await asyncio.wait(self._acts)

    def _much_at_once(self, faults: MembersFaults, doing: asyncio.TaskGroup) -> None:
        """Changes of settings while connections break and nodes come: who has taken what is hardest to know then."""
        chance = self.chance
        for _ in range(chance.randint(2, 6)):
            act = chance.choice((self._change_settings, partial(self._come_or_go, faults), None))
            if act is None:
                faults.cut()
            else:
                later = self._after(10 ** chance.uniform(-4, 0.3), act)
                self._acts.append(doing.create_task(later))

    async def _after(self, seconds: float, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        await asyncio.sleep(seconds)
        await act()

    def _ask_some(self, doing: asyncio.TaskGroup) -> None:
        chance = self.chance
        for _ in range(chance.choice((1, 1, 2, 5))):
            way = self.requests.draw_way()
            if way is not None:
                doing.create_task(self.requests.ask(way, self._draw_plan()))

    def _draw_plan(self) -> Plan:
        chance = self.chance
        return Plan(
            body_bytes=chance.choice((40, 40, 500, 70_000)),
            answer_bytes=chance.choice((10, 10, 900, 80_000)),
            takes_s=chance.choice((0.0, 0.0, 0.05, 2.0, 30.0)),
            fails=chance.random() < 0.1,
            deadline_s=chance.choice((None, 0.01, 1.0, 30.0, 60.0)),
            cancel_s=10 ** chance.uniform(-4, 1) if chance.random() < 0.15 else None,
            abandon_s=10 ** chance.uniform(-4, 1) if chance.random() < 0.15 else None,
        )

    async def _change_settings(self) -> None:
        """Each change has a number in it, so that no two states have the same settings."""
        data, chance = self.world.data, self.chance
        if not data.is_running:
            return
        self._changes += 1
        number = str(10_000 + self._changes)
        scope, other = chance.choice((("persistent", "transient"), ("transient", "persistent")))
        body: dict[str, Any] = {scope: {"search.max_buckets": number}, other: {}}
        prefix = f"cluster.remote.{AWAY}."
        kind = chance.random()
        if kind < 0.5:
            body["persistent"] |= {
                prefix + "seeds": [f"{node.host.ip}:9300" for node in self.world.away.nodes],
                prefix + "node_connections": str(chance.randint(1, 3)),
                prefix + "skip_unavailable": chance.choice(("true", "false")),
            }
        elif kind < 0.65:
            body["persistent"][prefix + "*"] = None
        elif kind < 0.75:
            body[other]["search.max_buckets"] = None
        self.world.trace.note("settings", number)
        try:
            state = await data.change(body)
        except ApiError as error:
            self.world.trace.note("refused_settings", error.es_type)
            return
        if state is not None:
            self.world.trace.note("acknowledged", state.version)
            self.invariants.judge_acknowledged(state)

    async def _come_or_go(self, faults: MembersFaults) -> None:
        """A gateway is stopped, or started that is down; an intruder comes, or goes."""
        chance, world = self.chance, self.world
        programs: list[Node] = [*world.gateways, *world.gateways, *world.intruders]
        if not programs:
            return
        program = chance.choice(programs)
        if not faults.is_free(program):
            return
        give_back = faults.take(program)
        kind = "stop" if program.is_running else "start"
        world.trace.note(f"asked_to_{kind}", program.name)
        if program.is_running:
            await program.stop()
            if chance.random() < 0.6:
                # Some come back in no time.
                await asyncio.sleep(10 ** chance.uniform(-3, 1))
                await program.start()
        else:
            await program.start()
        give_back()

    # -- the quiet time ----------------------------------------------------------------------------

    async def _calm(self, faults: MembersFaults, doing: asyncio.TaskGroup) -> None:
        world = self.world
        for intruder in world.intruders:
            await self._wait_free(faults, intruder)
            if not intruder.stays_out:
                await intruder.stop()
        for node in (world.data, *world.gateways):
            await self._wait_free(faults, node)
            if not node.is_running:
                await node.start()
        await self._until(self.invariants.late, BACK_AFTER_S)
        await self._change_settings()
        if self.chance.random() < 0.3:
            await self._data_node_is_away()
        await self._some_go(doing)
        await self._until(self.invariants.outside_late, _OUTSIDE_S)
        await self._answered()
        if world.log.running:
            raise Violation(f"searches still run: {world.log.running}, nobody waits for them")

    async def _wait_free(self, faults: MembersFaults, node: Node) -> None:
        """Somebody may be starting or stopping it."""
        for _ in range(60):
            if faults.is_free(node):
                return
            await asyncio.sleep(1)
        raise Violation(f"[{node.name}] does not come to rest")

    async def _data_node_is_away(self) -> None:
        """It hangs or has no power for so long that everybody notices, and all are back afterwards."""
        data, chance = self.world.data, self.chance
        over = self.world.begin_disturbing(data.host.ip)
        hangs = chance.random() < 0.5
        if hangs:
            data.host.freeze()
        else:
            data.host.lose_power(answers=chance.random() < 0.5)
            await data.stop()
        await asyncio.sleep(chance.uniform(20, 60))
        if hangs:
            data.host.thaw()
        else:
            data.host.return_power()
            await data.start()
        over()
        await self._until(self.invariants.late, BACK_AFTER_S)

    async def _some_go(self, doing: asyncio.TaskGroup) -> None:
        """Of those that were in, one dies, one hangs and one leaves: all are removed, the others stay."""
        world, chance = self.world, self.chance
        ways: list[Callable[[Gateway], None]] = [
            lambda gateway: gateway.host.freeze(),
            lambda gateway: self._power_off(gateway, doing),
            lambda gateway: self._kill(gateway, doing),
            lambda gateway: self._stop(gateway, doing),
        ]
        gone = chance.sample(world.gateways, min(len(world.gateways), chance.choice((0, 1, 2))))
        for gateway in gone:
            chance.choice(ways)(gateway)
        await self._until(self.invariants.late, GONE_AFTER_S)
        await self._until(self.invariants.outside_late, _OUTSIDE_S)
        for gateway in gone:
            if gateway.host.is_frozen:
                gateway.host.thaw()
                world.disturb(gateway.host.ip)
        self.invariants.checks["the quiet cluster is as it should be"] += 1
        await self._until(self.invariants.late, BACK_AFTER_S)

    def _kill(self, gateway: Gateway, doing: asyncio.TaskGroup) -> None:
        gateway.host.kill()
        self._stop(gateway, doing)

    def _power_off(self, gateway: Gateway, doing: asyncio.TaskGroup) -> None:
        gateway.host.lose_power(answers=self.chance.random() < 0.5)
        self._stop(gateway, doing)

    def _stop(self, gateway: Gateway, doing: asyncio.TaskGroup) -> None:
        doing.create_task(gateway.stop())

    async def _until(self, late: Callable[[], str], patience_s: float) -> None:
        until = self.world.loop.time() + patience_s
        while what := late():
            if self.world.loop.time() > until:
                raise Violation(f"after {patience_s} s of peace: {what}")
            await asyncio.sleep(0.5)

    async def _answered(self) -> None:
        until = self.world.loop.time() + _ANSWERED_S
        while self.requests.open or self.world.log.running:
            if self.world.loop.time() > until:
                raise Violation(
                    f"searches without an outcome, by their beginning: {self.requests.open}, "
                    f"running: {self.world.log.running}"
                )
            await asyncio.sleep(1)

    async def _take_down(self) -> None:
        world = self.world
        await world.outside.remotes.close()
        programs: tuple[Node, ...] = (*world.intruders, *world.gateways, world.data)
        for program in programs:
            await program.stop()
        for node in world.away.nodes:
            await node.stop()
        for host in world.network.hosts.values():
            host.kill()
        await asyncio.sleep(_AT_LAST_S)
        self.invariants.checks["nothing is left"] += 1
        registries = {each.name: each.tasks for each in programs}
        registries |= {each.name: each.tasks for each in world.away.nodes}
        for name, tasks in registries.items():
            if actions := [task.action for task in tasks]:
                raise Violation(f"[{name}] still has tasks {actions}")
        own = asyncio.current_task()
        running = [task for task in asyncio.all_tasks() if task is not own]
        if running or world.network.links or world.loop.timers:
            raise Violation(
                f"left are tasks {running}, sockets {list(world.network.links)}, "
                f"timers {world.loop.timers}"
            )
