"""`_open` and `_close` of one index by several callers at the same time."""

import asyncio
import random
from pathlib import Path

from sealane.testing.in_process import Answer, InProcessCluster, clusters


class Caller:
    """Writes, opens and closes in an order of its own."""

    def __init__(self, cluster: InProcessCluster, number: int) -> None:
        self._cluster = cluster
        self._number = number
        self._chance = random.Random(number)
        self.written = 0
        self.refused: list[Answer] = []

    async def run(self) -> None:
        for each in range(20):
            if self._chance.random() < 0.4:
                path = f"/a/_doc/{self._number}-{each}"
                answer = await self._cluster.request("PUT", path, {"n": each})
                self.written += answer.status == 201
                continue
            call = self._chance.choice(["_open", "_close"])
            answer = await self._cluster.request("POST", f"/a/{call}")
            if answer.status != 200:
                self.refused.append(answer)


async def test_each_is_answered_and_the_last_one_holds(tmp_path: Path) -> None:
    """None of them fails for the other's sake, and nothing that was acknowledged is lost."""
    async with clusters(tmp_path, "here") as (here,):
        await here.call("PUT", "/a")
        callers = [Caller(here, number) for number in range(8)]
        async with asyncio.TaskGroup() as group:
            for each in callers:
                group.create_task(each.run())
        assert [answer.body for each in callers for answer in each.refused] == []
        await here.call("POST", "/a/_open")
        await here.call("POST", "/a/_refresh")
        written = sum(each.written for each in callers)
        assert (await here.call("GET", "/a/_count"))["count"] == written
