"""A node without security with documents of its own, and a remote cluster that answers what a test tells it to."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealane.model.task import Context
from sealane.transport import AsyncioNetwork
from tests.integration.cluster.nodes import Answer, RunningNode, started
from tests.transport_nodes import TransportNode

Lie = Callable[[bytes, Context], Awaitable[bytes]]


@dataclass
class Liar:
    """`lies` are answers by action; `asked` what came."""

    victim: RunningNode
    node: TransportNode
    asked: list[tuple[str, bytes, Context]]

    def tell(self, action: str, answer: bytes | Exception | Lie) -> None:
        async def handle(payload: bytes, ctx: Context) -> bytes:
            self.asked.append((action, payload, ctx))
            if isinstance(answer, Exception):
                raise answer
            return answer if isinstance(answer, bytes) else await answer(payload, ctx)

        self.node.transport._dispatcher.handlers[action] = handle

    async def search(
        self, body: Any = None, *, more: str = "", names: str = "own,liar:*"
    ) -> Answer:
        return await self.victim.request("POST", f"/{names}/_search?{more}", body)


@asynccontextmanager
async def lying(folder: Path, *, skip: bool = True) -> AsyncIterator[Liar]:
    """The victim knows the liar under that name, in proxy mode."""
    node = TransportNode("liar", AsyncioNetwork())
    node.address = await node.transport.listen("127.0.0.1", 0)
    try:
        async with started(folder / "victim") as victim:
            for number in range(3):
                body = {"n": number, "word": "mine"}
                await victim.call("PUT", f"/own/_doc/{number}?refresh=true", body)
            settings = {
                "mode": "proxy",
                "proxy_address": str(node.address),
                "skip_unavailable": skip,
                "max_answer_size": "2mb",
            }
            await victim.call(
                "PUT", "/_cluster/settings", {"persistent": {"cluster.remote.liar": settings}}
            )
            yield Liar(victim, node, [])
    finally:
        await node.transport.close()
