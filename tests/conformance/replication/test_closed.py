"""Where one of the two is closed, everything that is asked says so, by name."""

from typing import Any

from tests.conformance.replication.conftest import Replicated, metadata_of, until


def closed(index: str, uuid: str) -> dict[str, Any]:
    return {
        "type": "index_closed_exception",
        "reason": "closed",
        "index_uuid": uuid,
        "index": index,
    }


async def test_a_closed_follower_tells_what_it_waits_for(replicated: Replicated) -> None:
    """R-40, R-91: and goes on when it is opened."""
    await replicated.made(3)
    await replicated.follow()
    await replicated.close()
    uuid = metadata_of(replicated.here, "copy").uuid

    async def told() -> Any:
        shown = (await replicated.stats())["sealane"]
        return shown if shown["phase"] == "waiting" else None

    assert (await until(told))["last_error"] == closed("copy", uuid)
    await replicated.write(3)
    await replicated.here.call("POST", "/copy/_open")
    await replicated.caught_up()
    assert "last_error" not in (await replicated.stats())["sealane"]
    await replicated.equal()


async def test_a_closed_follower_is_not_verified(replicated: Replicated) -> None:
    await replicated.made(3)
    await replicated.follow()
    await replicated.pause()
    await replicated.close()
    answer = await replicated.here.request("GET", "/copy/_ccr/verify")
    uuid = metadata_of(replicated.here, "copy").uuid
    assert (answer.status, answer.body["error"]["root_cause"]) == (400, [closed("copy", uuid)])


async def test_a_follower_is_not_verified_by_a_closed_leader(replicated: Replicated) -> None:
    await replicated.made(3)
    await replicated.follow()
    await replicated.there.call("POST", "/cities/_close")
    answer = await replicated.here.request("GET", "/copy/_ccr/verify")
    uuid = metadata_of(replicated.there, "cities").uuid
    assert (answer.status, answer.body["error"]["root_cause"]) == (400, [closed("cities", uuid)])
