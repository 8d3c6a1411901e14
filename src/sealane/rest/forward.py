"""REST on a node that holds no data: what it does not answer itself goes whole to the node that does, and its answer
comes back unchanged. So does what another node of the cluster keeps. Both ends are here.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from sealane.cluster.fellows import ANSWER_TIMEOUT_S, Fellows
from sealane.cluster.forwarded import (
    FORWARD,
    ForwardedAnswer,
    ForwardedRequest,
    encode,
    read_answer,
)
from sealane.errors import ApiError, ClusterBlock, MasterNotDiscovered
from sealane.model.node import NodeInfo
from sealane.model.task import Context
from sealane.rest.app import RestApp
from sealane.rest.params import time_ms
from sealane.rest.request import JSON, TEXT, YAML, Request, Response
from sealane.rest.router import METHODS, Route, no_indices, segments_of
from sealane.rest.services import ClusterView

MASTER_TIMEOUT_S = 30.0
"""How long a request waits for a master; its own `master_timeout` or `timeout` may say another time."""
WRITE_TIMEOUT_S = 60.0
_WRITES = frozenset({"_bulk", "_create", "_doc", "_update"})
_KNOWN_TYPES = {each: each for each in (JSON, TEXT, YAML)}
"""How an answer is rendered depends on which of these objects its type is."""


class DataNode(Protocol):
    """The node that holds the data, as one that has joined it sees it."""

    async def wait(self, timeout_s: float) -> NodeInfo | None:
        """The node, once it is there; None where it is not within the time."""


def forwarding_route(data_node: DataNode, fellows: Fellows) -> Route:
    """Where a RestApp sends what it does not serve."""

    async def forward(request: Request) -> Response:
        node = await data_node.wait(_patience_s(request))
        if node is None:
            raise _no_master(request)
        return await _answer_of(node, request, fellows)

    return Route(
        methods=METHODS, paths=(), handler=forward, action=FORWARD, indices=no_indices, body=True
    )


PassOn = Callable[[str, Request], Awaitable[Response | None]]
"""The answer of the node with that id to a request; None where that is this node, or none of the cluster."""


def pass_on(cluster: ClusterView, fellows: Callable[[], Fellows]) -> PassOn:
    """For what only one node of the cluster knows."""

    async def to(node_id: str, request: Request) -> Response | None:
        if node_id == cluster.local_node.id:
            return None
        node = next((each for each in cluster.nodes() if each.id == node_id), None)
        return None if node is None else await _answer_of(node, request, fellows())

    return to


async def _answer_of(node: NodeInfo, request: Request, fellows: Fellows) -> Response:
    path, _, query = request.uri.partition("?")
    content_type, accept = request.media
    message = ForwardedRequest(
        request.method,
        path.encode("latin-1"),
        query.encode("latin-1"),
        content_type,
        accept,
        request.body,
    )
    sent, timeout_s = encode(message), ANSWER_TIMEOUT_S
    answer = read_answer(await fellows.ask(node, FORWARD, sent, request.ctx, timeout_s=timeout_s))
    kind = _KNOWN_TYPES.get(answer.content_type, answer.content_type)
    return Response(answer.body, answer.status, kind, answer.headers)


class ForwardedRequests:
    """The other end: runs requests that fellow nodes pass on, as if their clients had come here."""

    def __init__(self) -> None:
        self._app: RestApp | None = None

    def serve(self, app: RestApp) -> None:
        """From now on `app` answers."""
        self._app = app

    async def __call__(self, request: ForwardedRequest, ctx: Context) -> ForwardedAnswer:
        """Raises MasterNotDiscovered while the node starts."""
        if self._app is None:
            raise MasterNotDiscovered
        path, query = request.path.decode("latin-1"), request.query.decode("latin-1")
        response = await self._app.respond(
            request.method,
            f"{path}?{query}" if query else path,
            request.body,
            ctx,
            content_type=request.content_type,
            accept=request.accept,
        )
        return ForwardedAnswer(
            response.status, response.content_type, response.headers, response.body
        )


def _is_write(request: Request) -> bool:
    writes = request.method in ("POST", "PUT", "DELETE")
    return writes and not _WRITES.isdisjoint(segments_of(request.path))


def _patience_s(request: Request) -> float:
    name, usual_s = "master_timeout", MASTER_TIMEOUT_S
    if _is_write(request):
        name, usual_s = "timeout", WRITE_TIMEOUT_S
    text = request.params.get(name)
    try:
        wanted = None if text is None else time_ms(name, text)
    except ApiError:
        return 0.0  # the data node would say what is wrong with it
    return usual_s if wanted is None or wanted < 0 else wanted / 1000


def _no_master(request: Request) -> ApiError:
    if not _is_write(request):
        return MasterNotDiscovered()
    error = ClusterBlock("blocked by: [SERVICE_UNAVAILABLE/2/no master];")
    error.status = 503
    return error
