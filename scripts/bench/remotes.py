"""The part `remotes`: one node with a hundred remote clusters, and searches over one that is dead.

The node is a real one in a process of its own; the remotes are played by another.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scripts.bench import certificates, dead_remote
from scripts.bench.players import Players, cpu_seconds, open_files, resident_bytes
from scripts.bench.rows import OURS, Row
from sealane.testing.process import NodeProcess

_REMOTES, _GATEWAYS, _PROXY_SOCKETS = 100, 3, 18
_CONNECTED_WITHIN_S = {"plain": 5.0, "TLS": 10.0}
_IDLE_TARGET_PERCENT = 10.0
_MEMORY_TARGET_KB = {"plain": 200.0, "TLS": 800.0}
_GIVE_UP_S = 60.0
_SETTLE_S = 2.0
_POLL_S = 0.02
_WARM_UP_CALLS = 20


@dataclass(frozen=True, slots=True)
class Scale:
    """Seconds are from the settings request until every socket of every remote was open."""

    mode: str
    link: str
    connected_seconds: float
    connecting_cpu_seconds: float
    kilobytes_a_remote: float
    idle_percent: float
    idle_percent_with_pings: float
    files: int


def measure(seconds: float, progress: Callable[[str], None]) -> tuple[list[Row], dict[str, Any]]:
    """The idle processor time is watched for `seconds`. Returns the rows and the same as numbers."""
    with tempfile.TemporaryDirectory(prefix="sealane-bench-") as name:
        folder = Path(name)
        certificates.write(folder)
        scales = []
        for link in ("plain", "TLS"):
            for mode in ("sniff", "proxy"):
                progress(f"remotes: {_REMOTES} in {mode} mode, {link}")
                tls = folder if link == "TLS" else None
                scales.append(_scale(mode, link, tls, folder / f"{link}-{mode}", seconds))
        progress("remotes: a dead one")
        costs = dead_remote.measure(folder / "dead", progress)
    numbers = {
        "scale": [asdict(scale) for scale in scales],
        "dead": [asdict(cost) for cost in costs],
    }
    rows = [row for scale in scales for row in _scale_rows(scale)]
    return [*rows, *dead_remote.rows(costs)], numbers


def _scale(mode: str, link: str, tls: Path | None, folder: Path, seconds: float) -> Scale:
    nodes = _GATEWAYS if mode == "sniff" else 1
    with (
        Players(_REMOTES, nodes, tls) as players,
        NodeProcess("local", folder, **node_settings(tls)) as node,
    ):
        for _ in range(_WARM_UP_CALLS):
            node.call("GET", "/_remote/info")
        memory, files = resident_bytes(node.pid), open_files(node.pid)
        cpu, began = cpu_seconds(node.pid), time.monotonic()
        keys = _registrations(mode, players)
        node.call("PUT", "/_cluster/settings", {"persistent": keys})
        _wait_connected(node, mode, began)
        connected = time.monotonic() - began
        cpu = cpu_seconds(node.pid) - cpu
        time.sleep(_SETTLE_S)
        memory = resident_bytes(node.pid) - memory
        files = open_files(node.pid) - files
        idle = _idle_percent(node.pid, seconds)
        # Every connection is closed and opened anew for it.
        node.call("PUT", "/_cluster/settings", {"persistent": _with_pings(players)})
        time.sleep(_SETTLE_S)
        _wait_connected(node, mode, time.monotonic())
        time.sleep(_SETTLE_S)
        with_pings = _idle_percent(node.pid, seconds)
    return Scale(mode, link, connected, cpu, memory / _REMOTES / 1000, idle, with_pings, files)


def node_settings(tls: Path | None) -> dict[str, str]:
    """Of a node that speaks TLS with these certificates on its transport, or plain."""
    if tls is None:
        return {}
    prefix = "xpack__security__transport__ssl__"
    return {
        f"{prefix}enabled": "true",
        f"{prefix}key": str(tls / certificates.KEY),
        f"{prefix}certificate": str(tls / certificates.CERTIFICATE),
        f"{prefix}certificate_authorities": str(tls / certificates.AUTHORITY),
        "path__conf": str(tls),
    }


def _registrations(mode: str, players: Players) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    for name, addresses in players.addresses.items():
        if mode == "sniff":
            keys[f"cluster.remote.{name}.seeds"] = addresses[:1]
        else:
            keys[f"cluster.remote.{name}.mode"] = "proxy"
            keys[f"cluster.remote.{name}.proxy_address"] = addresses[0]
    return keys


def _with_pings(players: Players) -> dict[str, str]:
    return {f"cluster.remote.{name}.transport.ping_schedule": "5s" for name in players.addresses}


def _wait_connected(node: NodeProcess, mode: str, began: float) -> None:
    """Raises TimeoutError."""
    key, wanted = {
        "sniff": ("num_nodes_connected", _GATEWAYS),
        "proxy": ("num_proxy_sockets_connected", _PROXY_SOCKETS),
    }[mode]
    while True:
        info = node.call("GET", "/_remote/info")
        if len(info) == _REMOTES and all(each[key] == wanted for each in info.values()):
            return
        if time.monotonic() - began > _GIVE_UP_S:
            raise TimeoutError(f"not all of {_REMOTES} remotes connected in {_GIVE_UP_S:g} s")
        time.sleep(_POLL_S)


def _idle_percent(pid: int, seconds: float) -> float:
    cpu, began = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return 100 * (cpu_seconds(pid) - cpu) / (time.monotonic() - began)


def _scale_rows(scale: Scale) -> Iterator[Row]:
    section = f"{_REMOTES} remotes, {scale.mode} mode, {scale.link}"

    def below(what: str, figure: float, digits: int, target: float, unit: str) -> Row:
        return Row(
            section,
            f"{what}, {unit}",
            {OURS: f"{figure:,.{digits}f}"},
            target=f"< {target:g} {unit}",
            is_met=figure < target,
        )

    limit_s = _CONNECTED_WITHIN_S[scale.link]
    yield below("all connected", scale.connected_seconds, 2, limit_s, "s")
    yield Row(section, "CPU of that, s", {OURS: f"{scale.connecting_cpu_seconds:.2f}"})
    memory = _MEMORY_TARGET_KB[scale.link]
    yield below("memory of an idle one", scale.kilobytes_a_remote, 0, memory, "KB")
    yield below("idle, of one core", scale.idle_percent, 2, _IDLE_TARGET_PERCENT, "%")
    pings = "idle with a ping every 5 s, of one core"
    yield below(pings, scale.idle_percent_with_pings, 2, _IDLE_TARGET_PERCENT, "%")
    yield Row(section, "descriptors", {OURS: f"{scale.files:,}"})
