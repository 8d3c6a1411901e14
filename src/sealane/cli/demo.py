"""`sealane demo`: two clusters, real data, one search over both.

It does what a user would: starts two nodes as processes, talks to them over REST, and prints what they answer.
"""

import json
import signal
from itertools import islice
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sealane.cli.dataset import MAPPINGS, DatasetMissingError, cities
from sealane.testing.process import NodeProcess, two_clusters

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
    with two_clusters() as (europe, americas):
        nodes = {node.name: node for node in (europe, americas)}
        _load(console, nodes, sources)
        console.print(
            f"[bold]americas[/bold] ({americas.transport}) is a remote of [bold]europe[/bold]"
        )
        answer = europe.call("POST", "/cities,americas:cities/_search", _SEARCH)
        _print_answer(console, answer)
        failed = answer["_clusters"]["successful"] != 2
        for name, node in nodes.items():
            console.print(f"{name:9} REST {node.url}  transport {node.transport}")
        if once:
            return int(failed)
        console.print("\ntry it:")
        console.print(
            f"  curl '{europe.url}/cities,americas:cities/_search?size=1&pretty'",
            soft_wrap=True,
        )
        console.print("\nCtrl-C stops both clusters and removes their data.")
        _wait_for_interrupt()
    return 0


def _load(
    console: Console,
    nodes: dict[str, NodeProcess],
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
        hits.add_row(hit["_index"], source["name"], source["country"], f"{source['population']:,}")
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
