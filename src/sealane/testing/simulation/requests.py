"""Requests of a simulated world: what is asked, what must come of it, and what did."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any

from sealane.errors import ApiError, ConnectTransport, IndexNotFound
from sealane.model.dsl import SearchBody
from sealane.model.search import SearchRequest
from sealane.model.task import Context
from sealane.reduce import ClusterAnswer
from sealane.reduce.partial import Hit
from sealane.testing.simulation.nodes import Question, body_of, source_of
from sealane.testing.simulation.world import LocalNode, Remote, Violation, World

_EPSILON_S = 0.001
_OF_HANDLER = frozenset({"answered", IndexNotFound.es_type})
_OUTCOMES = _OF_HANDLER | {
    "cancelled",
    "not begun",
    "connect_transport_exception",
    "node_disconnected_exception",
    "node_not_connected_exception",
    "receive_timeout_transport_exception",
    "task_cancelled_exception",
    "illegal_state_exception",
    "illegal_argument_exception",
    "no_seed_node_left_exception",
    "no_such_remote_cluster_exception",
    "es_rejected_execution_exception",
}
_CANCEL_TAKES_S = 20.0
"""What a cancel gets to cross slow paths and large messages before it must have had effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One request. Times are seconds from its beginning; None is never."""

    body_bytes: int
    answer_bytes: int
    takes_s: float
    fails: bool
    deadline_s: float | None
    cancel_s: float | None
    abandon_s: float | None
    """When the asking coroutine itself is cancelled, as by a client that hangs up."""


class Requests:
    """All requests of a world. `open` are those without an outcome yet."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._next = 0
        self.open: dict[int, float] = {}
        self.outcomes: Counter[str] = Counter()

    async def ask(self, local: LocalNode, remote: Remote, plan: Plan) -> None:
        """One request from its beginning to its outcome. Raises Violation."""
        world, loop = self._world, self._world.loop
        self._next += 1
        number = self._next
        began = loop.time()
        self.open[number] = began
        try:
            outcome = await self._outcome(local, remote, plan, number)
        finally:
            del self.open[number]
        self.outcomes[outcome] += 1
        world.trace.note("outcome", number, outcome)
        took = loop.time() - began
        if plan.deadline_s is not None and took > plan.deadline_s + _EPSILON_S:
            raise Violation(
                f"request {number} took {took:.3f} s, its deadline was {plan.deadline_s}"
            )
        for end_s in (plan.cancel_s, plan.abandon_s):
            if end_s is not None and took > end_s + _EPSILON_S:
                raise Violation(f"request {number} went on {took - end_s:.3f} s after its cancel")
        if world.log.received.get(number, 0) > 1:
            raise Violation(f"request {number} arrived {world.log.received[number]} times")
        if (outcome == IndexNotFound.es_type) != plan.fails and outcome in _OF_HANDLER:
            raise Violation(f"request {number} had the outcome [{outcome}] of another")
        if outcome not in _OUTCOMES:
            raise Violation(f"request {number} had the outcome [{outcome}]")
        if number in world.log.running:
            loop.call_later(_CANCEL_TAKES_S, self._judge_cancelled, local, remote, number, began)

    def _judge_cancelled(self, local: LocalNode, remote: Remote, number: int, began: float) -> None:
        """Nobody waits for it any more; where the link has lived, the other side knows."""
        running = self._world.log.running.get(number)
        if running is not None and self._world.calm_since(local, remote) < began:
            raise Violation(f"request {number} still runs on [{running}], nobody waits for it")

    def _judge_patience(self, local: LocalNode, remote: Remote, number: int, rounds: int) -> None:
        """Who waited for a connection was told when the first round had ended."""
        if local.clusters is None or remote.alias not in local.remotes:
            return
        ended = local.clusters.statistics()[remote.alias].rounds - rounds
        if ended > 1 and number not in self._world.log.received:
            raise Violation(f"request {number} waited for a connection through {ended} rounds")

    async def _outcome(self, local: LocalNode, remote: Remote, plan: Plan, number: int) -> str:
        job = self._world.loop.create_task(self._send(local, remote, plan, number))
        done, _ = await asyncio.wait({job}, timeout=plan.abandon_s)
        if not done:
            job.cancel()
            await asyncio.wait({job})
        return "cancelled" if job.cancelled() else str(job.result())

    async def _send(self, local: LocalNode, remote: Remote, plan: Plan, number: int) -> str:
        world, loop, clusters = self._world, self._world.loop, local.clusters
        if clusters is None:
            return "not begun"  # the node is being restarted
        world.trace.note("ask", number, remote.alias)
        deadline = None if plan.deadline_s is None else loop.time() + plan.deadline_s
        cluster = local.pinned.get(world.family(remote.alias), "")
        request = search_of(plan, number, asker=remote.alias, cluster=cluster)
        if remote.is_direct:
            world.log.direct[number] = local.node.host.ip
        label = world.family(remote.alias)
        rounds = clusters.statistics()[remote.alias].rounds if remote.alias in local.remotes else 0
        timer = None
        with local.node.tasks.start("search", start_ms=world.clock.now_ms()) as task:
            handling = asyncio.current_task()
            assert handling is not None
            task.on_cancel(partial(stop, handling))
            if plan.cancel_s is not None:
                timer = loop.call_later(plan.cancel_s, task.cancel, "by user request")
            try:
                client = clusters.client(remote.alias)
                answer = await client.search(request, Context(task=task, deadline=deadline))
            except ApiError as error:
                if isinstance(error, ConnectTransport) and label == world.family(remote.alias):
                    self._judge_patience(local, remote, number, rounds)
                return error.es_type
            finally:
                if timer is not None:
                    timer.cancel()
        hit = hit_of(answer, plan, number)
        pinned = local.pinned.get(label)
        if world.family(remote.alias) == label and pinned and hit.index_uuid != pinned:
            raise Violation(
                f"request {number} was answered by cluster [{hit.index_uuid}], "
                f"[{remote.alias}] is pinned to [{pinned}]"
            )
        return "answered"


def search_of(plan: Plan, number: int, *, asker: str, cluster: str) -> SearchRequest:
    """The search that tells its handler what to do and what it is to check."""
    question = Question(
        number=number,
        asker=asker,
        cluster=cluster,
        takes_s=plan.takes_s,
        fails=plan.fails,
        answer_bytes=plan.answer_bytes,
    )
    return SearchRequest(
        indices=("any",),
        body=SearchBody(raw=body_of(number, plan.body_bytes)),
        from_=0,
        size=1,
        final_reduce=False,
        preference=question.text(),
    )


def hit_of(answer: ClusterAnswer, plan: Plan, number: int) -> Hit:
    """The one hit of the answer. Raises Violation where it belongs to another request."""
    (hit,) = answer.partial.hits
    mine = hit.index.rpartition(":")[2] == str(number)
    if not mine or hit.source != source_of(number, plan.answer_bytes):
        raise Violation(f"request {number} was answered with the answer of {hit.index}")
    return hit


def stop(handling: "asyncio.Task[Any]", reason: str) -> None:
    """A cancelled task stops the handler at work for it, as REST has it."""
    handling.cancel()
