"""A leader that is not what it was: the follower says so, keeps what it has, and never mixes the two."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from sealane.testing.in_process import clusters
from sealane.testing.in_process_links import Link
from tests.conformance.replication.conftest import Replicated, documents_of, metadata_of, until


async def stopped(replicated: Replicated) -> Any:
    async def failed() -> Any:
        [shown] = await replicated.info()
        return shown if shown["status"] == "failed" else None

    return await until(failed)


@pytest.mark.parametrize("written", [0, 3, 40], ids=["behind", "behind but written", "ahead"])
async def test_a_leader_restored_from_an_old_copy(tmp_path: Path, written: int) -> None:
    """R-100: also where it has given the same numbers anew, and more of them than the follower has."""
    folder, backup = tmp_path / "there", tmp_path / "backup"
    async with clusters(tmp_path, "here", "there") as (here, there):
        replicated = Replicated(here, there, here.register(there, "eu"))
        await replicated.made(5)
        await there.call("POST", "/cities/_flush")
    stores = {each.name: each.store for each in (here, there)}
    shutil.copytree(folder, backup)
    async with clusters(tmp_path, "here", "there", stores=stores) as (here, there):
        replicated = Replicated(here, there, here.register(there, "eu"))
        await replicated.follow(read_poll_timeout="50ms")
        await replicated.write(*range(5, 20))
        await replicated.caught_up()
        kept = await documents_of(here, "copy")
    shutil.rmtree(folder)
    shutil.copytree(backup, folder)
    async with clusters(tmp_path, "here", "there", stores=stores) as (here, there):
        replicated = Replicated(here, there, here.register(there, "eu"))
        await replicated.write(*range(1000, 1000 + written))
        shown = await stopped(replicated)
        assert shown["failure"]["type"] == "illegal_state_exception"
        assert await documents_of(here, "copy") == kept
        await replicated.pause()
        refused = await replicated.resume()
        if written < 15:
            assert refused.status == 400
        else:
            await stopped(replicated)
        assert await documents_of(here, "copy") == kept


async def test_an_old_leader_restored_from_an_older_copy_does_not_fail_back(tmp_path: Path) -> None:
    """R-110, R-100: it has given the same numbers anew, so the two have less in common than their names say."""
    folder, backup = tmp_path / "there", tmp_path / "backup"
    async with clusters(tmp_path, "here", "there") as (here, there):
        await Replicated(here, there, here.register(there, "eu")).made(5)
    stores = {each.name: each.store for each in (here, there)}
    shutil.copytree(folder, backup)
    async with clusters(tmp_path, "here", "there", stores=stores) as (here, there):
        replicated = Replicated(here, there, here.register(there, "eu"))
        await replicated.follow()
        await replicated.write(*range(5, 20))
        await replicated.caught_up()
        await here.call("POST", "/copy/_ccr/promote")
    shutil.rmtree(folder)
    shutil.copytree(backup, folder)
    async with clusters(tmp_path, "here", "there", stores=stores) as (here, there):
        there.register(here, "us")
        await there.fill("cities", {f"anew{n}": {"n": n} for n in range(30)})
        before = await documents_of(there, "cities")
        body = {"remote_cluster": "us", "leader_index": "copy"}
        answer = await there.request("POST", "/cities/_ccr/failback", body)
        assert answer.status == 500
        assert "the histories of leader and follower have parted" in answer.body["error"]["reason"]
        assert await documents_of(there, "cities") == before
        await there.fill("cities", {"still": {"n": 1}})


async def test_a_leader_that_is_promoted_is_followed_on(tmp_path: Path) -> None:
    """R-49, R-65: its history has another name from then on, but continues what the follower has."""
    async with clusters(tmp_path, "here", "there", "third") as (here, there, third):
        replicated = Replicated(here, there, here.register(there, "eu"))
        there.register(third, "up")
        await third.fill("first", {"1": {"n": 1}})
        asked = {"remote_cluster": "up", "leader_index": "first"}
        await there.call("PUT", "/cities/_ccr/follow?wait_for_active_shards=1", asked)
        await replicated.follow(read_poll_timeout="50ms")
        replicated.link.is_cut = True
        await there.call("POST", "/cities/_ccr/promote")
        await replicated.write(5, 6)
        replicated.link.is_cut = False
        await replicated.caught_up()
        assert len(await replicated.equal()) == 3
        state = await there.engine.shard_state(metadata_of(there, "cities").uuid, 0)

        async def recorded() -> bool:
            following = metadata_of(here, "copy").following
            assert following is not None
            return following.history_uuids == (state.history_uuid,)

        await until(recorded)


async def test_a_damaged_answer_is_asked_for_again(replicated: Replicated) -> None:
    """R-106: a bit that has flipped on the way is found out, and nothing of that answer is applied."""
    await replicated.made(3)
    await replicated.follow(read_poll_timeout="20ms")
    replicated.here.links.add(Spoiling(replicated))
    await replicated.write(*range(3, 60))
    await replicated.caught_up()
    assert len(await replicated.equal()) == 60


class Spoiling(Link):
    """Of the first answers with operations, one bit each is another."""

    def __init__(self, replicated: Replicated) -> None:
        super().__init__("eu", replicated.there, skip_unavailable=True)
        self._left = 4

    async def ask_in_background(self, action: str, payload: bytes, ctx: Any) -> bytes:
        answer = bytearray(await super().ask_in_background(action, payload, ctx))
        if self._left and action.endswith("shard_changes") and len(answer) > 200:
            self._left -= 1
            answer[-50 * self._left - 20] ^= 1
        return bytes(answer)
