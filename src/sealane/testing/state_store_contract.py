"""What every state store must do. Subclass it, and hand in `store` as a fixture."""

import asyncio

import pytest

from sealane.cluster.store import ABSENT, Entry, StateStore, StoreConflict


class StateStoreContract:
    """A test class; the subclass is named `Test...` and has a fixture `store`, empty."""

    async def test_an_empty_store_is_at_version_zero(self, store: StateStore) -> None:
        assert await store.version() == 0
        assert await store.get("a") is None
        assert await store.scan("") == {}

    async def test_what_was_set_is_there_under_the_number_of_its_change(
        self, store: StateStore
    ) -> None:
        first = await store.compare_and_set({"a": b"1"}, {"a": ABSENT})
        second = await store.compare_and_set({"b": b"2"}, {})
        assert (first, second) == (1, 2)
        assert await store.get("a") == Entry(b"1", 1)
        assert await store.get("b") == Entry(b"2", 2)
        assert await store.version() == 2

    async def test_one_change_of_many_keys_has_one_number(self, store: StateStore) -> None:
        version = await store.compare_and_set({"a": b"1", "b": b"2"}, {})
        assert {entry.version for entry in (await store.scan("")).values()} == {version}

    async def test_a_removed_key_is_absent_again(self, store: StateStore) -> None:
        version = await store.compare_and_set({"a": b"1"}, {})
        await store.compare_and_set({"a": None}, {"a": version})
        assert await store.get("a") is None
        await store.compare_and_set({"a": b"2"}, {"a": ABSENT})

    async def test_a_stale_version_changes_nothing(self, store: StateStore) -> None:
        await store.compare_and_set({"a": b"1"}, {})
        await store.compare_and_set({"a": b"2"}, {"a": 1})
        with pytest.raises(StoreConflict):
            await store.compare_and_set({"a": b"3", "b": b"x"}, {"a": 1})
        assert await store.get("a") == Entry(b"2", 2)
        assert await store.get("b") is None
        assert await store.version() == 2

    async def test_a_version_expected_of_an_absent_key_is_a_conflict(
        self, store: StateStore
    ) -> None:
        with pytest.raises(StoreConflict):
            await store.compare_and_set({"a": b"1"}, {"a": 7})

    async def test_a_key_can_be_expected_without_being_changed(self, store: StateStore) -> None:
        await store.compare_and_set({"lock": b""}, {})
        await store.compare_and_set({"a": b"1"}, {"lock": 1})
        with pytest.raises(StoreConflict):
            await store.compare_and_set({"a": b"2"}, {"lock": ABSENT})

    async def test_of_two_at_once_one_wins(self, store: StateStore) -> None:
        async def attempt(value: bytes) -> bool:
            try:
                await store.compare_and_set({"a": value}, {"a": ABSENT})
            except StoreConflict:
                return False
            return True

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(attempt(b"%d" % number)) for number in range(8)]
        assert sorted(task.result() for task in tasks) == [False] * 7 + [True]
        assert await store.version() == 1

    async def test_scan_keeps_to_its_prefix_and_is_ordered(self, store: StateStore) -> None:
        await store.compare_and_set(
            {"i/b": b"2", "i/a": b"1", "j/a": b"3", "i": b"4", "I/a": b"5", "i_x": b"6"}, {}
        )
        assert list(await store.scan("i/")) == ["i/a", "i/b"]
        assert len(await store.scan("")) == 6

    async def test_watchers_hear_each_change_in_order_until_they_stop(
        self, store: StateStore
    ) -> None:
        heard: list[tuple[int, frozenset[str]]] = []
        stop = store.watch(lambda version, keys: heard.append((version, keys)))
        await store.compare_and_set({"a": b"1"}, {})
        with pytest.raises(StoreConflict):
            await store.compare_and_set({"a": b"1"}, {"a": 9})
        await store.compare_and_set({"a": None, "b": b"2"}, {})
        stop()
        await store.compare_and_set({"c": b"3"}, {})
        assert heard == [(1, frozenset({"a"})), (2, frozenset({"a", "b"}))]

    async def test_values_are_any_bytes(self, store: StateStore) -> None:
        value = bytes(range(256)) * 100
        await store.compare_and_set({"é/\U0001f600": value}, {})
        assert await store.get("é/\U0001f600") == Entry(value, 1)
