"""What a node without data answers other clusters: it sends their requests on to the node that has it, and the answers
back, undecoded.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sealane.inbound.actions import Action, Registrar, register_actions
from sealane.model.task import Context
from sealane.remote.transport.messages import SEARCH, search_indices
from sealane.remote.transport.messages_clusters import (
    CLUSTER_STATS,
    RESOLVE_CLUSTER,
    decode_resolve_cluster,
)
from sealane.remote.transport.messages_indices import ABOUT_INDICES
from sealane.remote.transport.messages_phases import PHASES, Phase
from sealane.remote.transport.messages_replication import REPLICATION, WAITING
from sealane.replication.leader.polls import WAIT_MAX_S, Polls
from sealane.security.rules import Authorize

Ask = Callable[[str, bytes, Context], Awaitable[bytes]]

_IndicesOf = Callable[[bytes], Sequence[str]]


def register_passed_on(
    registrar: Registrar, *, ask: Ask, authorize: Authorize
) -> Callable[[], None]:
    """Registers the actions on data. `ask` sends one to the data node. Returns how to end, as this node stops, the
    requests of followers that wait there for what comes next.
    """
    waiting = Polls()
    indices: dict[str, _IndicesOf] = {
        SEARCH: search_indices,
        RESOLVE_CLUSTER: lambda payload: decode_resolve_cluster(payload).expressions or (),
        CLUSTER_STATS: lambda payload: (),
        **{phase.action: _names_of(phase) for phase in PHASES},
        **ABOUT_INDICES,
        **REPLICATION,
    }
    actions = [
        _passed_on(name, read, _ended_by(waiting, ask) if name in WAITING else ask)
        for name, read in indices.items()
    ]
    register_actions(registrar, actions, authorize)
    return waiting.close


def _names_of(phase: Phase[Any, Any]) -> _IndicesOf:
    return lambda payload: phase.indices(phase.read_request(payload))


def _ended_by(waiting: Polls, ask: Ask) -> Ask:
    async def ask_or_end(name: str, payload: bytes, ctx: Context) -> bytes:
        answers: list[bytes] = []

        async def wait(timeout_s: float) -> None:
            answers.append(await ask(name, payload, ctx))

        await waiting.until("", wait, WAIT_MAX_S)
        return answers[0]

    return ask_or_end


def _passed_on(name: str, indices: _IndicesOf, ask: Ask) -> Action[bytes]:
    async def answer(payload: bytes, ctx: Context) -> bytes:
        return await ask(name, payload, ctx)

    return Action(name=name, read=bytes, indices=indices, answer=answer)
