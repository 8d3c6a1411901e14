"""Takes a leader's history until it is killed or has all: `follower_process.py FOLDER SEED`. Each acknowledged step is
a line of JSON: the checkpoint then. First comes a copy of the leader as it was at COPY_TO, then the operations behind.
"""

import asyncio
import json
import random
import sys
from functools import cache
from pathlib import Path

from sealane.engine.base import IndexConfig
from sealane.engine.embedded.engine import EmbeddedEngine
from sealane.model.document import Operation, OpKind
from tests.integration.engine.writer_process import MAPPING, make_engine

CONFIG = IndexConfig(
    uuid="follower",
    shards=1,
    mapping=MAPPING,
    settings={"index.refresh_interval": "50ms", "index.xpack.ccr.following_index": "true"},
)
OPERATIONS = 40_000
COPY_TO = 6_000


@cache
def leaders_history() -> list[Operation]:
    """The same in every process."""
    chance = random.Random("history")
    versions: dict[str, int] = {}
    found: list[Operation] = []
    for seq_no in range(OPERATIONS):
        doc_id = f"doc-{chance.randrange(4_000)}"
        versions[doc_id] = versions.get(doc_id, 0) + 1
        kind, source = OpKind.INDEX, b'{"n":%d,"text":"%s"}' % (seq_no, b"word " * 5)
        draw = chance.random()
        if draw < 0.2:
            kind, source = OpKind.DELETE, None
        elif draw < 0.22:
            kind, source, doc_id = OpKind.NO_OP, None, ""
        found.append(
            Operation(seq_no, 1, versions.get(doc_id, 1), kind, doc_id, None, source, seq_no)
        )
    return found


def documents_at(seq_no: int) -> dict[str, Operation]:
    """The leader's live documents after that operation, by id."""
    newest = {op.id: op for op in leaders_history()[: seq_no + 1] if op.kind is not OpKind.NO_OP}
    return {doc_id: op for doc_id, op in newest.items() if op.kind is OpKind.INDEX}


async def _take_some(engine: EmbeddedEngine, checkpoint: int, chance: random.Random) -> int:
    size = chance.choice((1, 30, 400))
    if checkpoint < COPY_TO:
        up_to = min(checkpoint + size * 2, COPY_TO)
        page = [op for op in documents_at(COPY_TO).values() if checkpoint < op.seq_no <= up_to]
        page.sort(key=lambda op: op.seq_no)
        state = await engine.apply_copied(CONFIG.uuid, 0, page, up_to=up_to)
    else:
        # Some of it once more, as after an answer that was lost.
        begin = max(COPY_TO + 1, checkpoint + 1 - chance.choice((0, 0, 50)))
        batch = leaders_history()[begin : checkpoint + 1 + size]
        state = await engine.apply_replica(CONFIG.uuid, 0, batch)
    return state.checkpoint


async def main(folder: Path, seed: int) -> None:
    chance = random.Random(seed)
    engine = make_engine(folder)
    await engine.open_index(CONFIG, new=True)
    checkpoint = (await engine.shard_state(CONFIG.uuid, 0)).checkpoint
    leaders_history()
    print("ready", flush=True)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(engine.run())
        while checkpoint < OPERATIONS - 1:
            checkpoint = await _take_some(engine, checkpoint, chance)
            print(json.dumps(checkpoint), flush=True)
        running.cancel()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
