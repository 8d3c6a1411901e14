"""The duel of remote clusters: the same settings on a real server and on ours, then their answers to
`PUT /_cluster/settings`, what they have stored, and their `_remote/info`, field by field and in order.

`python -m scripts.peers` runs it with the rest. Alone, against nodes that run already:

    python -m scripts.peers.remote_info --url LOCAL --url REMOTE --sealane LOCAL --sealane REMOTE

Each product has its own kind as its remote. Aliases of the duel begin with `duel_` and are removed at the end.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from scripts.pairs import Pair, RunningPair, transport_address
from scripts.peers import known, report
from scripts.peers.duel import Verdict, judge
from scripts.peers.normalise import Names, names_of, normalised
from scripts.peers.remote_bodies import changes
from scripts.peers.remote_change import Change
from scripts.peers.remote_situations import INFO, LOCAL, REMOTE, Situation, situations
from scripts.peers.request import Request
from scripts.rest import Answer, Rest, UnexpectedAnswerError

KNOWN = Path(__file__).with_name("remote_differences.toml")
_SETTINGS = "/_cluster/settings"
_PREFIX = "duel_"
_NOTHING = {scope: {f"cluster.remote.{_PREFIX}*": None} for scope in ("persistent", "transient")}
_PATIENCE_S = 30.0
_POLL_S = 0.05


def requests() -> list[Request]:
    """What is compared, as the report shows it."""
    return [
        *(
            Request(_name(each), "PUT", _SETTINGS + each.parameters, each.body or None)
            for each in changes()
        ),
        *(
            Request(_name(each), each.method, each.path, "\n".join(each.steps))
            for each in situations()
        ),
    ]


def ask(pair: Pair, progress: Callable[[str], None]) -> dict[str, Answer]:
    """A pair's normalised answers by the names of `requests`. Leaves no alias of the duel behind.

    Raises `UnexpectedAnswerError` where a remote that must come up does not.
    """
    with Rest(pair.local.url) as local, Rest(pair.remote.url) as remote:
        names = names_of(local, remote)
        addresses = {LOCAL: transport_address(local), REMOTE: transport_address(remote)}
        answers = {}
        with _clean(local):
            for change in changes():
                progress(f"{pair.label}: remote settings, {change.name}")
                answers[_name(change)] = _changed(local, change)
            for situation in situations():
                progress(f"{pair.label}: _remote/info, {situation.name}")
                answers[_name(situation)] = _in_situation(local, situation, addresses, names)
        return answers


def report_on(
    console: Console, expected: dict[str, Answer], actual: dict[str, Answer]
) -> list[Verdict]:
    """Prints what differs and what of the known differences was not met. Returns the verdicts."""
    accepted = known.load(KNOWN)
    verdicts = judge(requests(), expected, actual, accepted)
    report.show(console, verdicts, "Sealane")
    for entry in report.unused(verdicts, accepted):
        console.print(
            f"not met, take it out: {entry.request}  {entry.path}", style="yellow", markup=False
        )
    return verdicts


def _name(what: Change | Situation) -> str:
    return f"{'settings' if isinstance(what, Change) else 'info'}/{what.name}"


@contextmanager
def _clean(node: Rest) -> Iterator[None]:
    try:
        yield
    finally:
        node.must("PUT", _SETTINGS, _NOTHING)


def _changed(node: Rest, change: Change) -> Answer:
    """The answer, and the settings and remotes after it."""
    node.must("PUT", _SETTINGS, _NOTHING)
    for body in change.before:
        node.must("PUT", _SETTINGS, json.loads(body))
    answer = node.call("PUT", _SETTINGS + change.parameters, change.body or None)
    return Answer(
        answer.status,
        {
            "answer": _comparable(answer.body, told_at_random=change.told_at_random),
            "stored": _stored(node),
            "info": _ours(node.must("GET", "/_remote/info")),
        },
    )


def _comparable(body: Any, *, told_at_random: bool) -> Any:
    """Of several problems the reference picks one at random as the main error; here they are a list
    in alphabetical order.
    """
    if not isinstance(body, dict) or not isinstance(body.get("error"), dict):
        return body
    error = body["error"]
    if told_at_random:
        return {"type": error["type"], "status": body["status"]}
    problems = [
        {key: value for key, value in error.items() if key not in ("root_cause", "suppressed")},
        *error.get("suppressed", []),
    ]
    if len(problems) == 1:
        return body
    return {"problems": sorted(problems, key=json.dumps), "status": body["status"]}


def _stored(node: Rest) -> dict[str, Any]:
    scopes = node.must("GET", f"{_SETTINGS}?flat_settings=true")
    return {
        scope: {
            key: value for key, value in scopes[scope].items() if f"cluster.remote.{_PREFIX}" in key
        }
        for scope in ("persistent", "transient")
    }


def _ours(info: dict[str, Any]) -> dict[str, Any]:
    """The aliases of the duel, with their fields a second time for the order."""
    return {
        alias: {**entry, "(order)": list(entry)}
        for alias, entry in info.items()
        if alias.startswith(_PREFIX) and isinstance(entry, dict)
    }


def _in_situation(
    node: Rest, situation: Situation, addresses: dict[str, str], names: Names
) -> Answer:
    node.must("PUT", _SETTINGS, _NOTHING)
    for number, step in enumerate(situation.steps, 1):
        for word, address in addresses.items():
            step = step.replace(word, address)
        node.call("PUT", _SETTINGS, step)
        if number < len(situation.steps):
            _await_rest(node)
    _await_connected(node, situation)
    answer = node.call(situation.method, situation.path)
    body = answer.body
    if answer.status == 200 and isinstance(body, dict) and situation.path.startswith(INFO):
        body = _ours(body)
    return Answer(answer.status, normalised(body, names))


def _await_rest(node: Rest) -> None:
    """Until nobody connects any more: the real server answers a change after its first round, ours
    at once.
    """
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        if all(entry["connected"] for entry in _entries(node).values()):
            return
        time.sleep(_POLL_S)


def _await_connected(node: Rest, situation: Situation) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not all(_is_full(_entries(node).get(alias)) for alias in situation.connected):
        if time.monotonic() > deadline:
            raise UnexpectedAnswerError(
                f"[{situation.name}] at {node.url}: not connected within {_PATIENCE_S:g} s: "
                f"{_entries(node)}"
            )
        time.sleep(_POLL_S)


def _is_full(entry: dict[str, Any] | None) -> bool:
    """Connected, in proxy mode with all sockets: in sniff mode the other cluster has one node."""
    if entry is None or not entry["connected"]:
        return False
    wanted = entry.get("max_proxy_socket_connections")
    return wanted is None or entry["num_proxy_sockets_connected"] == wanted


def _entries(node: Rest) -> dict[str, Any]:
    info: dict[str, Any] = node.must("GET", "/_remote/info")
    return {alias: entry for alias, entry in info.items() if alias.startswith(_PREFIX)}


def main(arguments: list[str] | None = None) -> int:
    """Runs the duel alone. 0: nothing differs but what is known; 1: something does."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.peers.remote_info", description=__doc__
    )
    for name in ("url", "sealane"):
        parser.add_argument(
            f"--{name}", action="append", required=True, help="given twice: local, remote"
        )
    options = parser.parse_args(arguments)
    if len(options.url) != 2 or len(options.sealane) != 2:
        parser.error("each of --url and --sealane is given twice: the local and the remote cluster")
    console = Console(highlight=False)
    with console.status("") as status:

        def progress(text: str) -> None:
            status.update(text.replace("[", r"\["))

        expected = ask(RunningPair("Elasticsearch", *options.url), progress)
        actual = ask(RunningPair("Sealane", *options.sealane), progress)
    verdicts = report_on(console, expected, actual)
    console.print(report.summary(verdicts))
    return 1 if any(verdict.unexplained for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
