"""Links between clusters of one process: each is a remote as a coordinator reaches it, and may be cut or held."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from sealane.errors import ConnectTransport, NodeDisconnected, NoSuchRemoteCluster
from sealane.model.clusters import ClusterMatch, ClusterStats, RemoteTraits, ResolveClusterRequest
from sealane.model.search import SearchRequest
from sealane.model.task import Context
from sealane.reduce import ClusterAnswer
from sealane.remote.transport.messages import SEARCH, decode_answer, encode_search
from sealane.remote.transport.messages_clusters import (
    CLUSTER_STATS,
    RESOLVE_CLUSTER,
    decode_cluster_match,
    decode_cluster_stats,
    encode_resolve_cluster,
)
from sealane.remote.transport.messages_phases import Phase

Q = TypeVar("Q")
A = TypeVar("A")


class Receiver(Protocol):
    """The cluster at the other end."""

    async def receive(self, alias: str, action: str, payload: bytes, ctx: Context) -> bytes:
        """Raises ApiError as it arrives here."""


class Link:
    """One remote as its coordinator reaches it. `requests` counts what was sent.

    A link that `is_cut` refuses requests, and loses the answers of those under way. One that is on `hold` delivers
    requests, which wait there until `release`.
    """

    def __init__(self, alias: str, there: Receiver, *, skip_unavailable: bool) -> None:
        self.alias = alias
        self.there = there
        self.skip_unavailable = skip_unavailable
        self.is_cut = False
        self.requests = 0
        self.answers: list[tuple[str, bytes]] | None = None
        """Set to a list, it is given the action and the bytes of each answer that crosses."""
        self._released = asyncio.Event()
        self._released.set()
        self._delivered = asyncio.Event()
        self._held_action = ""

    def hold(self, only: str = "") -> None:
        """`only` is the one action whose requests wait; without it all do."""
        self._held_action = only
        self._released.clear()
        self._delivered.clear()

    def release(self) -> None:
        self._released.set()

    async def wait_delivered(self) -> None:
        """Until a request has arrived on the other side since `hold`."""
        await self._delivered.wait()

    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        """Implements ClusterClient.

        Raises what the other cluster raised, as it arrives; ConnectTransport and NodeDisconnected when cut.
        """
        return decode_answer(await self._ask(SEARCH, encode_search(request), ctx))

    async def run(self, phase: Phase[Q, A], request: Q, ctx: Context) -> A:
        """Implements ClusterClient. Raises as `search` does."""
        return phase.read_answer(await self._ask(phase.action, phase.encode(request), ctx))

    async def resolve_cluster(self, request: ResolveClusterRequest, ctx: Context) -> ClusterMatch:
        """Implements AboutCluster. Raises as `search` does."""
        payload = encode_resolve_cluster(request)
        return decode_cluster_match(await self._ask(RESOLVE_CLUSTER, payload, ctx))

    async def cluster_stats(self, ctx: Context) -> ClusterStats:
        """Implements AboutCluster. Raises as `search` does."""
        return decode_cluster_stats(await self._ask(CLUSTER_STATS, b"", ctx))

    async def ask(self, action: str, payload: bytes, ctx: Context) -> bytes:
        """The other cluster's answer to any action. Raises as `search` does."""
        return await self._ask(action, payload, ctx)

    async def ask_in_background(self, action: str, payload: bytes, ctx: Context) -> bytes:
        """The same, as followers ask."""
        return await self._ask(action, payload, ctx)

    async def _ask(self, action: str, payload: bytes, ctx: Context) -> bytes:
        if self.is_cut:
            raise ConnectTransport(f"[{self.alias}][in-process] connect_exception")
        self.requests += 1
        if self._held_action in ("", action):
            self._delivered.set()
            await self._released.wait()
        answer = await self.there.receive(self.alias, action, payload, ctx)
        if self.is_cut:
            raise NodeDisconnected(f"[{self.alias}][in-process][{action}] disconnected")
        if self.answers is not None:
            self.answers.append((action, answer))
        return answer


class Links:
    """The remotes of one cluster. Implements the coordinator's `Remotes`."""

    def __init__(self) -> None:
        self._links: dict[str, Link] = {}

    def add(self, link: Link) -> None:
        self._links[link.alias] = link

    def aliases(self) -> Sequence[str]:
        return tuple(self._links)

    def client(self, alias: str) -> Link:
        if alias not in self._links:
            raise NoSuchRemoteCluster(alias)
        return self._links[alias]

    def skip_unavailable(self, alias: str) -> bool:
        return self._links[alias].skip_unavailable

    def traits(self, alias: str) -> RemoteTraits:
        skip = self.skip_unavailable(alias)
        return RemoteTraits(mode="sniff", skip_unavailable=skip, compress="indexing_data")

    def describe(self, *, verbose: bool = False) -> Mapping[str, Mapping[str, Any]]:
        return {
            alias: {"connected": not link.is_cut, "skip_unavailable": link.skip_unavailable}
            for alias, link in self._links.items()
        }
