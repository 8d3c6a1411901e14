"""A task that is cancelled takes back all its requests to a node, and those that come late."""

import asyncio
from dataclasses import replace

import pytest

from sealane.errors import TaskCancelled
from sealane.model.task import Context, Task
from sealane.transport import ConnectionProfile
from tests.transport_nodes import two_nodes, until

PROFILE = ConnectionProfile(channels=2, connect_timeout_s=5.0)


async def test_what_a_cancelled_task_asks_for_late_is_refused() -> None:
    """S-89: on whichever channel it comes; other tasks of the same node go on."""
    entered = asyncio.Event()
    reasons: list[str | None] = []

    async def hang(payload: bytes, ctx: Context) -> bytes:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            reasons.append(ctx.task.cancelled_reason)
        raise AssertionError("unreachable")

    async def echo(payload: bytes, ctx: Context) -> bytes:
        return payload

    async with two_nodes() as (client, server):
        server.transport.register("test:hang", hang)
        server.transport.register("test:echo", echo)
        connection = await client.transport.connect(server.address, PROFILE)
        with client.context() as ctx:
            waiting = asyncio.create_task(connection.request("test:hang", b"", ctx))
            await entered.wait()
            ctx.task.cancel("by user request")
            with pytest.raises(TaskCancelled):
                await waiting
            await until(lambda: reasons)
            # As a child that was on its way: the same parent, not cancelled where it was sent.
            late = replace(ctx, task=Task(ctx.task.id, "test", None, 0, ""))
            await until(lambda: not list(server.tasks))
            with pytest.raises(TaskCancelled) as caught:
                await connection.request("test:echo", b"x", late)
            assert caught.value.reason == "task cancelled [by user request]"
        with client.context() as other:
            assert await connection.request("test:echo", b"x", other) == b"x"


async def test_a_request_that_gives_up_alone_bans_nobody() -> None:
    """Its task goes on, and may ask again."""
    entered = asyncio.Event()

    async def answer(payload: bytes, ctx: Context) -> bytes:
        if payload:
            return payload
        entered.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async with two_nodes() as (client, server):
        server.transport.register("test:answer", answer)
        connection = await client.transport.connect(server.address, PROFILE)
        with client.context() as ctx:
            waiting = asyncio.create_task(connection.request("test:answer", b"", ctx))
            await entered.wait()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await until(lambda: not list(server.tasks))
            assert await connection.request("test:answer", b"x", ctx) == b"x"
