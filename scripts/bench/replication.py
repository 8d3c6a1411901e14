"""The part `replication`: how quickly a follower follows, what that costs its leader, and how it begins and goes on.

The leader and the follower are real nodes in processes of their own. What is compared is measured in turns, for
other work of the machine only ever makes figures worse: the best turn counts.
"""

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from scripts.bench.follower_pair import FollowerPair, bodies, follower_pair, send
from scripts.bench.players import cpu_seconds
from scripts.bench.rows import OURS, Row
from scripts.rest import Rest

_SECTION: Final = "replication, leader to follower"
_RATE: Final = 8_000.0
_LAG_MS: Final = 1_000.0
_LEADER_MORE: Final = 0.15
_IDLE_INDICES, _IDLE_PERCENT = 100, 5.0
_RESTART_S: Final = 2.0
_COPY_S: Final = 180.0
_LARGE: Final = 1_000_000
_LARGE_A_SECOND: Final = 125_000
"""A second of effort is worth so many documents of a large index."""
_TURNS: Final = 4
_SETTLE_S: Final = 2.0
_WRITES_A_SECOND, _WRITE_ITEMS = 20, 50
_MARKERS_A_SECOND: Final = 10
_LOOK_S: Final = 0.001
_GIVE_UP_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Speed:
    """Documents a second from the first write until the follower has all; and of what was written in a pause."""

    while_writing: float
    catching_up: float


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU microseconds a document: of a leader without and with a follower, and of that follower."""

    alone: float
    followed: float
    follower: float


@dataclass(frozen=True, slots=True)
class Copied:
    documents: int
    seconds: float
    megabytes: float


@dataclass(frozen=True, slots=True)
class Restart:
    """Seconds from the start of the process until it answers, and until it has what was written while it was gone."""

    documents: int
    how: str
    answers: float
    goes_on: float


@dataclass(frozen=True, slots=True)
class Found:
    speed: Speed
    cost: Cost
    lags_ms: list[float]
    idle_percent: float
    copied: Copied
    restarts: list[Restart]


def measure(seconds: float, progress: Callable[[str], None]) -> tuple[list[Row], dict[str, Any]]:
    """Each load for about `seconds`. Returns the rows and the same as numbers."""
    large = min(_LARGE, int(seconds * _LARGE_A_SECOND))
    with tempfile.TemporaryDirectory(prefix="sealane-bench-") as name:
        with follower_pair(Path(name) / "busy") as pair:
            progress("replication: speed")
            speed = _speed(pair, seconds)
            progress("replication: cost at the leader")
            cost = _cost(pair, seconds)
            progress("replication: lag")
            lags = _lags(pair, seconds)
        with follower_pair(Path(name) / "idle") as pair:
            progress(f"replication: {_IDLE_INDICES} idle indices")
            idle = _idle(pair, seconds)
        with follower_pair(Path(name) / "large") as pair:
            progress(f"replication: a copy of {large:,} documents")
            copied = _copied(pair, large)
            progress(f"replication: restarts with {large:,} documents")
            restarts = _restarts(pair, large)
    found = Found(speed, cost, lags, idle, copied, restarts)
    return list(rows(found)), asdict(found)


# -- measuring ---------------------------------------------------------------------------------------------------------


def _speed(pair: FollowerPair, seconds: float) -> Speed:
    while_writing, catching_up = 0.0, 0.0
    pair.make("speed")
    pair.follow("speed")
    pair.wait_following(1)
    written = pair.write("speed", 10_000)
    pair.wait_for("speed", written)
    for _ in range(_TURNS):
        began = time.monotonic()
        new = pair.write_for("speed", seconds / _TURNS)
        written += new
        pair.wait_for("speed", written)
        while_writing = max(while_writing, new / (time.monotonic() - began))

        pair.pause("speed")
        written += pair.write("speed", new)
        began = time.monotonic()
        pair.resume("speed")
        pair.wait_for("speed", written)
        catching_up = max(catching_up, new / (time.monotonic() - began))
    return Speed(while_writing, catching_up)


def _cost(pair: FollowerPair, seconds: float) -> Cost:
    """The same documents go to an index that is followed and to one that is not, in turns."""
    documents = int(seconds * 5_000)
    written = {"alone": 0, "followed": 0}
    for index in written:
        pair.make(index)
        written[index] = pair.write(index, 10_000)
    pair.follow("followed")
    pair.wait_following(2)
    best = dict.fromkeys(("alone", "followed", "follower"), float("inf"))
    for _ in range(_TURNS):
        for index in written:
            time.sleep(_SETTLE_S)
            leader, follower = cpu_seconds(pair.leader.pid), cpu_seconds(pair.follower.pid)
            new = pair.write(index, documents)
            written[index] += new
            if index == "followed":
                pair.wait_for(index, written[index])
                used = cpu_seconds(pair.follower.pid) - follower
                best["follower"] = min(best["follower"], 1e6 * used / new)
            used = cpu_seconds(pair.leader.pid) - leader
            best[index] = min(best[index], 1e6 * used / new)
    return Cost(**best)


def _lags(pair: FollowerPair, seconds: float) -> list[float]:
    """At 1,000 documents/s: from a document's being written at the leader until a GET of the follower finds it."""
    pair.make("lag")
    pair.follow("lag")
    pair.wait_following(3)
    ended = threading.Event()
    load = threading.Thread(target=_load_evenly, args=(pair.leader.url, ended))
    load.start()
    lags = []
    try:
        with Rest(pair.leader.url) as leader, Rest(pair.follower.url) as follower:
            for number in range(int(seconds * _MARKERS_A_SECOND)):
                lags.append(1000 * _marker_seconds(leader, follower, f"marker-{number}"))
                time.sleep(1 / _MARKERS_A_SECOND)
    finally:
        ended.set()
        load.join()
    return lags


