"""The part `security`: what it costs to be secured, and whether a search pays for more than that.

Three pairs of clusters with the same documents run at once, one without security, one whose remote is reached by an
API key, one by certificates. They are loaded in turns, so that whatever else the machine does meets all of them. The
best turn of each counts, for other work only ever takes away. What the checks themselves take is in `checks`.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from scripts.bench import checks, wrk
from scripts.bench.measure import SCOPES, Scope
from scripts.bench.players import cpu_seconds
from scripts.bench.rows import OURS, Row
from scripts.bench.workloads import INDEX, REMOTE, Workload, workloads
from scripts.pairs import bulk_lines
from sealane.cli import dataset
from sealane.testing import secured
from sealane.testing.process import NodeProcess, basic

SEARCHES = ("match", "sort", "terms")
OFF = "off"
_DOCUMENTS, _BULK_ITEMS = 20_000, 1_000
_ROUNDS = 6
_RATE_SHARE, _P50_MS = 0.75, 0.3
_CONNECTED_WITHIN_S, _POLL_S, _SETTLE_S = 30.0, 0.05, 3.0
_WARM_UP_S = 1.0
_READER = "limited"
_PASSWORD = "a-password-of-the-benchmark"
_CONNECTIONS: dict[Scope, tuple[int, ...]] = {"ccs": (16, 1), "local": (16,)}

Documents = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to ask a pair. `limited`: only the local cluster is asked, for not all documents may be seen."""

    name: str
    local: NodeProcess
    remote: NodeProcess
    authorization: str | None = None
    limited: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """What was asked, from how many connections, and in which way."""

    search: str
    scope: Scope
    connections: int
    way: str


@dataclass(frozen=True, slots=True)
class Turn:
    """`cpu_ms` is what a search took of both nodes together: it says most where others use the machine too."""

    per_second: float
    p50_ms: float
    cpu_ms: float


@dataclass(slots=True)
class Found:
    """`handshakes` are the connections that were opened towards remotes meanwhile."""

    turns: dict[Cell, list[Turn]] = field(default_factory=dict)
    handshakes: int = 0

    def rate(self, cell: Cell) -> float:
        return max(turn.per_second for turn in self.turns[cell])

    def p50_ms(self, cell: Cell) -> float:
        return min(turn.p50_ms for turn in self.turns[cell])

    def cpu_ms(self, cell: Cell) -> float:
        return min(turn.cpu_ms for turn in self.turns[cell])


def _off(cell: Cell) -> Cell:
    return replace(cell, way=OFF)


def measure(seconds: float, progress: Callable[[str], None]) -> tuple[list[Row], dict[str, Any]]:
    """Each load for `seconds` in all its turns. Returns the rows and the same as numbers."""
    wrk.require()
    progress("security: checks")
    checked = checks.measure(seconds)
    here, there = (
        list(islice(dataset.cities(group), _DOCUMENTS)) for group in dataset.CONTINENT_GROUPS
    )
    names = [source["name"] for _, source in (*here, *there)]
    searches = [each for each in workloads(names) if each.name in SEARCHES]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sealane-bench-")))
        ways: list[Way] = []
        for begin in (_plain, _by_key, _by_certificate):
            progress(f"security: starting and loading a pair, {begin.__name__.strip('_')}")
            ways += stack.enter_context(begin(folder, here, there))
        time.sleep(_SETTLE_S)
        found = _found(ways, searches, seconds, progress)
    numbers = {
        "checks_us": checked,
        "handshakes": found.handshakes,
        "loads": [
            {**asdict(cell), "turns": [asdict(turn) for turn in turns]}
            for cell, turns in found.turns.items()
        ],
    }
    return [*rows(found), *checks.rows(checked)], numbers


