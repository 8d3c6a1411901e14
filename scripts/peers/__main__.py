"""`python -m scripts.peers`: compares our answers with those of real servers, and says where
they differ.

Exit code 0: nothing differs but what is known. 1: something does. 2: the comparison could not
be made.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from scripts.pairs import Pair, RunningPair
from scripts.peer_servers import ELASTICSEARCH, OPENSEARCH, PeerPair, PeersUnavailableError
from scripts.peers import duel, known, links, random, remote_info, report
from scripts.peers.compare import differences
from scripts.peers.request import Request
from scripts.rest import Answer, UnexpectedAnswerError
from scripts.sealane_pair import SealanePair
from scripts.server_process import ServerFailedError, end_servers_on_sigterm
from sealane.cli.dataset import DatasetMissingError

_CANNOT_COMPARE = 2
_RANDOM = 2_000
_AGREEMENT = 0.98
"""Of all answers, where some requests are made from seeds."""
_SHORT_FIXED, _SHORT_RANDOM = 100, 200


def main(arguments: list[str] | None = None) -> int:
    """Runs the duel and returns the exit code."""
    options = _parser().parse_args(arguments)
    for name in ("url", "sealane"):
        if len(getattr(options, name)) not in (0, 2):
            _parser().error(f"--{name} is given twice: the local and the remote cluster")
    end_servers_on_sigterm()
    console = Console(highlight=False)
    try:
        return _run(options, console)
    except (
        PeersUnavailableError,
        ServerFailedError,
        UnexpectedAnswerError,
        DatasetMissingError,
        known.KnownDifferencesError,
        OSError,
    ) as problem:
        console.print(str(problem), style="red", markup=False)
        for note in getattr(problem, "__notes__", ()):
            console.print(note, style="dim", markup=False)
        return _CANNOT_COMPARE


def _run(options: argparse.Namespace, console: Console) -> int:
    accepted = known.load()
    whole = options.only is None and options.sample is None and not options.short
    requests = _requests(options, whole=whole)
    if not requests:
        console.print(f"no request has [{options.only}] in its name", markup=False)
        return _CANNOT_COMPARE
    about_remotes: list[dict[str, Answer]] = []
    with console.status("starting") as status:

        def progress(text: str) -> None:
            status.update(text.replace("[", r"\["))

        def answers_of(pair: Pair, *, is_bystander: bool = False) -> dict[str, Answer]:
            with pair:
                answers = duel.ask(pair, requests, progress)
                if whole and not is_bystander:
                    about_remotes.append(remote_info.ask(pair, progress))
            console.print(f"{pair.label}: {len(answers)} answers", markup=False)
            return answers

        # One pair at a time: two of them would need 4 GB, and all cores.
        expected = answers_of(_judge(options, progress))
        bystander = None
        if not options.url and not options.no_opensearch:
            bystander = answers_of(PeerPair(OPENSEARCH, progress), is_bystander=True)
        contender = _contender(options, progress)
        actual = answers_of(contender)
    verdicts = duel.judge(requests, expected, actual, accepted, bystander)
    report.show(console, verdicts, contender.label)
    if whole:
        for entry in report.unused(verdicts, accepted):
            console.print(
                f"not met, take it out: {entry.request}  {entry.path}", style="yellow", markup=False
            )
    information = {}
    if bystander is not None:
        apart = sum(bool(differences(expected[name], bystander[name])) for name in expected)
        information = {"same": len(expected) - apart, "different": apart}
        console.print(
            f"for information: OpenSearch answers {apart} of {len(expected)} unlike Elasticsearch"
        )
    if about_remotes:
        verdicts += remote_info.report_on(console, *about_remotes)
    if options.json is not None:
        report.write_json(options.json, verdicts, information)
    unlinked = whole and not (options.no_links or options.url) and links.run(console) != 0
    console.print(report.summary(verdicts))
    return 1 if unlinked or _are_apart(verdicts, has_random=options.only is None) else 0


def _are_apart(verdicts: list[duel.Verdict], *, has_random: bool) -> bool:
    """Whether the two differ where that is not known. Of requests made from seeds a few may: two thousand of them reach
    what even two runs of the judge answer differently.
    """
    apart = sum(bool(verdict.unexplained) for verdict in verdicts)
    return apart > (len(verdicts) * (1 - _AGREEMENT) if has_random else 0)


def _requests(options: argparse.Namespace, *, whole: bool) -> list[Request]:
    if options.short:
        return [*duel.chosen(sample=_SHORT_FIXED), *random.requests_of(range(_SHORT_RANDOM))]
    count = options.random if options.random is not None else _RANDOM if whole else 0
    made = random.requests_of(range(options.seed, options.seed + count))
    if options.only == "random":
        return made
    return [*duel.chosen(options.only, options.sample), *made]


def _judge(options: argparse.Namespace, progress: Callable[[str], None]) -> Pair:
    if options.url:
        return RunningPair("Elasticsearch", *options.url)
    return PeerPair(ELASTICSEARCH, progress)


def _contender(options: argparse.Namespace, progress: Callable[[str], None]) -> Pair:
    if options.sealane:
        return RunningPair("Sealane", *options.sealane)
    return SealanePair(progress)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.peers", description=__doc__)
    parser.add_argument("--only", metavar="TEXT", help="only requests with this in their name")
    parser.add_argument(
        "--sample", metavar="N", type=int, help="only N requests, evenly chosen from all kinds"
    )
    parser.add_argument(
        "--random",
        metavar="N",
        type=int,
        help=f"how many requests made from seeds are asked (default {_RANDOM}; none with --only)",
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=0, help="the first of their seeds (default 0)"
    )
    parser.add_argument(
        "--short",
        action="store_true",
        help=f"{_SHORT_FIXED} of the fixed requests, and {_SHORT_RANDOM} made from seeds",
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the findings here too")
    parser.add_argument("--no-opensearch", action="store_true", help="leave OpenSearch out")
    parser.add_argument(
        "--no-links", action="store_true", help="leave out the links on the transport port"
    )
    parser.add_argument(
        "--url",
        action="append",
        default=[],
        metavar="URL",
        help="a running Elasticsearch to judge by, given twice (local, remote); starts none",
    )
    parser.add_argument(
        "--sealane",
        action="append",
        default=[],
        metavar="URL",
        help="a running node of ours, given twice (local, remote); starts none",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
