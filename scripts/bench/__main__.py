"""`python -m scripts.bench`: measures ours against Elasticsearch and OpenSearch, and writes the
figures down; then, of ours alone, the transport, a node with a hundred remote clusters, searches
over 2 to 32 clusters, large merges, what security costs and how indices are followed.

Exit code 0: measured, whether the targets are met or not. 2: the measurement failed.
"""

import argparse
import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from scripts.bench import (
    clusters,
    machine,
    merges,
    remotes,
    replication,
    report,
    secured,
    transport,
    wrk,
)
from scripts.bench.measure import Documents, Effort, Measured, measure
from scripts.bench.rows import OURS, Row, rows
from scripts.bench.workloads import Workload, workloads
from scripts.pairs import Pair
from scripts.peer_servers import ELASTICSEARCH, OPENSEARCH, PeerPair, PeersUnavailableError
from scripts.rest import UnexpectedAnswerError
from scripts.sealane_pair import SealanePair
from scripts.server_process import ServerFailedError, end_servers_on_sigterm
from sealane.cli import dataset
from sealane.testing.process import NodeFailedError

_PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "benchmarks.md"
_SUBJECTS = ("elasticsearch", "opensearch", "sealane")
_PARTS: dict[str, Callable[[float, Callable[[str], None]], tuple[list[Row], dict[str, Any]]]] = {
    "transport": transport.measure,
    "remotes": remotes.measure,
    "clusters": clusters.measure,
    "merges": merges.measure,
    "security": secured.measure,
    "replication": replication.measure,
}
"""What is measured of ours alone."""
_FAILED = 2


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark and returns the exit code."""
    options = _parser().parse_args(arguments)
    end_servers_on_sigterm()
    console = Console(highlight=False)
    try:
        return _run(options, console)
    except (
        PeersUnavailableError,
        ServerFailedError,
        NodeFailedError,
        UnexpectedAnswerError,
        dataset.DatasetMissingError,
        wrk.WrkError,
        OSError,
    ) as problem:
        console.print(str(problem), style="red", markup=False)
        for note in getattr(problem, "__notes__", ()):
            console.print(note, style="dim", markup=False)
        return _FAILED


def _run(options: argparse.Namespace, console: Console) -> int:
    effort = _effort(options)
    subjects, parts = _subjects(options), _parts(options)
    made: list[Row] = []
    numbers: dict[str, Any] = {}
    with console.status("starting") as status:
        measured = _measure_all(subjects, effort, status.update)
        for part in parts:
            rows_of_part, numbers[part] = _PARTS[part](effort.seconds, status.update)
            made += rows_of_part
    _warn_of_other_answers(console, measured)
    if measured:
        made = rows(measured) + made
    labels = [one.label for one in measured] or [OURS]
    facts = machine.facts()
    report.show(console, made, labels)
    if options.json is not None:
        report.write_json(options.json, measured, made, facts, numbers)
    page = options.page
    if page is None and not (options.quick or options.only or options.no_peers):
        page = _PAGE
    if page is not None:
        page.parent.mkdir(parents=True, exist_ok=True)
        command = "make bench" if page == _PAGE else "python -m scripts.bench"
        page.write_text(report.markdown(made, labels, facts, effort if measured else None, command))
        console.print(f"written: {page}", markup=False)
    missed = [row for row in made if row.is_met is False]
    judged = [row for row in made if row.is_met is not None]
    console.print(f"targets met: {len(judged) - len(missed)} of {len(judged)}")
    return 0


def _measure_all(
    subjects: list[str], effort: Effort, progress: Callable[[str], None]
) -> list[Measured]:
    if not subjects:
        return []
    wrk.require()
    here, there = (
        list(itertools.islice(dataset.cities(group), effort.documents))
        for group in dataset.CONTINENT_GROUPS
    )
    searches = workloads([source["name"] for _, source in (*here, *there)])
    return [_measure(subject, here, there, searches, effort, progress) for subject in subjects]


def _measure(
    subject: str,
    here: Documents,
    there: Documents,
    searches: list[Workload],
    effort: Effort,
    progress: Callable[[str], None],
) -> Measured:
    pair: Pair
    match subject:
        case "elasticsearch":
            pair = PeerPair(ELASTICSEARCH, progress)
        case "opensearch":
            pair = PeerPair(OPENSEARCH, progress)
        case _:
            pair = SealanePair(progress)
            # Nothing here is compiled while it runs; one slice fills the caches as a peer's are.
            effort = effort.without_jvm()
    with pair:
        return measure(
            pair, here=here, there=there, searches=searches, effort=effort, progress=progress
        )


def _warn_of_other_answers(console: Console, measured: list[Measured]) -> None:
    """Speeds can only be compared when everybody found the same."""
    if not measured:
        return
    first = measured[0]
    for other in measured[1:]:
        for key, hits in first.hits.items():
            if other.hits[key] != hits:
                console.print(
                    f"{'/'.join(key)}: {first.label} found {hits}, {other.label} {other.hits[key]}",
                    style="yellow",
                    markup=False,
                )


def _effort(options: argparse.Namespace) -> Effort:
    quick = options.quick
    return Effort(
        documents=options.documents or (20_000 if quick else 100_000),
        seconds=options.seconds or (2.0 if quick else 8.0),
        rounds=1 if quick else 2,
        warm_up_bulks=1 if quick else 3,
        warm_up_requests=options.warm_up_requests,
        warm_up_seconds=options.warm_up_seconds or (3.0 if quick else 20.0),
    )


def _subjects(options: argparse.Namespace) -> list[str]:
    if options.no_peers:
        return ["sealane"]
    return [subject for subject in _SUBJECTS if not options.only or subject in options.only]


def _parts(options: argparse.Namespace) -> list[str]:
    if options.no_peers:
        return []
    return [part for part in _PARTS if not options.only or part in options.only]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few minutes, rough figures")
    parser.add_argument(
        "--only", action="append", choices=(*_SUBJECTS, *_PARTS), help="may be repeated"
    )
    parser.add_argument("--no-peers", action="store_true", help="the same as --only sealane")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every figure here")
    parser.add_argument(
        "--page",
        metavar="FILE",
        type=Path,
        help="write the page here; a whole run with both peers writes docs/benchmarks.md anyway",
    )
    parser.add_argument("--documents", type=int, help="documents a cluster at most")
    parser.add_argument("--seconds", type=float, help="length of one measurement")
    parser.add_argument(
        "--warm-up-requests",
        type=int,
        default=20_000,
        help="for each search (default: %(default)s)",
    )
    parser.add_argument("--warm-up-seconds", type=float, help="for each search, at most")
    return parser


if __name__ == "__main__":
    sys.exit(main())