def _found(
    ways: list[Way], searches: list[Workload], seconds: float, progress: Callable[[str], None]
) -> Found:
    found = Found()
    for search in searches:
        for way in ways:
            for scope in _scopes(way):
                _turn(way, search, scope, 16, _WARM_UP_S)
    before = sum(map(_opened, ways))
    for turn in range(_ROUNDS):
        for search in searches:
            progress(f"security: {search.name}, turn {turn + 1} of {_ROUNDS}")
            for scope, numbers in _CONNECTIONS.items():
                for connections in numbers:
                    # Nobody is always the first after a pause, nor always behind the same one.
                    for way in _beginning_at(ways, turn):
                        if scope not in _scopes(way):
                            continue
                        cell = Cell(search.name, scope, connections, way.name)
                        made = _turn(way, search, scope, connections, seconds / _ROUNDS)
                        found.turns.setdefault(cell, []).append(made)
    found.handshakes = sum(map(_opened, ways)) - before
    return found


def _beginning_at(ways: list[Way], turn: int) -> list[Way]:
    first = turn % len(ways)
    return ways[first:] + ways[:first]


def _turn(way: Way, search: Workload, scope: Scope, connections: int, seconds: float) -> Turn:
    before = _cpu(way)
    load = wrk.run(
        way.local.url,
        SCOPES[scope],
        search,
        connections=connections,
        seconds=seconds,
        authorization=way.authorization,
    )
    return Turn(load.per_second, load.p50_ms, 1000 * (_cpu(way) - before) / load.requests)


def _cpu(way: Way) -> float:
    return cpu_seconds(way.local.pid) + cpu_seconds(way.remote.pid)


def _scopes(way: Way) -> tuple[Scope, ...]:
    return ("local",) if way.limited else tuple(_CONNECTIONS)


def _opened(way: Way) -> int:
    """How many connections the node has opened so far: each of those with security shook hands by TLS."""
    (node,) = way.local.call("GET", "/_nodes/stats/transport")["nodes"].values()
    opened: int = node["transport"]["total_outbound_connections"]
    return opened


# -- the pairs ---------------------------------------------------------------------------------------------------------


@contextmanager
def _plain(folder: Path, here: Documents, there: Documents) -> Iterator[list[Way]]:
    with (
        NodeProcess("europe", folder / "plain" / "europe") as local,
        NodeProcess("americas", folder / "plain" / "americas") as remote,
    ):
        _fill(local, remote, here, there)
        _register(local, remote.transport)
        yield [Way(OFF, local, remote)]


@contextmanager
def _by_key(folder: Path, here: Documents, there: Documents) -> Iterator[list[Way]]:
    of_local, of_remote = secured.by_key(folder / "key" / "certs")
    with (
        secured.node("europe", folder / "key", **of_local) as local,
        secured.node("americas", folder / "key", **of_remote) as remote,
    ):
        secured.give_key(local, REMOTE, secured.new_key(remote))
        _fill(local, remote, here, there)
        _register(local, remote.remote_cluster)
        key = local.call("POST", "/_security/api_key", {"name": "benchmark"})["encoded"]
        password = basic("elastic", secured.PASSWORD)
        yield [
            Way("key, password", local, remote, password),
            Way("key, API key", local, remote, f"ApiKey {key}"),
            Way("key, a role with a query", local, remote, _reader(local), limited=True),
        ]


@contextmanager
def _by_certificate(folder: Path, here: Documents, there: Documents) -> Iterator[list[Way]]:
    folder = folder / "certificate"
    signer = secured.authority(folder / "ca", "transport-ca")
    settings = {}
    prefix = "xpack__security__transport__ssl__"
    for name in ("europe", "americas"):
        secured.certificate(folder / "certs", name, signer)
        settings[name] = {
            f"{prefix}enabled": "true",
            f"{prefix}certificate": str(folder / "certs" / f"{name}.crt"),
            f"{prefix}key": str(folder / "certs" / f"{name}.key"),
            f"{prefix}certificate_authorities": str(folder / "ca" / "transport-ca.crt"),
        }
    with (
        secured.node("europe", folder, **settings["europe"]) as local,
        secured.node("americas", folder, **settings["americas"]) as remote,
    ):
        _fill(local, remote, here, there)
        _register(local, remote.transport)
        password = basic("elastic", secured.PASSWORD)
        yield [Way("certificate, password", local, remote, password)]


