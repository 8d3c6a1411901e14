"""The part `merges`: the coordinator's work on terms with very many buckets.

Answers of clusters are written down as they come over the wire; a process of its own reads, decodes and merges them,
and tells how long that took and how much memory it needed above what it began with.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from scripts.bench.rows import OURS, Row
from sealane.model.dsl import TermsAgg
from sealane.query import parse_search_body
from sealane.reduce import merge
from sealane.reduce.packed_terms import packed
from sealane.reduce.partial import (
    MetricPartial,
    Partial,
    ShardCounts,
    TermBucket,
    TermsPartial,
)

_CLUSTERS, _BUCKETS = 8, 100_000
_SHARED = 4
"""Each cluster's keys begin a fourth of them after those of the one before: most are with several clusters."""
_TARGET_S, _TARGET_MB = 1.0, 300.0
_RUNS = 3
_SUBS: dict[str, dict[str, Any]] = {
    "counts": {},
    "with a sum": {"aggs": {"s": {"sum": {"field": "n"}}}},
}


@dataclass(frozen=True, slots=True)
class Merged:
    """The best of some runs. `megabytes` are the largest of them."""

    what: str
    buckets: int
    wire_megabytes: float
    seconds: float
    megabytes: float


def measure(seconds: float, progress: Callable[[str], None]) -> tuple[list[Row], dict[str, Any]]:
    """Each kind of merge a few times, however many `seconds` there are. Returns the rows and the same as numbers."""
    found = []
    with tempfile.TemporaryDirectory(prefix="sealane-bench-") as name:
        for what in _SUBS:
            progress(f"merges: {_CLUSTERS} x {_BUCKETS:,} terms, {what}")
            folder = Path(name) / what.replace(" ", "-")
            folder.mkdir()
            _write(folder, _body(what, _BUCKETS))
            found += [_in_a_process(folder, what, size) for size in (10, _BUCKETS)]
    return [row for each in found for row in _rows(each)], {"merges": [asdict(e) for e in found]}


def _rows(each: Merged) -> list[Row]:
    what = f"{_CLUSTERS} x {_BUCKETS:,} terms {each.what}, {each.buckets:,} returned"
    return [
        Row(
            "Merges",
            f"{what}: seconds",
            {OURS: f"{each.seconds:.2f}"},
            target=f"< {_TARGET_S:g}",
            is_met=each.seconds < _TARGET_S,
        ),
        Row(
            "Merges",
            f"{what}: MB above the start",
            {OURS: f"{each.megabytes:.0f}"},
            target=f"< {_TARGET_MB:g}",
            is_met=each.megabytes < _TARGET_MB,
        ),
    ]


def _body(what: str, size: int) -> bytes:
    terms = {"terms": {"field": "k", "size": size}, **_SUBS[what]}
    return json.dumps({"size": 0, "aggs": {"x": terms}}).encode()


def _write(folder: Path, raw: bytes) -> None:
    """One file a cluster, with the bytes of its answer."""
    (spec,) = parse_search_body(raw).aggs
    assert isinstance(spec, TermsAgg)
    rng = random.Random(1)
    encode = msgspec.msgpack.Encoder().encode
    for cluster in range(_CLUSTERS):
        first = cluster * _BUCKETS // _SHARED
        buckets = [
            TermBucket(
                f"user-{first + at:08}",
                rng.randrange(1, 1_000),
                {"s": MetricPartial(3, rng.random(), 0.0, 1.0)} if spec.subs else None,
            )
            for at in range(_BUCKETS)
        ]
        terms = packed(TermsPartial(buckets, 0, None, "keyword"), spec)
        answer = Partial([], None, None, ShardCounts(1, 1), aggs={"x": terms})
        (folder / str(cluster)).write_bytes(encode(answer))


def _in_a_process(folder: Path, what: str, size: int) -> Merged:
    runs = []
    for _ in range(_RUNS):
        command = [sys.executable, "-m", "scripts.bench.merges", str(folder), what, str(size)]
        done = subprocess.run(command, check=True, capture_output=True)
        runs.append(json.loads(done.stdout))
    wire = sum(each.stat().st_size for each in folder.iterdir()) / 1e6
    return Merged(
        what,
        size,
        wire,
        min(run["seconds"] for run in runs),
        max(run["megabytes"] for run in runs),
    )


def _peak_megabytes() -> float:
    """Of this process alone: what `getrusage` tells is inherited."""
    status = Path("/proc/self/status").read_text()
    (line,) = (each for each in status.splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def _merge(folder: Path, what: str, size: int) -> dict[str, float]:
    """Decodes and merges what is in the folder. Raises ValueError where the answer is another than expected."""
    import numpy  # noqa: F401 - a node has it loaded after its first such request

    body = parse_search_body(_body(what, size))
    decoder = msgspec.msgpack.Decoder(Partial)
    before = _peak_megabytes()
    answers = [each.read_bytes() for each in sorted(folder.iterdir())]
    began = time.perf_counter()
    parts = [decoder.decode(each) for each in answers]
    whole = merge(body, parts, from_=0, size=0, final=True, max_buckets=_BUCKETS, by_cluster=True)
    passed = time.perf_counter() - began
    terms = (whole.aggs or {})["x"]
    if not isinstance(terms, TermsPartial) or len(terms.buckets) != size:
        raise ValueError(f"the merge did not return {size} buckets")
    return {"seconds": passed, "megabytes": _peak_megabytes() - before}


if __name__ == "__main__":
    print(json.dumps(_merge(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
