"""A real process is killed in mid-bulk, again and again, over the same files."""

import json
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import tantivy

from sealane.engine.embedded.engine import EmbeddedEngine
from sealane.engine.embedded.view import ID
from sealane.model.document import OpKind

from .writer_process import CONFIG, make_engine

KILLS = 20
SCRIPT = Path(__file__).with_name("writer_process.py")


def _write_and_kill(folder: Path, seed: int) -> list[list[Any]]:
    """All that the process acknowledged before it was killed."""
    bulks = random.Random(seed).randrange(1, 60)
    acknowledged: list[list[Any]] = []
    with subprocess.Popen(
        [sys.executable, str(SCRIPT), str(folder), str(seed)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        for line in process.stdout:
            acknowledged.extend(json.loads(line))
            bulks -= 1
            if bulks == 0:
                process.send_signal(signal.SIGKILL)
                break
        # What it acknowledged between the last line read and its death counts as well.
        for line in process.stdout:
            if line.endswith(b"\n"):
                acknowledged.extend(json.loads(line))
    return acknowledged


async def _check(engine: EmbeddedEngine, acknowledged: list[list[Any]], term: int) -> None:
    state = await engine.shard_state(CONFIG.uuid, 0)
    assert state.primary_term == term
    assert state.checkpoint == state.max_seq_no
    found = await engine.changes(CONFIG.uuid, 0, 0, max_count=10**6, max_bytes=10**10)
    log = found.operations
    assert [op.seq_no for op in log] == list(range(state.max_seq_no + 1))
    for seq_no, doc_id, version, _result, source in acknowledged:
        op = log[seq_no]
        assert (op.id, op.version) == (doc_id, version)
        assert (op.source or b"") == source.encode()
    newest = {op.id: op for op in log}
    live = {doc_id: op for doc_id, op in newest.items() if op.kind is OpKind.INDEX}
    for doc_id, op in newest.items():
        document = await engine.get(CONFIG.uuid, doc_id, realtime=False)
        if op.kind is OpKind.DELETE:
            assert document is None
            continue
        assert document is not None
        assert (document.seq_no, document.version) == (op.seq_no, op.version)
        assert (document.source, document.primary_term) == (op.source, op.term)
    await _check_no_duplicates(engine, set(live))


async def _check_no_duplicates(engine: EmbeddedEngine, live: set[str]) -> None:
    assert (await engine.stats(CONFIG.uuid)).docs == len(live)
    reader = await engine.open_reader(CONFIG.uuid, 0)
    view = engine._readers.view(reader, CONFIG.uuid, 0, 0.0)
    for doc_id in live:
        query = tantivy.Query.term_query(view.schema, ID, doc_id)
        assert view.searcher.search(query, 2).count == 1


async def test_kill_minus_nine_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """R-94, R-95: after each of 20 kills every acknowledged operation is there, once, under its seq_no and version."""
    acknowledged: list[list[Any]] = []
    for kill in range(KILLS):
        acknowledged += _write_and_kill(tmp_path, kill)
        engine = make_engine(tmp_path)
        await engine.open_index(CONFIG, new=True)
        # The first start is term 1; each kill raises it, and the clean stops between do not.
        await _check(engine, acknowledged, term=kill + 2)
        await engine.close()
    assert len(acknowledged) > 1000