def _load_evenly(url: str, ended: threading.Event) -> None:
    made = bodies(_WRITE_ITEMS)
    due = time.monotonic()
    number = 0
    with Rest(url) as rest:
        while not ended.wait(max(0.0, due - time.monotonic())):
            send(rest, "lag", made[number % len(made)])
            number += 1
            due += 1 / _WRITES_A_SECOND


def _marker_seconds(leader: Rest, follower: Rest, name: str) -> float:
    leader.must("PUT", f"/lag/_doc/{name}", {"service": "marker"})
    began = time.monotonic()
    while follower.call("GET", f"/lag/_doc/{name}?_source=false").status != 200:
        if time.monotonic() - began > _GIVE_UP_S:
            raise TimeoutError(f"the follower has not got [{name}] in {_GIVE_UP_S:g} s")
        time.sleep(_LOOK_S)
    return time.monotonic() - began


def _idle(pair: FollowerPair, seconds: float) -> float:
    """Percent of one core that both nodes take together."""
    for number in range(_IDLE_INDICES):
        pair.make(f"idle-{number}")
        pair.follow(f"idle-{number}")
    pair.wait_following(_IDLE_INDICES)
    time.sleep(_SETTLE_S)
    pids = (pair.leader.pid, pair.follower.pid)
    cpu, began = sum(map(cpu_seconds, pids)), time.monotonic()
    time.sleep(max(seconds, 2 * _SETTLE_S))
    return 100 * (sum(map(cpu_seconds, pids)) - cpu) / (time.monotonic() - began)


def _copied(pair: FollowerPair, documents: int) -> Copied:
    pair.make("large")
    written = pair.write("large", documents)
    began = time.monotonic()
    pair.follow("large")
    pair.wait_following(1)
    passed = time.monotonic() - began
    pair.wait_for("large", written)
    (shard,) = pair.follower.call("GET", "/large/_ccr/stats")["indices"][0]["shards"]
    return Copied(written, passed, shard["sealane"]["copy"]["bytes"] / 1e6)


def _restarts(pair: FollowerPair, documents: int) -> list[Restart]:
    ends: dict[str, Callable[[], object]] = {
        "stopped": pair.follower.stop,
        "killed": pair.follower.kill,
    }
    return [Restart(documents, how, *_restart(pair, how, end)) for how, end in ends.items()]


def _restart(pair: FollowerPair, name: str, end: Callable[[], object]) -> tuple[float, float]:
    pair.wait_following(1)
    end()
    pair.leader.call("PUT", f"/large/_doc/{name}", {"service": "marker"})
    began = time.monotonic()
    pair.follower.start()
    answers = time.monotonic() - began
    while pair.follower.request("GET", f"/large/_doc/{name}?_source=false").status != 200:
        if time.monotonic() - began > _GIVE_UP_S:
            raise TimeoutError(f"the follower has not gone on in {_GIVE_UP_S:g} s")
        time.sleep(_LOOK_S)
    return answers, time.monotonic() - began


# -- what is shown -----------------------------------------------------------------------------------------------------


def rows(found: Found) -> Iterator[Row]:
    """Every figure, with its target where it has one."""
    speed, cost, copied = found.speed, found.cost, found.copied
    target = f">= {_RATE:,.0f}"
    for what, rate in (
        ("documents/s, while one client writes 1,000 a request", speed.while_writing),
        ("documents/s, catching up after a pause", speed.catching_up),
    ):
        yield Row(_SECTION, what, {OURS: f"{rate:,.0f}"}, target=target, is_met=rate >= _RATE)
    yield from _lag_rows(found.lags_ms)
    yield Row(_SECTION, "CPU of a leader without a follower, µs a document", _us(cost.alone))
    more = cost.followed / cost.alone - 1
    yield Row(
        _SECTION,
        "with one",
        {OURS: f"{cost.followed:.1f} ({more:+.0%})"},
        target=f"< {_LEADER_MORE:+.0%}",
        is_met=more < _LEADER_MORE,
    )
    yield Row(_SECTION, "CPU of that follower, µs a document", _us(cost.follower))
    yield _below(
        f"{_IDLE_INDICES} idle indices, both nodes, % of a core", found.idle_percent, _IDLE_PERCENT
    )
    yield _below(f"copy of {copied.documents:,} documents, s", copied.seconds, _COPY_S)
    yield Row(
        _SECTION,
        "documents/s of that, MB/s",
        {
            OURS: f"{copied.documents / copied.seconds:,.0f}, {copied.megabytes / copied.seconds:.1f}"
        },
    )
    for each in found.restarts:
        what = f"{each.how} with {each.documents:,} documents, and started, s"
        yield Row(_SECTION, f"{what}: until it answers", {OURS: f"{each.answers:.2f}"})
        yield _below(f"{what}: until it goes on", each.goes_on, _RESTART_S)


def _lag_rows(lags_ms: list[float]) -> Iterator[Row]:
    """Of 99 in 100 the worst one has a target, the others are told."""
    median, worst = statistics.median(lags_ms), max(lags_ms)
    p99 = sorted(lags_ms)[int(0.99 * (len(lags_ms) - 1))]
    what = "lag at 1,000 documents/s, ms"
    yield Row(_SECTION, f"{what}: p50 / maximum", {OURS: f"{median:.1f} / {worst:.1f}"})
    yield _below(f"{what}: p99", p99, _LAG_MS)


def _below(what: str, figure: float, limit: float) -> Row:
    return Row(
        _SECTION, what, {OURS: f"{figure:,.2f}"}, target=f"< {limit:g}", is_met=figure < limit
    )


def _us(figure: float) -> dict[str, str]:
    return {OURS: f"{figure:.1f}"}
