"""Freeing the reader contexts that a search has opened: when it has ended, and also when it fails or is given up.

A cluster that cannot be told is told again in the background, until its contexts have ended by themselves.
"""

import asyncio
from collections.abc import Callable, Sequence

from sealane.errors import ApiError, NoSuchRemoteCluster, TaskCancelled
from sealane.model.task import Context, Task, TaskId
from sealane.remote.transport.messages_phases import FREE, FreeRequest
from sealane.search.fan_out import ask_all
from sealane.search.keep_alive import WITHIN_SEARCH_MS
from sealane.search.phased_clusters import PhasedCluster
from sealane.search.protocols import ClusterClient
from sealane.transport.tasks import TaskScope

_WAIT_S = 5.0
"""How long one attempt in the background may take."""
_PAUSE_S = 1.0
"""Between two attempts."""
_BACKGROUND_MAX = 256
"""Clusters that are told in the background at a time; beyond that, contexts are left to end by themselves."""


class Freeing:
    """Owns what goes on in the background, until `close`. `client` raises NoSuchRemoteCluster."""

    def __init__(self, client: Callable[[str], ClusterClient]) -> None:
        self._client = client
        self._background = TaskScope("search contexts")

    async def close(self) -> None:
        await self._background.close()

    async def free(self, cluster: PhasedCluster, ctx: Context) -> None:
        """Frees the cluster's contexts now; later, where it cannot be reached. Raises TaskCancelled."""
        try:
            await self._client(cluster.alias).run(FREE, FreeRequest(cluster.contexts()), ctx)
        except TaskCancelled:
            raise
        except ApiError:
            self.later([cluster], ctx)
        cluster.forget_contexts()

    async def give_up(
        self, clusters: Sequence[PhasedCluster], error: BaseException, ctx: Context
    ) -> None:
        """Frees what a search that ends with this error has opened: at once where it can still wait for that."""
        if isinstance(error, ApiError) and not isinstance(error, TaskCancelled):
            holding = [each for each in clusters if each.contexts()]
            await ask_all(lambda cluster: self.free(cluster, ctx), holding)
        else:
            self.later(clusters, ctx)

    def later(self, clusters: Sequence[PhasedCluster], ctx: Context) -> None:
        """Frees the clusters' contexts, though the search itself can wait no more."""
        for cluster in clusters:
            contexts = cluster.contexts()
            if contexts and len(self._background) < _BACKGROUND_MAX:
                self._background.start(self._repeat(cluster.alias, contexts, ctx), name="free")

    async def _repeat(self, alias: str, contexts: list[str], ctx: Context) -> None:
        """Until the cluster has heard of it, or they have ended by themselves."""
        loop = asyncio.get_running_loop()
        until = loop.time() + WITHIN_SEARCH_MS / 1000
        # No child of the task that was cancelled: it would be refused.
        task = Task(TaskId(ctx.task.id.node, 0), FREE.action, None, ctx.start_ms, "")
        while loop.time() < until:
            deadline = loop.time() + _WAIT_S
            own = Context(task=task, subject=ctx.subject, deadline=deadline, start_ms=ctx.start_ms)
            try:
                async with asyncio.timeout_at(deadline):
                    await self._client(alias).run(FREE, FreeRequest(contexts), own)
                return
            except NoSuchRemoteCluster:
                return
            except (TimeoutError, ApiError):
                await asyncio.sleep(_PAUSE_S)