def _reader(node: NodeProcess) -> str:
    """A user who may see nearly all documents: what is shown is nearly the same as without the limit."""
    entry = {
        "names": [INDEX],
        "privileges": ["read"],
        "query": {"range": {"population": {"gte": 501}}},
    }
    node.call("PUT", f"/_security/role/{_READER}", {"indices": [entry]})
    user = {"password": _PASSWORD, "roles": [_READER]}
    node.call("PUT", f"/_security/user/{_READER}", user)
    return basic(_READER, _PASSWORD)


def _fill(local: NodeProcess, remote: NodeProcess, here: Documents, there: Documents) -> None:
    made = {
        "settings": {"number_of_shards": 1, "number_of_replicas": 0},
        "mappings": dataset.MAPPINGS,
    }
    for node, documents in ((local, here), (remote, there)):
        node.call("PUT", f"/{INDEX}", made)
        for start in range(0, len(documents), _BULK_ITEMS):
            lines = bulk_lines(documents[start : start + _BULK_ITEMS])
            node.call("POST", f"/{INDEX}/_bulk", lines)
        node.call("POST", f"/{INDEX}/_refresh")


def _register(local: NodeProcess, address: str) -> None:
    """Raises TimeoutError where the remote does not become connected."""
    keys = {f"cluster.remote.{REMOTE}.seeds": [address]}
    local.call("PUT", "/_cluster/settings", {"persistent": keys})
    began = time.monotonic()
    while not local.call("GET", "/_remote/info")[REMOTE]["connected"]:
        if time.monotonic() - began > _CONNECTED_WITHIN_S:
            raise TimeoutError(f"remote [{REMOTE}] of [{local.name}] did not become connected")
        time.sleep(_POLL_S)


# -- what is shown -----------------------------------------------------------------------------------------------------


def rows(found: Found) -> list[Row]:
    """A row for each way and search, beside security off; then the handshakes."""
    cells = found.turns
    made = [
        _rate_row(cell, found) for cell in cells if cell.scope == "ccs" and cell.connections > 1
    ]
    made += [_p50_row(cell, found) for cell in cells if cell.connections == 1]
    made += [_rate_row(cell, found) for cell in cells if cell.scope == "local"]
    made += [_cpu_row(cell, found) for cell in cells if cell.connections > 1]
    made.append(
        Row(
            "security: handshakes",
            "connections opened while searches were measured",
            {OURS: f"{found.handshakes}"},
            target="0",
            is_met=not found.handshakes,
        )
    )
    return made


def _rate_row(cell: Cell, found: Found) -> Row:
    section = f"security: {cell.scope} queries/s, {cell.connections} connections"
    what, rate = f"{cell.search}, {cell.way}", found.rate(cell)
    if cell.way == OFF:
        return Row(section, what, {OURS: f"{rate:,.0f}"})
    share = rate / found.rate(_off(cell))
    values = {OURS: f"{rate:,.0f} ({share:.0%})"}
    if cell.scope == "local":
        return Row(section, what, values)
    target = f">= {_RATE_SHARE:.0%} of off"
    return Row(section, what, values, target=target, is_met=share >= _RATE_SHARE)


def _p50_row(cell: Cell, found: Found) -> Row:
    section = f"security: {cell.scope} p50, one connection, ms"
    what, p50 = f"{cell.search}, {cell.way}", found.p50_ms(cell)
    if cell.way == OFF:
        return Row(section, what, {OURS: f"{p50:.2f}"})
    more = p50 - found.p50_ms(_off(cell))
    target = f"<= {_P50_MS:g} ms more than off"
    values = {OURS: f"{p50:.2f} ({more:+.2f})"}
    return Row(section, what, values, target=target, is_met=more <= _P50_MS)


def _cpu_row(cell: Cell, found: Found) -> Row:
    section = f"security: CPU of both nodes, {cell.connections} connections, ms"
    what, cpu = f"{cell.search}, {cell.scope}, {cell.way}", found.cpu_ms(cell)
    shown = f"{cpu:.2f}"
    if cell.way != OFF:
        shown += f" ({cpu / found.cpu_ms(_off(cell)):.0%})"
    return Row(section, what, {OURS: shown})
