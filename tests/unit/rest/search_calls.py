"""Calls a search route over a scripted cluster, without an app around it."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from sealane.errors import ApiError, NoSuchRemoteCluster
from sealane.model.search import SearchRequest
from sealane.model.task import Context, TaskRegistry
from sealane.reduce.partial import ClusterAnswer, Partial, ShardCounts, TotalHits
from sealane.rest.params import parse_params
from sealane.rest.request import Request
from sealane.rest.router import Route
from sealane.search.coordinator import SearchService


def answer(total: int = 0, **members: Any) -> Partial:
    given: dict[str, Any] = {"max_score": None, "shards": ShardCounts(1, 1, 0, 0), **members}
    return Partial(hits=[], total=TotalHits(total), **given)


class Scripted:
    """Answers every index it knows with its total, and keeps what it was asked."""

    def __init__(self, totals: dict[str, int | ApiError]) -> None:
        self.totals = totals
        self.asked: list[SearchRequest] = []
        self.terminated_early: bool | None = None

    async def judge_names(self, request: SearchRequest, ctx: Context, *, may_ask: bool) -> None:
        """They are never wrong by themselves."""

    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        self.asked.append(request)
        found = self.totals[request.indices[0] if request.indices else ""]
        if isinstance(found, ApiError):
            raise found
        return ClusterAnswer(answer(found, terminated_early=self.terminated_early), 1)


class Remotes:
    def __init__(self, clients: dict[str, Scripted], skippable: Sequence[str] = ()) -> None:
        self._clients, self._skippable = clients, skippable

    def aliases(self) -> Sequence[str]:
        return tuple(self._clients)

    def client(self, alias: str) -> Scripted:
        if alias not in self._clients:
            raise NoSuchRemoteCluster(alias)
        return self._clients[alias]

    def skip_unavailable(self, alias: str) -> bool:
        return alias in self._skippable


async def call(
    routes: Callable[[SearchService], list[Route]],
    path: str,
    body: bytes,
    *,
    local: Scripted,
    index: str = "",
    remotes: Remotes | None = None,
    **params: str,
) -> Any:
    """The JSON that the route with `path` answers. Raises what its handler raises."""
    service = SearchService(local=local, remotes=remotes or Remotes({}), max_buckets=lambda: 65_536)
    (route,) = (each for each in routes(service) if path in each.paths)
    with TaskRegistry("n").start(route.action, start_ms=0) as task:
        request = Request(
            method="POST",
            path=path,
            uri=path,
            path_params={"index": index} if index else {},
            params=parse_params(path, route.params, params),
            body=body,
            ctx=Context(task=task),
        )
        return orjson.loads((await route.handler(request)).body)
