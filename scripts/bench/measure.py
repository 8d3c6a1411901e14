"""Measures one pair of clusters from start to stop; the same steps for everybody."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from scripts.bench import wrk
from scripts.bench.memory import resident_megabytes
from scripts.bench.workloads import (
    CCS_EXPRESSION,
    INDEX,
    LOCAL_EXPRESSION,
    REMOTE,
    Workload,
)
from scripts.pairs import Node, Pair, bulk_lines, register_remote, transport_address
from scripts.rest import Rest, UnexpectedAnswerError
from sealane.cli import dataset

Documents = list[tuple[str, dict[str, Any]]]
Scope = Literal["local", "ccs"]
SCOPES: dict[Scope, str] = {"local": LOCAL_EXPRESSION, "ccs": CCS_EXPRESSION}
CONNECTIONS = (1, 16)

_BULK_ITEMS = 1000
_WARM_UP_SLICE_S = 5.0
# Merges and refreshes that a load has left behind, and memory that is given back.
_SETTLE_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is done. `warm_up_bulks` and the warm-up of searches are what a JVM needs; the
    warm-up of one search ends with its requests or its seconds, whichever comes first."""

    documents: int
    seconds: float
    rounds: int
    warm_up_bulks: int
    warm_up_requests: int
    warm_up_seconds: float

    def without_jvm(self) -> "Effort":
        """The same effort for a program that needs no compiling: a short warm-up, no extra
        loads."""
        return replace(
            self,
            warm_up_bulks=0,
            warm_up_seconds=min(self.warm_up_seconds, _WARM_UP_SLICE_S),
        )


@dataclass(slots=True)
class Measured:
    """What one pair did. Times to the first answer and memory are those of single nodes."""

    label: str
    start_seconds: float
    idle_megabytes: float
    loaded_megabytes: float = 0.0
    bulk_documents_per_second: float = 0.0
    loads: dict[tuple[str, Scope, int], wrk.Load] = field(default_factory=dict)
    hits: dict[tuple[str, Scope], int] = field(default_factory=dict)


def measure(
    pair: Pair,
    *,
    here: Documents,
    there: Documents,
    searches: list[Workload],
    effort: Effort,
    progress: Callable[[str], None],
) -> Measured:
    """Loads `here` and `there` into a started pair and measures everything.

    Raises `UnexpectedAnswerError` or `wrk.WrkError` when a request fails: a wrong answer has no
    speed.
    """
    time.sleep(_SETTLE_S)
    measured = Measured(
        label=pair.label,
        start_seconds=min(pair.local.seconds_to_first_answer, pair.remote.seconds_to_first_answer),
        idle_megabytes=resident_megabytes(pair.local.pid),
    )
    with Rest(pair.local.url) as local, Rest(pair.remote.url) as remote:
        _measure_bulk(measured, pair.local, local, here, effort, progress)
        progress(f"{pair.label}: loading the remote cluster")
        _load(remote, INDEX, list(_bulks(there)))
        register_remote(local, REMOTE, transport_address(remote))
        time.sleep(_SETTLE_S)
        for search in searches:
            for scope, expression in SCOPES.items():
                measured.hits[search.name, scope] = _hits(local, expression, search)
        for search in searches:
            for scope in SCOPES:
                _measure_search(measured, pair.local.url, search, scope, effort, progress)
    return measured


def _measure_bulk(
    measured: Measured,
    node: Node,
    rest: Rest,
    documents: Documents,
    effort: Effort,
    progress: Callable[[str], None],
) -> None:
    bulks = list(_bulks(documents))
    for number in range(effort.warm_up_bulks):
        progress(f"{measured.label}: warm-up load {number + 1} of {effort.warm_up_bulks}")
        _load(rest, "throwaway", bulks)
        rest.must("DELETE", "/throwaway")
    for number in range(effort.rounds):
        progress(f"{measured.label}: bulk, round {number + 1} of {effort.rounds}")
        rest.must("DELETE", f"/{INDEX}?ignore_unavailable=true", missing_ok=True)
        seconds = _load(rest, INDEX, bulks)
        rate = len(documents) / seconds
        measured.bulk_documents_per_second = max(measured.bulk_documents_per_second, rate)
        if number == 0:
            time.sleep(_SETTLE_S)
            measured.loaded_megabytes = resident_megabytes(node.pid)


def _load(rest: Rest, index: str, bulks: list[bytes]) -> float:
    """Seconds for the bulk requests alone: making the index and the refresh are not counted."""
    rest.must(
        "PUT",
        f"/{index}",
        {
            "settings": {"number_of_shards": 1, "number_of_replicas": 0},
            "mappings": dataset.MAPPINGS,
        },
    )
    started = time.perf_counter()
    for lines in bulks:
        rest.bulk(f"/{index}/_bulk", lines)
    seconds = time.perf_counter() - started
    rest.must("POST", f"/{index}/_refresh")
    return seconds


def _bulks(documents: Documents) -> Iterator[bytes]:
    for start in range(0, len(documents), _BULK_ITEMS):
        yield bulk_lines(documents[start : start + _BULK_ITEMS])


def _hits(rest: Rest, expression: str, search: Workload) -> int:
    """The hits of all variants together; a check that everybody answers the same question."""
    total = 0
    for body in search.bodies:
        answer = rest.call("POST", f"/{expression}/_search?track_total_hits=true", body)
        if answer.status != 200 or answer.body["_shards"]["failed"]:
            raise UnexpectedAnswerError(
                f"[{search.name}] at {rest.url}/{expression} answered {answer.status}: "
                f"{str(answer.body)[:1000]}"
            )
        total += answer.body["hits"]["total"]["value"]
    return total


def _measure_search(
    measured: Measured,
    url: str,
    search: Workload,
    scope: Scope,
    effort: Effort,
    progress: Callable[[str], None],
) -> None:
    what = f"{measured.label}: {search.name}, {scope}"

    def load(connections: int, seconds: float) -> wrk.Load:
        try:
            return wrk.run(url, SCOPES[scope], search, connections=connections, seconds=seconds)
        except wrk.WrkError as problem:
            raise wrk.WrkError(f"{what}, {connections} connections: {problem}") from problem

    warmed_requests, warmed_seconds = 0, 0.0
    while warmed_requests < effort.warm_up_requests and warmed_seconds < effort.warm_up_seconds:
        progress(f"{what}: warm-up, {warmed_requests} requests")
        slice_s = min(_WARM_UP_SLICE_S, effort.warm_up_seconds - warmed_seconds)
        warmed_requests += load(max(CONNECTIONS), slice_s).requests
        warmed_seconds += slice_s
    for connections in CONNECTIONS:
        rounds = []
        for number in range(effort.rounds):
            progress(f"{what}, {connections} connections: round {number + 1} of {effort.rounds}")
            rounds.append(load(connections, effort.seconds))
        measured.loads[search.name, scope, connections] = max(
            rounds, key=lambda round_: round_.per_second
        )
