"""A real process is killed while it copies and follows, again and again, over the same files."""

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

from sealane.engine.embedded.engine import EmbeddedEngine
from sealane.model.document import OpKind

from .follower_process import CONFIG, COPY_TO, documents_at, leaders_history
from .writer_process import make_engine

KILLS = 20
REPOSITORY = Path(__file__).parents[3]


def _follow_and_kill(folder: Path, seed: int) -> int:
    """The last checkpoint that the process acknowledged before it was killed; -1 where it came to none."""
    steps = random.Random(seed).randrange(1, 12)
    acknowledged = -1
    with subprocess.Popen(
        [sys.executable, "-m", "tests.integration.engine.follower_process", str(folder), str(seed)],
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        for line in process.stdout:
            if line.endswith(b"\n"):
                acknowledged = json.loads(line)
            steps -= 1
            if steps == 0:
                process.send_signal(signal.SIGKILL)
    return acknowledged


async def _check(engine: EmbeddedEngine) -> int:
    """All up to the checkpoint is there as the leader has it, and nothing else. Returns the checkpoint."""
    state = await engine.shard_state(CONFIG.uuid, 0)
    at = state.checkpoint
    assert state.max_seq_no == at
    found = await engine.live_documents(CONFIG.uuid, 0, 0, at, max_count=10**6, max_bytes=10**9)
    expected = documents_at(max(at, COPY_TO))
    assert [
        (op.seq_no, op.term, op.version, op.id, op.source) for op in found.operations
    ] == sorted(
        (op.seq_no, op.term, op.version, op.id, op.source)
        for op in expected.values()
        if op.seq_no <= at
    )
    assert found.total_docs == len(found.operations)
    floor = await engine.log_floor(CONFIG.uuid, 0)
    assert floor == min(at, COPY_TO) + 1
    log = await engine.changes(CONFIG.uuid, 0, floor, max_count=10**6, max_bytes=10**9)
    assert list(log.operations) == leaders_history()[floor : at + 1]
    for op in random.Random(at).sample(leaders_history()[: at + 1], min(at + 1, 50)):
        if op.kind is not OpKind.NO_OP and at >= COPY_TO:
            document = await engine.get(CONFIG.uuid, op.id)
            there = expected.get(op.id)
            assert (document and document.seq_no) == (there and there.seq_no)
    return at


async def test_kill_minus_nine_leaves_a_prefix_of_the_leader(tmp_path: Path) -> None:
    """R-92, R-93: after each of 20 kills what is there is what the checkpoint says, and it never goes back."""
    last = -1
    in_copy = in_tail = 0
    for kill in range(KILLS):
        acknowledged = _follow_and_kill(tmp_path, kill)
        engine = make_engine(tmp_path)
        await engine.open_index(CONFIG, new=True)
        at = await _check(engine)
        assert at >= acknowledged >= -1
        assert at >= last
        last = at
        in_copy, in_tail = in_copy + (at < COPY_TO), in_tail + (at >= COPY_TO)
        await engine.close()
    assert in_copy
    assert in_tail
