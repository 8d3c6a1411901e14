"""What runs on remote clusters for the tasks of this one."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Final, Protocol

from sealane.cluster.task_lists import CHILD_TASKS, TaskJson, encode_parents, read_tasks
from sealane.errors import ApiError, NoSuchRemoteCluster, TaskCancelled
from sealane.model.task import Context
from sealane.search.fan_out import ask_all

_TIMEOUT_S: Final = 5.0
_AT_A_TIME: Final = 64


class Askable(Protocol):
    """A remote that takes any action."""

    async def ask(self, action: str, payload: bytes, ctx: Context) -> bytes: ...


class AskableRemotes(Protocol):
    def aliases(self) -> Sequence[str]: ...
    def client(self, alias: str) -> Askable: ...


class _NoRemotes:
    """Of a node that has none."""

    def aliases(self) -> Sequence[str]:
        return ()

    def client(self, alias: str) -> Askable:
        raise NoSuchRemoteCluster(alias)


NO_REMOTES: Final = _NoRemotes()


class RemoteTasks:
    """Asks the registered remotes."""

    def __init__(self, remotes: AskableRemotes) -> None:
        self._remotes = remotes

    async def children(
        self, nodes: Collection[str], ctx: Context
    ) -> dict[str, list[TaskJson] | ApiError]:
        """By alias: the tasks there whose parents run on these nodes of ours, or why it could not be asked within some
        seconds. Raises IllegalArgument on a node without the role `remote_cluster_client`, TaskCancelled.
        """
        aliases = list(self._remotes.aliases())
        payload = encode_parents(nodes)

        async def ask(alias: str) -> list[TaskJson] | ApiError:
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    client = self._remotes.client(alias)
                    return read_tasks(await client.ask(CHILD_TASKS, payload, ctx))
            except TimeoutError:
                return ApiError(f"remote cluster [{alias}] did not tell its tasks in time")
            except TaskCancelled:
                raise
            except ApiError as error:
                return error

        answers = await ask_all(ask, aliases, at_a_time=_AT_A_TIME)
        return dict(zip(aliases, answers, strict=True))
