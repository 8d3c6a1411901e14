"""`sealane ccr`: which indices follow others and how they are doing, once or live; and whether they hold the same.

It asks a node over HTTP. What is shown of the answers is chosen in `ccr_rows`.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sealane.cli.asking import Asker, AskError, NotAdmittedError, UsageError
from sealane.cli.ccr_rows import Row, rate, rows_of

OK, FAILED, USAGE = 0, 1, 2
_WIDE: Final = 240
_VERIFY_S: Final = 3600.0
"""Both sides are read as a whole."""
_COLOURS: Final = {"active": "green", "paused": "yellow", "failed": "bold red"}
_COLUMNS: Final = ("follower", "leader", "status", "", "behind", "lag")

Json = Mapping[str, Any]


def ccr(options: argparse.Namespace) -> int:
    """Runs `ccr list`, `watch` or `verify`. Returns 0 when all is well, 1 when it is not or could not be told, 2 for
    wrong usage.
    """
    # What goes into a file or a pipe is not cut at the width of a screen.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
    run = {"list": _list, "watch": _watch, "verify": _verify}[options.ccr_command]
    try:
        return run(options, Asker.of(options, options.url), console)
    except UsageError as error:
        print(f"sealane ccr {options.ccr_command}: {error}", file=sys.stderr)
        return USAGE
    except AskError as error:
        print(f"sealane ccr {options.ccr_command}: {error}", file=sys.stderr)
        return FAILED


def _list(options: argparse.Namespace, asker: Asker, console: Console) -> int:
    info, stats = _ask(asker, options.index)
    found = rows_of(info, stats["follow_stats"])
    if options.json:
        names = {row.index for row in found}
        kept = [each for each in stats["follow_stats"]["indices"] if each["index"] in names]
        print(json.dumps({**info, "follow_stats": {"indices": kept}}, indent=2))
    else:
        console.print(shown(found), soft_wrap=True)
        _print_rule_errors(console, stats["auto_follow_stats"])
    return FAILED if any(row.status == "failed" for row in found) else OK


def _watch(options: argparse.Namespace, asker: Asker, console: Console) -> int:
    before: dict[str, Row] = {}
    looked_s = time.monotonic()
    rates: dict[str, float] = {}
    with Live(console=console, auto_refresh=False, transient=False) as live:
        try:
            while True:
                try:
                    info, stats = _ask(asker, options.index)
                except NotAdmittedError:
                    raise
                except AskError as error:
                    # A node that restarts is what somebody may want to watch.
                    live.update(Text(str(error), "bold red"), refresh=True)
                    time.sleep(options.interval)
                    continue
                found, now_s = rows_of(info, stats["follow_stats"]), time.monotonic()
                rates = {
                    row.index: each
                    for row in found
                    if (each := rate(row, before.get(row.index), now_s - looked_s)) is not None
                }
                before, looked_s = {row.index: row for row in found}, now_s
                live.update(shown(found, rates), refresh=True)
                time.sleep(options.interval)
        except KeyboardInterrupt:
            return OK


def _verify(options: argparse.Namespace, asker: Asker, console: Console) -> int:
    path = f"/{quote(options.index, safe='')}/_ccr/verify"
    answer = asker.ask("GET", path, wait_s=_VERIFY_S)
    if options.json:
        print(json.dumps(answer, indent=2))
    else:
        console.print(compared(answer), soft_wrap=True)
    return OK if answer["equal"] else FAILED


def _ask(asker: Asker, expression: str) -> tuple[Json, Json]:
    info = asker.ask("GET", f"/{quote(expression, safe='*,')}/_ccr/info")
    return info, asker.ask("GET", "/_ccr/stats")


def shown(rows: list[Row], rates: Mapping[str, float] | None = None) -> RenderableType:
    """The table, and below it what is wrong. `rates` add a column: operations a second."""
    if not rows:
        return Text("no index follows another")
    table = Table(*_COLUMNS, box=None, pad_edge=False)
    if rates is not None:
        table.add_column("operations/s")
    for column in table.columns[4:]:
        column.justify = "right"
    problems: list[Text] = []
    for row in rows:
        cells = [
            Text(row.index),
            Text(row.leader),
            Text(row.status, _COLOURS.get(row.status, "")),
            Text(row.doing, "dim"),
            Text("" if row.behind is None else f"{row.behind:,}"),
            Text(row.lag),
        ]
        if rates is not None:
            cells.append(Text(f"{rates[row.index]:,.0f}" if row.index in rates else ""))
        table.add_row(*cells)
        problems += (Text.assemble((f"{row.index}: ", "bold red"), each) for each in row.errors)
    return Group(table, *problems)


def compared(answer: Json) -> RenderableType:
    """Both sides, shard by shard."""
    table = Table("shard", "checkpoint", "docs there", "docs here", "", box=None, pad_edge=False)
    for shard in answer["shards"]:
        if "error" in shard:
            told = Text(shard["error"]["reason"], "bold red")
            table.add_row(str(shard["shard"]), "", "", "", told)
            continue
        told = Text("equal", "green") if shard["equal"] else Text("DIFFERENT", "bold red")
        counts = (shard["checkpoint"], shard["leader"]["docs"], shard["follower"]["docs"])
        table.add_row(str(shard["shard"]), *(f"{each:,}" for each in counts), told)
    leader = f"{answer['remote_cluster']}:{answer['leader_index']}"
    verdict = "hold the same" if answer["equal"] else "do NOT hold the same"
    return Group(table, Text(f"{leader} and {answer['follower_index']} {verdict}"))


def _print_rule_errors(console: Console, stats: Json) -> None:
    for each in stats["recent_auto_follow_errors"]:
        reason = each["auto_follow_exception"]["reason"]
        line = Text.assemble((f"auto-follow {each['leader_index']}: ", "bold yellow"), reason)
        console.print(line, soft_wrap=True)
