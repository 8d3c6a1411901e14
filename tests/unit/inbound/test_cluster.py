"""What the nodes of one cluster answer each other."""

import pytest

from sealane.cluster.fellows import ANSWER_TIMEOUT_S
from sealane.cluster.forwarded import (
    FORWARD,
    ForwardedAnswer,
    ForwardedRequest,
    read_answer,
)
from sealane.cluster.forwarded import encode as encode_forwarded
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
from sealane.cluster.relay import encode_relayed, relay_action
from sealane.errors import IllegalArgument
from sealane.inbound.cluster import RELAYED, register_master_handlers, register_relay_handlers
from sealane.model.node import NodeInfo
from sealane.model.task import Context
from sealane.security.rules import allow_all
from tests.unit.cluster.states import joining, node, state
from tests.unit.inbound.test_handlers import Handlers, context


class Master:
    def __init__(self) -> None:
        self.left: list[str] = []
        self.newer: PublishedState | None = None

    def join(self, request: JoinRequest) -> PublishedState:
        return state(request.member.node.name)

    async def follow(self, request: FollowRequest) -> PublishedState | None:
        return self.newer

    def leave(self, request: LeaveRequest) -> None:
        self.left.append(request.node_id)


async def echo(request: ForwardedRequest, ctx: Context) -> ForwardedAnswer:
    return ForwardedAnswer(200, b"text/plain", (), request.method.encode() + request.path)


def handlers(master: Master) -> Handlers:
    made = Handlers()
    register_master_handlers(made, master=master, forwarded=echo, authorize=allow_all)
    return made


async def test_the_master_answers_what_members_ask() -> None:
    master = Master()
    made = handlers(master)
    joined = await made[JOIN](encode(joining("g")), context())
    assert decode(PublishedState, joined, JOIN) == state("g")
    follow = encode(
        FollowRequest(node_id="id-g", ephemeral_id="g-1", term="m-1", version=1, wait_ms=10)
    )
    assert await made[FOLLOW](follow, context()) == b""
    master.newer = state("g", version=2)
    newer = await made[FOLLOW](follow, context())
    assert decode(PublishedState, newer, FOLLOW) == master.newer
    goodbye = encode(LeaveRequest(node_id="id-g", ephemeral_id="g-1"))
    assert await made[LEAVE](goodbye, context()) == b""
    assert master.left == ["id-g"]


async def test_a_forwarded_request_is_run_here() -> None:
    request = ForwardedRequest("PUT", b"/x", b"", None, None, b"")
    answer = await handlers(Master())[FORWARD](encode_forwarded(request), context())
    assert read_answer(answer).body == b"PUT/x"


async def test_what_is_no_message_is_refused() -> None:
    for handler in handlers(Master()).values():
        with pytest.raises(IllegalArgument, match="malformed message"):
            await handler(b"\xc1", context())


class Fellows:
    def __init__(self) -> None:
        self.asked: list[tuple[NodeInfo, str, bytes, str]] = []
        self.timeouts: set[float] = set()

    @property
    def local(self) -> NodeInfo:
        return node("a")

    async def ask(
        self, to: NodeInfo, action: str, payload: bytes, ctx: Context, *, timeout_s: float
    ) -> bytes:
        self.asked.append((to, action, payload, ctx.local_alias))
        self.timeouts.add(timeout_s)
        return b"answer"


async def test_a_request_for_a_fellow_is_passed_on() -> None:
    """C-70: with the alias of the asking cluster, and nothing of the answer changed."""
    fellows, made = Fellows(), Handlers()
    register_relay_handlers(made, fellows=fellows, authorize=allow_all)
    assert set(made) == {relay_action(action) for action in RELAYED}
    for action in RELAYED:
        message = encode_relayed(node("b"), b"\xc1 payload")
        assert await made[relay_action(action)](message, context("eu")) == b"answer"
        assert fellows.asked[-1] == (node("b"), action, b"\xc1 payload", "eu")
    assert fellows.timeouts == {ANSWER_TIMEOUT_S}, "a search may take as long as it takes"
    with pytest.raises(IllegalArgument, match="malformed message"):
        await made[relay_action(RELAYED[0])](b"\xc1", context())
