"""A node's REST interface with its connection tests, in front of real remotes."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from http.client import HTTPConnection
from typing import Any

from sealane.clock import SystemClock
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.model.task import TaskRegistry
from sealane.remote import REMOTE_RULES, REMOTE_SETTINGS, RemoteClusters
from sealane.remote.diagnosis import ConnectionTests, Tools
from sealane.remote.transport.nodes import NodesRequest
from sealane.rest.app import Limits, RestApp
from sealane.rest.handlers import remote_test
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.rest.server import HttpServer
from sealane.settings import Registry, Settings, Value
from sealane.settings.node_settings import NODE_SETTINGS
from sealane.transport import AsyncioNetwork, TransportService
from tests.unit.remote.fakes import FakeSettings


class AskedNode:
    """What the tests of the REST interface and of the command line talk to."""

    def __init__(self, address: Address, remotes: RemoteClusters) -> None:
        self.address = address
        self.url = f"http://{address}"
        self.remotes = remotes

    async def post(self, path: str, body: Any = None) -> tuple[int, Any]:
        return await asyncio.to_thread(self._post, path, body)

    def _post(self, path: str, body: Any) -> tuple[int, Any]:
        connection = HTTPConnection(str(self.address), timeout=60)
        try:
            sent = None if body is None else json.dumps(body)
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request("POST", path, body=sent, headers=headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


@asynccontextmanager
async def asked_node(
    *, roles: Sequence[str] = ("remote_cluster_client",), **keys: Value
) -> AsyncIterator[AskedNode]:
    """A node with the remote `far` of these keys, none without keys."""
    settings = FakeSettings(
        Settings({f"cluster.remote.far.{key}": value for key, value in keys.items()})
    )
    identity = ClusterIdentity(name="near", uuid="uuid-near")
    info = NodeInfo(id="near", ephemeral_id="near", name="near", address=Address("127.0.0.1", 1))
    tasks, clock = TaskRegistry("near"), SystemClock()
    transport = TransportService(
        local=lambda: (info, identity), network=AsyncioNetwork(), tasks=tasks, clock=clock
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(transport.close)
        remotes = RemoteClusters(
            settings, node_name="near", roles=roles, dialer=transport, tasks=tasks, clock=clock
        )
        stack.push_async_callback(remotes.close)
        tests = ConnectionTests(
            settings,
            Registry((*NODE_SETTINGS, *REMOTE_SETTINGS), REMOTE_RULES),
            remotes=remotes,
            tools=Tools(
                dialer=transport, list_nodes=NodesRequest(tasks, clock), local=lambda: identity
            ),
            node_name="near",
            is_client="remote_cluster_client" in roles,
        )

        async def remote_info(request: Request) -> Response:
            return json_response(remotes.describe(verbose=True))

        info_route = Route(
            methods=("GET",),
            paths=("/_remote/info",),
            handler=remote_info,
            action="cluster:monitor/remote/info",
            indices=no_indices,
            params={"verbose": lambda name, text: text == "true"},
        )
        app = RestApp(
            [*remote_test.routes(tests), info_route],
            tasks=tasks,
            clock=clock,
            limits=Limits(max_content_length=1 << 20),
        )
        await stack.enter_async_context(app)
        server = await stack.enter_async_context(HttpServer(app, stop_within_s=1))
        yield AskedNode(await server.start("127.0.0.1", 0), remotes)
