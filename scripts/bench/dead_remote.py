"""What a search over this cluster, a good remote and a dead one costs, by the way it died."""

import contextlib
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.bench.players import Players
from scripts.bench.rows import OURS, Row
from sealane.testing.process import NodeProcess

_SECTION = "search over [local, good, dead], skip_unavailable, ms"
_FIRST_TARGET_S = 30.0
_LATER_TARGET_S = 0.1
_LATER = 20
_HEALTHY = 20
_EXPRESSION = "cities,good:cities,dead:cities"
_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of the first search after the death, and the median and maximum of those after it."""

    how: str
    first: float
    later_median: float
    later_max: float


def measure(folder: Path, progress: Callable[[str], None]) -> list[Cost]:
    with Players() as good, NodeProcess("local", folder) as node:
        node.call("PUT", "/cities")
        _register(node, "good", good.addresses["played0"][0])
        _wait(node, "good", connected=True)
        costs = []
        for how, dead in _WAYS.items():
            progress(f"remotes: a dead one, {how}")
            with dead(node):
                costs.append(_cost(node, how))
            _register(node, "dead", None)
        return costs


def rows(costs: list[Cost]) -> Iterator[Row]:
    for cost in costs:
        yield Row(
            _SECTION,
            f"{cost.how}: the first",
            {OURS: f"{1000 * cost.first:,.1f}"},
            target=f"< {1000 * _FIRST_TARGET_S:,.0f}",
            is_met=cost.first < _FIRST_TARGET_S,
        )
        yield Row(
            _SECTION,
            f"{cost.how}: the next {_LATER}, median / maximum",
            {OURS: f"{1000 * cost.later_median:,.1f} / {1000 * cost.later_max:,.1f}"},
            target=f"< {1000 * _LATER_TARGET_S:,.0f}",
            is_met=cost.later_max < _LATER_TARGET_S,
        )


def _cost(node: NodeProcess, how: str) -> Cost:
    first = _search(node)
    later = [_search(node) for _ in range(_LATER)]
    return Cost(how, first, statistics.median(later), max(later))


def _search(node: NodeProcess) -> float:
    """Seconds. Raises RuntimeError where the answer is not that of the two live clusters."""
    began = time.monotonic()
    answer = node.call("GET", f"/{_EXPRESSION}/_search")
    took = time.monotonic() - began
    clusters = answer["_clusters"]
    if clusters["successful"] < 2:
        raise RuntimeError(f"the live clusters have not answered: {clusters}")
    return took


# -- the ways to die -------------------------------------------------------------------------------


@contextmanager
def _healthy(node: NodeProcess) -> Iterator[None]:
    with Players() as players:
        _connect(node, players)
        yield


@contextmanager
def _killed(node: NodeProcess) -> Iterator[None]:
    """Its port refuses from then on."""
    with Players() as players:
        _connect(node, players)
        players.kill()
        yield


@contextmanager
def _frozen(node: NodeProcess) -> Iterator[None]:
    """Connections stay open, and new ones are taken by the system: nobody answers."""
    with Players() as players:
        _connect(node, players)
        players.freeze()
        yield


@contextmanager
def _never_there(node: NodeProcess) -> Iterator[None]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        _register(node, "dead", _address(bound))
        yield


@contextmanager
def _black_hole(node: NodeProcess) -> Iterator[None]:
    """A listener whose queue is full: the system drops every further attempt to connect."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        _register(node, "dead", _address(listener))
        yield


@contextmanager
def _http_port(node: NodeProcess) -> Iterator[None]:
    _register(node, "dead", node.http)
    yield


_WAYS: dict[str, Callable[[NodeProcess], contextlib.AbstractContextManager[None]]] = {
    "not dead": _healthy,
    "killed while connected": _killed,
    "frozen while connected (SIGSTOP)": _frozen,
    "refused from the beginning": _never_there,
    "black hole from the beginning": _black_hole,
    "an HTTP port": _http_port,
}


def _connect(node: NodeProcess, players: Players) -> None:
    _register(node, "dead", players.addresses["played0"][0])
    _wait(node, "dead", connected=True)
    for _ in range(_HEALTHY):
        _search(node)


def _register(node: NodeProcess, alias: str, address: str | None) -> None:
    seeds = None if address is None else [address]
    keys = {f"cluster.remote.{alias}.seeds": seeds}
    node.call("PUT", "/_cluster/settings", {"persistent": keys})


def _wait(node: NodeProcess, alias: str, *, connected: bool) -> None:
    began = time.monotonic()
    while node.call("GET", "/_remote/info")[alias]["connected"] is not connected:
        if time.monotonic() - began > _TIMEOUT_S:
            raise TimeoutError(f"remote [{alias}] did not become connected: {connected}")
        time.sleep(0.02)


def _address(bound: socket.socket) -> str:
    host, port = bound.getsockname()
    return f"{host}:{port}"
