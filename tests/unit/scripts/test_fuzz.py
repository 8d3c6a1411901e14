"""What a fuzzing run prints is understood, and its corpus kept small."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from scripts.fuzz import run as fuzzing

from tests.fuzz import corpus_files

GOOD = """\
#2\tINITED cov: 65 ft: 66 corp: 1/1b exec/s: 0 rss: 41Mb
#5000\tREDUCE cov: 70 ft: 90 corp: 9/80b lim: 9 exec/s: 0 rss: 45Mb L: 3/9 MS: 1 EraseBytes-
#100000\tDONE   cov: 77 ft: 223 corp: 63/774b lim: 128 exec/s: 0 rss: 62Mb
Done 100000 runs in 4 second(s)
"""
BAD = """\
#2\tINITED cov: 65 ft: 66 corp: 1/1b exec/s: 0 rss: 41Mb
 === Uncaught Python exception: ===
TypeError: no
artifact_prefix='.fuzz/frames-'; Test unit written to .fuzz/frames-crash-01
"""


def watched(output: str, code: int = 0, cases: int = 100_000) -> fuzzing.Run:
    run = fuzzing.Run("frames")
    process = SimpleNamespace(stdout=io.StringIO(output), wait=lambda: code, returncode=code)
    fuzzing._watch(process, run, cases)  # type: ignore[arg-type]
    return run


def test_a_run_that_found_nothing() -> None:
    run = watched(GOOD)
    assert run.is_good
    assert (run.cases, run.coverage, run.seconds) == (100_000, 77, 4)
    assert (run.memory_early_mb, run.memory_mb, run.grew_mb) == (45, 62, 17)


def test_a_finding_names_its_file() -> None:
    run = watched(BAD, 77)
    assert not run.is_good
    assert run.finding == ".fuzz/frames-crash-01"
    assert "TypeError: no" in run.said


def test_a_process_that_just_ends_is_a_finding() -> None:
    assert watched(GOOD, 1).finding == "ended with 1"


def test_memory_that_grows_is_a_finding() -> None:
    run = watched(GOOD.replace("rss: 62Mb", "rss: 900Mb"))
    assert run.finding == ""
    assert not run.is_good


def test_a_corpus_is_kept_sorted_once_and_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_files, "FOLDER", tmp_path)
    corpus_files.write_corpus("one", [b"bb", b"", b"a", b"bb", b"\xff\n"])
    assert corpus_files.read_corpus("one") == [b"", b"a", b"bb", b"\xff\n"]
    assert corpus_files.read_corpus("none") == []
    assert list(fuzzing._within([b"x" * 20_000, b"y" * 20_000])) == [b"x" * 20_000]
