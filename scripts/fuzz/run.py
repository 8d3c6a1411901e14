"""Starts libFuzzer for one target, reads what it prints, and keeps the corpus it found small."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

from tests.fuzz.corpus_files import read_corpus, write_corpus
from tests.fuzz.registry import MODULE_OF
from tests.fuzz.target import Target

_WORKER = Path(__file__).with_name("worker.py")
CASE_TIMEOUT_S = 20
"""Wall time of one case after which it counts as hanging; the machine may be busy with other things."""
GROWTH_MAX_MB = 160
"""Of memory between the first tenth of a run and its end; libFuzzer keeps its own corpus and counters there."""
_MEMORY_MAX_MB = 1500
_KEPT_MAX_BYTES = 40_000
"""Of one target's corpus in the repository."""
_PROGRESS = re.compile(r"^#(\d+)\s+\w+\s+cov: (\d+).* corp: (\d+)/\S+ .*rss: (\d+)Mb")
_FINDING = re.compile(r"Test unit written to (\S+)")


@dataclass
class Run:
    """What came of one target. `finding` is the file of the input that broke it; `said` the end of its output."""

    target: str
    cases: int = 0
    seconds: float = 0.0
    coverage: int = 0
    kept: int = 0
    memory_early_mb: int = 0
    memory_mb: int = 0
    finding: str = ""
    said: str = ""

    @property
    def grew_mb(self) -> int:
        return self.memory_mb - self.memory_early_mb

    @property
    def is_good(self) -> bool:
        return not self.finding and self.grew_mb <= GROWTH_MAX_MB


def fuzz(target: Target, cases: int, folder: Path) -> Run:
    """Runs at least `cases` inputs, and writes the corpus back. Inputs that break it are left in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as temporary:
        corpus = Path(temporary, "corpus")
        write_inputs(corpus, (*target.seeds(), *read_corpus(target.name)))
        words = Path(temporary, "words")
        shown = "".join(f'"{_escaped(word)}"\n' for word in target.words)
        words.write_text(f"# what means something to the reader\n{shown}", "ascii")
        run = Run(target.name)
        _watch(
            _libfuzzer(
                target,
                f"-runs={cases}",
                f"-max_len={target.max_len}",
                f"-timeout={CASE_TIMEOUT_S}",
                f"-rss_limit_mb={_MEMORY_MAX_MB}",
                f"-artifact_prefix={folder}/{target.name}-",
                f"-dict={words}",
                "-print_final_stats=1",
                str(corpus),
            ),
            run,
            cases,
        )
        run.kept = _keep(target, corpus, Path(temporary, "kept"))
    return run


def write_inputs(folder: Path, inputs: Iterable[bytes]) -> None:
    folder.mkdir()
    for each in inputs:
        Path(folder, sha1(each, usedforsecurity=False).hexdigest()).write_bytes(each)


def _libfuzzer(target: Target, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(_WORKER), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={
            **os.environ,
            "PYTHONPATH": str(_WORKER.parents[2]),
            "FUZZ_MODULE": MODULE_OF[target.name],
            "FUZZ_TARGET": target.name,
        },
    )


def _watch(process: subprocess.Popen[str], run: Run, cases: int) -> None:
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said = [*said[-60:], line]
        progress = _PROGRESS.match(line)
        if progress is not None:
            run.cases, run.coverage, _, run.memory_mb = map(int, progress.groups())
            if run.cases <= cases // 10 or not run.memory_early_mb:
                run.memory_early_mb = run.memory_mb
        elif line.startswith("Done "):
            run.cases, run.seconds = int(line.split()[1]), float(line.split()[4])
        elif found := _FINDING.search(line):
            run.finding = found[1]
    if process.wait() and not run.finding:
        run.finding = f"ended with {process.returncode}"
    if run.finding:
        run.said = "".join(said)


def _keep(target: Target, corpus: Path, kept: Path) -> int:
    """Keeps the least inputs that reach what all of them reach; returns how many."""
    kept.mkdir()
    limit = f"-max_len={target.max_len}"
    merge = _libfuzzer(target, "-merge=1", limit, str(kept), str(corpus))
    merge.communicate()
    if merge.returncode:
        return len(read_corpus(target.name))
    chosen = list(_within(sorted((each.read_bytes() for each in kept.iterdir()), key=len)))
    write_corpus(target.name, chosen)
    return len(chosen)


def _within(inputs: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for each in inputs:
        size += 4 * len(each) // 3 + 4
        if size > _KEPT_MAX_BYTES:
            return
        yield each


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)
