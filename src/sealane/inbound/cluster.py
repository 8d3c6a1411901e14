"""What a node answers the other nodes of its own cluster: joining, following, leaving, and requests that they pass on.

The data node answers the first three. Each node relays requests to its fellows.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from sealane.cluster.fellows import ANSWER_TIMEOUT_S, Fellows
from sealane.cluster.forwarded import FORWARD, ForwardedAnswer, ForwardedRequest
from sealane.cluster.forwarded import encode as encode_forwarded
from sealane.cluster.forwarded import read_request as read_forwarded
from sealane.cluster.published import (
    FOLLOW,
    JOIN,
    LEAVE,
    FollowRequest,
    JoinRequest,
    LeaveRequest,
    PublishedState,
    decode,
    encode,
)
from sealane.cluster.relay import Relayed, read_relayed, relay_action
from sealane.inbound.actions import Action, Registrar, register_actions
from sealane.model.task import Context
from sealane.remote.transport.messages import SEARCH
from sealane.remote.transport.messages_clusters import CLUSTER_STATS, RESOLVE_CLUSTER
from sealane.remote.transport.messages_indices import ABOUT_INDICES
from sealane.remote.transport.messages_phases import PHASES
from sealane.remote.transport.messages_replication import REPLICATION
from sealane.security.rules import Authorize, allow_all
from sealane.wire.families.sealane import NODES

RELAYED = (
    SEARCH,
    NODES,
    RESOLVE_CLUSTER,
    CLUSTER_STATS,
    *(phase.action for phase in PHASES),
    *ABOUT_INDICES,
    *REPLICATION,
)
"""The actions that are passed on to a fellow: all that other clusters may ask. Each works on any node."""


class Master(Protocol):
    """The membership that the data node keeps."""

    def join(self, request: JoinRequest) -> PublishedState: ...

    async def follow(self, request: FollowRequest) -> PublishedState | None: ...

    def leave(self, request: LeaveRequest) -> None: ...


AnswerForwarded = Callable[[ForwardedRequest, Context], Awaitable[ForwardedAnswer]]


def register_master_handlers(
    registrar: Registrar, *, master: Master, forwarded: AnswerForwarded, authorize: Authorize
) -> None:
    """What only the node that holds the data answers. `forwarded` runs a REST request that a fellow passes on."""

    async def join(request: JoinRequest, ctx: Context) -> bytes:
        return encode(master.join(request))

    async def follow(request: FollowRequest, ctx: Context) -> bytes:
        state = await master.follow(request)
        return b"" if state is None else encode(state)

    async def leave(request: LeaveRequest, ctx: Context) -> bytes:
        master.leave(request)
        return b""

    actions: list[Action[Any]] = [
        # The nodes of the cluster among themselves: on the cluster as a whole, not on indices.
        Action(name=JOIN, read=_reader(JoinRequest, JOIN), indices=_none, answer=join),
        Action(name=FOLLOW, read=_reader(FollowRequest, FOLLOW), indices=_none, answer=follow),
        Action(name=LEAVE, read=_reader(LeaveRequest, LEAVE), indices=_none, answer=leave),
    ]
    register_actions(registrar, actions, authorize)
    register_forward_handler(registrar, forwarded=forwarded)


def register_forward_handler(registrar: Registrar, *, forwarded: AnswerForwarded) -> None:
    """REST requests that fellow nodes pass on: to the node that holds the data, or that keeps what they are about."""

    async def forward(request: ForwardedRequest, ctx: Context) -> bytes:
        return encode_forwarded(await forwarded(request, ctx))

    # The forwarded request is authorized as what it is, where it is run; that a fellow sends it is the gate's to see.
    action: Action[Any] = Action(name=FORWARD, read=read_forwarded, indices=_none, answer=forward)
    register_actions(registrar, [action], allow_all)


def register_relay_handlers(
    registrar: Registrar,
    *,
    fellows: Fellows,
    authorize: Authorize,
) -> None:
    """Passes requests of other clusters on to the node they are meant for, for each action that may be relayed."""

    # The request within is authorized as what it is, by the fellow that answers it.
    def relay(action: str) -> Action[Any]:
        async def answer(request: Relayed, ctx: Context) -> bytes:
            return await fellows.ask(
                request.node, action, request.payload, ctx, timeout_s=ANSWER_TIMEOUT_S
            )

        return Action(name=relay_action(action), read=read_relayed, indices=_none, answer=answer)

    register_actions(registrar, [relay(action) for action in RELAYED], authorize)


def _reader(kind: type[Any], action: str) -> Callable[[bytes], Any]:
    return lambda payload: decode(kind, payload, action)


def _none(request: object) -> Sequence[str]:
    return ()
