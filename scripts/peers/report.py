"""What the duel found: a page for the terminal and a file for programs."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts.peers.compare import Difference
from scripts.peers.duel import Verdict
from scripts.peers.known import KnownDifference

_SHOWN_DIFFERENCES = 6
_SHOWN_CHARACTERS = 400
_JUDGE = "Elasticsearch"


def show(console: Console, verdicts: list[Verdict], contender: str) -> None:
    """Prints each unexplained difference, then the known ones, then the counts by family."""
    for verdict in verdicts:
        if verdict.unexplained:
            _show_verdict(console, verdict, contender)
    _show_known(console, verdicts)
    _show_families(console, verdicts)


def summary(verdicts: list[Verdict]) -> str:
    """The last line of the command."""
    outcomes = Counter(verdict.outcome for verdict in verdicts)
    return (
        f"same {outcomes['same']}, known differences {outcomes['known']}, "
        f"different {outcomes['different']}"
    )


def unused(verdicts: list[Verdict], accepted: list[KnownDifference]) -> list[KnownDifference]:
    """Known differences that this run did not meet."""
    met = {entry for verdict in verdicts for _, entry in verdict.explained}
    return [entry for entry in accepted if entry not in met]


def write_json(file: Path, verdicts: list[Verdict], information: dict[str, int]) -> None:
    """One object: the counts, and every request that is not the same."""
    report = {
        "counts": dict(Counter(verdict.outcome for verdict in verdicts)),
        "opensearch": information,
        "requests": [_as_json(verdict) for verdict in verdicts if verdict.outcome != "same"],
    }
    file.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def _as_json(verdict: Verdict) -> dict[str, Any]:
    request = verdict.request
    return {
        "name": request.name,
        "outcome": verdict.outcome,
        "method": request.method,
        "path": request.path,
        "body": request.body,
        "like_opensearch": verdict.like_bystander,
        "different": [_difference_as_json(difference) for difference in verdict.unexplained],
        "known": [
            {**_difference_as_json(difference), "reason": entry.reason}
            for difference, entry in verdict.explained
        ],
    }


def _difference_as_json(difference: Difference) -> dict[str, Any]:
    return {
        "path": difference.path,
        "expected": difference.expected,
        "actual": difference.actual,
    }


def _show_verdict(console: Console, verdict: Verdict, contender: str) -> None:
    request = verdict.request
    console.print(Text(f"\n{request.name}", style="bold red"))
    body = request.text()
    asked = f"  {request.method} {request.path}" + ("" if body is None else f"  {body}")
    console.print(Text(_cut(asked.replace("\n", "⏎")), style="dim"), soft_wrap=True)
    if verdict.like_bystander:
        console.print(Text("  OpenSearch answers as we do", style="yellow"))
    width = max(len(_JUDGE), len(contender))
    for difference in verdict.unexplained[:_SHOWN_DIFFERENCES]:
        console.print(Text(f"  {difference.path}", style="bold"), soft_wrap=True)
        for who, value, style in (
            (_JUDGE, difference.expected, "green"),
            (contender, difference.actual, "red"),
        ):
            console.print(
                Text(f"    {who:<{width}}  ", style="dim").append(_shown(value), style=style),
                soft_wrap=True,
            )
    more = len(verdict.unexplained) - _SHOWN_DIFFERENCES
    if more > 0:
        console.print(Text(f"  and {more} more", style="dim"))


def _show_known(console: Console, verdicts: list[Verdict]) -> None:
    met = Counter(
        entry
        for verdict in verdicts
        for entry in dict.fromkeys(entry for _, entry in verdict.explained)
    )
    if not met:
        return
    console.print(Text("\nKnown differences", style="bold"))
    for entry, count in met.items():
        console.print(Text(f"  {count:>4} x {entry.request}  {entry.path}: {entry.reason}"))


def _show_families(console: Console, verdicts: list[Verdict]) -> None:
    table = Table(box=None, header_style="dim")
    for column in ("family", "same", "known", "different"):
        table.add_column(column, justify="left" if column == "family" else "right")
    families: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        family = verdict.request.name.split("/")[0]
        families.setdefault(family, Counter())[verdict.outcome] += 1
    for family, outcomes in families.items():
        table.add_row(family, *(str(outcomes[key]) for key in ("same", "known", "different")))
    console.print()
    console.print(table)


def _shown(value: Any) -> str:
    # Our own words for "nothing there" are not JSON, and are shown bare.
    if isinstance(value, str) and value.startswith("("):
        return value
    return _cut(json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
