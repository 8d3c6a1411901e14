"""`python -m scripts.peers.security`: the verdicts of a secured pair of ours beside those of a secured pair of real
servers: who is let in, who may do what on which cluster, and in which words the others are refused.

Exit code 0: nothing differs but what is known. 1: something does. 2: the comparison could not be made.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from scripts.peer_servers import PeersUnavailableError
from scripts.peers import known, report
from scripts.peers.compare import differences
from scripts.peers.duel import Verdict
from scripts.peers.security import asking
from scripts.peers.security.calls import Call, CallsError, every_call, sampled
from scripts.peers.security.contender import ContenderPair
from scripts.peers.security.judge import JudgePair
from scripts.peers.security.pair import SecuredPair
from scripts.rest import Answer, UnexpectedAnswerError
from scripts.server_process import ServerFailedError, end_servers_on_sigterm

KNOWN = Path(__file__).with_name("known_differences.toml")
_CANNOT_COMPARE = 2


def main(arguments: list[str] | None = None) -> int:
    """Runs the duel and returns the exit code."""
    options = _parser().parse_args(arguments)
    end_servers_on_sigterm()
    console = Console(highlight=False)
    try:
        return _run(options, console)
    except (
        PeersUnavailableError,
        ServerFailedError,
        UnexpectedAnswerError,
        CallsError,
        known.KnownDifferencesError,
        OSError,
    ) as problem:
        console.print(str(problem), style="red", markup=False)
        for note in getattr(problem, "__notes__", ()):
            console.print(note, style="dim", markup=False)
        return _CANNOT_COMPARE


def verdicts_of(
    calls: Sequence[Call],
    expected: dict[str, Answer],
    actual: dict[str, Answer],
    accepted: list[known.KnownDifference],
) -> list[Verdict]:
    """One for each call that is judged, in their order."""
    verdicts = []
    for call in calls:
        if not call.is_judged:
            continue
        verdict = Verdict(call.request(), [])
        for difference in differences(expected[call.name], actual[call.name]):
            entry = known.explain(call.name, difference, accepted)
            if entry is None:
                verdict.unexplained.append(difference)
            else:
                verdict.explained.append((difference, entry))
        verdicts.append(verdict)
    return verdicts


def _run(options: argparse.Namespace, console: Console) -> int:
    accepted = known.load(KNOWN)
    calls = every_call()
    if options.sample is not None:
        calls = sampled(calls, options.sample)
    # All are asked even so: what one does decides what another finds.
    compared = [call for call in calls if options.only is None or options.only in call.name]
    with console.status("starting") as status:

        def progress(text: str) -> None:
            status.update(text.replace("[", r"\["))

        # One pair at a time: two of them would need 3 GB, and all cores.
        expected = _judged_before(options.answers, calls)
        if expected is None:
            expected = _answers_of(JudgePair(progress), calls, progress, console)
            if options.answers is not None:
                _remember(options.answers, expected)
        contender = ContenderPair(progress)
        actual = _answers_of(contender, calls, progress, console)
    verdicts = verdicts_of(compared, expected, actual, accepted)
    report.show(console, verdicts, contender.label)
    if options.only is None and options.sample is None:
        for entry in report.unused(verdicts, accepted):
            told = f"not met, take it out: {entry.request}  {entry.path}"
            console.print(told, style="yellow", markup=False)
    if options.json is not None:
        report.write_json(options.json, verdicts, {})
    agree = sum(not verdict.unexplained for verdict in verdicts)
    console.print(report.summary(verdicts))
    console.print(f"security: {agree} of {len(verdicts)} verdicts agree")
    return 0 if agree == len(verdicts) else 1


def _answers_of(
    pair: SecuredPair, calls: Sequence[Call], progress: Callable[[str], None], console: Console
) -> dict[str, Answer]:
    with pair:
        answers = asking.ask(pair, calls, progress)
    console.print(f"{pair.label}: {len(answers)} answers", markup=False)
    return answers


def _judged_before(file: Path | None, calls: Sequence[Call]) -> dict[str, Answer] | None:
    """What the judge said in an earlier run, if that run asked just these calls."""
    if file is None or not file.is_file():
        return None
    kept = json.loads(file.read_text())
    if set(kept) != {call.name for call in calls}:
        return None
    return {name: Answer(*kept[name]) for name in kept}


def _remember(file: Path, answers: dict[str, Answer]) -> None:
    kept = {name: [answer.status, answer.body] for name, answer in answers.items()}
    file.write_text(json.dumps(kept, indent=1) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.peers.security", description=__doc__)
    parser.add_argument("--only", metavar="TEXT", help="compare only calls with this in their name")
    parser.add_argument(
        "--sample",
        metavar="N",
        type=int,
        help="only N calls, evenly chosen, and what they build on",
    )
    parser.add_argument(
        "--answers",
        metavar="FILE",
        type=Path,
        help="what the judge says is kept here, and taken from here the next time",
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the findings here too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
