from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from sealane.testing.in_process import InProcessCluster, clusters
from tests.properties.search.generator import MAPPING, OPTIONAL, Case, Json

tally: Counter[str] = Counter()
"""What the duel has compared so far: `requests`, `seeds`, `clusters`."""
UNION = "union"
"""The index, and the cluster of one shard, that hold all documents."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How much the union duel has compared."""
    if tally["requests"]:
        compared, searched = tally["requests"], tally["clusters"]
        terminalreporter.write_line(
            f"union duel: {compared} requests over {tally['seeds']} sets of documents in "
            f"{searched} clusters, each answered as by one index"
        )


class Duel:
    """The same documents twice: spread over clusters that are searched as one, and in one index of one shard."""

    def __init__(self, case: Case, parts: list[InProcessCluster], union: InProcessCluster) -> None:
        self.case = case
        self.parts = parts
        self.local = parts[0]
        self.union = union
        self.expression = ",".join(["part", *(f"{each.name}:part" for each in parts[1:])])


Stage = Callable[[Case], AbstractAsyncContextManager[Duel]]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """`async with stage(case) as duel:` its clusters, filled and registered with the first of them."""

    @asynccontextmanager
    async def stage(case: Case) -> AsyncIterator[Duel]:
        names = [f"c{n}" for n in range(len(case.shards))]
        async with clusters(tmp_path, UNION, *names) as (union, *parts):
            for cluster, shards, documents in zip(parts, case.shards, case.documents, strict=True):
                await _create(cluster, "part", shards, documents)
                await _fill(cluster, "part", documents)
            await _create(union, UNION, 1, case.union)
            await _fill(union, UNION, case.union)
            for each in parts[1:]:
                parts[0].register(each, skip_unavailable=False)
            tally.update(seeds=1, clusters=len(parts))
            yield Duel(case, parts, union)

    return stage


async def _fill(cluster: InProcessCluster, index: str, documents: dict[str, Json]) -> None:
    """In three bulks, so in several segments. The first writes what the last then replaces."""
    uids = sorted(documents)
    early, late = uids[: len(uids) // 3], uids[len(uids) // 3 :]
    stale = {uid: {"uid": uid, "number": 999, "tag": "stale"} for uid in late[::3]}
    await cluster.fill(index, stale)
    await cluster.fill(index, {uid: documents[uid] for uid in early})
    await cluster.fill(index, {uid: documents[uid] for uid in late})


async def _create(
    cluster: InProcessCluster, index: str, shards: int, documents: dict[str, Json]
) -> None:
    """An optional field is mapped where a document has it, and unmapped elsewhere."""
    present = {name for document in documents.values() for name in document}
    optional = {name: OPTIONAL[name] for name in OPTIONAL if name in present}
    body = {
        "settings": {"number_of_shards": shards, "refresh_interval": -1},
        "mappings": {"properties": MAPPING | optional},
    }
    await cluster.call("PUT", f"/{index}", body)
