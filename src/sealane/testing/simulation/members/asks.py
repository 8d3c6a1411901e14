"""Searches in a world of members: through a gateway, from outside through gateways, passed on to a named node, and
out to the other cluster. Each runs at most once and has one outcome, in time.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from sealane.cluster.relay import encode_relayed, relay_action
from sealane.errors import ApiError, IndexNotFound, ReceiveTimeout
from sealane.model.node import Address
from sealane.model.search import SearchRequest
from sealane.model.task import Context, TaskRegistry
from sealane.reduce import ClusterAnswer
from sealane.remote.transport.messages import SEARCH, decode_answer, encode_search
from sealane.testing.simulation.members.gateway import Gateway
from sealane.testing.simulation.members.program import profile
from sealane.testing.simulation.members.world import AWAY, HOME, MembersWorld
from sealane.testing.simulation.nodes import PORT
from sealane.testing.simulation.requests import Plan, hit_of, search_of, stop
from sealane.testing.simulation.world import Violation

_EPSILON_S = 0.001
_OUTCOMES = frozenset(
    {
        "answered",
        IndexNotFound.es_type,
        "cancelled",
        "cluster_block_exception",
        "connect_transport_exception",
        "node_disconnected_exception",
        "node_not_connected_exception",
        "node_closed_exception",
        "receive_timeout_transport_exception",
        "task_cancelled_exception",
        "illegal_state_exception",
        "no_seed_node_left_exception",
        "no_such_remote_cluster_exception",
        "es_rejected_execution_exception",
    }
)

Search = Callable[[SearchRequest, Context], Awaitable[ClusterAnswer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a search goes. `alias` is the name under which the answering cluster, `uuid`, knows the asker's question."""

    name: str
    tasks: TaskRegistry
    search: Search
    alias: str
    uuid: str
    start: tuple[Gateway, int] | None = None
    """The start of the gateway whose own request it is."""

    @property
    def has_ended(self) -> bool:
        """Whether the asking program itself has."""
        if self.start is None:
            return False
        gateway, start = self.start
        return not gateway.is_running or gateway.starts != start


class Asks:
    """All searches of a world. `open` are those without an outcome, with their beginning."""

    def __init__(self, world: MembersWorld) -> None:
        self._world = world
        self._next = 0
        self.open: dict[int, float] = {}
        self.outcomes: Counter[str] = Counter()

    def draw_way(self) -> Way | None:
        """One that can be tried now."""
        world, chance = self._world, self._world.chance
        running = [gateway for gateway in world.gateways if gateway.is_running]
        outside = world.outside
        if not running or chance.random() < 0.35:
            return Way(
                name="from outside",
                tasks=outside.node.tasks,
                search=outside.remotes.client(HOME).search,
                alias=HOME,
                uuid=world.home.identity.uuid,
            )
        gateway = chance.choice(running)
        kind = chance.random()
        if kind < 0.2:
            return Way(
                name="passed on",
                tasks=outside.node.tasks,
                search=partial(self._relayed, gateway),
                alias="",
                uuid=world.home.identity.uuid,
            )
        if kind < 0.35:
            if AWAY not in gateway.remotes.aliases():
                return None
            search: Search = gateway.remotes.client(AWAY).search
            return Way(
                name="out",
                tasks=gateway.tasks,
                search=search,
                alias=AWAY,
                uuid="uuid-away",
                start=(gateway, gateway.starts),
            )
        return Way(
            name="through a gateway",
            tasks=gateway.tasks,
            search=gateway.local.search,
            alias="",
            uuid=world.home.identity.uuid,
            start=(gateway, gateway.starts),
        )

    async def _relayed(
        self, gateway: Gateway, request: SearchRequest, ctx: Context
    ) -> ClusterAnswer:
        """By a connection of its own to a gateway, which passes it on to the data node."""
        world = self._world
        transport = world.outside.node.transport
        try:
            async with asyncio.timeout_at(ctx.deadline):
                link = await transport.connect(Address(gateway.host.ip, PORT), profile(1))
        except TimeoutError:
            raise ReceiveTimeout(f"[{gateway.name}] did not connect in time") from None
        try:
            message = encode_relayed(world.data.info, encode_search(request))
            return decode_answer(await link.request(relay_action(SEARCH), message, ctx))
        finally:
            link.close()

    async def ask(self, way: Way, plan: Plan) -> None:
        """One search from its beginning to its outcome. Raises Violation."""
        world, loop = self._world, self._world.loop
        self._next += 1
        number, began = self._next, self._world.loop.time()
        self.open[number] = began
        world.trace.note("ask", number, way.name)
        job = loop.create_task(self._send(way, plan, number))
        try:
            done, _ = await asyncio.wait({job}, timeout=plan.abandon_s)
            if not done:
                job.cancel()
                await asyncio.wait({job})
        finally:
            del self.open[number]
        outcome = "cancelled" if job.cancelled() else str(job.result())
        self.outcomes[outcome] += 1
        world.trace.note("outcome", number, outcome)
        self._judge(way, plan, number, outcome, loop.time() - began)

    def _judge(self, way: Way, plan: Plan, number: int, outcome: str, took: float) -> None:
        log = self._world.log
        what = f"search {number} {way.name}"
        limits = [s for s in (plan.deadline_s, plan.cancel_s, plan.abandon_s) if s is not None]
        if limits and took > min(limits) + _EPSILON_S:
            raise Violation(f"{what} took {took:.3f} s, it should have ended after {min(limits)}")
        if log.received.get(number, 0) > 1:
            raise Violation(f"{what} was run {log.received[number]} times")
        if outcome not in _OUTCOMES:
            raise Violation(f"{what} had the outcome [{outcome}]")
        if outcome == "answered" and plan.fails:
            raise Violation(f"{what} was answered, it should have failed")
        if outcome == IndexNotFound.es_type and not plan.fails:
            raise Violation(f"{what} failed with the error of another")
        wanted = plan.cancel_s is not None or plan.abandon_s is not None or way.has_ended
        if outcome == "cancelled" and not wanted:
            raise Violation(f"{what} was cancelled, which nobody asked for")

    async def _send(self, way: Way, plan: Plan, number: int) -> str:
        world, loop = self._world, self._world.loop
        request = search_of(plan, number, asker=way.alias, cluster=way.uuid)
        deadline = None if plan.deadline_s is None else loop.time() + plan.deadline_s
        timer = None
        with way.tasks.start("search", start_ms=world.clock.now_ms()) as task:
            handling = asyncio.current_task()
            assert handling is not None
            task.on_cancel(partial(stop, handling))
            if plan.cancel_s is not None:
                timer = loop.call_later(plan.cancel_s, task.cancel, "by user request")
            try:
                answer = await way.search(request, Context(task=task, deadline=deadline))
            except ApiError as error:
                return error.es_type
            finally:
                if timer is not None:
                    timer.cancel()
        hit = hit_of(answer, plan, number)
        if hit.index_uuid != way.uuid:
            raise Violation(f"search {number} for [{way.uuid}] was answered by [{hit.index_uuid}]")
        return "answered"
