"""The mirror of what is kept."""

import asyncio
import logging
from collections.abc import Mapping

import pytest

from sealane.cluster.store import MemoryStateStore
from sealane.errors import IOFailure, Rejected
from sealane.security.stores import records as module
from sealane.security.stores.records import Changes, Records, UserRecord


async def opened(store: MemoryStateStore) -> Records:
    records = Records(store)
    await records.load()
    return records


def put(records: Records, name: str, hash: str = "h") -> Changes:
    return {(records.users, name): UserRecord(hash=hash)}


async def test_a_change_is_kept_seen_and_told_before_it_is_answered() -> None:
    store = MemoryStateStore()
    records = await opened(store)
    heard: list[tuple[str, frozenset[str]]] = []
    records.on_change(lambda prefix, names: heard.append((prefix, names)))
    await records.change(lambda: put(records, "u/é"))
    assert records.users.get("u/é") == UserRecord(hash="h")
    assert heard == [("security/user/", frozenset({"u/é"}))]
    assert (await opened(store)).users.get("u/é") == UserRecord(hash="h")
    assert records.version == await store.version()
    await records.change(lambda: {(records.users, "u/é"): None})
    assert records.users.get("u/é") is None
    assert len((await opened(store)).users) == 0


class Failing(MemoryStateStore):
    """Keeps nothing, or keeps it and loses whoever asked."""

    def __init__(self) -> None:
        super().__init__()
        self.cancels = False

    async def compare_and_set(
        self, changes: Mapping[str, bytes | None], expected: Mapping[str, int]
    ) -> int:
        if self.cancels:
            await super().compare_and_set(changes, expected)
            raise asyncio.CancelledError
        raise IOFailure("the disk is full")


async def test_what_is_not_kept_is_not_seen() -> None:
    records = await opened(Failing())
    with pytest.raises(IOFailure):
        await records.change(lambda: put(records, "u"))
    assert records.users.get("u") is None


async def test_what_is_kept_is_seen_though_nobody_waits_for_it_any_more() -> None:
    store = Failing()
    store.cancels = True
    records = await opened(store)
    told: list[int] = []
    records.tell = lambda: told.append(records.version)
    for name in ("one", "two"):
        with pytest.raises(asyncio.CancelledError):
            await records.change(lambda hash=name: put(records, "u", hash))  # type: ignore[misc]
    assert records.users.get("u") == UserRecord(hash="two")
    assert told == [2]  # of the second change: the first is of a user whom nobody knew


async def test_changes_happen_one_after_the_other() -> None:
    records = await opened(MemoryStateStore())

    def add() -> Changes:
        before = records.users.get("u")
        return put(records, "u", "x" if before is None else before.hash + "x")

    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(records.change(add))
    found = records.users.get("u")
    assert found is not None
    assert found.hash == "x" * 10


async def test_an_entry_that_cannot_be_read_is_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """It says so in the log, grants nothing, and can be put anew."""
    store = MemoryStateStore()
    await store.compare_and_set(
        {"security/user/u": b"{", "security/reserved_user/elastic": b"1"}, {}
    )
    with caplog.at_level(logging.ERROR, "sealane.security"):
        records = await opened(store)
    assert len(caplog.records) == 2
    assert records.users.get("u") is None
    assert records.users.unreadable == {"u"}
    assert records.reserved.unreadable == {"elastic"}
    await records.change(lambda: put(records, "u"))
    assert records.users.unreadable == set()


async def test_there_is_a_most_of_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECORDS_MAX", 1)
    records = await opened(MemoryStateStore())
    await records.change(lambda: put(records, "a"))
    with pytest.raises(Rejected, match="entries of kind"):
        await records.change(lambda: put(records, "b"))
    await records.change(lambda: put(records, "a", "other"))


async def test_others_hear_of_changes_of_what_they_may_know() -> None:
    """Not of new users and keys: nothing can have been made of those."""
    records = await opened(MemoryStateStore())
    settled = 0

    async def settle() -> None:
        nonlocal settled
        settled += 1

    records.settle = settle
    await records.change(lambda: put(records, "u"))
    assert settled == 0
    await records.change(lambda: put(records, "u", "other"))
    await records.change(lambda: {(records.roles, "r"): module.RoleRecord(body={})})
    assert settled == 2
    await records.change(dict)
    assert settled == 2
