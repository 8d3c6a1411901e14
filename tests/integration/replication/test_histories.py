"""A leader whose files are put back to what they were: its follower has what it no longer has, or never had."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.integration.replication.clusters import Clusters, Pair, ids, two

COPY: Pair = ("a", "one", "b", "copy")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def put_back(made: Clusters, folder: Path) -> None:
    """Leader `a` is as it was, and goes on from there. Its copy is made by `kept`."""
    await made.kill("a")
    data = made["a"].disk.folder
    for each in data.iterdir():
        await asyncio.to_thread(shutil.rmtree if each.is_dir() else Path.unlink, each)
    await asyncio.to_thread(shutil.copytree, folder, data, dirs_exist_ok=True)
    await made.start("a")


async def kept(made: Clusters, folder: Path) -> None:
    """A copy of the files of `a`."""
    await made.stop("a")
    await asyncio.to_thread(shutil.copytree, made["a"].disk.folder, folder)
    await made.start("a")


async def stopped(made: Clusters) -> Any:
    shard = await made.until(COPY, lambda shard: "fatal_exception" in shard)
    (info,) = (await made["b"].call("GET", "/copy/_ccr/info"))["follower_indices"]
    assert info["status"] == "failed"
    return shard["fatal_exception"]


@pytest.mark.parametrize("goes_on", [False, True], ids=["shorter", "numbers given anew"])
async def test_a_leader_put_back_to_an_old_copy_is_found_out(tmp_path: Path, goes_on: bool) -> None:
    """R-100: the two are never mixed; what was copied stays, and following anew makes them equal."""
    async with two(tmp_path / "nodes") as made:
        await made.made("a", "one", 100)
        await made.follow(COPY, read_poll_timeout="1s")
        await made.level(COPY)
        await kept(made, tmp_path / "backup")
        await made.write("a", "one", range(100, 150))
        before = ids(await made.equal(COPY))
        if goes_on:
            await made["b"].call("POST", "/copy/_ccr/pause_follow")
        await put_back(made, tmp_path / "backup")
        if goes_on:
            await made.write("a", "one", range(500, 600))
            await made["b"].call("POST", "/copy/_ccr/resume_follow", {"read_poll_timeout": "1s"})
        error = await stopped(made)
        assert error["type"] in {"illegal_state_exception", "history_diverged_exception"}, error
        await made["b"].call("POST", "/copy/_refresh")
        found = await made["b"].call("POST", "/copy/_search", {"size": 1000, "_source": False})
        assert {int(hit["_id"]) for hit in found["hits"]["hits"]} == before

        await made["b"].ask("POST", "/copy/_ccr/pause_follow")
        await made["b"].call("POST", "/copy/_close")
        await made.follow(COPY)
        after = ids(await made.equal(COPY))
        assert after == set(range(100)) | (set(range(500, 600)) if goes_on else set())
