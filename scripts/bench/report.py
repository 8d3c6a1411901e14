"""The run as a table on the terminal, as `docs/benchmarks.md` and as JSON."""

import json
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from scripts.bench.measure import Effort, Measured
from scripts.bench.rows import Row

_INTRODUCTION = """\
# Benchmarks

Written by `{command}`. Each product runs as two clusters on one machine's loopback address, one
product at a time, with the same documents and the same requests. Peers have 1 GB of heap a node.
Each search has fifty variants that are sent in turn; the better round counts.

| measured | with |
|---|---|"""
_INTRODUCTION_OF_OURS = """\
# Benchmarks

Written by `{command}`, on one machine's loopback address.

| measured | with |
|---|---|"""
_MET = {True: "yes", False: "no", None: ""}


def show(console: Console, rows: list[Row], labels: list[str]) -> None:
    """One table, a heading for each section."""
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for label in (*labels, "to the better peer", "target", "met"):
        table.add_column(label, justify="right")
    for section, members in groupby(rows, key=lambda row: row.section):
        table.add_row(f"[bold]{section}[/bold]")
        for row in members:
            style = {True: "green", False: "red", None: ""}[row.is_met]
            table.add_row(
                f"  {row.what}",
                *(row.values.get(label, "") for label in labels),
                row.ratio,
                row.target,
                _MET[row.is_met],
                style=style,
            )
    console.print(table)


def markdown(
    rows: list[Row],
    labels: list[str],
    facts: dict[str, str],
    effort: Effort | None,
    command: str,
) -> str:
    """The page of the documentation; everything in it comes from the run. Without an effort no
    products were compared, and it says nothing of how they were."""
    introduction = _INTRODUCTION_OF_OURS if effort is None else _INTRODUCTION
    lines = [introduction.format(command=command)]
    lines += [f"| {name} | {value} |" for name, value in (facts | _compared(effort)).items()]
    for section, group in groupby(rows, key=lambda row: row.section):
        members = list(group)
        shown = [label for label in labels if any(label in row.values for row in members)]
        peers = ["to the better peer"] if len(shown) > 1 else []
        columns = ["", *shown, *peers, "target", "met"]
        lines += ["", f"## {section[0].upper()}{section[1:]}", "", f"| {' | '.join(columns)} |"]
        lines.append("|---" + "|---:" * (len(columns) - 1) + "|")
        for row in members:
            values = [row.values.get(label, "") for label in shown]
            ratio = [row.ratio] if peers else []
            cells = [row.what, *values, *ratio, row.target, _MET[row.is_met]]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _compared(effort: Effort | None) -> dict[str, str]:
    if effort is None:
        return {}
    return {
        "documents": f"{effort.documents:,} a cluster at most",
        "one measurement": f"{effort.seconds:g} s, {effort.rounds} rounds",
        "warm-up of the peers": (
            f"{effort.warm_up_bulks} loads; for each search {effort.warm_up_requests:,} requests "
            f"or {effort.warm_up_seconds:g} s"
        ),
    }


def write_json(
    file: Path,
    measured: list[Measured],
    rows: list[Row],
    facts: dict[str, str],
    parts: dict[str, Any],
) -> None:
    """Every figure as a number, and the rows as they are shown."""
    report = {
        "machine": facts,
        "measured": [
            {
                **{
                    key: value for key, value in asdict(one).items() if key not in ("loads", "hits")
                },
                "hits": {"/".join(key): total for key, total in one.hits.items()},
                "loads": {"/".join(map(str, key)): asdict(load) for key, load in one.loads.items()},
            }
            for one in measured
        ],
        **parts,
        "rows": [asdict(row) for row in rows],
    }
    file.write_text(json.dumps(report, indent=1) + "\n")
