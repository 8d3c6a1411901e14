"""The part `transport`: the frame codec, and round trips on one connection between two processes."""

import asyncio
import ssl
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop

from scripts.bench import certificates, codec
from scripts.bench.played import ECHO, LARGE, PlayedNode
from scripts.bench.players import Players, cpu_seconds
from scripts.bench.rows import OURS, Row
from sealane.model.node import Address
from sealane.model.task import Context, TaskRegistry
from sealane.transport import ConnectionProfile
from sealane.transport.tasks import run_together

_AT_ONCE = (1, 16, 64)
_CHANNELS = 6
_SMALL_TARGET = 10_000
_LARGE_TARGET_MB = 500.0
_TLS_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class RoundTrips:
    """Of requests of 200 bytes that are echoed; CPU is of both processes together."""

    at_once: int
    per_second: float
    p50_us: float
    p99_us: float
    cpu_us: float


@dataclass(frozen=True, slots=True)
class Link:
    round_trips: list[RoundTrips]
    large_megabytes_per_second: float


def measure(seconds: float, progress: Callable[[str], None]) -> tuple[list[Row], dict[str, Any]]:
    """`seconds` for each figure. Returns the rows of the report and the same as numbers."""
    progress("transport: codec")
    rates = codec.rates(seconds)
    with tempfile.TemporaryDirectory(prefix="sealane-bench-") as name:
        folder = Path(name)
        certificates.write(folder)
        links = {}
        for kind, tls in (("plain", None), ("TLS", folder)):
            progress(f"transport: round trips, {kind}")
            with Players(tls=tls) as players:
                context = None if tls is None else certificates.client_context(tls)
                links[kind] = uvloop.run(_measure_link(players, context, seconds))
    numbers: dict[str, Any] = {"codec": rates}
    numbers |= {kind: asdict(link) for kind, link in links.items()}
    return [*_codec_rows(rates), *_link_rows(links)], numbers


async def _measure_link(players: Players, tls: ssl.SSLContext | None, seconds: float) -> Link:
    host, _, port = players.addresses["played0"][0].rpartition(":")
    caller = PlayedNode("caller", 0, lambda: [])
    connection = await caller.service.connect(
        Address(host, int(port)), ConnectionProfile(_CHANNELS), tls=tls
    )
    try:
        with TaskRegistry("caller").start("bench", start_ms=0) as task:
            context = Context(task=task)
            payload = bytes(codec.SMALL)

            async def small() -> int:
                return len(await connection.request(ECHO, payload, context))

            async def large() -> int:
                size = str(codec.LARGE).encode()
                return len(await connection.request(LARGE, size, context))

            trips = [await _round_trips(small, each, seconds, players.pid) for each in _AT_ONCE]
            return Link(trips, await _megabytes_per_second(large, seconds))
    finally:
        await caller.service.close()


async def _round_trips(
    ask: Callable[[], Awaitable[int]], at_once: int, seconds: float, peer: int
) -> RoundTrips:
    took: list[float] = []
    stop_at = time.perf_counter() + seconds

    async def keep_asking() -> None:
        while (began := time.perf_counter()) < stop_at:
            await ask()
            took.append(time.perf_counter() - began)

    cpu, began = time.process_time() + cpu_seconds(peer), time.perf_counter()
    await run_together([keep_asking() for _ in range(at_once)])
    passed = time.perf_counter() - began
    cpu = time.process_time() + cpu_seconds(peer) - cpu
    took.sort()
    return RoundTrips(
        at_once=at_once,
        per_second=len(took) / passed,
        p50_us=1e6 * took[len(took) // 2],
        p99_us=1e6 * took[len(took) * 99 // 100],
        cpu_us=1e6 * cpu / len(took),
    )


async def _megabytes_per_second(ask: Callable[[], Awaitable[int]], seconds: float) -> float:
    await ask()
    received, began = 0, asyncio.get_running_loop().time()
    while (passed := asyncio.get_running_loop().time() - began) < seconds:
        received += await ask()
    return received / passed / 1e6


def _codec_rows(rates: dict[str, float]) -> list[Row]:
    section = "frame codec, one core"
    return [
        _row(section, "200 B requests written, frames/s", rates["small_encoded_per_second"]),
        _row(section, "200 B requests read, frames/s", rates["small_decoded_per_second"]),
        _row(section, "10 MB answers read, MB/s", rates["large_decoded_megabytes_per_second"]),
    ]


def _link_rows(links: dict[str, Link]) -> list[Row]:
    made = []
    section = "round trips on one connection of 6 sockets, loopback"
    for kind, link in links.items():
        for trips in link.round_trips:
            what = f"{kind}, 200 B, {trips.at_once} at once"
            best = trips is max(link.round_trips, key=lambda each: each.per_second)
            target = _SMALL_TARGET * (1 if kind == "plain" else _TLS_SHARE) if best else None
            made.append(_row(section, f"{what}, requests/s", trips.per_second, target))
            times = f"{trips.p50_us:,.0f} / {trips.p99_us:,.0f} / {trips.cpu_us:,.0f}"
            made.append(Row(section, f"{what}, p50 / p99 / CPU of both, us", {OURS: times}))
        target = _LARGE_TARGET_MB * (1 if kind == "plain" else _TLS_SHARE)
        what = f"{kind}, 10 MB answers, MB/s"
        made.append(_row(section, what, link.large_megabytes_per_second, target))
    return made


def _row(section: str, what: str, figure: float, at_least: float | None = None) -> Row:
    if at_least is None:
        return Row(section, what, {OURS: f"{figure:,.0f}"})
    return Row(
        section,
        what,
        {OURS: f"{figure:,.0f}"},
        target=f">= {at_least:,.0f}",
        is_met=figure >= at_least,
    )
