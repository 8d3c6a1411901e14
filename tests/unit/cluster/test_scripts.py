"""Stored scripts, over a store in memory."""

import pytest

from sealane.cluster.scripts import KEY_PREFIX, SOURCE_MAX_BYTES, StoredScript, StoredScripts
from sealane.cluster.store import MemoryStateStore
from sealane.errors import ApiError, IllegalState, ResourceNotFound

SCRIPT = StoredScript(lang="mustache", source="{}", options={"content_type": "text/plain"})


async def test_what_is_stored_is_found_and_what_is_removed_is_not() -> None:
    scripts = StoredScripts(MemoryStateStore())
    assert await scripts.get("a") is None
    await scripts.put("a", SCRIPT)
    await scripts.put("a", StoredScript(lang="mustache", source="{ }"))
    assert (await scripts.find("a")).source == "{ }"
    await scripts.delete("a")
    with pytest.raises(ResourceNotFound, match="unable to find script"):
        await scripts.find("a")
    with pytest.raises(ResourceNotFound, match="cannot be deleted"):
        await scripts.delete("a")


@pytest.mark.parametrize(
    ("script_id", "script", "reason"),
    [
        ("a#b", SCRIPT, "Validation Failed: 1: id cannot contain '#' for stored script;"),
        (
            "a",
            StoredScript(lang="painless", source="1"),
            "unable to put stored script with unsupported lang [painless]",
        ),
        (
            "a",
            StoredScript(lang="mustache", source="x" * (SOURCE_MAX_BYTES + 1)),
            "exceeded max allowed stored script size in bytes [65535] with size [65536] for script [a]",
        ),
    ],
)
async def test_refused(script_id: str, script: StoredScript, reason: str) -> None:
    store = MemoryStateStore()
    with pytest.raises(ApiError) as raised:
        await StoredScripts(store).put(script_id, script)
    assert raised.value.reason == reason
    assert await store.scan(KEY_PREFIX) == {}


async def test_an_entry_that_cannot_be_read_is_named() -> None:
    store = MemoryStateStore()
    await store.compare_and_set({KEY_PREFIX + "a": b"no JSON"}, {})
    with pytest.raises(IllegalState, match=r"stored script \[a\] cannot be read"):
        await StoredScripts(store).get("a")
