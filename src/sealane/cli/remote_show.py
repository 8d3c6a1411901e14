"""How `sealane remote` shows what was found: a line a step as they come, then the outcome.

Everything is made from the JSON that REST answers, so both ways of testing look the same. Colours
are for terminals only, and not where `NO_COLOR` is set.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

Json = Mapping[str, Any]
_WIDE = 240
_INFO_COLUMNS = ("alias", "mode", "connected", "connections", "address", "cluster", "version")


class Shown:
    """Prints to stdout; as JSON there is nothing but the answer."""

    def __init__(self, *, as_json: bool, console: Console | None = None) -> None:
        self._as_json = as_json
        # What goes into a file or a pipe is not cut at the width of a screen.
        wide = None if sys.stdout.isatty() else _WIDE
        self._console = console or Console(highlight=False, width=wide)

    # -- a test ------------------------------------------------------------------------------------

    def step(self, role: str, address: str, step: Json) -> None:
        """One step that has ended."""
        if self._as_json:
            return
        mark = ("ok  ", "green") if step["ok"] else ("FAIL", "bold red")
        line = Text.assemble(
            mark,
            f"  {role:5} {address:<24} ",
            (f"{step['step']:<10}", "bold"),
            (f"{_short(step['took_nanos']):>8}", "dim"),
        )
        if step.get("detail"):
            line.append(f"  {step['detail']}")
        self._print(line)

    def steps(self, report: Json) -> None:
        """All of a test that has ended elsewhere."""
        for target in report["targets"]:
            for step in target["steps"]:
                self.step(target["role"], target["address"], step)

    def outcome(self, report: Json) -> None:
        if self._as_json:
            print(json.dumps(report, indent=2))
            return
        if report["nodes"]:
            self._print(Text())
            self._console.print(_nodes(report["nodes"]))
        for warning in report["warnings"]:
            self._print(Text.assemble(("warning: ", "yellow"), warning))
        self._print(Text())
        if report["ok"]:
            self._print(Text.assemble(("ok: ", "bold green"), report["summary"]))
            return
        error = report["error"]
        self._print(Text.assemble(("failed: ", "bold red"), error["explanation"]))
        self._print(Text.assemble(("next step: ", "bold"), error["next_step"]))

    # -- all remotes -------------------------------------------------------------------------------

    def info(self, remotes: Json) -> None:
        if self._as_json:
            print(json.dumps(remotes, indent=2))
            return
        if not remotes:
            self._print(Text("no remote clusters are registered"))
            return
        table = Table(*_INFO_COLUMNS, box=None, pad_edge=False)
        for alias, remote in remotes.items():
            table.add_row(*(_cell(each) for each in _remote_row(alias, remote)))
        self._console.print(table)
        for alias, remote in remotes.items():
            last = remote.get("last_error")
            if last and not remote["connected"]:
                self._print(Text.assemble((f"{alias}: ", "bold red"), last["explanation"]))
                self._print(Text.assemble(("next step: ", "bold"), last["next_step"]))

    def _print(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True)


def _nodes(nodes: list[Json]) -> Table:
    table = Table("node", "address", "version", "gateway", box=None, pad_edge=False)
    for node in nodes:
        table.add_row(
            *(_cell(node[key]) for key in ("name", "transport_address", "version")),
            _gateway(node),
        )
    return table


def _gateway(node: Json) -> Text:
    if not node["eligible"]:
        return Text(f"no: {node.get('reason', '')}", "dim")
    if node["reachable"] is None:
        return Text("not tried", "dim")
    return Text("yes", "green") if node["reachable"] else Text("not reachable", "red")


def _remote_row(alias: str, remote: Json) -> tuple[str, ...]:
    if remote["mode"] == "sniff":
        address = ", ".join(remote["seeds"])
        connections = f"{remote['num_nodes_connected']} of {remote['max_connections_per_cluster']}"
    else:
        address = remote["proxy_address"]
        connections = (
            f"{remote['num_proxy_sockets_connected']} of {remote['max_proxy_socket_connections']}"
        )
    return (
        alias,
        remote["mode"],
        "yes" if remote["connected"] else "no",
        connections,
        address,
        remote.get("cluster_name") or "",
        remote.get("remote_version") or "",
    )


def _cell(text: str) -> Text:
    """As it stands: brackets in names are no markup."""
    return Text(text)


def _short(nanos: int) -> str:
    """Milliseconds with one decimal, which line up."""
    return f"{nanos / 1e6:.1f}ms"
