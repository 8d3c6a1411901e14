"""One cluster's side of a search in phases, over shards that are scripted."""

import asyncio
from typing import Any

from sealane.engine.base import ShardSearch
from sealane.model.task import Context, TaskRegistry
from sealane.remote.transport.messages_phases import CAN_MATCH, CanMatchRequest, ShardTarget
from sealane.search.shard_phases import ShardPhases


class Matching:
    """A reader whose even shards hold a match. `others_ran` is what it saw last of the rest of the program."""

    def __init__(self) -> None:
        self.others_run = self.others_ran = False

    async def can_match(self, index_uuid: str, shard: int, request: ShardSearch) -> bool:
        self.others_ran = self.others_run
        return shard % 2 == 0


class Defaults:
    def max_open_scrolls(self) -> int:
        return 1


async def test_looking_through_many_shards_does_not_hold_the_loop() -> None:
    reader: Any = Matching()
    defaults: Any = Defaults()
    phases = ShardPhases(
        resolve=lambda names, options, ctx: (),
        limits_of=lambda index, uuid, reached: None,
        reader=reader,
        node_id="n",
        defaults=defaults,
    )
    asyncio.get_running_loop().call_soon(setattr, reader, "others_run", True)
    with TaskRegistry("n").start("search", start_ms=0) as task:
        request = CanMatchRequest(b"{}", [ShardTarget("i", "u", n) for n in range(100)])
        answer = await phases.run(CAN_MATCH, request, Context(task=task))
    assert answer.matches == [n % 2 == 0 for n in range(100)]
    assert reader.others_ran
