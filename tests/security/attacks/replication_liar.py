"""Two clusters of which one follows the other, and a leader that answers what a test makes of its true answers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from sealane.model.replication import ChangesAnswer, ChangesRequest, CopyAnswer
from sealane.model.task import Context
from sealane.remote.transport import messages_replication as messages
from sealane.remote.transport.messages_replication import HistoriesAnswer, StateAnswer
from sealane.testing.in_process import Answer, InProcessCluster, clusters
from sealane.testing.in_process_links import Receiver

Honest = Callable[[], Awaitable[bytes]]
Lie = Callable[[Honest, bytes], Awaitable[bytes]]
replaced = msgspec.structs.replace


@dataclass
class LyingLeader:
    """`victim` knows `true` under the name `liar`; `lies` are by action."""

    victim: InProcessCluster
    true: InProcessCluster
    lies: dict[str, Lie] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def receive(self, alias: str, action: str, payload: bytes, ctx: Context) -> bytes:
        self.asked.append(action)

        async def honest() -> bytes:
            return await self.true.receive(alias, action, payload, ctx)

        lie = self.lies.get(action)
        return await honest() if lie is None else await lie(honest, payload)

    async def follow(self, *, wait: int = 0, **more: Any) -> Answer:
        """As `copy`; returns at once, unless it is to be waited for."""
        body = {
            "remote_cluster": "liar",
            "leader_index": "leader",
            "read_poll_timeout": "100ms",
            "max_retry_delay": "10ms",
            **more,
        }
        return await self.victim.request(
            "PUT", f"/copy/_ccr/follow?wait_for_active_shards={wait}", body
        )

    async def stats(self) -> Any:
        """Of the first shard."""
        found = await self.victim.call("GET", "/copy/_ccr/stats")
        return found["indices"][0]["shards"][0]

    async def is_unharmed(self) -> None:
        """Everybody else is served as before."""
        found = await self.victim.call("GET", "/own/_search")
        assert [each["_source"] for each in found["hits"]["hits"]] == [{"n": 1}]
        for path in ("/_settings", "/_mapping", "/_alias", "/_cat/indices", "/_ccr/stats"):
            answer = await self.victim.request("GET", path)
            assert (path, answer.status) == (path, 200)


@asynccontextmanager
async def lying_leader(folder: Path) -> AsyncIterator[LyingLeader]:
    """The index `leader` has three documents, of three operations."""
    async with clusters(folder, "victim", "true") as (victim, true):
        liar = LyingLeader(victim, true)
        there: Receiver = liar
        victim.register(true, "liar").there = there
        await true.call("PUT", "/leader", {"mappings": {"properties": {"n": {"type": "long"}}}})
        await true.fill("leader", {str(number): {"n": number} for number in range(3)})
        await victim.fill("own", {"1": {"n": 1}})
        yield liar


def of_state(**members: Any) -> Lie:
    """The description of the index with other members."""

    async def lie(honest: Honest, payload: bytes) -> bytes:
        true = messages.STATE_MESSAGE.read_answer(await honest())
        assert true.index is not None
        changed = StateAnswer(index=replaced(true.index, **members))
        return messages.STATE_MESSAGE.encode(changed)

    return lie


def of_histories(change: Callable[[HistoriesAnswer], HistoriesAnswer]) -> Lie:
    async def lie(honest: Honest, payload: bytes) -> bytes:
        true = messages.HISTORIES_MESSAGE.read_answer(await honest())
        return messages.HISTORIES_MESSAGE.encode(change(true))

    return lie


def of_changes(change: Callable[[ChangesAnswer, ChangesRequest], ChangesAnswer]) -> Lie:
    async def lie(honest: Honest, payload: bytes) -> bytes:
        request = messages.CHANGES_MESSAGE.read_request(payload)
        true = messages.decode_changes_answer(await honest())
        return messages.encode_changes_answer(change(true, request))

    return lie


def of_operations(**members: Any) -> Lie:
    """Each operation with other members."""
    return of_changes(
        lambda answer, _: replaced(
            answer, operations=[replaced(each, **members) for each in answer.operations]
        )
    )


def of_start(**members: Any) -> Lie:
    async def lie(honest: Honest, payload: bytes) -> bytes:
        true = messages.OPEN_COPY_MESSAGE.read_answer(await honest())
        return messages.OPEN_COPY_MESSAGE.encode(replaced(true, **members))

    return lie


def of_copy(change: Callable[[CopyAnswer], CopyAnswer]) -> Lie:
    async def lie(honest: Honest, payload: bytes) -> bytes:
        true = messages.decode_copy_answer(await honest())
        return messages.encode_copy_answer(change(true))

    return lie
