"""The way from one site to another: requests and answers that come late, twice, or not at all.

Everything that crosses is bytes, so a copy arrives. A request that is lost is found to be lost after some time, as a
dead connection is; one whose answer is lost has been carried out.
"""

import asyncio
from enum import StrEnum
from random import Random
from typing import Protocol

import msgspec

from sealane.errors import ApiError, ConnectTransport, NodeDisconnected, ReceiveTimeout
from sealane.model.task import Context
from sealane.remote.transport.messages_replication import CHANGES, COPY, DOCUMENTS
from sealane.testing.simulation.trace import Trace

_SUMMED = frozenset((CHANGES, COPY, DOCUMENTS))
"""Actions whose answers carry a sum."""


class State(StrEnum):
    UP = "up"
    REFUSED = "refused"
    """Nobody answers the door, and says so."""
    DARK = "dark"
    """Requests vanish."""
    DEAF = "deaf"
    """Requests arrive, their answers vanish."""


class Site(Protocol):
    """The other end."""

    @property
    def is_up(self) -> bool: ...

    def deliver(
        self, alias: str, action: str, payload: bytes, ctx: Context
    ) -> "asyncio.Task[bytes]":
        """The answer, under way. Cancelled when the site is killed."""


class SimulatedLink:
    """One remote of one site. Asked as a remote cluster's client is."""

    def __init__(self, alias: str, there: Site, chance: Random, trace: Trace) -> None:
        self.alias = alias
        self.there = there
        self.state = State.UP
        self.delay_s = 0.005
        self.loses = 0.0
        """The share of requests of which one way is cut."""
        self.doubles = 0.0
        """The share of requests that arrive twice."""
        self.garbles = 0.0
        """The share of answers with operations of which a bit is flipped."""
        self._chance = chance
        self._trace = trace
        self._cut: set[asyncio.Future[None]] = set()

    def cut(self) -> None:
        """What is under way is lost, in one direction or the other."""
        for each in self._cut:
            if not each.done():
                each.set_result(None)

    async def ask_in_background(self, action: str, payload: bytes, ctx: Context) -> bytes:
        """The answer's bytes. Raises what was raised there, as it arrives; ConnectTransport, NodeDisconnected,
        ReceiveTimeout.
        """
        try:
            async with asyncio.timeout_at(ctx.deadline):
                return await self._ask(action, payload, ctx)
        except TimeoutError:
            raise ReceiveTimeout(f"[{self.alias}][{action}] request_id [0] timed out") from None

    async def _ask(self, action: str, payload: bytes, ctx: Context) -> bytes:
        if self.state is State.REFUSED or (self.state is State.UP and not self.there.is_up):
            await asyncio.sleep(self._way_s())
            raise ConnectTransport(f"[{self.alias}] connect_exception")
        work = asyncio.ensure_future(self._carried(action, payload, ctx))  # noqa: TID251
        broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._cut.add(broken)
        try:
            await asyncio.wait((work, broken), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            raise NodeDisconnected(f"[{self.alias}][{action}] disconnected")
        finally:
            self._cut.discard(broken)
            if not work.done():
                work.cancel()
                await asyncio.wait((work,))
            if not work.cancelled():
                work.exception()

    async def _carried(self, action: str, payload: bytes, ctx: Context) -> bytes:
        chance = self._chance
        await asyncio.sleep(self._way_s())
        lost = chance.random() < self.loses
        if self.state is State.DARK or (lost and chance.random() < 0.5):
            await self._notice(action)
        if chance.random() < self.doubles:
            self._trace.note("double", self.alias, action.rpartition("/")[2])
            await self._there(action, payload, ctx)
        answer = await self._there(action, payload, ctx)
        await asyncio.sleep(self._way_s())
        if lost or self.state in (State.DARK, State.DEAF):
            await self._notice(action)
        if isinstance(answer, ApiError):
            raise answer
        if chance.random() < self.garbles and action in _SUMMED:
            return self._garbled(answer)
        return answer

    def _garbled(self, answer: bytes) -> bytes:
        """One bit is another."""
        at = self._chance.randrange(len(answer))
        self._trace.note("garbled", self.alias, at)
        flipped = answer[at] ^ (1 << self._chance.randrange(8))
        return answer[:at] + bytes((flipped,)) + answer[at + 1 :]

    async def _there(self, action: str, payload: bytes, ctx: Context) -> bytes | ApiError:
        if not self.there.is_up:
            raise NodeDisconnected(f"[{self.alias}][{action}] disconnected")
        running = self.there.deliver(self.alias, action, payload, ctx)
        try:
            await asyncio.wait((running,))
        except asyncio.CancelledError:
            # The one who asked has gone: the other side hears of it.
            running.cancel()
            raise
        if running.cancelled():
            raise NodeDisconnected(f"[{self.alias}][{action}] disconnected")
        error = running.exception()
        if isinstance(error, ApiError):
            return as_received(error)
        if error is not None:
            raise error
        return running.result()

    async def _notice(self, action: str) -> None:
        """Some pings later the connection is known to be dead."""
        self._trace.note("lost", self.alias, action.rpartition("/")[2])
        await asyncio.sleep(self._chance.uniform(0.5, 25.0))
        raise NodeDisconnected(f"[{self.alias}][{action}] disconnected")

    def _way_s(self) -> float:
        return self.delay_s * self._chance.uniform(0.2, 2.0)


def as_received(error: ApiError) -> ApiError:
    """The error after its way over the wire."""
    return ApiError.from_wire(msgspec.msgpack.decode(msgspec.msgpack.encode(error.to_wire())))
