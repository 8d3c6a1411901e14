"""`sealane demo`: two secured clusters, real data, one search over both, and one index that follows the other.

It does what a user would: starts two nodes as processes, has one of them issue an API key, puts that into the other's
keystore, and searches both as a user who may read no more than a role says. Then one follows the other
(`demo_replication`). All of it over REST, printing what the nodes answer.
"""

import json
import signal
from itertools import islice
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sealane.cli.dataset import MAPPINGS, DatasetMissingError, cities
from sealane.cli.demo_replication import COPY, show_replication
from sealane.testing.process import Answer, NodeProcess, basic
from sealane.testing.secured import PASSWORD, secured_clusters

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


_ANALYST, _ANALYST_PASSWORD = "analyst", "analyst-password"
_ACCESS: dict[str, Any] = {
    "search": [{"names": ["*"]}],
    "replication": [{"names": ["cities"]}],
}
"""What the key grants to europe."""
_ROLE: dict[str, Any] = {
    "indices": [{"names": ["cities"], "privileges": ["read"]}],
    "remote_indices": [{"clusters": ["americas"], "names": ["cities"], "privileges": ["read"]}],
}


def demo(*, once: bool) -> int:
    """Runs the demo; with `once` it exits after it, 0 where all went well and 1 where not, else it keeps the clusters
    until Ctrl-C.
    """
    console = Console()
    try:
        sources = {group: list(cities(group)) for group in ("europe", "americas")}
    except DatasetMissingError as error:
        console.print(f"[red]{error}[/red]")
        return 1
    with secured_clusters(_ACCESS) as (europe, americas):
        nodes = {node.name: node for node in (europe, americas)}
        _load(console, nodes, sources)
        console.print(
            f"[bold]americas[/bold] ({americas.remote_cluster}) is a remote of [bold]europe[/bold], "
            "by a cross-cluster API key"
        )
        europe.call("PUT", f"/_security/role/{_ANALYST}", _ROLE)
        analyst = {"password": _ANALYST_PASSWORD, "roles": [_ANALYST]}
        europe.call("PUT", f"/_security/user/{_ANALYST}", analyst)
        americas.call("PUT", "/payroll/_doc/1?refresh=true", {"name": "not for analysts"})
        answer = _as_analyst(europe, "/cities,americas:cities/_search", _SEARCH).body
        _print_answer(console, answer)
        _print_refusal(console, europe)
        failed = answer["_clusters"]["successful"] != 2
        failed |= not show_replication(console, europe, americas)
        for name, node in nodes.items():
            console.print(f"{name:9} REST {node.url}  user elastic, password {PASSWORD}")
        if once:
            return int(failed)
        console.print("\ntry it:")
        console.print(
            f"  curl -u {_ANALYST}:{_ANALYST_PASSWORD} "
            f"'{europe.url}/cities,americas:cities/_search?size=1&pretty'",
            soft_wrap=True,
        )
        console.print(
            f"  .venv/bin/sealane ccr watch {COPY} --url {europe.url} -u elastic:{PASSWORD}",
            soft_wrap=True,
        )
        console.print("\nCtrl-C stops both clusters and removes their data.")
        _wait_for_interrupt()
    return 0


def _as_analyst(node: NodeProcess, path: str, body: Any = None) -> Answer:
    headers = {"Authorization": basic(_ANALYST, _ANALYST_PASSWORD)}
    return node.request("POST", path, body, headers)


def _print_refusal(console: Console, europe: NodeProcess) -> None:
    """What the analyst gets of an index that the role does not name."""
    path = "/americas:payroll/_search"
    answer = _as_analyst(europe, path)
    detail = answer.body["_clusters"]["details"]["americas"]
    cause = detail["failures"][0]["reason"]
    while "caused_by" in cause:
        cause = cause["caused_by"]
    console.print(f"\n[bold]{path}[/bold] as the same user: {detail['status']}")
    console.print(f"  {cause['reason']}", soft_wrap=True, markup=False)


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
