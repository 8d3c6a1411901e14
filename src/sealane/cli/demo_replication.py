"""The second half of the demo: europe follows the cities of americas, whose node is killed while it is written to.

It says in plain words what happens, and at the end compares what was acknowledged with what has arrived.
"""

import time
from http.client import HTTPException
from threading import Event, Thread
from typing import Any, Final

import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from sealane.testing.process import NodeProcess

LEADER, COPY = "cities", "cities-of-americas"
_BATCH: Final = 50
_MARK: Final = "noted by the demo"
_BEFORE_S, _AFTER_S = 3.0, 3.0
"""For how long is written before the leader is killed, and after it is back."""
_LOOK_S: Final = 0.1
_PATIENCE_S: Final = 60.0
_CHECKED_AT_ONCE: Final = 1_000


class _Writer:
    """Notes new documents on the leader without a pause, from a thread of its own. A batch that is not acknowledged is
    sent again, with the same ids, until it is.
    """

    def __init__(self, node: NodeProcess) -> None:
        self._node = node.beside()
        self._ended = Event()
        self._thread = Thread(target=self._run, name="writer")
        self.acknowledged = 0
        self.refused = 0
        """How often the leader did not answer."""

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """The batch under way is the last."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            batch = range(self.acknowledged, self.acknowledged + _BATCH)
            if self._sent(b"".join(_lines(each) for each in batch)):
                self.acknowledged += _BATCH
            else:
                self.refused += 1
                time.sleep(_LOOK_S)
        self._node.disconnect()

    def _sent(self, lines: bytes) -> bool:
        try:
            answer = self._node.call("POST", f"/{LEADER}/_bulk", lines)
        except (OSError, HTTPException, RuntimeError):
            return False
        return not answer["errors"]


def _lines(number: int) -> bytes:
    head = orjson.dumps({"index": {"_id": f"note-{number}"}})
    return head + b"\n" + orjson.dumps({"name": _MARK, "population": number}) + b"\n"


def show_replication(console: Console, europe: NodeProcess, americas: NodeProcess) -> bool:
    """Whether all that americas acknowledged is in europe, once each."""
    console.print(f"\n[bold]europe follows americas:{LEADER}[/bold] with PUT /{COPY}/_ccr/follow")
    europe.call(
        "PUT", f"/{COPY}/_ccr/follow", {"remote_cluster": americas.name, "leader_index": LEADER}
    )
    if not _show_copy(console, europe):
        return False
    writer = _Writer(americas)
    writer.start()
    try:
        _show_writing(console, europe, writer, "writing to americas", _BEFORE_S)
        _kill_and_restart(console, europe, americas, writer)
        _show_writing(console, europe, writer, "writing goes on", _AFTER_S)
    finally:
        writer.end()
    return _compare(console, europe, americas, writer)


def _show_copy(console: Console, europe: NodeProcess) -> bool:
    """Whether it came to its end."""
    with Progress(
        TextColumn("copying what is there"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} cities"),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        bar = progress.add_task("copy", total=1)
        until_s = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until_s:
            shards = _shards(europe)
            copies = [each["sealane"]["copy"] for each in shards if "copy" in each["sealane"]]
            docs, total = (sum(each[key] for each in copies) for key in ("docs", "total_docs"))
            progress.update(bar, completed=docs, total=total or 1)
            if shards and all(each["sealane"]["phase"] == "following" for each in shards):
                progress.update(bar, completed=total, total=total)
                return True
            time.sleep(_LOOK_S)
    console.print(f"[red]it does not get on[/red]: {_error(europe) or 'no reason is known'}")
    return False


def _show_writing(
    console: Console, europe: NodeProcess, writer: _Writer, what: str, seconds: float
) -> None:
    with Progress(
        TextColumn(f"{what}:"),
        TextColumn("{task.fields[written]:,} acknowledged,"),
        TextColumn("{task.fields[behind]:,} behind here, {task.fields[lag]}"),
        console=console,
    ) as progress:
        line = progress.add_task("write", total=None, written=0, behind=0, lag="")
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            shards = _shards(europe)
            progress.update(
                line, written=writer.acknowledged, behind=_behind(shards), lag=_lag(shards)
            )
            time.sleep(_LOOK_S)


def _kill_and_restart(
    console: Console, europe: NodeProcess, americas: NodeProcess, writer: _Writer
) -> None:
    americas.keep_addresses()
    americas.kill()
    console.print(
        "[bold red]americas is killed[/bold red] (kill -9) while it is written to; "
        f"{writer.acknowledged:,} are acknowledged"
    )
    found = europe.call("GET", f"/{COPY}/_count")["count"]
    console.print(f"  europe still answers from its copy: {found:,} documents")
    error = _wait_for_error(europe)
    console.print(f"  and says why it gets nothing new: {error}", markup=False, soft_wrap=True)
    begun_s = time.monotonic()
    americas.start()
    console.print(
        f"[bold green]americas is back[/bold green] after {time.monotonic() - begun_s:.1f} s, "
        "with all that it had acknowledged"
    )


def _wait_for_error(europe: NodeProcess) -> str:
    until_s = time.monotonic() + _PATIENCE_S / 4
    while time.monotonic() < until_s:
        error = _error(europe)
        if error is not None:
            return error
        time.sleep(_LOOK_S)
    return "nothing yet"


def _error(europe: NodeProcess) -> str | None:
    """What keeps the follower from getting on, as it says."""
    for shard in _shards(europe):
        met = (shard.get("fatal_exception"), shard["sealane"].get("last_error"))
        for each in (*met, *(each["exception"] for each in shard["read_exceptions"])):
            if each is not None:
                return str(each["reason"])
    return None


def _compare(console: Console, europe: NodeProcess, americas: NodeProcess, writer: _Writer) -> bool:
    """Waits until the follower is level, and looks for each write that was acknowledged."""
    begun_s = time.monotonic()
    _wait_level(europe, americas)
    level_s = time.monotonic() - begun_s
    verified = europe.call("GET", f"/{COPY}/_ccr/verify")
    europe.call("POST", f"/{COPY}/_refresh")
    there = europe.call("POST", f"/{COPY}/_count", {"query": {"match_phrase": {"name": _MARK}}})
    missing = _missing(europe, writer.acknowledged)
    twice = there["count"] - (writer.acknowledged - missing)
    shard = verified["shards"][0]
    console.print(
        f"\n[bold]level again[/bold] {level_s:.1f} s after the last write; {writer.refused} batches were sent again\n"
        f"  acknowledged by americas   {writer.acknowledged:>8,}\n"
        f"  found in europe            {there['count']:>8,}\n"
        f"  missing                    {missing:>8,}\n"
        f"  twice                      {max(0, twice):>8,}\n"
        f"  documents on both sides    {shard['leader']['docs']:>8,}  {shard['follower']['docs']:,}\n"
        f"  same ids, versions and sources: {'yes' if verified['equal'] else 'NO'} "
        f"(GET /{COPY}/_ccr/verify)",
        highlight=False,
    )
    whole = verified["equal"] is True and missing == 0 and twice == 0
    console.print(
        "[bold green]nothing is lost[/bold green]" if whole else "[red]not the same[/red]"
    )
    return whole


def _wait_level(europe: NodeProcess, americas: NodeProcess) -> None:
    """Until the follower has all that the leader has now."""
    stats = americas.call("GET", f"/{LEADER}/_stats?level=shards")["indices"][LEADER]["shards"]
    wanted = {int(shard): each[0]["seq_no"]["max_seq_no"] for shard, each in stats.items()}
    until_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until_s:
        reached = {each["shard_id"]: each["follower_global_checkpoint"] for each in _shards(europe)}
        if all(reached.get(shard, -1) >= seq_no for shard, seq_no in wanted.items()):
            return
        time.sleep(_LOOK_S)


def _missing(europe: NodeProcess, acknowledged: int) -> int:
    """How many of the notes that were acknowledged are not there, asked for one by one."""
    absent = 0
    for start in range(0, acknowledged, _CHECKED_AT_ONCE):
        ids = [f"note-{each}" for each in range(start, min(start + _CHECKED_AT_ONCE, acknowledged))]
        answer = europe.call("POST", f"/{COPY}/_mget?_source=false", {"ids": ids})
        absent += sum(not each.get("found", False) for each in answer["docs"])
    return absent


def _shards(europe: NodeProcess) -> list[dict[str, Any]]:
    indices = europe.call("GET", "/_ccr/stats")["follow_stats"]["indices"]
    return [shard for index in indices if index["index"] == COPY for shard in index["shards"]]


def _behind(shards: list[dict[str, Any]]) -> int:
    return sum(
        max(0, each["leader_global_checkpoint"] - each["follower_global_checkpoint"])
        for each in shards
    )


def _lag(shards: list[dict[str, Any]]) -> str:
    lags = [each["sealane"]["lag_millis"] for each in shards]
    known = [each for each in lags if each is not None]
    return f"{max(known):,} ms" if known else ""
