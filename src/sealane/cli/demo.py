"""`sealane demo`: two clusters, real data, one search over both.

It does what a user would: starts two nodes as processes, talks to them over REST, and prints what they answer.
"""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sealane.cli.dataset import MAPPINGS, DatasetMissingError, cities

_BATCH = 2_000
_SEARCH: dict[str, Any] = {
    "size": 8,
    "query": {"match": {"name": "san saint santa"}},
    "sort": [{"population": "desc"}],
    "aggs": {
        "countries": {
            "terms": {"field": "country", "size": 6},
            "aggs": {"people": {"sum": {"field": "population"}}},
        }
    },
}


def demo(*, once: bool) -> int:
    """Runs the demo; with `once` it exits 0 after the search, else it keeps the clusters until Ctrl-C."""
    console = Console()
    try:
        sources = {group: list(cities(group)) for group in ("europe", "americas")}
    except DatasetMissingError as error:
        console.print(f"[red]{error}[/red]")
        return 1
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sealane-demo-")))
        nodes = {
            name: stack.enter_context(_node(name, folder / name)) for name in ("europe", "americas")
        }
        _load(console, nodes, sources)
        europe, americas = nodes["europe"], nodes["americas"]
        europe.call(
            "PUT",
            "/_cluster/settings",
            {"persistent": {"cluster.remote.americas.seeds": [americas.transport]}},
        )
        console.print(
            f"registered [bold]americas[/bold] ({americas.transport}) as a remote of [bold]europe[/bold]"
        )
        answer = europe.call("POST", "/cities,americas:cities/_search", _SEARCH)
        _print_answer(console, answer)
        failed = answer["_clusters"]["successful"] != 2
        for name, node in nodes.items():
            console.print(f"{name:9} REST http://{node.http}  transport {node.transport}")
        if once:
            return int(failed)
        console.print("\ntry it:")
        console.print(
            f"  curl 'http://{europe.http}/cities,americas:cities/_search?size=1&pretty'",
            soft_wrap=True,
        )
        console.print("\nCtrl-C stops both clusters and removes their data.")
        _wait_for_interrupt()
    return 0


class _Node:
    """A started node and one kept connection to its REST port."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.http: str = ready["http"]
        self.transport: str = ready["transport"]
        self._connection = HTTPConnection(self.http, timeout=120)

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One request with a JSON body, or bytes of NDJSON. Raises RuntimeError on an error's answer."""
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        kind = "application/x-ndjson" if isinstance(body, bytes) else "application/json"
        self._connection.request(method, path, body=sent, headers={"Content-Type": kind})
        response = self._connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
        if response.status >= 400 or answer.get("errors"):
            raise RuntimeError(f"{method} {path} answered {response.status}: {answer}")
        return answer

    def close(self) -> None:
        self._connection.close()


@contextmanager
def _node(name: str, folder: Path) -> Iterator[_Node]:
    """A node process on free ports; stopped when the block ends."""
    settings = {
        "cluster.name": name,
        "node.name": f"{name}-1",
        "http.port": "0",
        "transport.port": "0",
        "path.data": str(folder),
    }
    command = [sys.executable, "-m", "sealane", "start"]
    for key, value in settings.items():
        command += ["-E", f"{key}={value}"]
    folder.mkdir(parents=True)
    with (folder.parent / f"{name}.log").open("wb") as log:
        # A session of its own, so that Ctrl-C reaches the demo alone, which then stops its nodes.
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError((folder.parent / f"{name}.log").read_text())
        node = _Node(json.loads(line))
        try:
            yield node
        finally:
            node.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _load(
    console: Console,
    nodes: dict[str, _Node],
    sources: dict[str, list[tuple[str, dict[str, Any]]]],
) -> None:
    with Progress(
        TextColumn("loading {task.description:9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("cities"),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        for name, documents in sources.items():
            bar = progress.add_task(name, total=len(documents))
            nodes[name].call("PUT", "/cities", {"mappings": MAPPINGS})
            rest = iter(documents)
            while batch := list(islice(rest, _BATCH)):
                lines = (
                    f'{{"index":{{"_id":"{doc_id}"}}}}\n{json.dumps(source)}\n'
                    for doc_id, source in batch
                )
                nodes[name].call("POST", "/cities/_bulk", "".join(lines).encode())
                progress.advance(bar, len(batch))
            nodes[name].call("POST", "/cities/_refresh")


def _print_answer(console: Console, answer: dict[str, Any]) -> None:
    total = answer["hits"]["total"]["value"]
    console.print(
        f"\n[bold]one search over both clusters[/bold]: {total} hits in {answer['took']} ms\n"
    )
    hits = Table("_index", "name", "country", "population", title="hits, largest first")
    hits.columns[3].justify = "right"
    for hit in answer["hits"]["hits"]:
        source = hit["_source"]
        hits.add_row(
            hit["_index"], source["name"], source["country"], f"{source['population']:,}"
        )
    console.print(hits)
    merged = Table("country", "cities", "people", title="merged aggregation")
    for column in merged.columns[1:]:
        column.justify = "right"
    for bucket in answer["aggregations"]["countries"]["buckets"]:
        merged.add_row(
            bucket["key"], f"{bucket['doc_count']:,}", f"{bucket['people']['value']:,.0f}"
        )
    console.print(merged)
    clusters = Table("cluster", "status", "took ms", "shards", title="_clusters")
    for alias, detail in answer["_clusters"]["details"].items():
        shards = detail.get("_shards", {}).get("total", 0)
        clusters.add_row(alias, detail["status"], str(detail.get("took", "-")), str(shards))
    console.print(clusters)


def _wait_for_interrupt() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        pass
