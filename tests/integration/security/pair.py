"""Two clusters of one node each, with security and TLS everywhere between them, in the test's own loop."""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealane.model.security import Secret
from sealane.node import Node
from sealane.settings import Settings
from tests.integration.cluster.nodes import Answer, RunningNode
from tests.integration.transport.certificates import Authority

PASSWORD = "changeme-1"
LOGS = {"search": [{"names": ["logs*"]}]}


def basic(user: str, password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


class SecuredNode(RunningNode):
    """Requests are those of `elastic` unless they say otherwise."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.remote_cluster: str = node.ready_line()["remote_cluster"]

    async def ask(
        self, method: str, target: str, body: Any = None, *, user: str = "elastic"
    ) -> Answer:
        return await self.request(method, target, body, basic(user))

    async def make(self, method: str, target: str, body: Any = None) -> Any:
        """An answer that must be good."""
        answer = await self.ask(method, target, body)
        assert answer.status in (200, 201), answer.text
        return answer.body

    def keep(self, **credentials: str) -> None:
        """Reads a keystore again that holds these keys, by alias, and nothing else that may change."""
        names = {f"cluster.remote.{alias}.credentials": each for alias, each in credentials.items()}
        self.node.secure.replace({name: Secret(value) for name, value in names.items()})


@dataclass
class Pair:
    """`west` searches, `east` is searched. `authority` issued what the transports show each other, `keys_authority`
    what `east` shows at its port for keys."""

    west: SecuredNode
    east: SecuredNode
    authority: Authority
    keys_authority: Authority

    async def key(self, access: Mapping[str, Any] = LOGS, **more: Any) -> dict[str, Any]:
        """A new key of east."""
        body = {"name": "west", "access": access, **more}
        made: dict[str, Any] = await self.east.make(
            "POST", "/_security/cross_cluster/api_key", body
        )
        return made

    async def register(self, alias: str, mode: str, address: str, **more: Any) -> None:
        """A remote of west, connected or not when this returns."""
        reach: dict[str, Any] = {"mode": mode, **more}
        reach |= {"seeds": [address]} if mode == "sniff" else {"proxy_address": address}
        body = {"persistent": {"cluster": {"remote": {alias: reach}}}}
        await self.west.make("PUT", "/_cluster/settings", body)

    async def info(self, alias: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.west.make("GET", "/_remote/info?verbose=true")
        return found[alias]

    async def search(self, expression: str, *, user: str = "elastic", more: str = "") -> Answer:
        return await self.west.ask("GET", f"/{expression}/_search?size=10{more}", user=user)

    async def user(self, name: str, *, on: SecuredNode | None = None, **role: Any) -> None:
        """A user of west, or of the node given, with one role of that name."""
        node = on or self.west
        await node.make("PUT", f"/_security/role/{name}", role)
        await node.make("PUT", f"/_security/user/{name}", {"password": PASSWORD, "roles": [name]})


def remote_indices(*names: str, clusters: tuple[str, ...] = ("*",), **more: Any) -> dict[str, Any]:
    """The member of a role that grants searching on remotes."""
    entry = {
        "clusters": list(clusters),
        "names": list(names),
        "privileges": ["read", "read_cross_cluster", "view_index_metadata"],
        **more,
    }
    return {"remote_indices": [entry]}


@asynccontextmanager
async def secured_pair(
    folder: Path, *, west: Mapping[str, Any] | None = None, east: Mapping[str, Any] | None = None
) -> AsyncIterator[Pair]:
    """`west` and `east` are settings of theirs alone."""
    authority, keys_authority = Authority(folder, "transport ca"), Authority(folder, "keys ca")
    shown = keys_authority.issue("localhost", "127.0.0.1")
    server = "xpack.security.remote_cluster_server.ssl"
    serving = {
        "remote_cluster_server.enabled": "true",
        "remote_cluster.port": "0",
        f"{server}.key": str(shown.key),
        f"{server}.certificate": str(shown.certificate),
    }
    client = "xpack.security.remote_cluster_client.ssl"
    asking = {f"{client}.certificate_authorities": [str(keys_authority.path)]}
    async with AsyncExitStack() as stack:
        nodes = [
            await stack.enter_async_context(
                secured_node(folder, name, authority, {**given, **(own or {})})
            )
            for name, given, own in (("east", serving, east), ("west", asking, west))
        ]
        pair = Pair(nodes[1], nodes[0], authority, keys_authority)
        for index in ("logs-1", "private-1"):
            for number in range(3):
                target = f"/{index}/_doc/{number}?refresh=true"
                await pair.east.make("PUT", target, {"n": number, "level": "public"})
        yield pair


@asynccontextmanager
async def secured_node(
    folder: Path, name: str, authority: Authority, more: Mapping[str, Any]
) -> AsyncIterator[SecuredNode]:
    """A node of the cluster of that name, whose transport's certificate is from `authority`."""
    issued = authority.issue("localhost", "127.0.0.1")
    prefix = "xpack.security.transport.ssl"
    settings = Settings(
        {
            "cluster.name": name,
            "node.name": f"{name}-1",
            "http.port": "0",
            "transport.port": "0",
            "path.data": str(folder / name),
            "path.conf": str(folder),
            "xpack.security.enabled": "true",
            f"{prefix}.enabled": "true",
            f"{prefix}.key": str(issued.key),
            f"{prefix}.certificate": str(issued.certificate),
            f"{prefix}.certificate_authorities": [str(authority.path)],
            **more,
        }
    ).with_secrets({"bootstrap.password": Secret(PASSWORD)})
    node = Node(settings)
    try:
        await node.start()
        yield SecuredNode(node)
    finally:
        await node.close()
