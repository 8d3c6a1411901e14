"""Writes to an engine until it is killed: `writer_process.py FOLDER SEED`. Each acknowledged bulk is a line of JSON."""

import asyncio
import json
import random
import sys
from pathlib import Path

from sealane.clock import RandomIds, SystemClock
from sealane.engine.base import IndexConfig
from sealane.engine.embedded.engine import EmbeddedEngine
from sealane.engine.mapping import parse_mapping
from sealane.errors import ApiError
from sealane.model.document import OpType, WriteOp
from sealane.model.task import Context, TaskRegistry
from sealane.testing.fake_engine import FakeMappings

MAPPING = parse_mapping(
    {
        "properties": {
            "n": {"type": "long"},
            "text": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
        }
    }
)
CONFIG = IndexConfig(
    uuid="killed", shards=1, mapping=MAPPING, settings={"index.refresh_interval": "50ms"}
)
IDS = [f"doc-{n}" for n in range(400)]


class NoSearcher:
    """Nobody searches here."""

    def cached(self, view: object, request: object) -> None:
        return None

    def search_shard(self, view: object, request: object, check: object) -> None:
        raise AssertionError("searched")


def make_engine(folder: Path) -> EmbeddedEngine:
    return EmbeddedEngine(
        folder,
        clock=SystemClock(),
        ids=RandomIds(),
        mappings=FakeMappings(),
        searcher=NoSearcher(),  # type: ignore[arg-type]
    )


def _some_operations(chance: random.Random) -> list[WriteOp]:
    operations = []
    for _ in range(chance.choice((1, 20, 200))):
        doc_id = chance.choice(IDS)
        if chance.random() < 0.2:
            operations.append(WriteOp(op=OpType.DELETE, id=doc_id))
            continue
        source = json.dumps({"n": chance.randrange(10**6), "text": "some words " * 5}).encode()
        new_id = None if chance.random() < 0.3 else doc_id
        operations.append(WriteOp(op=OpType.INDEX, id=new_id, source=source))
    return operations


async def main(folder: Path, seed: int) -> None:
    chance = random.Random(seed)
    engine = make_engine(folder)
    await engine.open_index(CONFIG, new=True)
    registry = TaskRegistry("writer")
    print("ready", flush=True)
    async with asyncio.TaskGroup() as group:
        group.create_task(engine.run())
        while True:
            operations = _some_operations(chance)
            with registry.start("bulk", start_ms=0) as task:
                outcomes = await engine.bulk(CONFIG.uuid, operations, Context(task=task))
            acknowledged = [
                (r.seq_no, r.id, r.version, r.result, (op.source or b"").decode())
                for op, r in zip(operations, outcomes, strict=True)
                if not isinstance(r, ApiError)
            ]
            print(json.dumps(acknowledged), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
